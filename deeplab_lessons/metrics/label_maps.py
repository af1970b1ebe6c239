"""Label maps made smaller: what the cells of a map of stride s can say.

A label map is [H, W] with classes 0 … C - 1 and `IGNORE_INDEX` (void). One *cell* of a map of stride s covers s x s
pixels; where H or W is no multiple of s the last cells are cut, as if void were added below and to the right.
"""

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


def class_shares(labels: np.ndarray, stride: int, num_classes: int) -> np.ndarray:
    """Return each class's share of each cell's labelled pixels (0 if none), float32 [C, ceil(H/s), ceil(W/s)].

    Raises ValueError for a stride below 1, a map that is not [H, W] and labels that are no class.
    """
    height, width = sides(labels, stride)
    check_labels(labels, num_classes)
    down, across = -(-height // stride), -(-width // stride)
    cell = (np.arange(height) // stride)[:, None] * across + np.arange(width) // stride
    labelled = labels != IGNORE_INDEX
    numbered = labels[labelled].astype(np.int64) * (down * across) + cell[labelled]
    counts = np.bincount(numbered, minlength=num_classes * down * across).reshape(num_classes, down, across)
    return (counts / np.maximum(counts.sum(axis=0), 1)).astype(np.float32)


def sides(labels: np.ndarray, stride: int) -> tuple[int, int]:
    """Return H and W of a label map; ValueError unless it is [H, W] and `stride` at least 1."""
    if stride < 1:
        raise ValueError(f"stride must be at least 1 pixel, got {stride}")
    return one_map(labels).shape


def one_map(labels: np.ndarray) -> np.ndarray:
    """Return `labels` as an array; ValueError unless it is one label map [H, W]."""
    if np.ndim(labels) != 2:
        raise ValueError(f"a label map must be [H, W], got {list(np.shape(labels))}: pass one map at a time")
    return np.asarray(labels)
