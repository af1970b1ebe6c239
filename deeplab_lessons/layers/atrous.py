"""Dilated convolution in two other ways, for signals `[N, C, L]` and for images `[N, C, H, W]`.

Both give what torch's `dilation` gives: a kernel with zeros between its taps, and an undilated convolution
on every d-th cell, once for each of the d phases, whose answers are woven together again.
Source: DeepLab v2, section 3.1 (both ways); Holschneider et al. 1989 for the name "à trous", with holes.
"""

from itertools import product

import torch
import torch.nn.functional as F

from deeplab_lessons.arithmetic import effective_kernel_size, output_size

_CONVOLUTIONS = {3: F.conv1d, 4: F.conv2d}


def dilate_kernel(weight: torch.Tensor, dilation: int) -> torch.Tensor:
    """Put `dilation - 1` zeros between the taps: `[O, I, k, k]` -> `[O, I, k', k']`, k' = k + (k-1)(d-1).

    Works on `[O, I, k]` too, and on kernels that are not square. Raises ValueError for a dilation below 1.
    """
    sizes = [effective_kernel_size(taps, dilation) for taps in weight.shape[2:]]
    spread = weight.new_zeros(*weight.shape[:2], *sizes)
    spread[_every(dilation, weight.ndim - 2)] = weight
    return spread


def split_phases(x: torch.Tensor, dilation: int) -> dict[tuple[int, ...], torch.Tensor]:
    """The d (or d x d) pictures made of every d-th cell, by the cell at which they begin.

    `[N, C, H, W]` gives d² tensors of about `[N, C, H/d, W/d]`, keyed by (row, column) below d.
    """
    starts = product(range(dilation), repeat=x.ndim - 2)
    return {start: x[_every(dilation, x.ndim - 2, start)] for start in starts}


def join_phases(phases: dict[tuple[int, ...], torch.Tensor], dilation: int, size: list[int]) -> torch.Tensor:
    """Weave phases together again, every cell to its old place: the inverse of `split_phases`.

    `size` is the height and width (or the length) of the whole.
    """
    one = next(iter(phases.values()))
    whole = one.new_zeros(*one.shape[:2], *size)
    for start, phase in phases.items():
        whole[_every(dilation, len(size), start)] = phase
    return whole


def convolve_by_phases(
    x: torch.Tensor, weight: torch.Tensor, dilation: int, padding: int = 0
) -> torch.Tensor:
    """Dilated convolution without a dilated kernel: subsample, convolve undilated, interleave.

    `x` is `[N, I, H, W]` and `weight` `[O, I, k, k]` (or `[N, I, L]` and `[O, I, k]`); the answer is that of
    torch's convolution with this `dilation` and `padding` at stride 1. Where sums are exact (whole numbers)
    the two agree to the bit; elsewhere up to rounding, for the terms may be added in another order.
    Raises ValueError for a kernel that fits nowhere or a dilation below 1. Source: DeepLab v2, section 3.1.
    """
    taps = weight.shape[2:]
    sizes = [output_size(cells, k, 1, padding, dilation) for cells, k in zip(x.shape[2:], taps, strict=True)]
    padded = F.pad(x, [padding, padding] * len(taps))
    phases = split_phases(padded, dilation)
    answers = {
        start: _CONVOLUTIONS[x.ndim](phase, weight)
        for start, phase in phases.items()
        if all(first < size for first, size in zip(start, sizes, strict=True))  # some unit is of this phase
    }
    return join_phases(answers, dilation, sizes)


def _every(step: int, axes: int, start: tuple[int, ...] | None = None) -> tuple:
    """Index that takes every `step`-th cell along the last `axes` axes, from `start` on."""
    start = start or (0,) * axes
    return (..., *(slice(first, None, step) for first in start))
