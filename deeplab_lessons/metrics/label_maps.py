"""Label maps made smaller and drawn large again: what a map of stride s can still say.

A label map is [H, W] with classes 0 … C - 1 and 255 (void) where nobody judged. One *cell* of a map of stride
s stands for s x s pixels. Where H or W is no multiple of s, the last cells are cut: they stand for the pixels
that are there, as if void pixels had been added below and to the right.
"""

import math
from collections.abc import Iterable

import numpy as np

VOID = 255
READINGS = ("subsample", "majority", "shares")


def output_stride(strides: Iterable[int]) -> int:
    """Input pixels from one cell of a map to the next, after layers of these strides: their product."""
    return math.prod(strides)


def subsample(labels: np.ndarray, stride: int) -> np.ndarray:
    """Keep one pixel of each cell, the middle one: [H, W] -> [ceil(H/s), ceil(W/s)], void kept as void.

    DeepLab v1 makes its training labels in this way (section 3.1). In a cut cell without a middle the last
    pixel stands in. Raises ValueError for a stride below 1 or a map that is not [H, W].
    """
    rows, columns = (
        np.minimum(np.arange(0, side, stride) + stride // 2, side - 1) for side in _sides(labels, stride)
    )
    return labels[rows[:, None], columns]


def class_counts(labels: np.ndarray, stride: int, num_classes: int) -> np.ndarray:
    """Pixels of each class in each cell, [C, ceil(H/s), ceil(W/s)]; void pixels are counted nowhere.

    Raises ValueError, naming it, for a label that is neither a class nor void.
    """
    height, width = _sides(labels, stride)
    _known(labels, num_classes)
    down, across = -(-height // stride), -(-width // stride)
    cell = (np.arange(height) // stride)[:, None] * across + np.arange(width) // stride
    judged = labels != VOID
    numbered = labels[judged].astype(np.int64) * (down * across) + cell[judged]
    counts = np.bincount(numbered, minlength=num_classes * down * across)
    return counts.reshape(num_classes, down, across)


def vote(cell: np.ndarray) -> int:
    """The class with most pixels in one cell [s, s]; void has no vote, a tie goes to the smaller class.

    A cell with nothing but void is void (255).
    """
    judged = cell[cell != VOID]
    return int(np.bincount(judged).argmax()) if judged.size else VOID


def majority(labels: np.ndarray, stride: int, num_classes: int) -> np.ndarray:
    """The `vote` of every cell at once, uint8 [ceil(H/s), ceil(W/s)]."""
    counts = class_counts(labels, stride, num_classes)
    return np.where(counts.any(axis=0), counts.argmax(axis=0), VOID).astype(np.uint8)


def class_shares(labels: np.ndarray, stride: int, num_classes: int) -> np.ndarray:
    """Share of each class in the judged area of each cell, float32 [C, ceil(H/s), ceil(W/s)].

    The shares of a cell sum to 1, or are all 0 where the cell holds nothing but void.
    """
    counts = class_counts(labels, stride, num_classes)
    return (counts / np.maximum(counts.sum(axis=0), 1)).astype(np.float32)


def surviving_width(stride: int) -> int:
    """Pixels a bar must be wide to win the vote of some cell of width `stride`, wherever it lies.

    At worst two cells share the bar half and half. A part wins with more than half a cell: of an odd bar the
    larger part does at width `stride`. An even bar only ties, and a tie goes to the background (class 0), so
    an even stride needs one pixel more.
    """
    return stride if stride % 2 else stride + 1


def enlarge(cells: np.ndarray, stride: int, size: tuple[int, int] | None = None) -> np.ndarray:
    """Draw each cell as s x s equal pixels ("nearest"): [h, w] -> [H, W], cut to `size` (H, W) if given."""
    pixels = cells.repeat(stride, axis=0).repeat(stride, axis=1)
    return pixels if size is None else pixels[: size[0], : size[1]]


def draw_from_shares(shares: np.ndarray, stride: int, size: tuple[int, int] | None = None) -> np.ndarray:
    """Enlarge shares or scores [C, h, w] bilinearly and take the best class a pixel: uint8 [H, W].

    This is how DeepLab v1 and v2 read their score maps at test time. Cell centres lie in the middle of their
    s x s pixels (`align_corners=False`). The result is cut to `size` (H, W) if given.
    """
    import torch
    from torch.nn.functional import interpolate

    scores = torch.as_tensor(shares)[None]
    pixels = interpolate(scores, scale_factor=stride, mode="bilinear", align_corners=False)[0].argmax(0)
    pixels = pixels.to(torch.uint8).numpy()
    return pixels if size is None else pixels[: size[0], : size[1]]


def redraw(labels: np.ndarray, stride: int, num_classes: int, reading: str = "majority") -> np.ndarray:
    """Shrink true labels to cells of `stride` and draw them again at full size, uint8 [H, W].

    `reading` is "subsample" (a void sample takes its cell's majority), "majority", or "shares". Raises
    ValueError for any other.
    """
    if reading not in READINGS:
        raise ValueError(f"no reading named {reading!r}; there are: {', '.join(READINGS)}")
    if reading == "shares":
        return draw_from_shares(class_shares(labels, stride, num_classes), stride, labels.shape)
    cells = majority(labels, stride, num_classes)
    if reading == "subsample":
        sample = subsample(labels, stride)
        cells = np.where(sample == VOID, cells, sample)
    return enlarge(cells, stride, labels.shape)


def fit_scores(labels: np.ndarray, stride: int, num_classes: int, steps: int = 150) -> np.ndarray:
    """Scores [C, ceil(H/s), ceil(W/s)] fitted so that their bilinear enlargement draws `labels` [H, W].

    Starts at the shares and lowers the cross-entropy of the judged pixels with Adam: what a network could put
    into a map of stride s if it knew the answer. No proof that nothing better exists.
    """
    import torch
    from torch.nn.functional import cross_entropy, interpolate

    target = torch.as_tensor(labels.astype(np.int64))[None]
    start = torch.as_tensor(class_shares(labels, stride, num_classes))[None]
    scores = (6 * start).requires_grad_()
    adam = torch.optim.Adam([scores], lr=0.3)
    for _ in range(steps):
        pixels = interpolate(scores, scale_factor=stride, mode="bilinear", align_corners=False)
        pixels = pixels[..., : labels.shape[0], : labels.shape[1]]
        adam.zero_grad()
        cross_entropy(pixels, target, ignore_index=VOID).backward()
        adam.step()
    return scores.detach()[0].numpy()


def _sides(labels: np.ndarray, stride: int) -> tuple[int, int]:
    if np.ndim(labels) != 2:
        raise ValueError(f"a label map is [H, W], got shape {list(np.shape(labels))}: give one map at a time")
    if stride < 1:
        raise ValueError(f"a stride is at least 1 pixel, got {stride}")
    return labels.shape


def _known(labels: np.ndarray, num_classes: int) -> None:
    strange = [int(label) for label in np.unique(labels) if label != VOID and not 0 <= label < num_classes]
    if strange:
        raise ValueError(
            f"labels {strange} are neither a class (0 to {num_classes - 1}) nor void ({VOID}). "
            "Is num_classes right? Was the map read as indices, not as colours?"
        )
