"""How good a label map is (`scores`), and what one is at all (`label_maps`)."""

from deeplab_lessons.metrics.label_maps import IGNORE_INDEX, check_labels
from deeplab_lessons.metrics.scores import (
    boundary_distance,
    confusion_matrix,
    iou_per_class,
    mean_iou,
    pixel_accuracy,
    trimap,
    trimap_confusions,
)

__all__ = [
    "IGNORE_INDEX", "boundary_distance", "check_labels", "confusion_matrix", "iou_per_class",
    "mean_iou", "pixel_accuracy", "trimap", "trimap_confusions",
]  # fmt: skip
