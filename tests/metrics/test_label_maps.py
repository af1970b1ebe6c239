"""Label maps made smaller: shares, against each cell written out; and labels that are none."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from label_maps_cases import CLASSES, cells_of, maps

from deeplab_lessons import metrics
from deeplab_lessons.metrics import label_maps


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
