"""The slider through a training: traits, pictures, words, and what it refuses."""

import io

import numpy as np
import pytest
import torch
import traitlets
from PIL import Image

from deeplab_lessons.classroom import drawing
from deeplab_lessons.classroom.widgets.training import TrainingExplorer
from deeplab_lessons.grid import Grid

LABELS = np.zeros((16, 24), np.uint8)
LABELS[:, 12:] = 1
GRID = Grid(8, None)
PICTURE = np.full((16, 24, 3), 90, np.uint8)


def scores(margin):
    """Class 1 on the right half of 2 x 3 cells, ahead by `margin`; with a negative one, on the left."""
    logits = torch.zeros(2, 2, 3)
    logits[1] = torch.tensor([-margin, 0.1 * margin, margin])
    return logits


def explorer():
    return TrainingExplorer(PICTURE, LABELS, {0: scores(-1), 50: scores(1), 100: scores(9)}, GRID)


def panels(widget):
    """Picture, drawn panel and labels as arrays at twice the size."""
    image = np.array(Image.open(io.BytesIO(widget._panels.png)))
    assert image.shape == (32, 3 * 48 + 2 * 8, 3)
    return image[:, :48], image[:, 56:104], image[:, 112:]


def test_the_slider_and_the_trait_are_one():
    widget = explorer()
    assert widget.iteration == 100 and widget.view == "labels"
    widget._slider.value = 50
    assert widget.iteration == 50
    widget.iteration, widget.view = 0, "confidence"
    assert widget._slider.value == 0 and widget._list.value == "confidence"


def test_the_score_follows_the_snapshot():
    widget = explorer()
    good = widget.mean_iou
    widget.iteration = 0
    assert widget.mean_iou < 20 < good and "After 0 iterations" in widget.caption
    assert widget.caption in widget._panels.value and 'role="status"' in widget._panels.value


def test_panels_show_picture_drawing_and_labels():
    widget = explorer()
    picture, drawn, labels = panels(widget)
    assert (picture == 90).all()
    assert (labels[::2, ::2] == drawing.colour_labels(LABELS)).all()
    assert len(np.unique(drawn.reshape(-1, 3), axis=0)) == 2
    widget.view = "cells"
    _, cells, _ = panels(widget)
    assert (cells[::2, ::2][:, :8] == drawing.colour_labels(LABELS)[0, 0]).all()
    assert (cells[::2, ::2][:, 8:] == drawing.colour_labels(LABELS)[0, -1]).all()


def test_confidence_is_grey_and_grows():
    widget = explorer()
    widget.view = "confidence"
    sure = panels(widget)[1]
    widget.iteration = 50
    unsure = panels(widget)[1]
    assert (sure == sure[..., :1]).all() and sure.mean() > unsure.mean() > 100


def test_its_name_does_not_depend_on_the_machine():
    assert repr(explorer()) == "TrainingExplorer(iteration=100, view='labels')"


def test_what_is_refused():
    with pytest.raises(traitlets.TraitError, match="unknown snapshot 3: choose from 0, 50, 100"):
        explorer().iteration = 3
    with pytest.raises(traitlets.TraitError):
        explorer().view = "sideways"
    with pytest.raises(ValueError, match="snapshots must hold at least one"):
        TrainingExplorer(PICTURE, LABELS, {}, GRID)
