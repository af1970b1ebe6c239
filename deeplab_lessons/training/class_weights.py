"""How much each class counts in the loss: numbers that the user gives, or the inverse of how frequent it is."""

import math
from collections.abc import Sequence

import numpy as np
import torch

from deeplab_lessons.datasets import IGNORE_INDEX, Pairs
from deeplab_lessons.training.notes import original

MEDIAN_FREQUENCY = "median-frequency"
LARGEST = 10.0  # our choice: a class of a few pixels would outweigh all the others


def median_frequency(dataset: Sequence | Pairs) -> torch.Tensor:
    """Return a weight for each class, float [C]: the median of all frequencies over the class's own, at most 10.

    The frequency of a class is its pixels over all labelled pixels of the images that have it, at their full size. A
    class that never occurs has no pixel to weigh: its weight is 1, and the median is without it. C is that of
    `dataset.classes`, or else of the labels. Raises ValueError if no pixel is labelled.
    Source: Eigen and Fergus, ICCV 2015, section 6.3.2.
    """
    pairs, indices = original(dataset)
    pixels, around = np.zeros(IGNORE_INDEX, np.int64), np.zeros(IGNORE_INDEX, np.int64)
    for index in indices:
        labels = np.asarray(pairs.labels(index) if isinstance(pairs, Pairs) else pairs[index][1])
        counts = np.bincount(labels[labels != IGNORE_INDEX].astype(np.int64), minlength=IGNORE_INDEX)
        pixels += counts
        around += counts.sum() * (counts > 0)
    (seen,) = np.nonzero(pixels)
    if not len(seen):
        raise ValueError("no pixel is labelled, so that classes have no frequencies: pass class_weights=None")
    weights = np.ones(len(getattr(pairs, "classes", ())) or seen[-1] + 1, np.float32)
    frequencies = pixels[seen] / around[seen]
    weights[seen] = np.minimum(np.median(frequencies) / frequencies, LARGEST)
    return torch.from_numpy(weights)


def checked(weights: Sequence[float] | torch.Tensor | str | None) -> list[float] | str | None:
    """Return `weights` as plain values: None, "median-frequency" or a list; ValueError for anything else."""
    if weights is None or (isinstance(weights, str) and weights == MEDIAN_FREQUENCY):
        return weights
    try:
        numbers = [] if isinstance(weights, str) else [float(weight) for weight in weights]
    except (TypeError, ValueError):
        numbers = []
    if not any(numbers) or not all(0 <= number < math.inf for number in numbers):
        raise ValueError(
            f'class_weights must be None, "{MEDIAN_FREQUENCY}" or a number from 0 for each class, got {weights!r}'
        )
    return numbers
