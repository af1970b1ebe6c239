"""The slider through the iterations of the dense CRF: traits, words, the same in a browser, and what it refuses."""

import numpy as np
import pytest
import torch
import traitlets
from pages import FRAME, pixels, play_kernel

from deeplab_lessons import crf
from deeplab_lessons.classroom import drawing
from deeplab_lessons.classroom.widgets.unrolled import VIEWS, UnrolledExplorer
from deeplab_lessons.classroom.widgets.unrolled.words import WORDS

LABELS = np.zeros((16, 24), np.uint8)
LABELS[:, 12:] = 1
PICTURE = np.full((16, 24, 3), 60, np.uint8)
PICTURE[:, 12:] = 180
SETTING = crf.Parameters(w1=4, sigma_alpha=8, sigma_beta=10, w2=2, sigma_gamma=1, iterations=4)


def scores():
    """Class 1 begins three columns too late, with a margin that the CRF can overrule."""
    logits = torch.zeros(2, 16, 24)
    logits[1, :, :15], logits[1, :, 15:] = -1, 2
    return logits


def explorer(**options):
    return UnrolledExplorer(PICTURE, scores(), LABELS, SETTING, **options)


def test_a_gesture_changes_traits_and_words():
    widget = explorer()
    assert (widget.step, widget.w1, widget.w2, widget.view) == (0, 4, 2, "labels")
    widget.set_state({"step": 3, "view": "changes", "w1": 1})  # the browser's
    assert "Step 3 of 4" in widget.caption and "image, what has changed, true labels" in widget.caption
    assert widget._steps["weights"] == [1, 2]


def test_the_steps_are_those_of_mean_field():
    widget = explorer()
    assert widget.changed == 0
    expected = crf.mean_field(crf.unary_from_logits(scores()), crf.DenseCRF(SETTING).filters(
        torch.tensor(PICTURE).permute(2, 0, 1)), iterations=4)  # fmt: skip
    assert torch.equal(widget._marginals[4], expected)


def test_the_crf_moves_the_boundary_and_the_caption_says_so():
    widget = explorer()
    alone = widget.mean_iou
    widget.step = 1
    assert widget.changed > 0 and f"{widget.changed} another than one step before" in widget.caption
    widget.step = 4
    assert widget.changed == 16 * 3 and widget.mean_iou == 100 > alone
    assert "Step 4 of 4: 48 pixels" in widget.caption
    widget.w1 = widget.w2 = 0
    assert widget.changed == 0 and widget.mean_iou == pytest.approx(alone)


def test_a_compatibility_of_ones_own_takes_the_place_of_potts():
    widget = explorer(compatibility=torch.zeros(2, 2))
    widget.step = 4
    assert widget.changed == 0


def test_its_name_does_not_depend_on_the_machine():
    assert repr(explorer()) == "UnrolledExplorer(step=0, w1=4, w2=2, view='labels')"


def test_what_is_refused():
    widget = explorer()
    with pytest.raises(traitlets.TraitError, match="step must be from 0 to 4, got 5"):
        widget.step = 5
    with pytest.raises(traitlets.TraitError, match="w1 must be a weight, at least 0, got -1"):
        widget.w1 = -1
    with pytest.raises(traitlets.TraitError):
        widget.view = "sideways"
    with pytest.raises(KeyError, match="v2_vgg"):
        UnrolledExplorer(PICTURE, scores(), LABELS, "v9")
    with pytest.raises(ValueError, match=r"labels must be \[H, W\] of the picture's size"):
        UnrolledExplorer(PICTURE, scores(), LABELS[1:], SETTING)


# ---------------------------------------------------------------- in a browser


def agree(page, widget):
    """The page says what Python says."""
    page.evaluate(FRAME)
    assert page.locator(".dl-said").text_content() == widget.caption


@pytest.mark.browser
def test_steps_and_views_work_alone_and_new_weights_say_what_they_need(show):
    widget = explorer()
    page = show(widget)
    page.clock.install()
    for step in range(5):
        for view in VIEWS:
            page.locator("select.dl-view").select_option(view)
            widget.step, widget.view = step, view
            agree(page, widget)
        page.locator(".dl-slide-step").focus()
        page.keyboard.press("ArrowRight")
    marked = (pixels(page, "panel-drawn") == (230, 159, 0)).all(2)
    assert marked[:, 12:15].all() and marked.sum() == 48
    page.locator("select.dl-view").select_option("confidence")
    shown = pixels(page, "panel-drawn")
    assert (shown == shown[..., :1]).all() and shown.mean() > 150
    page.locator("select.dl-view").select_option("labels")
    assert (pixels(page, "panel-drawn") == drawing.colour_labels(LABELS)).all()
    widget.view = "labels"
    page.locator(".dl-slide-w1").focus()
    page.keyboard.press("ArrowLeft")
    agree(page, widget)
    assert page.locator(".dl-status").text_content() == ""
    page.clock.fast_forward(4000)
    agree(page, widget)  # the last picture that was computed
    assert page.locator(".dl-status").text_content() == WORDS["silent"]
    page.keyboard.press("ArrowRight")  # the weights that it is of
    agree(page, widget)
    assert page.locator(".dl-status").text_content() == ""


@pytest.mark.browser
def test_new_weights_are_asked_for_and_their_steps_shown(show):
    widget = explorer()
    widget.step = 4
    page = show(widget)
    play_kernel(page, widget)
    field = page.locator(".dl-number-w1")
    field.fill("25")
    field.press("Tab")
    assert page.evaluate("[model.get('w1'), model.sent.length]") == [25, 1]
    field.fill("-3")
    field.press("Tab")
    assert page.evaluate("model.get('w1')") == 0 and field.input_value() == "0"
    field.fill("")
    field.press("Enter")
    assert field.input_value() == "0" and page.evaluate("model.sent.length") == 2
    field.select_text()
    field.press_sequentially("2")
    page.evaluate("model.set('w1', 3)")
    page.evaluate(FRAME)
    assert field.input_value() == "2", "typing is not disturbed"
    field.press("Tab")
    assert page.evaluate("model.get('w1')") == 2
    for weight in (7.0, 0.0):
        widget.w1 = widget.w2 = weight
        page.evaluate(
            "([weight, steps]) => { for (const w of ['w1', 'w2']) model.set(w, weight); model.set('_steps', steps); }",
            [weight, widget._steps],
        )
        agree(page, widget)
        assert [page.locator(f".dl-{kind}-w1").input_value() for kind in ("slide", "number")] == [
            f"{weight:g}"
        ] * 2
    assert widget.changed == 0 and page.locator(".dl-slide-w1").get_attribute("max") == "25"
