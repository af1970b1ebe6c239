"""Label maps made smaller: votes, shares and samples, against each cell written out."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from label_maps_cases import CLASSES, cells_of, maps

from deeplab_lessons import metrics
from deeplab_lessons.metrics import label_maps


@settings(deadline=None)
@given(maps())
def test_majority_is_the_vote_of_every_cell(case):
    labels, stride = case
    voted = label_maps.majority(labels, stride, CLASSES)
    assert voted.dtype == np.uint8
    assert voted.shape == tuple(-(-side // stride) for side in labels.shape)
    for place, cell in cells_of(labels, stride):
        assert voted[place] == label_maps.vote(cell)


@settings(deadline=None)
@given(maps())
def test_shares_are_areas_without_void(case):
    labels, stride = case
    shares = label_maps.class_shares(labels, stride, CLASSES)
    assert shares.shape == (CLASSES, *(-(-side // stride) for side in labels.shape))
    for (i, j), cell in cells_of(labels, stride):
        labelled = cell[cell != 255]
        want = [(labelled == c).mean() if labelled.size else 0 for c in range(CLASSES)]
        assert shares[:, i, j] == pytest.approx(want)


@settings(deadline=None)
@given(maps())
def test_subsample_keeps_pixels_of_the_right_cell(case):
    labels, stride = case
    small = label_maps.subsample(labels, stride)
    for (i, j), cell in cells_of(labels, stride):
        rows, columns = cell.shape
        assert small[i, j] == cell[min(stride // 2, rows - 1), min(stride // 2, columns - 1)]


def test_votes_written_out():
    assert label_maps.vote(np.array([[0, 1], [1, 0]])) == 0  # a tie
    assert label_maps.vote(np.array([[255, 255], [255, 1]])) == 1
    assert label_maps.vote(np.array([[255, 255], [255, 255]])) == 255


@pytest.mark.parametrize(("strides", "want"), [([], 1), ([2] * 5, 32), ([2, 1, 3, 1], 6), (iter([4, 2]), 8)])
def test_output_stride_multiplies(strides, want):
    assert label_maps.output_stride(strides) == want


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.int64, torch.tensor])
def test_labels_are_classes_or_void(kind):
    def labels(*numbers):
        return kind(list(numbers)) if kind is torch.tensor else np.array(numbers, kind)

    metrics.check_labels(labels(0, 3, 255), CLASSES)
    metrics.check_labels(labels(0, 3, 11), CLASSES, ignore_index=11)
    with pytest.raises(ValueError, match=r"the mask must be classes 0 to 3 or void \(11\), got \[4, 255\]"):
        metrics.check_labels(labels(4, 11, 255, 0, 4), CLASSES, ignore_index=11, name="the mask")
    with pytest.raises(ValueError, match=r"labels must be classes 0 to 3, got \[255\]"):
        metrics.check_labels(labels(255, 0), CLASSES, ignore_index=None)
