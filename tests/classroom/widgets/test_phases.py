"""The stepper through the phases: its numbers are torch's, its words true, and every gesture moves it."""

import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from pages import FRAME, colour_at, picture
from playwright.sync_api import expect

from deeplab_lessons.classroom import built_in
from deeplab_lessons.classroom.widgets.phases import EDGES, SIZE, PhasesStepper


@pytest.mark.parametrize("dilation", [1, 2, 3, 4])
def test_the_answers_are_those_of_a_dilated_convolution(dilation):
    stepper = PhasesStepper(dilation=dilation)
    green, kernel = (torch.tensor(x).double()[None, None] for x in (stepper.picture[..., 1], EDGES))
    assert torch.equal(stepper.answers, F.conv2d(green, kernel, dilation=dilation)[0, 0].long())
    assert stepper.answers.shape == (SIZE - 2 * dilation,) * 2 and stepper.different == 0


def test_the_photograph_is_the_cat_or_the_readers_own():
    assert PhasesStepper().picture.shape == (SIZE, SIZE, 3)
    own = PhasesStepper(built_in.photograph("rocket"))
    assert own._pixels != PhasesStepper()._pixels and own.different == 0
    with pytest.raises(ValueError, match=r"picture must be uint8 \[H, W, 3\], got float64"):
        PhasesStepper(np.zeros((80, 80, 3)))


def test_repr_is_stable_and_traits_are_checked():
    stepper = PhasesStepper()
    assert repr(stepper) == "PhasesStepper(dilation=2, step=1, unit=[28, 20])"
    for name, wrong, error, message in (
        ("dilation", 0, ValueError, "dilation 1 .its taps are neighbours., not 0"),
        ("dilation", 5, ValueError, "dilation must be from 1 to 4, got 5"),
        ("step", 0, ValueError, "step must be from 1 to 4, got 0"),
        ("step", 1.5, TypeError, "step must be a whole number, got 1.5"),
        ("unit", [68, 0], IndexError, "unit row must be from 0 to 67, the rows of the result, got 68"),
        ("unit", 3, TypeError, r"unit must be \[row, column\]"),
    ):
        with pytest.raises(error, match=message):
            setattr(stepper, name, wrong)
    assert repr(stepper) == "PhasesStepper(dilation=2, step=1, unit=[28, 20])"


def test_a_larger_dilation_keeps_the_unit_in_the_result():
    stepper = PhasesStepper(dilation=1, unit=[69, 3])
    stepper.dilation = 4
    assert stepper.unit == [63, 3]


# ---------------------------------------------------------------- in a browser


def at_rest(show, stepper):
    """The widget for a reader who wants nothing to move: each step is there at once."""
    return show(stepper, reduced_motion="reduce")


def cell(page, row, column):
    """Middle of the square at `row` and `column` of the drawing, counted in cells; three lie between two phases."""
    box = page.locator("canvas.dl-phase-cells").bounding_box()
    scale = box["width"] / (SIZE + 9)
    return box["x"] + (column + 0.5) * scale, box["y"] + (row + 0.5) * scale


def grey(page, row, column):
    red, green, blue = colour_at(page, "phase-cells", *cell(page, row, column))
    assert red == green == blue
    return red


@pytest.mark.browser
@pytest.mark.parametrize("dilation", [1, 2, 3, 4])
def test_every_step_is_drawn_where_it_belongs(show, dilation):
    stepper = PhasesStepper(dilation=dilation, step=4, unit=[0, 0])
    page = at_rest(show, stepper)
    shades = (128 + stepper.answers / 4).clamp(0, 255)
    side, margin = SIZE // dilation, (4 - dilation) * 3 / 2
    for row, column in ((5, 9), (30, 41), (40, 11), (60, 60)):
        shade = shades[row, column].item()
        pixel = row + dilation, column + dilation  # of its middle tap
        whole = [4.5 + place for place in pixel]
        phase = [margin + place % dilation * (side + 3) + place // dilation for place in pixel]
        for step, place in ((4, whole), (3, phase)):
            page.locator(".dl-number-step").fill(str(step))
            page.evaluate(FRAME)
            assert abs(grey(page, *place) - shade) <= 1, (step, row, column)
        for step, place in ((2, phase), (1, whole)):
            page.locator(".dl-number-step").fill(str(step))
            page.evaluate(FRAME)
            found = colour_at(page, "phase-cells", *cell(page, *place))
            assert found == stepper.picture[pixel].tolist(), (step, row, column)


@pytest.mark.browser
def test_the_words_follow_the_step_and_the_page_counts_itself(show):
    stepper = PhasesStepper()
    page = at_rest(show, stepper)
    said, live = page.locator(".dl-phases .dl-said"), page.locator(".dl-live")
    for step, words in (
        (1, "At dilation 2 the chosen unit reads nine pixels (orange), 2 apart."),
        (2, "one of 4."),
        (3, "Each of the 4 phases"),
        (4, "68 × 68 of them. 0 differ"),
    ):
        if step > 1:
            page.locator(".dl-slide-step").press("ArrowRight")
        page.evaluate(FRAME)
        assert words in said.inner_text()
        if step > 1:  # what is there at first is not said aloud
            expect(live).to_contain_text(words)
        assert f"{step} of 4" in page.locator("canvas").get_attribute("aria-label")
    page.locator(".dl-slide-dilation").press("End")
    page.evaluate(FRAME)
    assert "64 × 64 of them. 0 differ" in said.inner_text()
    page.locator(".dl-number-step").fill("9")
    page.locator(".dl-number-step").fill("")  # nothing typed: nothing changes
    page.evaluate(FRAME)
    assert "4 of 4" in said.inner_text()


@pytest.mark.browser
def test_keys_and_clicks_choose_the_unit_in_the_image_and_in_a_phase(show):
    page = at_rest(show, PhasesStepper())
    canvas = page.locator("canvas.dl-phase-cells")

    def chosen():
        return re.search(r"row (\d+), column (\d+)", canvas.get_attribute("aria-label")).groups()

    canvas.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+ArrowRight")
    page.evaluate(FRAME)
    assert chosen() == ("29", "30")
    page.keyboard.press("End")
    page.keyboard.press("ArrowRight")  # stays in the result
    page.evaluate(FRAME)
    assert chosen() == ("29", "67")
    page.mouse.click(*cell(page, 4.5 + 12, 4.5 + 22))  # row 12, column 22 of the image: the middle tap
    page.evaluate(FRAME)
    assert chosen() == ("10", "20")
    page.locator(".dl-slide-step").press("ArrowRight")
    page.evaluate(FRAME)
    box = 3 + 36 + 3  # the second phase's first cell
    page.mouse.click(*cell(page, box + 5, 3 + 7))  # rows 1, 3, … and columns 0, 2, …
    page.evaluate(FRAME)
    assert chosen() == (str(1 + 2 * 5 - 2), str(2 * 7 - 2))
    page.mouse.move(*cell(page, 3 + 1, 3 + 1))
    page.evaluate(FRAME)
    assert chosen() == ("0", "0")
    page.mouse.move(2, 2)
    page.evaluate(FRAME)
    assert chosen() == ("9", "12")


@pytest.mark.browser
def test_the_squares_travel_unless_the_reader_wants_them_still(show):
    there = picture(at_rest(show, PhasesStepper(step=2)), "phase-cells")
    drawings = {}
    for page in (show(PhasesStepper()), at_rest(show, PhasesStepper())):
        before = page.evaluate("window.drawings")
        page.locator(".dl-slide-step").press("ArrowRight")
        page.wait_for_function("there => document.querySelector('canvas').toDataURL() === there", arg=there)
        still = page.evaluate("matchMedia('(prefers-reduced-motion: reduce)').matches")
        drawings[still] = page.evaluate("window.drawings") - before
    assert drawings[False] >= 9 and drawings[True] <= 4
