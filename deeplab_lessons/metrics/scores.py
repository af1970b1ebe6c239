"""How well a label map is drawn: confusion matrix, intersection over union, and its mean over the classes.

As in PASCAL VOC the confusion matrix is summed over all pictures of a set first, and IoU is computed once
from the sum; it is not averaged over pictures. Void pixels are counted nowhere.
"""

from collections.abc import Iterable

import numpy as np
import torch


def confusion_matrix(prediction, labels, num_classes: int, ignore_index: int = 255) -> torch.Tensor:
    """Pixels by true class (rows) and predicted class (columns), int64 [C, C]; matrices of pictures add up.

    `prediction` and `labels` are arrays or tensors of one shape. Pixels whose label is `ignore_index` do not
    count, whatever is predicted there. Raises ValueError for other values outside 0 … C - 1.
    """
    from torchmetrics.functional.classification import multiclass_confusion_matrix

    prediction, labels = (torch.as_tensor(np.asarray(a)).long() for a in (prediction, labels))
    if prediction.shape != labels.shape:
        raise ValueError(
            f"prediction {list(prediction.shape)} and labels {list(labels.shape)} differ in shape: "
            "enlarge the prediction to the labels' size first"
        )
    judged = labels != ignore_index
    prediction, labels = prediction[judged], labels[judged]
    _known("prediction", prediction, num_classes)
    _known("labels", labels, num_classes)
    return multiclass_confusion_matrix(prediction, labels, num_classes, validate_args=False)


def iou_per_class(confusion: torch.Tensor) -> torch.Tensor:
    """Intersection over union of each class, float64 [C]: `TP / (TP + FP + FN)`.

    NaN for a class that is neither in the labels nor in the prediction: it has no union to divide by.
    """
    confusion = confusion.double()
    both = confusion.diagonal()
    return both / (confusion.sum(0) + confusion.sum(1) - both)


def mean_iou(confusion: torch.Tensor) -> float:
    """Mean of the classes' IoU, classes without any pixel (NaN) left out; NaN if no pixel was judged.

    A class that was predicted but is nowhere in the labels counts, with IoU 0.
    """
    return iou_per_class(confusion).nanmean().item()


def class_iou(prediction: np.ndarray, labels: np.ndarray, label: int, ignore_index: int = 255) -> float:
    """IoU of one class in one picture, with nothing but comparisons; NaN where there is no union."""
    judged = labels != ignore_index
    predicted, true = (prediction == label) & judged, (labels == label) & judged
    union = (predicted | true).sum()
    return float((predicted & true).sum() / union) if union else float("nan")


def object_ious(
    prediction: np.ndarray, labels: np.ndarray, classes: Iterable[int], ignore_index: int = 255
) -> list[tuple[int, float]]:
    """IoU of every single object: pairs of its longer side in pixels and its IoU, between 0 and 1.

    An object is what hangs together in one of `classes`. It is compared with the pixels predicted as its class
    in the box around it, grown by a quarter of its longer side; void and other objects of the class don't count.
    """
    from skimage.measure import label, regionprops

    found = []
    for each in classes:
        parts = label(labels == each)
        for part in regionprops(parts):
            top, left, bottom, right = part.bbox
            side = max(bottom - top, right - left)
            grown = -(-side // 4)
            box = (
                slice(max(top - grown, 0), bottom + grown),
                slice(max(left - grown, 0), right + grown),
            )
            own = parts[box] == part.label
            judged = own | ((labels[box] != each) & (labels[box] != ignore_index))
            drawn = (prediction[box] == each) & judged
            found.append((side, float((own & drawn).sum() / (own | drawn).sum())))
    return found


def _known(name: str, values: torch.Tensor, num_classes: int) -> None:
    strange = values[(values < 0) | (values >= num_classes)].unique().tolist()
    if strange:
        raise ValueError(
            f"{name} holds {strange[:5]}, but there are classes 0 to {num_classes - 1}. "
            "Is num_classes right, and ignore_index the number that this data set uses for void?"
        )


def pixel_accuracy(confusion: torch.Tensor) -> float:
    """Share of judged pixels that have the right class; NaN if no pixel was judged."""
    confusion = confusion.double()
    return (confusion.diagonal().sum() / confusion.sum()).item()


# ---------------------------------------------------------------- near boundaries (trimaps)


def boundary_distance(labels: np.ndarray, around: str = "labels", ignore_index: int = 255) -> np.ndarray:
    """Distance in pixels from each pixel to the nearest boundary, float64 [H, W]; infinite where there is none.

    `around="labels"`: to the nearest pixel with another label, so that pixels on both sides of an edge have
    distance 1; void counts as a label, and its own pixels are judged nowhere. `around="void"`: to the nearest
    void pixel, as the papers do on PASCAL VOC, where void borders surround the objects. Euclidean distances
    between pixel centres. Raises ValueError for other words or a map that is not [H, W].
    """
    from scipy.ndimage import distance_transform_edt

    labels = np.asarray(labels)
    if labels.ndim != 2:
        raise ValueError(f"a label map is [H, W], got shape {list(labels.shape)}: give one map at a time")
    if around not in ("labels", "void"):
        raise ValueError(f'around is "labels" or "void", got {around!r}')
    distance = np.full(labels.shape, np.inf)
    for label in np.unique(labels) if around == "labels" else [ignore_index]:
        inside = labels == label if around == "labels" else labels != ignore_index
        if not inside.all():
            distance[inside] = distance_transform_edt(inside)[inside]
    return distance


def trimap(labels: np.ndarray, width: float, around: str = "labels", ignore_index: int = 255) -> np.ndarray:
    """The judged pixels within `width` pixels of a boundary, bool [H, W]: a narrow band on both sides of it.

    Source of the measure: Kohli, Ladický and Torr 2009; used by DeepLab v1 (section 5) and v3+ with void.
    """
    if not width >= 1:
        raise ValueError(f"the band must be at least 1 pixel wide, got {width}")
    labels = np.asarray(labels)
    return (boundary_distance(labels, around, ignore_index) <= width) & (labels != ignore_index)


def trimap_confusions(
    prediction: np.ndarray,
    labels: np.ndarray,
    num_classes: int,
    widths: Iterable[int],
    around: str = "labels",
    ignore_index: int = 255,
) -> dict[int, torch.Tensor]:
    """Confusion matrix inside the trimap of each of `widths`, {width: int64 [C, C]}; they add up over pictures."""
    labels = np.asarray(labels)
    distance, found = boundary_distance(labels, around, ignore_index), {}
    for width in widths:
        if not width >= 1:
            raise ValueError(f"the band must be at least 1 pixel wide, got {width}")
        band = np.where(distance <= width, labels, ignore_index)
        found[width] = confusion_matrix(prediction, band, num_classes, ignore_index)
    return found
