"""The slider for the stride: score and words in Python, the same in a browser, and what it refuses."""

import numpy as np
import pytest
import traitlets
from pages import FRAME, pixels
from playwright.sync_api import expect

from deeplab_lessons import metrics
from deeplab_lessons.classroom import built_in, drawing, redrawing
from deeplab_lessons.classroom.widgets.stride import STRIDES, StrideExplorer


@pytest.fixture
def explorer():
    return StrideExplorer()


@pytest.mark.slow
@pytest.mark.parametrize("reading", redrawing.READINGS)
@pytest.mark.parametrize("stride", STRIDES)
def test_the_score_is_that_of_the_package(explorer, stride, reading):
    explorer.stride, explorer.reading = stride, reading
    labels = built_in.scene(3, 224, "val")[1]
    drawn = redrawing.redraw(labels, stride, 6, reading)
    assert explorer.mean_iou == pytest.approx(
        100 * metrics.mean_iou(metrics.confusion_matrix(drawn, labels, 6))
    )
    assert f"Stride {stride}: {224 // stride} × {224 // stride} cells" in explorer.caption
    assert f"{explorer.mean_iou:.1f} %" in explorer.caption
    assert f"stride={stride}" in repr(explorer) and " at 0x" not in repr(explorer)


def test_a_gesture_changes_score_and_words(explorer):
    before = explorer.mean_iou, explorer.caption
    explorer.set_state({"stride": 32})  # the browser's
    assert explorer.stride == 32 and explorer.caption != before[1]
    assert explorer.mean_iou < before[0]


def test_own_picture_with_cut_cells():
    labels = np.zeros((50, 70), np.uint8)
    labels[10:30, 10:40] = 1
    explorer = StrideExplorer(np.zeros((50, 70, 3), np.uint8), labels, num_classes=2, stride=16)
    assert "4 × 5 cells" in explorer.caption


def test_impossible_values_are_refused(explorer):
    with pytest.raises(traitlets.TraitError, match="unknown stride 7: choose from 1, 2, 4"):
        explorer.stride = 7
    with pytest.raises(traitlets.TraitError):
        explorer.mean_iou = 100.0
    with pytest.raises(ValueError, match="pass both"):
        StrideExplorer(labels=np.zeros((4, 4), np.uint8))
    with pytest.raises(ValueError, match="palette must have a colour for labels 0 to 255, got 2"):
        StrideExplorer(palette=np.zeros((2, 3), np.uint8))


@pytest.mark.browser
def test_the_browser_draws_and_says_the_same_alone(show, explorer):
    page = show(explorer)
    labels = built_in.scene(3, 224, "val")[1]
    page.locator(".dl-slide-stride").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    for stride in STRIDES[1::2]:
        for reading in redrawing.READINGS:
            page.locator("select.dl-reading").select_option(reading)
            explorer.stride, explorer.reading = stride, reading
            page.evaluate(FRAME)
            assert page.locator(".dl-said").text_content() == explorer.caption
        expected = drawing.colour_labels(redrawing.redraw(labels, stride, 6, "shares"))
        assert (pixels(page, "panel-drawn") != expected).any(2).mean() < 0.002
        wrong = (pixels(page, "panel-wrong") == (213, 94, 0)).all(2)
        assert f"{100 * wrong.mean():.1f} % of the pixels are wrong" in explorer.caption
        assert page.locator(".dl-slide-stride").get_attribute("aria-valuetext") == f"{stride} px"
        page.locator(".dl-slide-stride").focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
    expect(page.locator(".dl-live")).to_have_text(explorer.caption)
