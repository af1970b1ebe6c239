"""Label maps made small and drawn large again: what lesson 01 finds that a map of stride s can still say.

One *cell* of a map of stride s covers s x s pixels; where s does not divide H or W the last cells are cut, as if void
were added below and to the right.
"""

import math
from collections.abc import Iterable

import numpy as np
import torch
from torch.nn import functional as F

from deeplab_lessons.checks import check_choice
from deeplab_lessons.metrics.label_maps import IGNORE_INDEX, check_labels, one_map

READINGS = ("subsample", "majority", "shares")


def output_stride(strides: Iterable[int]) -> int:
    """Return the input pixels from one cell of a map to the next: the product of the layers' strides."""
    return math.prod(strides)


def class_shares(labels: np.ndarray, stride: int, num_classes: int) -> np.ndarray:
    """Return each class's fraction of each cell's labelled pixels (0 if none), float32 [C, ceil(H/s), ceil(W/s)].

    Raises ValueError for a stride below 1, a map that is not [H, W] and labels that are not a class.
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


def subsample(labels: np.ndarray, stride: int) -> np.ndarray:
    """Keep one pixel of each cell, the middle one: [H, W] -> [ceil(H/s), ceil(W/s)], void kept as void.

    DeepLab v1 makes its training labels in this way (section 3.1). In a cut cell without a middle the last
    pixel is taken. Raises ValueError for a stride below 1 or a map that is not [H, W].
    """
    rows, columns = (
        np.minimum(np.arange(0, side, stride) + stride // 2, side - 1) for side in sides(labels, stride)
    )
    return labels[rows[:, None], columns]


def vote(cell: np.ndarray) -> int:
    """Return the class with most pixels in a cell [s, s], of a tie the smaller; void (255) if it holds only void."""
    labelled = cell[cell != IGNORE_INDEX]
    return int(np.bincount(labelled).argmax()) if labelled.size else IGNORE_INDEX


def majority(labels: np.ndarray, stride: int, num_classes: int) -> np.ndarray:
    """Take the `vote` of every cell, uint8 [ceil(H/s), ceil(W/s)]."""
    shares = class_shares(labels, stride, num_classes)
    return np.where(shares.any(axis=0), shares.argmax(axis=0), IGNORE_INDEX).astype(np.uint8)


def surviving_width(stride: int) -> int:
    """Return how many pixels wide a bar must be to win the vote of some cell of width `stride`, wherever it is.

    At worst two cells share it half and half. A part wins with more than half a cell: of an odd bar the larger does at
    width `stride`. An even bar only ties, and a tie goes to the background, so an even stride needs one more pixel.
    """
    return stride if stride % 2 else stride + 1


def draw_cells(cells: np.ndarray, stride: int, size: tuple[int, ...] | None = None) -> np.ndarray:
    """Draw each cell as s x s equal pixels ("nearest"): [h, w] -> [H, W], cut to `size` (H, W) if given."""
    pixels = cells.repeat(stride, axis=0).repeat(stride, axis=1)
    return pixels if size is None else pixels[: size[0], : size[1]]


def draw_from_shares(shares: np.ndarray, stride: int, size: tuple[int, ...] | None = None) -> np.ndarray:
    """Upsample shares or scores [C, h, w] bilinearly and take each pixel's best class: uint8 [H, W].

    This is how DeepLab v1 and v2 read their score maps. Cell centres are in the middle of their s x s pixels
    (`align_corners=False`). The result is cut to `size` (H, W) if given.
    """
    pixels = _bilinear(torch.as_tensor(shares)[None], stride)[0].argmax(0).to(torch.uint8).numpy()
    return pixels if size is None else pixels[: size[0], : size[1]]


def redraw(labels: np.ndarray, stride: int, num_classes: int, reading: str = "majority") -> np.ndarray:
    """Shrink true labels to cells of `stride` and draw them again at full size, uint8 [H, W], by one of `READINGS`.

    With "subsample" a void sample takes its cell's majority. Raises ValueError for another reading.
    """
    check_choice("reading", reading, READINGS)
    if reading == "shares":
        return draw_from_shares(class_shares(labels, stride, num_classes), stride, labels.shape)
    cells = majority(labels, stride, num_classes)
    if reading == "subsample":
        sample = subsample(labels, stride)
        cells = np.where(sample == IGNORE_INDEX, cells, sample)
    return draw_cells(cells, stride, labels.shape)


def fit_scores(labels: np.ndarray, stride: int, num_classes: int, steps: int = 150) -> np.ndarray:
    """Fit scores [C, ceil(H/s), ceil(W/s)] whose bilinear upsampling draws `labels` [H, W].

    Adam lowers the cross-entropy of the labelled pixels from the shares on: what a network could put into a map of
    stride s if it knew the answer, but no proof that nothing better exists.
    """
    target = torch.as_tensor(labels.astype(np.int64))[None]
    start = torch.as_tensor(class_shares(labels, stride, num_classes))[None]
    scores = (6 * start).requires_grad_()
    adam = torch.optim.Adam([scores], lr=0.3)
    for _ in range(steps):
        pixels = _bilinear(scores, stride)[..., : labels.shape[0], : labels.shape[1]]
        adam.zero_grad()
        F.cross_entropy(pixels, target, ignore_index=IGNORE_INDEX).backward()
        adam.step()
    return scores.detach()[0].numpy()


def _bilinear(scores: torch.Tensor, stride: int) -> torch.Tensor:
    return F.interpolate(scores, scale_factor=stride, mode="bilinear", align_corners=False)
