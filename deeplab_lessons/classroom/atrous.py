"""Dilated convolution in two other ways, for signals `[N, C, L]` and for images `[N, C, H, W]`.

Both give what torch's `dilation` gives: a kernel with zeros between its taps, and an undilated convolution of each
of the d phases (every d-th cell), whose answers are woven together again. Source: DeepLab v2, section 3.1 (both
ways); Holschneider et al. 1989 for the name "à trous", with holes.
"""

from itertools import product

import torch
import torch.nn.functional as F

from deeplab_lessons.arithmetic import effective_kernel_size, output_size


def dilate_kernel(weight: torch.Tensor, dilation: int) -> torch.Tensor:
    """Return the kernel with `dilation - 1` zeros between its taps: `[O, I, k', k']`, k' = k + (k - 1)(d - 1).

    `weight` is `[O, I, k, k]` or `[O, I, k]`, square or not. Raises ValueError for a dilation below 1.
    """
    sizes = [effective_kernel_size(taps, dilation) for taps in weight.shape[2:]]
    return join_phases({(0,) * len(sizes): weight}, dilation, sizes)


def split_phases(x: torch.Tensor, dilation: int) -> dict[tuple[int, ...], torch.Tensor]:
    """Return the d (or d x d) maps made of every d-th cell, by the cell at which they begin.

    `[N, C, H, W]` gives d² tensors of about `[N, C, H/d, W/d]`, keyed by (row, column) below d.
    """
    return {start: x[_phase(dilation, start)] for start in product(range(dilation), repeat=x.ndim - 2)}


def join_phases(phases: dict[tuple[int, ...], torch.Tensor], dilation: int, size: list[int]) -> torch.Tensor:
    """Return the whole of `size` (height and width, or length): the inverse of `split_phases`."""
    first = next(iter(phases.values()))
    whole = first.new_zeros(*first.shape[:2], *size)
    for start, phase in phases.items():
        whole[_phase(dilation, start)] = phase
    return whole


def convolve_by_phases(
    x: torch.Tensor, weight: torch.Tensor, dilation: int, padding: int = 0
) -> torch.Tensor:
    """Convolve without a dilated kernel: subsample, convolve undilated, interleave.

    `x` is `[N, I, H, W]` and `weight` `[O, I, k, k]` (or `[N, I, L]` and `[O, I, k]`); the answer is that of torch's
    convolution at stride 1, bit for bit for whole numbers, else up to rounding: the order of the terms may differ.
    Raises ValueError for a kernel that fits nowhere or a dilation below 1. Source: DeepLab v2, section 3.1.
    """
    taps = weight.shape[2:]
    sizes = [output_size(cells, k, 1, padding, dilation) for cells, k in zip(x.shape[2:], taps, strict=True)]
    padded = F.pad(x, [padding, padding] * len(taps))
    phases, convolve = split_phases(padded, dilation), F.conv1d if x.ndim == 3 else F.conv2d
    answers = {
        start: convolve(phase, weight)
        for start, phase in phases.items()
        if all(first < size for first, size in zip(start, sizes, strict=True))  # some unit is of this phase
    }
    return join_phases(answers, dilation, sizes)


def _phase(step: int, start: tuple[int, ...]) -> tuple:
    """Index that takes every `step`-th cell along the last axes, from `start` on."""
    return (..., *(slice(first, None, step) for first in start))
