"""The separable explorer: numbers of real layers, words and refusals; the same numbers and gestures in a browser."""

import random

import pytest
import torch
import traitlets
from pages import FRAME, picture

from deeplab_lessons.classroom.widgets.separable import CHANNELS, OPTIONS, SeparableExplorer, number
from deeplab_lessons.classroom.widgets.separable.words import WORDS
from deeplab_lessons.classroom.widgets.shared.page import public_state
from deeplab_lessons.receptive_field import trace


@pytest.fixture
def explorer():
    return SeparableExplorer()


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"kernel_size": 5, "in_channels": 48, "out_channels": 2, "side": 17, "dilation": 6},
        {"kernel_size": 1, "in_channels": 1, "out_channels": 1, "side": 5},
        {"in_channels": 2048, "side": 33, "dilation": 18},
    ],
)
def test_the_numbers_are_those_of_the_tracer(values):
    explorer = SeparableExplorer(**values)
    dense, separable = (trace(layer, explorer.side, explorer.in_channels) for layer in explorer.layers())
    assert (explorer.dense, explorer.dense_weights) == (dense.multiply_adds, dense.parameters)
    assert (explorer.separable, explorer.separable_weights) == (separable.multiply_adds, separable.parameters)
    assert explorer.depthwise == separable["depthwise"].multiply_adds
    assert explorer.ratio == pytest.approx(1 / explorer.out_channels + 1 / explorer.kernel_size**2)


def test_dilation_and_map_leave_the_ratio_as_it_is(explorer):
    before = explorer.ratio, explorer.dense_weights, explorer.separable
    explorer.dilation = 18
    assert (explorer.ratio, explorer.dense_weights, explorer.separable) == before
    explorer.side = 33
    assert (explorer.ratio, explorer.dense_weights) == before[:2] and explorer.separable < before[2]


def test_the_ratio_tends_to_its_limit(explorer):
    ratios = []
    for explorer.out_channels in CHANNELS:
        ratios.append(explorer.ratio)
    assert ratios == sorted(ratios, reverse=True) and ratios[0] > 1
    assert explorer.limit < ratios[-1] < 1.01 * explorer.limit


def test_words_follow(explorer):
    before = explorer.caption
    explorer.set_state({"out_channels": 1})  # the browser's
    assert "separable costs more" in explorer.caption and "times less" in before
    explorer.out_channels = 48
    assert "48 channels" in explorer.caption


def test_the_same_on_every_run(explorer):
    assert repr(explorer) == (
        "SeparableExplorer(kernel_size=3, in_channels=256, out_channels=256, dilation=1, side=129, ratio=0.115)"
    )


def test_numbers_in_few_digits():
    assert [number(value) for value in (2304, 589_824, 68_000, 9_815_261_184, 41_000_000)] == [
        "2304", "589.8·10³", "68.0·10³", "9.82·10⁹", "41.00·10⁶",
    ]  # fmt: skip


def test_impossible_values_are_refused(explorer):
    with pytest.raises(traitlets.TraitError, match="unknown kernel_size 4: choose from 1, 3, 5"):
        explorer.kernel_size = 4
    with pytest.raises(traitlets.TraitError, match="unknown dilation 0: choose from 1, 2"):
        SeparableExplorer(dilation=0)
    with pytest.raises(traitlets.TraitError):
        explorer.ratio = 1.0
    with pytest.raises(ValueError, match="unknown slider 'stride': choose from kernel_size"):
        SeparableExplorer(stride=2)


def test_the_layers_are_the_courses_own(explorer):
    dense, separable = explorer.layers()
    assert (
        type(separable).__name__ == "SeparableConv2d" and separable.depthwise.groups == explorer.in_channels
    )
    assert dense.weight.device == torch.device("meta")


# ---------------------------------------------------------------- in a browser


def agree(page, explorer):
    """The page shows Python's values, costs and sentence, and bars as long as the costs."""
    page.evaluate(FRAME)
    for name in OPTIONS:
        slider = page.locator(f".dl-slide-{name}")
        assert slider.get_attribute("aria-valuetext") == str(getattr(explorer, name)), name
        assert OPTIONS[name][int(slider.input_value())] == getattr(explorer, name)
    costs = [
        f"dense {number(explorer.dense)} multiply-adds, {number(explorer.dense_weights)} weights",
        f"separable {number(explorer.separable)} multiply-adds, {number(explorer.separable_weights)} weights",
    ]
    assert page.locator(".dl-costs > div").all_text_contents() == costs
    assert page.locator(".dl-status").text_content() == explorer.caption
    assert explorer.caption in page.locator("canvas").get_attribute("aria-label")
    bars = page.locator(".dl-track i").evaluate_all(
        "(all) => all.map((bar) => bar.getBoundingClientRect().width)"
    )
    dense, depthwise, pointwise = bars
    assert (depthwise + pointwise) / dense == pytest.approx(explorer.ratio, abs=2e-3)
    assert depthwise / dense == pytest.approx(explorer.depthwise / explorer.dense, abs=2e-3)
    return True


@pytest.mark.browser
def test_sliders_curve_and_keys_change_it(show, explorer):
    page = show(explorer)
    before = picture(page, "ratio")
    assert agree(page, explorer)
    for label, name, value in (("kernel", "kernel_size", 5), ("map, cells per side", "side", 257)):
        page.get_by_label(label, exact=True).focus()
        page.keyboard.press("ArrowRight")
        setattr(explorer, name, value)
        assert agree(page, explorer)
    curve = page.locator("canvas")
    box = curve.bounding_box()
    page.mouse.move(box["x"] + 5, box["y"] + 90)
    assert agree_but_slider(page, explorer, 1) and picture(page, "ratio") != before
    page.mouse.move(2, 2)
    assert agree(page, explorer)  # looked, not chosen
    page.mouse.click(box["x"] + box["width"] - 5, box["y"] + 90)
    explorer.out_channels = 2048
    assert agree(page, explorer)
    for key, channels in (
        ("ArrowLeft", 1024),
        ("ArrowDown", 728),
        ("Home", 1),
        ("ArrowUp", 2),
        ("End", 2048),
    ):
        page.keyboard.press(key)
        explorer.out_channels = channels
        assert agree(page, explorer), key
    page.wait_for_function(
        "(said) => document.querySelector('.dl-live').textContent === said", arg=explorer.caption
    )


def agree_but_slider(page, explorer, channels):
    """What the page says while the pointer looks at other channels out."""
    page.evaluate(FRAME)
    values = {name: getattr(explorer, name) for name in OPTIONS} | {"out_channels": channels}
    return page.locator(".dl-status").text_content() == SeparableExplorer(**values).caption


JAVASCRIPT = """(cases) => cases.map(({ words, state }) =>
  [costsOf(state), separableSentence(words, state, costsOf(state))])"""


@pytest.mark.browser
def test_javascript_agrees_with_python_on_random_layers(browser):
    rng = random.Random(5)
    states = [{name: rng.choice(options) for name, options in OPTIONS.items()} for _ in range(40)]
    states += [SMALL | {"out_channels": channels} for channels in CHANNELS]
    page = browser.new_page()
    page.add_script_tag(content=SeparableExplorer._esm.replace("export default", "void"))
    answers = page.evaluate(JAVASCRIPT, [{"words": WORDS, "state": state} for state in states])
    for state, (costs, sentence) in zip(states, answers, strict=True):
        explorer = SeparableExplorer(**state)
        assert costs == {name: getattr(explorer, name) for name in costs} and len(costs) == 7
        assert sentence == explorer.caption
    changes = [{"out_channels": 728}, {"out_channels": 729}, {"dilation": 0}]
    states = [public_state(explorer.get_state()) | change for change in changes]
    assert page.evaluate("(states) => states.map(accepts)", states) == [True, False, False]
    page.close()


SMALL = {"kernel_size": 1, "in_channels": 2, "dilation": 2, "side": 5}  # ratios with ties of three decimals
