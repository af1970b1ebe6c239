"""The permutohedral lattice written to be read: splat, blur and slice, a few lines each.

Its numbers are those of `crf.LatticeFilter`, whose three steps are tables of rows. d features, N points, C channels, M
vertices, those that some point touches.
Source: Adams, Baek & Davis, "Fast High-Dimensional Filtering Using the Permutohedral Lattice", 2010.
"""

import torch
from torch import Tensor

from deeplab_lessons.crf.permutohedral import barycentric, embed, nearest_simplex

_BASE = 6364136223846793005  # odd and large: coordinates as digits in this base hardly ever share a code


def simplex_vertices(origin: Tensor, rank: Tensor) -> Tensor:
    """Return the coordinates of the simplices' vertices, int64 [d+1 colours, d+1 coordinates, N].

    The vertex of colour k lies k steps up every axis from the origin, but k - (d+1) up the k axes of the highest ranks.
    """
    axes = len(origin)
    return torch.stack([origin + k - axes * (rank >= axes - k) for k in range(axes)])


class Lattice:
    """The vertices that points with features [d, N] touch, and the three steps of the filter.

    - `weights` [d+1, N], `vertex` int64 [d+1, N]: how much of each point goes to which vertex;
    - `vertices` int64 [d+1, M]: the vertices' coordinates on the lattice; `len(lattice)` is M;
    - `positions` [d, M]: the same in feature space;
    - `neighbours` int64 [d+1 directions, 2, M]: the vertex one step down and up, M where there is none.

    Raises ValueError for features that are not float [d, N] or too far out.
    """

    def __init__(self, features: Tensor) -> None:
        if features.ndim != 2 or not features.is_floating_point() or not features.numel():
            given = f"{features.dtype} {list(features.shape)}"
            raise ValueError(
                f"features must be float [d, N], a row for each feature of N points, got {given}"
            )
        self.d, self.points = features.shape
        elevated = embed(features)
        origin, rank = nearest_simplex(elevated)
        self.weights = barycentric(elevated, origin, rank)
        self.vertices, self.vertex, self._base = number_vertices(simplex_vertices(origin, rank))
        self.neighbours = self._find_neighbours()

    def __len__(self) -> int:
        return self.vertices.shape[1]

    def __repr__(self) -> str:
        return f"Lattice(d={self.d}, points={self.points}, vertices={len(self)})"

    @property
    def positions(self) -> Tensor:
        """The vertices in feature space [d, M], for drawing: `embed` undone."""
        axes = torch.eye(self.d, dtype=torch.float64)
        backwards = torch.linalg.pinv(embed(axes)).to(self.weights)  # embed is linear: E, column by column
        return backwards @ self.vertices.to(self.weights)

    def _find_neighbours(self) -> Tensor:
        codes = vertex_codes(self.vertices, self._base)
        found = []
        for j in range(self.d + 1):
            step = torch.ones_like(self.vertices[:, :1])
            step[j] = -self.d  # along direction j: d one way, 1 the other way on every other axis
            for wanted in (self.vertices - step, self.vertices + step):
                place = torch.searchsorted(codes, vertex_codes(wanted, self._base)).clamp(max=len(self) - 1)
                there = (self.vertices[:, place] == wanted).all(0)
                found.append(torch.where(there, place, len(self)))
        return torch.stack(found).view(self.d + 1, 2, -1)

    def splat(self, values: Tensor) -> Tensor:
        """Give each point's value to the vertices of its simplex: [C, N] -> [M+1, C], the last row zero."""
        rows = values.T.contiguous()
        table = rows.new_zeros(len(self) + 1, rows.shape[1])
        for vertex, weight in zip(self.vertex, self.weights, strict=True):
            table = table.index_add(0, vertex, rows * weight[:, None])
        return table

    def blur(self, table: Tensor, transpose: bool = False) -> Tensor:
        """Along each direction, add half of both neighbours: [M+1, C] -> [M+1, C]; the paper blurs with half of that.

        Where neighbours are missing, the order of the directions matters; `transpose` reverses it.
        """
        nothing = torch.tensor([len(self)], device=table.device)
        for down, up in self.neighbours.flip(0) if transpose else self.neighbours:
            below, above = (table[torch.cat([side, nothing])] for side in (down, up))
            table = table + 0.5 * (below + above)
        return table

    def slice(self, table: Tensor) -> Tensor:
        """Collect each point's value from the vertices of its simplex, with pydensecrf's factor: [M+1, C] -> [C, N]."""
        pairs = zip(self.vertex, self.weights, strict=True)
        return sum(table[vertex] * weight[:, None] for vertex, weight in pairs).T / (1 + 2.0**-self.d)

    def filter(self, values: Tensor, transpose: bool = False) -> Tensor:
        """Splat, blur, slice: values [C, N] -> [C, N]; `transpose` applies the transposed matrix."""
        if values.ndim != 2 or values.shape[1] != self.points:
            raise ValueError(f"values must be [C, N] with N = {self.points} points, got {list(values.shape)}")
        return self.slice(self.blur(self.splat(values), transpose))


def vertex_codes(vertices: Tensor, base: int) -> Tensor:
    """Return one int64 for each vertex: [d+1, ...] -> [...], with coordinates as digits in `base`, modulo 2^64."""
    code = torch.zeros_like(vertices[0])
    for coordinate in vertices[:-1]:  # the last follows from the others, since they sum to 0
        code = code * base + coordinate
    return code


def number_vertices(corners: Tensor, base: int = _BASE) -> tuple[Tensor, Tensor, int]:
    """Return the distinct vertices [d+1, M] among corners [d+1 colours, d+1, N], and each corner's number.

    The third result is the base that was used: if two vertices share a code in `base`, the next one is tried.
    """
    corners = corners.transpose(0, 1)
    codes, number = torch.unique(vertex_codes(corners, base), return_inverse=True)
    vertices = corners.new_empty(len(corners), len(codes))
    vertices[:, number.flatten()] = corners.flatten(1)
    if not torch.equal(vertices[:, number], corners):
        return number_vertices(corners.transpose(0, 1), base + 2)
    return vertices, number, base
