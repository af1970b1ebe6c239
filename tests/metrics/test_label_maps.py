"""Labels that are none."""

import numpy as np
import pytest
import torch
from label_maps_cases import CLASSES

from deeplab_lessons import metrics


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
