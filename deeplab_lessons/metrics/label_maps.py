"""What a label map is: [H, W] with classes 0 … C - 1 and `IGNORE_INDEX` (void)."""

import numpy as np
import torch

IGNORE_INDEX = 255  # void: pixels that no loss and no score may count, in every data set of the course


def check_labels(labels, num_classes: int, ignore_index: int | None = IGNORE_INDEX, name="labels") -> None:
    """Raise ValueError, naming them, for numbers that are neither a class nor void (`ignore_index`; None: no void)."""
    values = torch.as_tensor(labels).long()
    strange = (values < 0) | (values >= num_classes)
    if ignore_index is not None:
        strange &= values != ignore_index
    if strange.any():
        void = "" if ignore_index is None else f" or void ({ignore_index})"
        raise ValueError(
            f"{name} must be classes 0 to {num_classes - 1}{void}, got {values[strange].unique()[:5].tolist()}: "
            "check num_classes, that ignore_index is the number for void, and that the map holds indices, not colours"
        )


def one_map(labels: np.ndarray) -> np.ndarray:
    """Return `labels` as an array; ValueError unless it is one label map [H, W]."""
    if np.ndim(labels) != 2:
        raise ValueError(f"a label map must be [H, W], got {list(np.shape(labels))}: pass one map at a time")
    return np.asarray(labels)
