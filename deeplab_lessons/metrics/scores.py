"""How well a label map is drawn: confusion matrix, intersection over union, and its mean over the classes.

As in PASCAL VOC the confusion matrix is summed over all pictures of a set first, and IoU is computed once from the sum.
Void pixels are counted nowhere.
"""

from collections.abc import Iterable

import numpy as np
import torch

from deeplab_lessons.checks import check_choice
from deeplab_lessons.metrics.label_maps import IGNORE_INDEX, check_labels, one_map


def confusion_matrix(prediction, labels, num_classes: int, ignore_index: int = IGNORE_INDEX) -> torch.Tensor:
    """Count pixels by true class (rows) and predicted class (columns), int64 [C, C]; matrices of pictures add up.

    `prediction` and `labels` are arrays or tensors of one shape, on any device. Raises ValueError for values outside
    0 … C - 1 where the label is not `ignore_index`.
    """
    from torchmetrics.functional.classification import multiclass_confusion_matrix

    given = (a.cpu() if isinstance(a, torch.Tensor) else a for a in (prediction, labels))
    prediction, labels = (torch.as_tensor(np.asarray(a)).long() for a in given)
    if prediction.shape != labels.shape:
        raise ValueError(
            f"prediction {list(prediction.shape)} and labels {list(labels.shape)} differ in shape: "
            "upsample the prediction to the labels' size first"
        )
    check_labels(labels, num_classes, ignore_index)
    labelled = labels != ignore_index
    prediction, labels = prediction[labelled], labels[labelled]
    check_labels(prediction, num_classes, None, "prediction")
    return multiclass_confusion_matrix(prediction, labels, num_classes, validate_args=False)


def iou_per_class(confusion: torch.Tensor) -> torch.Tensor:
    """Return each class's `TP / (TP + FP + FN)`, float64 [C]; NaN for one in neither the labels nor the prediction."""
    confusion = confusion.double()
    both = confusion.diagonal()
    return both / (confusion.sum(0) + confusion.sum(1) - both)


def mean_iou(confusion: torch.Tensor) -> float:
    """Return the mean IoU of the classes in labels or prediction (NaN is left out); NaN if no pixel is labelled.

    A class that is predicted but nowhere in the labels counts, with IoU 0.
    """
    return iou_per_class(confusion).nanmean().item()


def pixel_accuracy(confusion: torch.Tensor) -> float:
    """Return the fraction of labelled pixels that have the right class; NaN if no pixel is labelled."""
    confusion = confusion.double()
    return (confusion.diagonal().sum() / confusion.sum()).item()


def boundary_distance(labels: np.ndarray, around: str = "labels") -> np.ndarray:
    """Return each pixel's distance in pixels to the nearest boundary, float64 [H, W]; infinite if there is none.

    Euclidean, between pixel centres: to the nearest pixel with another label, void too (pixels on both sides of an edge
    have distance 1), or, with `around="void"`, to the nearest void pixel, as the papers do on PASCAL VOC, where void
    borders surround the objects. Raises ValueError for other words or a map that is not [H, W].
    """
    from scipy.ndimage import distance_transform_edt

    labels = one_map(labels)
    check_choice("around", around, ("labels", "void"))
    distance = np.full(labels.shape, np.inf)
    for label in np.unique(labels) if around == "labels" else [IGNORE_INDEX]:
        inside = labels == label if around == "labels" else labels != IGNORE_INDEX
        if not inside.all():
            distance[inside] = distance_transform_edt(inside)[inside]
    return distance


def trimap(labels: np.ndarray, width: float, around: str = "labels") -> np.ndarray:
    """Return the labelled pixels within `width` pixels (at least 1) of a boundary, bool [H, W]: a band on both sides.

    Source: Kohli, Ladický and Torr 2009; used by DeepLab v1 (section 5) and v3+ with void.
    """
    labels = one_map(labels)
    return _within(boundary_distance(labels, around), width) & (labels != IGNORE_INDEX)


def trimap_confusions(
    prediction: np.ndarray,
    labels: np.ndarray,
    num_classes: int,
    widths: Iterable[int],
    around: str = "labels",
) -> dict[int, torch.Tensor]:
    """Return the confusion matrix inside the trimap of each of `widths`: {width: int64 [C, C]}, to be added up."""
    distance = boundary_distance(labels, around)
    bands = {width: np.where(_within(distance, width), labels, IGNORE_INDEX) for width in widths}
    return {w: confusion_matrix(prediction, band, num_classes) for w, band in bands.items()}


def _within(distance: np.ndarray, width: float) -> np.ndarray:
    if not width >= 1:
        raise ValueError(f"width must be at least 1 pixel, got {width}: pass the band's width in pixels")
    return distance <= width
