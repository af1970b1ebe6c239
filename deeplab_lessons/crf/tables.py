"""The permutohedral lattice written down as lists of rows to add up: what `fast` runs on.

The geometry is `permutohedral`'s. Here the vertices are found in a quicker way, by one sort of all pairs (vertex,
pixel), and the filter's three steps become tables for `torch.nn.functional.embedding_bag`.
d features, N pixels, C channels, M vertices, E = N·(d+1) entries: a pixel and a vertex of its simplex.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

from deeplab_lessons.crf.permutohedral import barycentric, embed, nearest_simplex

_FRESH = 2**25  # bytes from which on the operating system takes a tensor's memory back each time it is freed
_PIECE = 2**14  # rows of vertices done at a time


def bags(table: Tensor, index: Tensor, weight: Tensor, start=None) -> Tensor:
    """Return sums of weighted rows: row i of the result adds up `weight · table[index]` over bag i.

    Bag i is row i of `index`; or, given `start`, the stretch `index[start[i] : start[i + 1]]`.
    """
    last = start is not None
    return F.embedding_bag(
        index, table, start, mode="sum", per_sample_weights=weight, include_last_offset=last
    )


@dataclass(frozen=True)
class Tables:
    """The filter's matrix K = slice · blur · splat; row M of a table of vertices, no point's vertex, is always zero."""

    splat_index: Tensor  # int32 [E]: pixels, grouped by vertex
    splat_start: Tensor  # int32 [M + 2]: where each vertex's group begins
    splat_weight: Tensor  # [E]
    blur_index: Tensor  # int32 [d+1, M + 1, 3]: a vertex, its lower and its upper neighbour
    blur_weight: Tensor  # [M + 1, 3]: 1, ½, ½
    slice_index: Tensor  # int32 [N, d+1]: vertices
    slice_weight: Tensor  # [N, d+1]

    def splat_and_blur(self, values: Tensor, transpose: bool = False) -> Tensor:
        """Go from rows of pixels [N, C] to rows of vertices [M + 1, C]; `transpose` blurs in reversed order."""
        table = bags(values, self.splat_index, self.splat_weight, self.splat_start)
        directions = self.blur_index.unbind()
        large = table.nbytes > _FRESH and table.device.type == "cpu" and not table.requires_grad
        spare = torch.empty_like(table) if large else None
        for index in reversed(directions) if transpose else directions:
            if spare is None:
                table = bags(table, index, self.blur_weight)
            else:
                table, spare = self._blur_into(spare, table, index), table
        return table

    def _blur_into(self, target: Tensor, table: Tensor, index: Tensor) -> Tensor:
        """The same piece by piece into memory that is there: fresh memory is slow where it is much."""
        pieces = (each.split(_PIECE) for each in (target, index, self.blur_weight))
        for part, rows, weight in zip(*pieces, strict=True):
            part.copy_(bags(table, rows, weight))
        return target

    def filter(self, values: Tensor, transpose: bool = False) -> Tensor:
        """Return K times values [N, C] (or K transposed): [N, C]."""
        return bags(self.splat_and_blur(values, transpose), self.slice_index, self.slice_weight)

    @cached_property
    def row_sums(self) -> Tensor:
        """K·1, [N, 1]."""
        return self.filter(self.slice_weight.new_ones(len(self.slice_weight), 1))

    def normalised(self, before: float, after: float) -> "Tables":
        """Return the tables of n_i^-after K(i, j) n_j^-before with n = K·1: ½ and ½ for the symmetric kernel."""
        sums = self.row_sums + 1e-20
        splat_weight = self.splat_weight * (sums**-before).view(-1).index_select(0, self.splat_index)
        return replace(self, splat_weight=splat_weight, slice_weight=self.slice_weight * sums**-after)


def write_tables(features: Tensor) -> Tables:
    """Write the tables of the lattice under features [d, N], float32 or float64; not normalised.

    Autograd follows the weights down to the features. Raises ValueError for features too far apart for the lattice.
    """
    axes, points = len(features) + 1, features.shape[1]
    weights, codes, find_up = number_corners(features)
    pixel, start, known = group_by_vertex(codes)
    sizes, vertices = start.diff(), torch.arange(len(known), device=pixel.device)
    corner = pixel * axes + (known % axes).repeat_interleave(sizes)  # each entry's place in [N, d+1]
    slice_index = torch.empty_like(corner).scatter_(0, corner, vertices.repeat_interleave(sizes))
    weights = weights.T.contiguous()
    return Tables(
        splat_index=pixel.int(),
        splat_start=torch.cat([start, start[-1:]]).int(),
        splat_weight=weights.view(-1).index_select(0, corner),
        blur_index=blur_table(find_up(known)),
        blur_weight=weights.new_tensor([1, 0.5, 0.5]).repeat(len(known) + 1, 1),
        slice_index=slice_index.int().view(points, axes),
        slice_weight=weights / (1 + 2.0 ** (1 - axes)),
    )


def number_corners(features: Tensor) -> tuple[Tensor, Tensor, Callable]:
    """Return every pixel's vertices' weights and codes, both [d+1, N], and how to find neighbours.

    A vertex's code is made of its colour, which every coordinate leaves when divided by d+1, and, as further digits,
    the quotients of the first d. The third result is a function from sorted codes [M] to the place of each vertex's
    upper neighbour along each direction: [d+1, M], M for none.
    """
    elevated = embed(features)
    origin, rank = nearest_simplex(elevated)
    weights, axes = barycentric(elevated, origin, rank), len(elevated)
    digits = origin[:-1] - (origin[:-1].amin(1, keepdim=True) - 2 * axes)  # d+1 times the digits, so far
    steps = [axes]  # what one step of each digit adds to the code
    for largest in digits.amax(1).tolist():
        steps.append(steps[-1] * (largest // axes + 2))  # with room for the neighbours
    if steps[-1] * axes >= 2**62:
        raise ValueError(
            f"the features reach {features.abs().max():.3g}, and in {axes - 1} dimensions the lattice cannot number so "
            "many vertices. Features are positions and colours divided by their σ: pass a larger σ."
        )
    worth = torch.tensor([*steps[:-1], 0], device=origin.device)  # the last coordinate has no digit
    step_down = torch.zeros_like(rank).scatter_(0, rank, worth[:, None].expand_as(rank))
    codes = [(digits * worth[:-1, None]).sum(0) // axes]
    for colour in range(1, axes):
        codes.append(codes[-1] + 1 - step_down[axes - colour])  # one axis after the other steps down

    def find_up(known: Tensor) -> Tensor:
        step = torch.ones(axes, dtype=torch.int64, device=known.device)  # one colour on,
        step[-1] = worth.sum() - (axes - 1)  # and from the last colour to colour 0 of the next simplex
        wanted = known + step.index_select(0, known % axes) - worth[:, None]
        place = torch.searchsorted(known, wanted)
        there = known[place.clamp(max=len(known) - 1)] == wanted
        return place.masked_fill_(~there, len(known))

    return weights, torch.stack(codes), find_up


def group_by_vertex(codes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Sort codes [d+1, N]: the pixels of each vertex in turn [E], where each begins [M + 1], its code [M]."""
    code, place = codes.view(-1).sort(stable=True)
    pixel = place % codes.shape[1]
    edge = code.new_ones(1, dtype=torch.bool)
    start = torch.cat([edge, code[1:] != code[:-1], edge]).nonzero().view(-1)
    return pixel, start, code.index_select(0, start[:-1])


def blur_table(up: Tensor) -> Tensor:
    """Return each vertex, its lower and its upper neighbour, int32 [d+1, M + 1, 3], from `up` [d+1, M]; M for none."""
    count = up.shape[1]
    up = F.pad(up, (0, 1), value=count)
    itself = torch.arange(count + 1, device=up.device).expand_as(up)
    down = torch.full_like(up, count).scatter_(1, up, itself)
    down[:, -1] = count  # where all vertices without an upper neighbour have written
    return torch.stack([itself.int(), down.int(), up.int()], 2)
