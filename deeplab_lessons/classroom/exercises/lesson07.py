"""Exercises of lesson 07: splatting onto a line, weights in a simplex, symmetric kernels, the band of a trimap."""

import random
from collections.abc import Iterator

import numpy as np
import torch
from scipy.ndimage import distance_transform_cdt

from deeplab_lessons import metrics
from deeplab_lessons.classroom import line_filter
from deeplab_lessons.classroom.exercises.cases import torch_generator
from deeplab_lessons.classroom.exercises.framework import exercise, misconception
from deeplab_lessons.crf import filters, permutohedral
from deeplab_lessons.metrics.label_maps import IGNORE_INDEX


def _placed(features: torch.Tensor) -> tuple:
    elevated = permutohedral.embed(features)
    return elevated, *permutohedral.nearest_simplex(elevated)


def _offsets(
    elevated: torch.Tensor, origin: torch.Tensor, rank: torch.Tensor, scale: bool = True
) -> torch.Tensor:
    """Offsets from the vertex of colour 0, largest first."""
    offset = (elevated - origin) / (len(elevated) if scale else 1)
    return torch.zeros_like(offset).scatter(0, rank, offset)


def _weights(offset: torch.Tensor) -> torch.Tensor:
    steps = offset[:-1] - offset[1:]
    return torch.cat([1 - offset[:1] + offset[-1:], steps.flip(0)])


def _below(offset: torch.Tensor) -> torch.Tensor:
    """Steps alone, the vertex of colour 0 left with whatever would make the weights sum to 0."""
    return torch.cat([offset[-1:] - offset[:1], (offset[:-1] - offset[1:]).flip(0)])


@exercise
class Splat:
    """Warm-up: values shared between the two grid points around them."""

    reference = line_filter.splat
    hints = (
        "A value at 2.25 lies between the grid points 2 and 3. It lies nearer to 2, so 2 gets more: 0.75 of it.",
        "`left = int(place)`; the right one gets the share `place - left`, the left one the rest. Use `+=`: "
        "several values may give to the same grid point.",
        "A value on the last grid point has no right neighbour. Make the grid one longer and cut it at the end.",
    )

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Values at places on a grid of `size` points; some places lie on a grid point, some share one."""
        yield np.array([1.0]), np.array([0.25]), 2
        yield np.array([8.0]), np.array([2.0]), 3
        yield np.array([1.0, 2.0]), np.array([0.5, 0.75]), 3
        while True:
            size, count = rng.randint(2, 6), rng.randint(1, 5)
            places = np.array([rng.randrange(4 * (size - 1) + 1) / 4 for _ in range(count)])
            yield np.array([float(rng.randint(1, 9)) for _ in range(count)]), places, size

    @misconception(
        "Each value goes whole to its nearest grid point here. Then two pixels that differ by a hair may land "
        "on different points, and the filter jumps. Share each value between the two points around it."
    )
    def nearest(values: np.ndarray, places: np.ndarray, size: int) -> np.ndarray:
        return np.bincount(np.round(places).astype(int), values, size)

    @misconception(
        "The two shares are swapped: the farther grid point gets more. A value at 0.25 gives 0.75 of itself "
        "to grid point 0."
    )
    def swapped(values: np.ndarray, places: np.ndarray, size: int) -> np.ndarray:
        left = places.astype(int)
        return line_filter.splat(values, left + (1 - (places - left)) * (places > left), size)

    @misconception("The last value overwrites what a grid point was given before. Shares add up: use `+=`.")
    def overwritten(values: np.ndarray, places: np.ndarray, size: int) -> np.ndarray:
        """The splat as it goes wrong when a grid point forgets what it was given before."""
        cells = np.zeros(size + 1)
        for value, place in zip(values, places, strict=True):
            left = int(place)
            cells[left], cells[left + 1] = (left + 1 - place) * value, (place - left) * value
        return cells[:size]

    @misconception(
        "This is a mean: it divides by the number of givers. The filter needs the sum. Normalisation comes "
        "later, and once, by filtering ones."
    )
    def mean_of_givers(values, places, size):
        return line_filter.splat(values, places, size) / np.maximum(
            line_filter.splat(np.ones_like(values), places, size), 1e-12
        )


@exercise
class Barycentric:
    """Stretch: a point's weights at the vertices of its simplex."""

    reference = permutohedral.barycentric
    hints = (
        "`offset = (elevated - origin) / (d + 1)`. Sort its d+1 numbers from the largest to the smallest: `rank` "
        "says where each belongs, `torch.zeros_like(offset).scatter(0, rank, offset)` puts it there.",
        "Each difference between two neighbours in this order is the weight of one vertex. Colour d takes the "
        "first difference, colour d-1 the second, and so on.",
        "The vertex of colour 0 gets what is left: 1 - largest + smallest.",
    )

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Points on the lattice's plane with their simplex: in 1 dimension first, then in 2 to 5."""
        for first in (torch.tensor([[0.3]]), torch.tensor([[0.35], [0.6]])):
            yield _placed(first.double())
        while True:
            d, count = rng.randint(1, 5), rng.randint(1, 3)
            numbers = torch_generator(rng)
            yield _placed(2 * torch.randn(d, count, generator=numbers, dtype=torch.float64))

    @misconception(
        "The offsets are taken in the order of the axes. The differences are weights only between neighbours "
        "in sorted order: bring the offsets into the order of `rank` first."
    )
    def by_axis(elevated: torch.Tensor, origin: torch.Tensor, rank: torch.Tensor) -> torch.Tensor:
        """Right up to the sorting, which is forgotten."""
        return _weights((elevated - origin) / len(elevated))

    @misconception(
        "Neighbouring vertices lie d+1 apart along an axis of the plane. Divide the offsets by d+1."
    )
    def not_scaled(elevated, origin, rank):
        return _weights(_offsets(elevated, origin, rank, scale=False))

    @misconception(
        "The weights are right, but on the wrong vertices: the first difference, between the ranks 0 and 1, "
        "belongs to colour d, not to colour 1."
    )
    def not_flipped(elevated: torch.Tensor, origin: torch.Tensor, rank: torch.Tensor) -> torch.Tensor:
        found = _weights(_offsets(elevated, origin, rank))
        return torch.cat([found[:1], found[1:].flip(0)])

    @misconception(
        "The weights sum to 0 here. They must sum to 1: the vertex of colour 0 gets 1 - largest + smallest."
    )
    def sum_to_zero(elevated, origin, rank):
        return _below(_offsets(elevated, origin, rank))


@exercise
class Normalise:
    """A kernel normalised so that it stays symmetric."""

    reference = filters.normalise
    hints = (
        "`sums = kernel.sum(1)` is how much weight each pixel meets.",
        "Entry (i, j) is divided by the square root of `sums[i] * sums[j]`. `sums[:, None]` is a column, "
        "`sums[None, :]` a row.",
    )

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Kernels [N, N] of a few points; the first has sums that are squares of whole numbers."""
        yield (torch.tensor([[1.0, 0.0], [0.0, 4.0]]),)
        yield (torch.tensor([[0.75, 0.25], [0.25, 3.75]]),)
        while True:
            numbers = torch_generator(rng)
            features = 1.5 * torch.randn(
                rng.randint(1, 3), rng.randint(2, 5), generator=numbers, dtype=torch.float64
            )
            yield (filters.exact_kernel(features),)

    @misconception(
        "Each row sums to 1 here: a weighted mean. Then k(i, j) and k(j, i) differ, and no energy belongs to "
        "the filter. Divide by the square root of both pixels' sums."
    )
    def by_row(kernel):
        return filters.normalise(kernel, "row")

    @misconception(
        "The square root is missing: this divides by the whole sums, once for each side, which is once too "
        "often."
    )
    def no_root(kernel):
        return kernel / (kernel.sum(1)[:, None] * kernel.sum(1)[None, :])

    @misconception(
        "This divides by the square root of one side's sum only. Both sides have a share in it: i and j."
    )
    def one_side(kernel):
        return kernel / kernel.sum(1)[:, None].sqrt()

    @misconception(
        "One number for the whole picture changes nothing between pixels: those in large even regions still "
        "hear far more than others. Divide by the sums of the two pixels."
    )
    def by_the_total(kernel):
        return kernel / kernel.sum()


@exercise
class Trimap:
    """The band of pixels near a boundary."""

    reference = metrics.trimap
    parts = (metrics.boundary_distance,)
    hints = (
        "For each label: `inside = labels == label`. After `import scipy`, "
        "`scipy.ndimage.distance_transform_edt(inside)` gives each pixel inside its distance to the nearest pixel "
        "outside.",
        "Start with a map of `np.inf` and fill in one label after the other, at `[inside]`. A label that fills the "
        "whole map has no boundary: leave the infinity there.",
        "The band is where the distance is at most `width` and the label is not 255.",
    )

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Label maps with rectangles of other labels, some void, and a width of 1 to 4 pixels."""
        yield np.array([[0, 0, 1, 1]], np.uint8), 1
        yield np.array([[0, 0, 0, 0, 1, 1, 1, 1]], np.uint8), 2
        yield np.array([[0, 0, 0], [0, 0, 0], [0, 0, 1]], np.uint8), 1
        while True:
            labels = np.zeros((rng.randint(3, 9), rng.randint(3, 9)), np.uint8)
            for label in (1, 2, IGNORE_INDEX)[: rng.randint(1, 3)]:
                top, left = rng.randrange(labels.shape[0]), rng.randrange(labels.shape[1])
                labels[top : top + rng.randint(1, 5), left : left + rng.randint(1, 5)] = label
            yield labels, rng.randint(1, 4)

    @misconception(
        "The band lies on the objects' side alone. Mistakes happen on both sides of an edge: take the distance "
        "to the nearest pixel with another label, for background pixels too."
    )
    def one_side(labels: np.ndarray, width: int) -> np.ndarray:
        """The band on the objects' side alone."""
        return metrics.trimap(labels, width) & (labels != 0)

    @misconception("Void pixels are in the band. Nobody knows their class, so they are judged nowhere.")
    def void_inside(labels, width):
        return metrics.boundary_distance(labels) <= width

    @misconception(
        "A pixel right at the edge has the distance 1, and belongs to the band of width 1: use <=."
    )
    def open_band(labels, width):
        return (metrics.boundary_distance(labels) < width) & (labels != IGNORE_INDEX)

    @misconception(
        "A diagonal step counts as 1 here. Its length is 1.41: use distances between pixel centres "
        "(`distance_transform_edt`)."
    )
    def chessboard(labels: np.ndarray, width: int) -> np.ndarray:
        """The band with diagonal steps counted as 1."""
        distance = np.full(labels.shape, np.inf)
        for label in np.unique(labels):
            inside = labels == label
            if not inside.all():
                distance[inside] = distance_transform_cdt(inside, "chessboard")[inside]
        return (distance <= width) & (labels != IGNORE_INDEX)

    @misconception(
        "The width is counted across both sides together here. In a trimap it is the reach on each side."
    )
    def half_width(labels, width):
        return (metrics.boundary_distance(labels) <= width / 2) & (labels != IGNORE_INDEX)
