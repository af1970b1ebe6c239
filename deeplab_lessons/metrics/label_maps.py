"""Label maps made smaller: what the cells of a map of stride s can say.

A label map is [H, W] with classes 0 … C - 1 and `IGNORE_INDEX` (void). One *cell* of a map of stride s covers s x s
pixels; where H or W is no multiple of s the last cells are cut, as if void were added below and to the right.
"""

import math
from collections.abc import Iterable

import numpy as np
import torch

IGNORE_INDEX = 255  # void: pixels that no loss and no score may count, in every data set of the course


def check_labels(
    labels, num_classes: int, ignore_index: int | None = IGNORE_INDEX, name: str = "labels"
) -> None:
    """Raise ValueError, naming them, for numbers that are neither a class nor void (`ignore_index`; None: no void)."""
    values = torch.as_tensor(labels).long()
    strange = (values < 0) | (values >= num_classes)
    if ignore_index is not None:
        strange &= values != ignore_index
    if strange.any():
        void = "" if ignore_index is None else f" or void ({ignore_index})"
        raise ValueError(
            f"{name} must be classes 0 to {num_classes - 1}{void}, got {values[strange].unique()[:5].tolist()}: "
            "check num_classes, that ignore_index is this data set's number for void, and that the map was read "
            "as indices, not as colours"
        )


def output_stride(strides: Iterable[int]) -> int:
    """Return the input pixels from one cell of a map to the next: the product of the layers' strides."""
    return math.prod(strides)


def subsample(labels: np.ndarray, stride: int) -> np.ndarray:
    """Keep one pixel of each cell, the middle one: [H, W] -> [ceil(H/s), ceil(W/s)], void kept as void.

    DeepLab v1 makes its training labels in this way (section 3.1). In a cut cell without a middle the last
    pixel is taken. Raises ValueError for a stride below 1 or a map that is not [H, W].
    """
    rows, columns = (
        np.minimum(np.arange(0, side, stride) + stride // 2, side - 1) for side in _sides(labels, stride)
    )
    return labels[rows[:, None], columns]


def class_counts(labels: np.ndarray, stride: int, num_classes: int) -> np.ndarray:
    """Count the pixels of each class in each cell, [C, ceil(H/s), ceil(W/s)]; void pixels are counted nowhere."""
    height, width = _sides(labels, stride)
    check_labels(labels, num_classes)
    down, across = -(-height // stride), -(-width // stride)
    cell = (np.arange(height) // stride)[:, None] * across + np.arange(width) // stride
    labelled = labels != IGNORE_INDEX
    numbered = labels[labelled].astype(np.int64) * (down * across) + cell[labelled]
    counts = np.bincount(numbered, minlength=num_classes * down * across)
    return counts.reshape(num_classes, down, across)


def vote(cell: np.ndarray) -> int:
    """Return the class with most pixels in a cell [s, s], of a tie the smaller; void (255) if it holds only void."""
    labelled = cell[cell != IGNORE_INDEX]
    return int(np.bincount(labelled).argmax()) if labelled.size else IGNORE_INDEX


def majority(labels: np.ndarray, stride: int, num_classes: int) -> np.ndarray:
    """Take the `vote` of every cell at once, uint8 [ceil(H/s), ceil(W/s)]."""
    counts = class_counts(labels, stride, num_classes)
    return np.where(counts.any(axis=0), counts.argmax(axis=0), IGNORE_INDEX).astype(np.uint8)


def class_shares(labels: np.ndarray, stride: int, num_classes: int) -> np.ndarray:
    """Return each class's share of each cell's labelled pixels (0 if none), float32 [C, ceil(H/s), ceil(W/s)]."""
    counts = class_counts(labels, stride, num_classes)
    return (counts / np.maximum(counts.sum(axis=0), 1)).astype(np.float32)


def _sides(labels: np.ndarray, stride: int) -> tuple[int, int]:
    if stride < 1:
        raise ValueError(f"stride must be at least 1 pixel, got {stride}")
    return one_map(labels).shape


def one_map(labels: np.ndarray) -> np.ndarray:
    """Return `labels` as an array; ValueError unless it is one label map [H, W]."""
    if np.ndim(labels) != 2:
        raise ValueError(f"a label map must be [H, W], got {list(np.shape(labels))}: pass one map at a time")
    return np.asarray(labels)
