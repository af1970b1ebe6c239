"""What label maps hold: their single objects, how large and how well drawn each is, and how frequent a class is."""

from collections.abc import Iterable, Iterator

import numpy as np

from deeplab_lessons.datasets import Pairs
from deeplab_lessons.metrics import IGNORE_INDEX


def _objects(labels: np.ndarray, classes: Iterable[int]) -> Iterator[tuple]:
    """Each connected part of each class: class, numbered parts [H, W], its number, its box, its longer side."""
    from scipy.ndimage import find_objects, label

    for each in classes:
        parts, _ = label(labels == each, np.ones((3, 3)))
        for number, box in enumerate(find_objects(parts), 1):
            yield each, parts, number, box, max(side.stop - side.start for side in box)


def object_sides(labels: np.ndarray, classes: tuple[int, ...] = (1, 2, 3)) -> np.ndarray:
    """Return the size of the object at each pixel: the longer side of its visible part in pixels, int32 [H, W].

    An object is a connected part of one of `classes` (by default the built-in scenes' disc, box and triangle); pixels
    of none are 0. A wire in front of a disc leaves two. To score large objects only, set all other labels to 255.
    """
    sides = np.zeros(labels.shape, np.int32)
    for _, parts, number, box, side in _objects(labels, classes):
        sides[box][parts[box] == number] = side
    return sides


def object_ious(
    prediction: np.ndarray, labels: np.ndarray, classes: Iterable[int], ignore_index: int = IGNORE_INDEX
) -> list[tuple[int, float]]:
    """Return for every single object (see `object_sides`) its longer side in pixels and its IoU, between 0 and 1.

    It is compared with the pixels predicted as its class in the box around it, grown by a quarter of its longer side;
    void and other objects of the class don't count.
    """
    ious = []
    for each, parts, number, (rows, columns), side in _objects(labels, classes):
        grown = -(-side // 4)
        box = tuple(slice(max(s.start - grown, 0), s.stop + grown) for s in (rows, columns))
        own = parts[box] == number
        counted = own | ((labels[box] != each) & (labels[box] != ignore_index))
        drawn = (prediction[box] == each) & counted
        ious.append((side, float((own & drawn).sum() / (own | drawn).sum())))
    return ious


def class_frequencies(dataset: Pairs) -> dict[str, float]:
    """Return each class's fraction of the labelled pixels, and "void"'s of all."""
    counts = np.zeros(256, np.int64)
    for index in range(len(dataset)):
        counts += np.bincount(dataset.pair(index)[1].ravel(), minlength=256)
    labelled = counts.sum() - counts[IGNORE_INDEX]
    shares = {name: float(counts[label] / max(labelled, 1)) for label, name in enumerate(dataset.classes)}
    return shares | {"void": float(counts[IGNORE_INDEX] / max(counts.sum(), 1))}


def class_iou(prediction: np.ndarray, labels: np.ndarray, label: int) -> float:
    """Return the IoU of one class in one picture, by comparisons only; NaN where there is no union."""
    labelled = labels != IGNORE_INDEX
    predicted, true = (prediction == label) & labelled, (labels == label) & labelled
    union = (predicted | true).sum()
    return float((predicted & true).sum() / union) if union else float("nan")
