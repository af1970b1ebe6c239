"""The geometry of the permutohedral lattice, a Gaussian filter in d dimensions whose cost grows with N, not with N².

Each point gives its value to the d+1 corners of the simplex it lies in (*splat*), corners exchange values with their
neighbours (*blur*), each point collects from its corners again (*slice*): `sum_j exp(-|f_i - f_j|²/2) v_j`, nearly, up
to a common factor. The lattice lies in the plane "coordinates sum to 0" of d+1 dimensions. Here are the simplices and
the weights, in `tables` the three steps. d features, N points. Rounding and ties follow pydensecrf.
Source: Adams, Baek & Davis, "Fast High-Dimensional Filtering Using the Permutohedral Lattice", 2010.
"""

import math

import torch
from torch import Tensor


def embed(features: Tensor) -> Tensor:
    """Carry features [d, N] into the lattice's plane by the paper's matrix E: [d+1, N], each column sums to 0.

    The scale makes blurring with (½, 1, ½) along d+1 directions, with splat and slice, a Gaussian of standard
    deviation 1 in feature space. Raises ValueError where the features are too large to tell places apart.
    """
    d = len(features)
    spread = features.new_tensor(math.sqrt(2 / 3) * (d + 1)).item()  # rounded as pydensecrf does
    scaled = [row * (spread / math.sqrt((i + 1) * (i + 2))) for i, row in enumerate(features)]
    total = torch.zeros_like(features[0])  # of the scaled axes after the present one
    rows = []
    for i in range(d, 0, -1):
        rows.append(total - i * scaled[i - 1])
        total = total + scaled[i - 1]
    elevated = torch.stack([total, *reversed(rows)])
    limit = 1 / (16 * torch.finfo(elevated.dtype).eps)
    if elevated.numel() and not elevated.detach().abs().max() < limit:  # "not <" refuses nan as well
        raise ValueError(
            f"the features reach {features.abs().max():.3g}, too far for {features.dtype} to tell neighbouring "
            "lattice cells apart (or they hold nan or inf): positions and colours are divided by σ, look for a σ near 0"
        )
    return elevated


def nearest_simplex(elevated: Tensor) -> tuple[Tensor, Tensor]:
    """Find the simplex around each point: its vertex of colour 0 [d+1, N] and the rank of each axis [d+1, N].

    Vertices of colour 0 have coordinates divisible by d+1. Rank 0 has the axis along which the point lies
    farthest above that vertex; of two equal axes the first.
    """
    axes = len(elevated)
    rounded = torch.round(elevated.detach() * (1 / axes))
    rank = _ranks(elevated.detach() - rounded * axes) + rounded.sum(0)
    turn = (rank < 0).to(rank) - (rank >= axes).to(rank)  # the rounded point may lie beside the plane:
    return ((rounded + turn) * axes).long(), (rank + turn * axes).long()  # step back onto it


def _ranks(residual: Tensor) -> Tensor:
    """For each of the rows [d+1, N], how many rows are larger (or equal and earlier), point by point."""
    rank = torch.zeros_like(residual, dtype=torch.int8)
    for i in range(len(residual)):
        for j in range(i + 1, len(residual)):
            smaller = residual[i] < residual[j]
            rank[i] += smaller
            rank[j] += ~smaller
    return rank


def barycentric(elevated: Tensor, origin: Tensor, rank: Tensor) -> Tensor:
    """Return the weights [d+1, N] of each point's d+1 vertices, by colour: not negative, and they sum to 1.

    Sorted by rank, the offsets from the vertex of colour 0 fall from axis to axis; each step down is a vertex's weight.
    """
    axes = len(elevated)
    offset = (elevated - origin.to(elevated)) * (1 / axes)
    offset = torch.zeros_like(offset).scatter(0, rank, offset)  # by rank, so the largest comes first
    steps = offset[:-1] - offset[1:]  # between rank r and r+1: the vertex of colour d-r
    return torch.cat([1 - offset[:1] + offset[-1:], steps.flip(0)])
