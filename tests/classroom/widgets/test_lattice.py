"""One point on its way into the lattice: the numbers are the lattice's, each step says its own, in the browser too."""

import itertools
import random

import pytest
import torch
import traitlets
from pages import FRAME, colour_at, picture, rgb

from deeplab_lessons.classroom.readable_lattice import Lattice
from deeplab_lessons.classroom.widgets.lattice import OTHERS, STEPS, LatticeExplorer
from deeplab_lessons.classroom.widgets.lattice.words import WORDS
from deeplab_lessons.classroom.widgets.shared.page import public_state

POINTS = [(0.4, 0.5), (-1.0, 0.2), (2.6, -1.5), (-2.6, 1.5), (0.0, 0.0), (1.3, 0.9), (-0.7, -1.1)]


@pytest.mark.parametrize("x, y", POINTS)
def test_corners_and_weights_are_those_of_the_lattice(x, y):
    found = LatticeExplorer(x=x, y=y).found()
    lattice = Lattice(torch.tensor([[x], [y]], dtype=torch.float64))
    expected = {
        tuple(lattice.vertices[:, corner].tolist()): weight
        for corner, weight in zip(lattice.vertex[:, 0].tolist(), lattice.weights[:, 0].tolist(), strict=True)
    }
    corners = map(tuple, found["corners"].tolist())
    assert dict(zip(corners, found["weights"].tolist(), strict=True)) == pytest.approx(expected)


@pytest.mark.parametrize("x, y", POINTS)
def test_the_steps_can_be_followed_by_hand(x, y):
    """Round to multiples of 3, step back onto the plane, and take differences of what is left: as the words say."""
    f = LatticeExplorer(x=x, y=y).found()
    rounded, origin = f["rounded"].tolist(), f["rounded"].clone()
    if sum(rounded):
        change = torch.argmin(f["rest"]) if sum(rounded) > 0 else torch.argmax(f["rest"])
        origin[change] -= 3 if sum(rounded) > 0 else -3
    assert torch.equal(origin, f["origin"].double())
    first, middle, last = ((f["elevated"] - origin).sort(descending=True)[0] / 3).tolist()
    weights = [1 - first + last, middle - last, first - middle]
    assert f["weights"].tolist() == pytest.approx(weights)


def test_some_places_round_beside_the_plane_and_the_words_say_so():
    seen, widget = set(), LatticeExplorer()
    for x in range(-26, 27, 2):
        for y in range(-15, 16, 3):
            widget.x, widget.y = x / 10, y / 10
            total = int(widget.found()["rounded"].sum())
            seen.add(total)
            lines = widget.lines()
            assert (WORDS["in"] in lines[2]) == (total == 0) and (WORDS["beside"] in lines[2]) == (total != 0)
            assert (WORDS["down"] in lines[3]) == (total > 0) and (WORDS["up"] in lines[3]) == (total < 0)
    assert seen == {-3, 0, 3}


def test_what_is_stored_is_found_and_nothing_else():
    for x, y in OTHERS.T.tolist():
        assert LatticeExplorer(x=x, y=y).found()["stored"] == [True] * 3
    far = LatticeExplorer(x=2.6, y=-1.5)
    assert far.found()["stored"] == [False] * 3 and far.lines()[-1].count("is new") == 3


def test_the_caption_is_the_present_steps_line():
    widget = LatticeExplorer(x=1, step=2)
    assert repr(widget) == "LatticeExplorer(x=1.0, y=0.5, step=2: round)"
    for step, name in enumerate(STEPS):
        widget.set_state({"step": step})  # the browser's
        assert widget.caption == f"Step {step}, {name}: {widget.lines()[step]}"
    assert repr(widget) == "LatticeExplorer(x=1.0, y=0.5, step=6: look up)"


def test_wrong_values_are_refused():
    widget = LatticeExplorer()
    for name, value in (("step", 7), ("x", 2.7), ("y", -1.6)):
        with pytest.raises(traitlets.TraitError, match=name):
            setattr(widget, name, value)
    with pytest.raises(TypeError, match="unknown slider 'z': choose from x, y, step"):
        LatticeExplorer(z=1)


# ---------------------------------------------------------------- in a browser


def agree(page, widget):
    """The page shows Python's values, the steps so far with their numbers, and the present one in bold."""
    page.evaluate(FRAME)
    for name in ("x", "y", "step"):
        for kind in ("slide", "number"):
            shown = page.locator(f".dl-{kind}-{name}").input_value()
            assert float(shown) == pytest.approx(getattr(widget, name))
    lines = [f"{name}: {line}" for name, line in zip(STEPS, widget.lines(), strict=True)]
    assert page.locator("ol li:visible").all_text_contents() == lines[: widget.step + 1]
    assert page.locator("ol li.dl-now").all_text_contents() == [lines[widget.step]]
    assert widget.caption in page.locator("canvas").get_attribute("aria-label")
    return True


def positions(widget):
    """{corner of the pixel's triangle: its place in the plane}, as the lattice has them."""
    lattice = Lattice(torch.tensor([[widget.x], [widget.y]], dtype=torch.float64))
    return dict(zip(map(tuple, lattice.vertices.T.tolist()), lattice.positions.T.tolist(), strict=True))


def point_of(page, x, y):
    """Where a point of the plane is on the page."""
    box = page.locator("canvas").bounding_box()
    unit = box["width"] / 6.1
    return box["x"] + box["width"] / 2 + unit * x, box["y"] + box["height"] / 2 - unit * y


@pytest.mark.browser
def test_each_step_draws_and_says_its_own(show):
    widget = LatticeExplorer()
    page = show(widget, color_scheme="light")
    pictures = []
    page.get_by_label("step, slider").focus()
    for step, name in enumerate(STEPS):
        widget.step = step
        assert agree(page, widget)
        pictures.append(picture(page, "plane"))
        inside = colour_at(page, "plane", *point_of(page, 0.15, 0.35))  # black where nothing is drawn
        assert (inside == [0, 0, 0]) == (step < STEPS.index("rank")), name
        page.keyboard.press("ArrowRight")
    changes = [before != after for before, after in itertools.pairwise(pictures)]
    assert changes == [name in ("rank", "weigh", "key", "look up") for name in STEPS[1:]]
    page.wait_for_function(
        "(said) => document.querySelector('.dl-live').textContent === said", arg=widget.caption
    )
    blue, paper = rgb("#0072B2"), [255, 255, 255]
    places = positions(widget)
    found = widget.found()
    assert found["stored"].count(True) == 1
    for corner, known in zip(found["corners"].tolist(), found["stored"], strict=True):
        x, y = point_of(page, *places[tuple(corner)])
        assert colour_at(page, "plane", x, y + 5) == (blue if known else paper)


@pytest.mark.browser
def test_pointer_keys_and_numbers_move_the_pixel(show):
    widget = LatticeExplorer(step=3)
    page = show(widget)
    page.mouse.move(*point_of(page, -1.0, 0.2))
    page.evaluate(FRAME)
    assert "(-1.0, 0.2)" in page.locator("ol li").first.text_content()
    page.mouse.move(2, 2)
    assert agree(page, widget)  # looked, not chosen
    page.mouse.click(*point_of(page, -1.0, 0.2))
    page.mouse.move(2, 2)
    widget.x, widget.y = -1.0, 0.2
    assert agree(page, widget)
    for key, x, y in (
        ("ArrowRight", -0.9, 0.2),
        ("ArrowUp", -0.9, 0.3),
        ("Shift+ArrowLeft", -1.9, 0.3),
        ("End", 2.6, 0.3),
        ("Shift+ArrowDown", 2.6, -0.7),
    ):
        page.keyboard.press(key)
        widget.x, widget.y = x, y
        assert agree(page, widget), key
    page.get_by_label("grey / σβ", exact=True).fill("0.8")
    widget.y = 0.8
    assert agree(page, widget)


JAVASCRIPT = """({ words, others, points }) => {
  const stored = others.flatMap((other) => locate(other).corners);
  return points.map((point) => {
    const found = locate(point);
    const places = found.corners.map(flat);
    return [found, places, latticeLines(words, point, found, stored)];
  });
}"""


@pytest.mark.browser
def test_javascript_agrees_with_python_on_random_points(browser):
    rng = random.Random(6)
    points = [(rng.uniform(-2.6, 2.6), rng.uniform(-1.5, 1.5)) for _ in range(40)]
    points += [
        (x / 10, y / 10) for x in range(-26, 27, 13) for y in range(-15, 16)
    ]  # with ties of the rounding
    points += [*POINTS, *OTHERS.T.tolist(), (0.25, -0.35)]
    page = browser.new_page()
    page.add_script_tag(content=LatticeExplorer._esm.replace("export default", "void"))
    case = {"words": WORDS, "others": OTHERS.T.tolist(), "points": points}
    widget = LatticeExplorer()
    for (x, y), (found, places, lines) in zip(points, page.evaluate(JAVASCRIPT, case), strict=True):
        widget.x, widget.y = x, y
        expected = widget.found()
        for name in ("elevated", "rounded", "rest", "rank", "origin", "corners", "weights"):
            assert torch.tensor(found[name], dtype=torch.float64) == pytest.approx(expected[name].double()), (
                name
            )
        assert lines == widget.lines()
        there = positions(widget)
        for corner, place in zip(found["corners"], places, strict=True):
            assert place == pytest.approx(there[tuple(corner)], abs=1e-9)
    changes = [{"x": -2.55}, {"step": 6}, {"x": 2.7}, {"step": 2.5}, {"y": -1.6}]
    states = [public_state(widget.get_state()) | change for change in changes]
    assert page.evaluate("(states) => states.map(accepts)", states) == [True, True, False, False, False]
    page.close()
