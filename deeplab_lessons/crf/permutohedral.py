"""The permutohedral lattice: a Gaussian filter in d dimensions whose cost grows with N, not with N².

Points of a d-dimensional feature space are laid on a lattice of simplices (triangles for d = 2). Each point
gives its value to the d+1 corners of the simplex it lies in (*splat*), the corners exchange values with
their neighbours (*blur*), and each point collects from its corners again (*slice*). Only corners that some
point touches are kept. The result approximates `sum_j exp(-|f_i - f_j|²/2) v_j` up to a common factor.

Shapes: d features, N points, C channels, M vertices. The lattice lies in the plane "coordinates sum to 0" of
d+1 dimensions, so a position on it has d+1 coordinates. Rounding and ties follow pydensecrf.
Source: Adams, Baek & Davis, "Fast High-Dimensional Filtering Using the Permutohedral Lattice", 2010.
"""

import math

import torch

_BASE = 6364136223846793005  # odd and large: coordinates as digits in this base hardly ever share a code


def embed(features: torch.Tensor) -> torch.Tensor:
    """Carry features [d, N] into the lattice's plane: [d+1, N], each column sums to 0.

    The scale makes blurring with (½, 1, ½) along d+1 directions, with splat and slice, a Gaussian of standard
    deviation 1 in feature space. Raises ValueError where the features are too large to tell places apart.
    Source: the paper's matrix E.
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
    _check_resolution(features, elevated)
    return elevated


def _check_resolution(features: torch.Tensor, elevated: torch.Tensor) -> None:
    limit = 1 / (16 * torch.finfo(elevated.dtype).eps)
    if elevated.numel() and not elevated.detach().abs().max() < limit:  # "not <" refuses nan as well
        raise ValueError(
            f"the features reach {features.abs().max():.3g}, too far for {features.dtype} to tell neighbouring "
            "lattice cells apart (or they hold nan or inf). Features are positions and colours divided by "
            "their σ: look for a σ near 0."
        )


def nearest_simplex(elevated: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Find the simplex around each point: its vertex of colour 0 [d+1, N] and the rank of each axis [d+1, N].

    Vertices of colour 0 have coordinates divisible by d+1. Rank 0 has the axis along which the point lies
    farthest above that vertex; of two equal axes the first.
    """
    axes = len(elevated)
    rounded = torch.round(elevated.detach() * (1 / axes))
    rank = _ranks(elevated.detach() - rounded * axes) + rounded.sum(0)
    turn = (rank < 0).to(rank) - (rank >= axes).to(rank)  # the rounded point may lie beside the plane:
    return ((rounded + turn) * axes).long(), (rank + turn * axes).long()  # step back onto it


def _ranks(residual: torch.Tensor) -> torch.Tensor:
    """For each of the rows [d+1, N], how many rows are larger (or equal and earlier), point by point."""
    rank = torch.zeros_like(residual, dtype=torch.int8)
    for i in range(len(residual)):
        for j in range(i + 1, len(residual)):
            smaller = residual[i] < residual[j]
            rank[i] += smaller
            rank[j] += ~smaller
    return rank


def barycentric(elevated: torch.Tensor, origin: torch.Tensor, rank: torch.Tensor) -> torch.Tensor:
    """Return the weights [d+1, N] of each point's d+1 vertices, by colour: not negative, and they sum to 1.

    Sorted by rank, the point's offsets from the vertex of colour 0 fall from axis to axis; each step down is
    the weight of one vertex.
    """
    axes = len(elevated)
    offset = (elevated - origin.to(elevated)) * (1 / axes)
    offset = torch.zeros_like(offset).scatter(0, rank, offset)  # by rank, so the largest comes first
    steps = offset[:-1] - offset[1:]  # between rank r and r+1: the vertex of colour d-r
    return torch.cat([1 - offset[:1] + offset[-1:], steps.flip(0)])


def simplex_vertices(origin: torch.Tensor, rank: torch.Tensor) -> torch.Tensor:
    """Return the coordinates of the simplices' vertices, int64 [d+1 colours, d+1 coordinates, N].

    The vertex of colour k lies k steps up every axis from the origin, except that the k axes of the highest
    ranks go k - (d+1) instead: the paper's canonical simplex, moved to the origin.
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

    def __init__(self, features: torch.Tensor) -> None:
        if features.ndim != 2 or not features.is_floating_point() or not features.numel():
            raise ValueError(
                "features must be float [d, N], one row for each feature, one column for each point, "
                f"got {features.dtype} {list(features.shape)}"
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
    def positions(self) -> torch.Tensor:
        """The vertices in feature space [d, M], for drawing: `embed` undone."""
        axes = torch.eye(self.d, dtype=torch.float64)
        backwards = torch.linalg.pinv(embed(axes)).to(self.weights)  # embed is linear: E, column by column
        return backwards @ self.vertices.to(self.weights)

    def _find_neighbours(self) -> torch.Tensor:
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

    def splat(self, values: torch.Tensor) -> torch.Tensor:
        """Give each point's value to the vertices of its simplex: [C, N] -> [M+1, C], the last row zero.

        That row is every vertex that nothing touches.
        """
        rows = values.T.contiguous()
        table = rows.new_zeros(len(self) + 1, rows.shape[1])
        for vertex, weight in zip(self.vertex, self.weights, strict=True):
            table = table.index_add(0, vertex, rows * weight[:, None])
        return table

    def blur(self, table: torch.Tensor, transpose: bool = False) -> torch.Tensor:
        """Along each direction, add half of both neighbours: [M+1, C] -> [M+1, C].

        Where neighbours are missing, the order of the directions matters; `transpose` reverses it.
        (The paper blurs with ¼, ½, ¼: half of this along each direction, one factor common to all.)
        """
        nothing = torch.tensor([len(self)], device=table.device)
        for down, up in self.neighbours.flip(0) if transpose else self.neighbours:
            below, above = (table[torch.cat([side, nothing])] for side in (down, up))
            table = table + 0.5 * (below + above)
        return table

    def slice(self, table: torch.Tensor) -> torch.Tensor:
        """Collect each point's value from the vertices of its simplex: [M+1, C] -> [C, N].

        The factor 1 / (1 + 2^-d) is pydensecrf's.
        """
        pairs = zip(self.vertex, self.weights, strict=True)
        return sum(table[vertex] * weight[:, None] for vertex, weight in pairs).T / (1 + 2.0**-self.d)

    def filter(self, values: torch.Tensor, transpose: bool = False) -> torch.Tensor:
        """Splat, blur, slice: values [C, N] -> [C, N]; `transpose` applies the transposed matrix."""
        if values.ndim != 2 or values.shape[1] != self.points:
            raise ValueError(f"values must be [C, N] with N = {self.points} points, got {list(values.shape)}")
        return self.slice(self.blur(self.splat(values), transpose))


def vertex_codes(vertices: torch.Tensor, base: int) -> torch.Tensor:
    """Return one int64 for each vertex: [d+1, ...] -> [...]. Coordinates are digits in `base`, modulo 2^64.

    The last coordinate is left out: it follows from the others, since they sum to 0.
    """
    code = torch.zeros_like(vertices[0])
    for coordinate in vertices[:-1]:
        code = code * base + coordinate
    return code


def number_vertices(corners: torch.Tensor, base: int = _BASE) -> tuple[torch.Tensor, torch.Tensor, int]:
    """Number the distinct vertices among corners [d+1 colours, d+1, N].

    Returns their coordinates [d+1, M], each corner's number [d+1 colours, N], and the base that was used:
    if two vertices share a code in `base`, the next one is tried.
    """
    corners = corners.transpose(0, 1)
    codes, number = torch.unique(vertex_codes(corners, base), return_inverse=True)
    vertices = corners.new_empty(len(corners), len(codes))
    vertices[:, number.flatten()] = corners.flatten(1)
    if not torch.equal(vertices[:, number], corners):
        return number_vertices(corners.transpose(0, 1), base + 2)
    return vertices, number, base
