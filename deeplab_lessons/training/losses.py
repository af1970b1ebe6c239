"""Three ways to compare a coarse map of scores with a fine label map. All return the mean over what is labelled.

Logits are [N, C, h, w], labels int64 [N, H, W] with 255 (void) where nothing is labelled.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from deeplab_lessons import parallel
from deeplab_lessons.grid import Grid, cell_centres, upsample
from deeplab_lessons.metrics.label_maps import IGNORE_INDEX


def cross_entropy(logits: Tensor, labels: Tensor, weights: Tensor | None = None) -> Tensor:
    """Return the mean of `-log softmax(logits)[label]` over labelled positions, 0 without any: labels are [N, h, w].

    With `weights` of the classes, [C], it is the weighted mean: over the sum of the places' weights, as torch's.
    DeepLab v1's text says *sum*; the authors' released Caffe layer divides that sum by the number of labelled cells
    of the batch, and the printed learning rates belong to the quotient.
    """
    costs = F.cross_entropy(logits, labels, weights, ignore_index=IGNORE_INDEX, reduction="none")
    labelled = labels != IGNORE_INDEX
    return _mean_over(labelled if weights is None else labelled * weights[labels.where(labelled, 0)], costs)


def subsample_labels(labels: Tensor, cells: Sequence[int], grid: Grid) -> Tensor:
    """Return one label for each cell, that of the pixel at the cell's centre: [N, H, W] -> [N, h, w].

    `cells` is (h, w). A centre between two pixels takes the one after it; a centre outside the picture takes
    the nearest pixel. Raises ValueError if such a map cannot lie on `grid`.
    Source: DeepLab v1, section 3.1 ("subsampled by 8").
    """
    grid.check(labels.shape[1:], cells)
    rows, columns = (
        (cell_centres(size, count, grid) + 0.5).floor().long().clamp(0, size - 1)
        for size, count in zip(labels.shape[1:], cells, strict=True)
    )
    return labels[:, rows[:, None].to(labels.device), columns.to(labels.device)]


def subsample_loss(logits: Tensor, labels: Tensor, grid: Grid, weights: Tensor | None = None) -> Tensor:
    """Return `cross_entropy` of each cell against its subsampled label. Source: DeepLab v1, section 3.1."""
    return cross_entropy(logits, subsample_labels(labels, logits.shape[2:], grid), weights)


def cell_shares(labels: Tensor, cells: Sequence[int], num_classes: int, grid: Grid) -> Tensor:
    """Return the fraction of each class in the labelled area of each cell: [N, H, W] -> float [N, C, h, w].

    Each pixel belongs to the cell with the nearest centre. Fractions sum to 1, or are all 0 in a cell of void.
    Raises ValueError if such a map cannot lie on `grid`.
    """
    grid.check(labels.shape[1:], cells)

    def nearest(size: int, count: int) -> Tensor:
        place = (torch.arange(size) - cell_centres(size, count, grid)[0]) / grid.stride
        return (place + 0.5).floor().long().clamp(0, count - 1).to(labels.device)

    rows, columns = map(nearest, labels.shape[1:], cells)
    area = cells[0] * cells[1]
    cell = (rows[:, None] * cells[1] + columns).expand_as(labels)
    picture = torch.arange(len(labels), device=labels.device)[:, None, None]
    numbered = ((picture * num_classes + labels) * area + cell)[labels != IGNORE_INDEX]
    counts = torch.bincount(numbered, minlength=len(labels) * num_classes * area)
    counts = counts.view(len(labels), num_classes, *cells).float()
    return counts / counts.sum(1, keepdim=True).clamp(min=1)


def area_loss(logits: Tensor, labels: Tensor, grid: Grid, weights: Tensor | None = None) -> Tensor:
    """Return the cross-entropy of each cell against the class fractions of its area, over cells with labelled area."""
    shares = cell_shares(labels, logits.shape[2:], logits.shape[1], grid)
    labelled = shares.sum(1) > 0
    if weights is not None:
        shares = shares * weights[:, None, None]
        labelled = shares.sum(1)
    return _mean_over(labelled, -(shares * F.log_softmax(logits, 1)).sum(1))


def upsampled_loss(logits: Tensor, labels: Tensor, grid: Grid, weights: Tensor | None = None) -> Tensor:
    """Return `cross_entropy` of each pixel after bilinear upsampling. Source: DeepLab v3, section 4.1."""
    return cross_entropy(upsample(logits, labels.shape[1:], grid), labels, weights)


def _mean_over(counted: Tensor, costs: Tensor) -> Tensor:
    """Sum of the costs over that of what `counted`; of several processes the mean is that of the whole batch."""
    total = parallel.sum_over_processes(counted.sum()) / parallel.world_size()
    return costs.sum() / total.where(total > 0, 1)


LOSSES = {"subsample": subsample_loss, "area": area_loss, "upsampled": upsampled_loss}
