"""How good a label map is (`scores`), and what a coarse map can still say (`label_maps`)."""

from deeplab_lessons.metrics.label_maps import IGNORE_INDEX, check_labels
from deeplab_lessons.metrics.scores import (
    boundary_distance,
    class_iou,
    confusion_matrix,
    iou_per_class,
    mean_iou,
    pixel_accuracy,
    trimap,
    trimap_confusions,
)

__all__ = [
    "IGNORE_INDEX", "boundary_distance", "check_labels", "class_iou", "confusion_matrix", "iou_per_class",
    "mean_iou", "pixel_accuracy", "trimap", "trimap_confusions",
]  # fmt: skip
