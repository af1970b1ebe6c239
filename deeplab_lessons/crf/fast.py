"""Mean field on the permutohedral lattice as fast as plain PyTorch goes, with the readable one's numbers.

Splat, blur and slice add up some rows of a table, each times a weight: PyTorch's `embedding_bag`. So the lattice is
written down once per picture as lists of rows (`tables`), and the rest of an iteration is done in chunks that stay in
a core's own cache. A pixel is a row here: tables are [N, C] or [M, C], M vertices.
Source: Krähenbühl & Koltun 2011 (mean field by filtering), Adams, Baek & Davis 2010 (the filter).
"""

import math
from functools import lru_cache, reduce

import torch
from torch import Tensor

from deeplab_lessons.crf.filters import NORMALISATIONS, bilateral_features, spatial_features
from deeplab_lessons.crf.parameters import Parameters
from deeplab_lessons.crf.tables import Tables, bags, write_tables

Kernels = list[tuple[float, Tables]]
_CHUNK = 2**18  # numbers in a chunk of scores
_DEEP = 40.0  # exp(-40) is nothing next to 1, and far from float32's limits


def fast_mean_field(
    unary: Tensor, picture: Tensor, parameters: Parameters, compatibility: Tensor | None = None
) -> Tensor:
    """Return marginals q [C, N] after the parameters' updates of all pixels at once, without gradients.

    `unary` is float [C, N], `picture` [3, H, W] holds values 0 … 255. `compatibility` is μ [C, C], Potts if None. The
    spatial lattice is kept for the next picture of the same size.
    """
    return infer(unary, write_kernels(picture, parameters, unary), compatibility, parameters.iterations)


@torch.no_grad()
def write_kernels(picture: Tensor, parameters: Parameters, like: Tensor) -> Kernels:
    """Return the normalised kernels of a picture [3, H, W], each with its weight unless that is 0, in `like`'s type."""
    p, kernels, powers = parameters, [], NORMALISATIONS[parameters.normalisation]
    if p.w1:
        features = bilateral_features(picture.to(like), p.sigma_alpha, p.sigma_beta)
        kernels.append((p.w1, write_tables(features).normalised(*powers)))
    if p.w2:
        size = tuple(picture.shape[1:])
        kernels.append((p.w2, _spatial_tables(size, p.sigma_gamma, powers, like.dtype, like.device)))
    return kernels


@lru_cache(maxsize=4)
def _spatial_tables(size, sigma_gamma, powers, dtype, device) -> Tables:
    return write_tables(spatial_features(size, sigma_gamma, dtype=dtype, device=device)).normalised(*powers)


@torch.no_grad()
def infer(
    unary: Tensor, kernels: Kernels, compatibility: Tensor | None = None, iterations: int = 10
) -> Tensor:
    """Return marginals [C, N] from unary [C, N] and ready kernels: splat and blur everything, the rest in chunks."""
    start = (unary.amin(0) - unary).T.contiguous()  # rows [N, C] whose largest number is 0
    rows = max(1, _CHUNK // start.shape[1]) if start.device.type == "cpu" else len(start)
    chunks = [slice(first, first + rows) for first in range(0, len(start), rows)]
    unit, normalise = _softmax_for(start, kernels, compatibility)
    scaled = [(kernel, kernel.slice_weight * (weight * unit)) for weight, kernel in kernels]
    q = torch.empty_like(start)
    for chunk in chunks:
        normalise(start[chunk], q[chunk])
    for _ in range(iterations if kernels else 0):
        blurred = [(kernel, weight, kernel.splat_and_blur(q)) for kernel, weight in scaled]
        for chunk in chunks:
            messages = (bags(table, k.slice_index[chunk], weight[chunk]) for k, weight, table in blurred)
            heard = reduce(torch.Tensor.add_, messages)
            if compatibility is None:
                logits = heard.add_(start[chunk])
            else:
                logits = torch.addmm(start[chunk], heard, compatibility.T, alpha=-1)
            normalise(logits, q[chunk])
    return q.T.contiguous()


def _softmax_for(start: Tensor, kernels: Kernels, compatibility: Tensor | None):
    """The quickest safe softmax, and the unit in which it wants its logits. Changes `start` to suit."""
    # With Potts nothing falls below its start, or rises by more than `most`. So every row's largest logit lies
    # between 0 and `most`, and if that is small powers need no care once `start` is lifted where it is hopelessly
    # low. Of all powers PyTorch is quickest at those of 2: e^x = 2^(x / ln 2).
    most = sum(weight * kernel.row_sums.max().item() for weight, kernel in kernels)
    if compatibility is not None or most > _DEEP:
        return 1, _softmax
    unit = 1 / math.log(2)
    start.clamp_(min=-most - _DEEP).mul_(unit)
    return unit, _softmax_of_bounded


def _softmax(logits: Tensor, out: Tensor) -> None:
    """Softmax over rows, not below 1e-25: smaller numbers soon become denormal, and those are slow."""
    torch.softmax(logits, 1, out=out).clamp_(min=1e-25)


def _softmax_of_bounded(logits: Tensor, out: Tensor) -> None:
    """The same from logits times 1 / ln 2, and without looking for the largest first."""
    torch.exp2(logits, out=out)
    out /= torch.mv(out, out.new_ones(out.shape[1]))[:, None]
