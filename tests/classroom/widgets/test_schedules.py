"""The schedules explorer: areas, words and refusals in Python; the same numbers, curves and gestures in a browser."""

import random

import numpy as np
import pytest
import traitlets
from pages import FRAME, picture

from deeplab_lessons.classroom.widgets.schedules import SchedulesExplorer
from deeplab_lessons.classroom.widgets.schedules.words import WORDS
from deeplab_lessons.classroom.widgets.shared.page import public_state
from deeplab_lessons.training import poly, step


@pytest.fixture
def explorer():
    return SchedulesExplorer(iterations=1000, lr=0.02)


def test_areas_are_sums_of_the_packages_schedules(explorer):
    assert explorer.poly_area == pytest.approx(sum(poly(i, 1000) for i in range(1000)) / 10)
    assert explorer.step_area == pytest.approx(sum(step(i, 1000) for i in range(1000)) / 10)
    explorer.power, explorer.parts, explorer.factor = 2.0, 2, 0.5
    assert explorer.poly_area == pytest.approx(sum(poly(i, 1000, 2) for i in range(1000)) / 10)
    assert explorer.step_area == pytest.approx(sum(step(i, 1000, 2, 0.5) for i in range(1000)) / 10)


def test_the_papers_schedules_come_first():
    widget = SchedulesExplorer()
    assert (widget.power, widget.parts, widget.factor) == (0.9, 3, 0.1)
    assert repr(widget) == (
        "SchedulesExplorer(power=0.9, parts=3, factor=0.1, poly_area=52.6 %, step_area=37.0 %)"
    )
    assert widget.caption.startswith(
        "Over 20,000 iterations, from a first learning rate of 0.00025. Poly with power 0.9 falls without a jump, and "
        "halfway 0.54 of the first learning rate is left. Step has 3 parts, each with 0.1 of"
    )


def test_words_follow(explorer):
    explorer.set_state({"parts": 1})  # the browser's
    assert explorer.step_area == 100 and "constant learning rate" in explorer.caption
    explorer.parts = 2
    assert "Step has 2 parts" in explorer.caption


@pytest.mark.parametrize(("name", "value"), [("power", 0), ("power", 5), ("parts", 0), ("factor", 1.2)])
def test_values_outside_the_sliders_are_refused(explorer, name, value):
    with pytest.raises(traitlets.TraitError):
        setattr(explorer, name, value)


def test_impossible_trainings_are_refused():
    with pytest.raises(ValueError, match="iterations must be at least 10"):
        SchedulesExplorer(iterations=3)
    with pytest.raises(ValueError, match="lr above 0"):
        SchedulesExplorer(lr=0)
    with pytest.raises(traitlets.TraitError):
        SchedulesExplorer(100).poly_area = 1.0


# ---------------------------------------------------------------- in a browser


def agree(page, explorer):
    """The page shows Python's values, areas and sentence."""
    page.evaluate(FRAME)
    for name in ("power", "parts", "factor"):
        for kind in ("slide", "number"):
            shown = page.locator(f".dl-{kind}-{name}").input_value()
            assert float(shown) == pytest.approx(getattr(explorer, name)), name
    areas = [f"{name}: area {getattr(explorer, f'{name}_area'):.1f} %" for name in ("poly", "step")]
    assert page.locator(".dl-legend li").all_text_contents() == areas
    assert page.locator(".dl-status").text_content() == explorer.caption
    assert page.locator("canvas").get_attribute("aria-label") == explorer.caption
    return True


@pytest.mark.browser
def test_sliders_and_numbers_move_the_curves(show, explorer):
    page = show(explorer)
    before = picture(page, "falling")
    assert agree(page, explorer)
    page.get_by_label("poly: power, slider").focus()
    page.keyboard.press("ArrowRight")
    explorer.power = 1.0
    assert agree(page, explorer) and picture(page, "falling") != before
    page.get_by_label("step: factor", exact=True).fill("0.3")
    explorer.factor = 0.3
    assert agree(page, explorer)
    parts = page.get_by_label("step: parts", exact=True)
    parts.fill("60")  # beyond the limits: it waits until the field is left
    page.evaluate(FRAME)
    assert parts.input_value() == "60" and explorer.caption == page.locator(".dl-status").text_content()
    parts.blur()
    explorer.parts = 6
    assert agree(page, explorer)
    parts.fill("")
    parts.blur()
    assert agree(page, explorer)
    page.wait_for_function(
        "(said) => document.querySelector('.dl-live').textContent === said", arg=explorer.caption
    )


JAVASCRIPT = """(cases) => cases.map(({ words, state }) => {
  const areas = { poly: areaOf(poly, state), step: areaOf(step, state) };
  const all = Array.from({ length: state.iterations }, (_, i) => [poly(i, state), step(i, state)]);
  const curves = [polyCurve(state, 200), stepCurve(state)];
  return { areas, all, curves, words: schedulesSentence(words, state, areas) };
})"""


@pytest.mark.browser
def test_javascript_agrees_with_python_on_random_schedules(browser):
    rng = random.Random(4)
    explorers = []
    for power in (3, 2, 1, *(rng.uniform(0.1, 4) for _ in range(12))):  # 0.5³ is a tie of two decimals
        explorer = SchedulesExplorer(rng.choice([10, 97, 1000, 1234]), rng.choice([0.02, 2.5e-4, 1e-5]))
        explorer.power, explorer.parts = power, rng.randint(1, 6)
        explorer.factor = rng.choice([0.1, 0.5, rng.uniform(0.05, 1)])
        explorers.append(explorer)
    cases = []
    for explorer in explorers:
        numbers = {name: getattr(explorer, name) for name in ("power", "parts", "factor")}
        state = explorer._training | numbers
        cases.append({"words": WORDS, "state": state})
    page = browser.new_page()
    page.add_script_tag(content=SchedulesExplorer._esm.replace("export default", "void"))
    for explorer, answer in zip(explorers, page.evaluate(JAVASCRIPT, cases), strict=True):
        shares = explorer.shares()
        assert np.allclose(np.array(answer["all"]).T, list(shares.values()))
        assert answer["areas"] == pytest.approx({"poly": explorer.poly_area, "step": explorer.step_area})
        assert answer["words"] == explorer.caption
        falling, steps = map(np.array, answer["curves"])
        for line in (falling, steps):
            assert (np.diff(line[:, 0]) >= 0).all() and (np.diff(line[:, 1]) <= 0).all()
            assert line[0].tolist() == [0, 1] and line[-1, 0] == explorer.iterations
        for at, share in falling[:-1]:
            assert share == pytest.approx(shares["poly"][int(at)])
        for (begin, share), (end, same) in zip(steps[::2], steps[1::2], strict=True):
            assert share == same and np.allclose(shares["step"][int(begin) : int(end)], share)
    changes = [{"power": 2.55}, {"parts": 6}, {"power": 5}, {"parts": 2.5}, {"factor": 0}]
    states = [public_state(explorers[0].get_state()) | change for change in changes]
    assert page.evaluate("(states) => states.map(accepts)", states) == [True, True, False, False, False]
    page.close()
