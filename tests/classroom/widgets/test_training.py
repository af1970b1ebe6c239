"""The slider through a training: traits and words in Python, the same in a browser, and what it refuses."""

import numpy as np
import pytest
import torch
import traitlets
from pages import FRAME, pixels

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
    return TrainingExplorer(PICTURE, LABELS, {100: scores(9), 0: scores(-1), 50: scores(1)}, GRID)


def test_the_score_follows_the_snapshot():
    widget = explorer()
    assert widget.iteration == 100 and widget.view == "labels"
    good = widget.mean_iou
    widget.set_state({"iteration": 0, "view": "cells"})  # the browser's
    assert widget.mean_iou < 20 < good and "After 0 iterations" in widget.caption
    assert widget.caption.endswith("image, labels, one per cell, true labels.")


def test_its_name_does_not_depend_on_the_machine():
    assert repr(explorer()) == "TrainingExplorer(iteration=100, view='labels')"


def test_what_is_refused():
    with pytest.raises(traitlets.TraitError, match="unknown snapshot 3: choose from 0, 50, 100"):
        explorer().iteration = 3
    with pytest.raises(traitlets.TraitError):
        explorer().view = "sideways"
    with pytest.raises(ValueError, match="snapshots must hold at least one"):
        TrainingExplorer(PICTURE, LABELS, {}, GRID)
    with pytest.raises(ValueError, match=r"one shape, got \[\(2, 2, 3\), \(2, 4, 6\)\]"):
        TrainingExplorer(PICTURE, LABELS, {0: scores(1), 1: torch.zeros(2, 4, 6)}, GRID)
    with pytest.raises(ValueError, match=r"labels must be \[H, W\] of the picture's size"):
        TrainingExplorer(PICTURE, LABELS.T, {0: scores(1)}, GRID)


@pytest.mark.browser
def test_the_browser_draws_and_says_the_same_alone(show):
    widget = explorer()
    page = show(widget)
    page.locator(".dl-slide-iteration").focus()
    page.keyboard.press("Home")
    sure = []
    for iteration in (0, 50, 100):
        for view in ("labels", "cells", "confidence"):
            page.locator("select.dl-view").select_option(view)
            widget.iteration, widget.view = iteration, view
            page.evaluate(FRAME)
            assert page.locator(".dl-said").text_content() == widget.caption
            drawn = pixels(page, "panel-drawn")
            if view == "confidence":
                assert (drawn == drawn[..., :1]).all()
                sure.append(drawn.mean())
            else:
                assert len(np.unique(drawn.reshape(-1, 3), axis=0)) == 2
        page.locator(".dl-slide-iteration").focus()
        page.keyboard.press("ArrowRight")
    assert sure[0] == pytest.approx(sure[1]) and 100 < sure[1] < sure[2]
    assert (np.abs(pixels(page, "panel-picture").astype(int) - 90) < 3).all()
    assert (pixels(page, "panel-labels") == drawing.colour_labels(LABELS)).all()
    page.locator("select.dl-view").select_option("cells")
    cells = pixels(page, "panel-drawn")  # cells of 8 pixels, enlarged to 16 x 24
    assert (cells[:, :8] == drawing.colour_labels(LABELS)[0, 0]).all()
    assert (cells[:, 8:] == drawing.colour_labels(LABELS)[0, -1]).all()
