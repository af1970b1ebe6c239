"""How good a label map is (`scores`), and what a coarse map can still say (`label_maps`)."""

from deeplab_lessons.metrics.scores import (
    boundary_distance,
    class_iou,
    confusion_matrix,
    iou_per_class,
    mean_iou,
    object_ious,
    pixel_accuracy,
    trimap,
    trimap_confusions,
)

__all__ = [
    "boundary_distance",
    "class_iou",
    "confusion_matrix",
    "iou_per_class",
    "mean_iou",
    "object_ious",
    "pixel_accuracy",
    "trimap",
    "trimap_confusions",
]
