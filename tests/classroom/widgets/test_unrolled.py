"""The slider through the iterations of the dense CRF: traits, pictures, words, and what it refuses."""

import io

import numpy as np
import pytest
import torch
import traitlets
from PIL import Image

from deeplab_lessons import crf
from deeplab_lessons.classroom import drawing
from deeplab_lessons.classroom.widgets.unrolled import UnrolledExplorer

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


def middle(widget):
    image = np.array(Image.open(io.BytesIO(widget._panels.png)))
    assert image.shape == (32, 3 * 48 + 2 * 8, 3)
    return image[::2, 56:104:2]


def test_sliders_and_traits_are_one():
    widget = explorer()
    assert (widget.step, widget.w1, widget.w2, widget.view) == (0, 4, 2, "labels")
    widget._slider.value = 3
    assert widget.step == 3
    widget.w1, widget.view = 1.5, "changes"
    assert widget._weights[0].value == 1.5 and widget._list.value == "changes"


def test_the_steps_are_those_of_mean_field():
    widget = explorer()
    assert widget.changed == 0
    widget.step = 4
    expected = crf.mean_field(crf.unary_from_logits(scores()), crf.DenseCRF(SETTING).filters(
        torch.tensor(PICTURE).permute(2, 0, 1)), iterations=4)  # fmt: skip
    assert torch.equal(widget._marginals[4], expected)
    assert (middle(widget) == drawing.colour_labels(expected.argmax(0).numpy())).all()


def test_the_crf_moves_the_boundary_and_the_caption_says_so():
    widget = explorer()
    alone = widget.mean_iou
    widget.step = 1
    assert widget.changed > 0 and f"{widget.changed} another than one step before" in widget.caption
    widget.step = 4
    assert widget.changed == 16 * 3 and widget.mean_iou == 100 > alone
    assert "Step 4 of 4: 48 pixels" in widget.caption and widget.caption in widget._panels.value
    widget.w1 = widget.w2 = 0
    assert widget.changed == 0 and widget.mean_iou == pytest.approx(alone)


def test_what_has_changed_is_marked():
    widget = explorer()
    widget.step, widget.view = 4, "changes"
    marked = (middle(widget) == (230, 159, 0)).all(2)
    assert marked[:, 12:15].all() and marked.sum() == 48
    widget.view = "confidence"
    shown = middle(widget)
    assert (shown == shown[..., :1]).all() and shown.mean() > 150


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
