"""Label maps in the browser: packed and unpacked, and computed as the package computes them, on random cases."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch

from deeplab_lessons import metrics
from deeplab_lessons.classroom import redrawing
from deeplab_lessons.classroom.widgets.shared import page as pages_of_widgets
from deeplab_lessons.classroom.widgets.shared.label_maps import checked_maps, packed
from deeplab_lessons.grid import Grid, bilinear_weights, upsample

SCRIPT = Path(pages_of_widgets.__file__).with_name("label_maps.js")
REDRAW = """
(cases) => Promise.all(cases.map(async ({ labels, size, stride, classes, reading }) => {
  const truth = await unpacked(labels);
  const drawn = redrawn(truth, size, stride, classes, reading);
  const wrong = countOf(wrongPixels(drawn, truth));
  return { drawn: [...drawn], iou: meanIou(drawn, truth, classes), wrong };
}))
"""
ENLARGE = """
(cases) => Promise.all(cases.map(async ({ scores, cells, size, grid }) => {
  const numbers = await unpacked(scores);
  const { labels, confidence } = bestClasses(numbers, cells, size, grid);
  const nearest = nearestClasses(numbers, cells, size, grid);
  return { labels: [...labels], confidence: [...confidence], nearest: [...nearest], mean: meanOf(confidence) };
}))
"""


@pytest.fixture(scope="module")
def ask(browser):
    """Ask the script about cases."""
    page = browser.new_page()
    page.add_script_tag(content=pages_of_widgets.joined(SCRIPT))
    yield page.evaluate
    page.close()


def random_labels(rng, classes):
    """Rectangles of classes and of void on a map of at most 60 x 60 pixels."""
    labels = np.zeros(rng.integers(1, 60, 2), np.uint8)
    for label in rng.choice([*range(classes), 255], 8):
        top, left = (rng.integers(0, side) for side in labels.shape)
        labels[top : top + rng.integers(1, 30), left : left + rng.integers(1, 30)] = label
    return labels


@pytest.mark.browser
def test_maps_are_made_small_and_drawn_again_as_in_python(ask):
    rng = np.random.default_rng(0)
    cases, maps = [], []
    for number in range(60):
        classes, stride = int(rng.integers(2, 7)), int(rng.choice([1, 2, 3, 4, 8, 16, 32]))
        reading = redrawing.READINGS[number % 3]
        maps.append(random_labels(rng, classes))
        case = {"size": list(maps[-1].shape), "stride": stride, "classes": classes, "reading": reading}
        cases.append(case | {"labels": packed(maps[-1])})
    differing = 0
    for case, labels, answer in zip(cases, maps, ask(REDRAW, cases), strict=True):
        expected = redrawing.redraw(labels, case["stride"], case["classes"], case["reading"])
        drawn = np.array(answer["drawn"], np.uint8).reshape(labels.shape)
        if case["reading"] == "shares":  # where two classes tie, rounding decides
            differing += (drawn != expected).sum()
        else:
            assert (drawn == expected).all(), case
        iou = metrics.mean_iou(metrics.confusion_matrix(drawn, labels, case["classes"]))
        assert answer["iou"] == pytest.approx(100 * iou, nan_ok=True)
        assert answer["wrong"] == ((drawn != labels) & (labels != 255)).sum()
    assert differing < 0.002 * sum(labels.size for labels in maps)


@pytest.mark.browser
def test_scores_are_enlarged_as_in_python(ask):
    rng = np.random.default_rng(1)
    cases, logits = [], []
    for _ in range(30):
        classes, cells = int(rng.integers(1, 7)), rng.integers(1, 9, 2)
        grid = Grid(*((8, None), (4.5, None), (4, 0.0), (8, 3.5))[rng.integers(4)])
        least = grid.stride * (cells - 1) + 1 + (grid.start or 0)
        size = [int(side) for side in least + rng.uniform(0, 0.9 * grid.stride, 2)]
        logits.append(torch.tensor(rng.normal(0, 4, (classes, *cells)), dtype=torch.float32))
        case = {"scores": packed(logits[-1].numpy()), "cells": cells.tolist(), "size": size}
        cases.append(case | {"grid": asdict(grid)})
    for case, scores, answer in zip(cases, logits, ask(ENLARGE, cases), strict=True):
        grid, size = Grid(**case["grid"]), case["size"]
        enlarged = upsample(scores[None], size, grid)[0]
        best = enlarged.topk(min(2, len(scores)), dim=0).values
        clear = best[0] - best[-1] > 1e-4 if len(best) == 2 else torch.ones(size, dtype=torch.bool)
        drawn = torch.tensor(answer["labels"]).view(*size)
        assert torch.equal(drawn[clear], enlarged.argmax(0)[clear]) and clear.float().mean() > 0.9, case
        sure = enlarged.softmax(0).amax(0)
        assert np.allclose(answer["confidence"], sure.flatten(), rtol=0, atol=1e-4)
        assert answer["mean"] == pytest.approx(sure.mean().item(), abs=1e-5)
        rows, columns = (
            bilinear_weights(pixels, cells, grid).argmax(1)
            for pixels, cells in zip(size, case["cells"], strict=True)
        )
        nearest = torch.tensor(answer["nearest"]).view(*size)
        assert torch.equal(nearest, scores.argmax(0)[rows[:, None], columns]), case


@pytest.mark.browser
def test_the_mean_iou_of_nothing_but_void_is_not_a_number(ask):
    assert ask("() => meanIou([255], [255], 2)") == pytest.approx(np.nan, nan_ok=True)


PICTURE, LABELS = np.zeros((4, 6, 3), np.uint8), np.ones((4, 6), np.uint8)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"picture": PICTURE[..., 0]}, r"picture must be uint8 \[H, W, 3\], got uint8 \[4, 6\]"),
        ({"labels": LABELS[:3]}, r"labels must be \[H, W\] of the picture's size \[4, 6\], got \[3, 6\]"),
        ({"num_classes": 1}, "labels must be classes 0 to 0"),
        ({"palette": np.zeros((2, 3)), "num_classes": 3}, "a colour for labels 0 to 2, got 2 colours"),
        (
            {"palette": np.zeros((3, 3)), "labels": LABELS + 254},
            "a colour for labels 0 to 255, got 3 colours",
        ),
    ],
)
def test_what_does_not_belong_together_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        checked_maps(**{"picture": PICTURE, "labels": LABELS, "num_classes": 2, "palette": None} | change)


def test_labels_of_any_whole_kind_are_kept_as_bytes():
    labels, maps = checked_maps(PICTURE, torch.tensor(LABELS).long(), 2, None)
    assert labels.dtype == np.uint8 and maps["labels"] == packed(LABELS) and maps["size"] == [4, 6]
