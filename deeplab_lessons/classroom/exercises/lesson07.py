"""Exercises of lesson 07: splatting onto a line, a normalised filter, the band of a trimap, the lattice's blur."""

import random
from collections.abc import Iterator

import numpy as np
import torch
from scipy import ndimage

from deeplab_lessons import metrics
from deeplab_lessons.classroom import line_filter, tiny_crf
from deeplab_lessons.classroom.exercises.cases import torch_generator
from deeplab_lessons.classroom.exercises.compare import show as show_value
from deeplab_lessons.classroom.exercises.framework import exercise, fault, misconception
from deeplab_lessons.metrics.label_maps import IGNORE_INDEX


def _around(places: np.ndarray) -> tuple:
    """The left one of the two grid points around each place, and how far after it the place lies."""
    left = places.astype(int)
    return left, places - left


@exercise
class Splat:
    """Warm-up: values shared between the two grid points around them."""

    package = line_filter.splat
    hints = (
        "A value at 2.25 lies between the grid points 2 and 3. Which of them is nearer, and gets more?",
        "With `left = int(place)`, the right point gets the fraction `place - left` of the value, and the left one the "
        "rest.",
        "Use `grid[left] += …`, value by value, because a point may receive several. Make the grid one longer and cut "
        "it at the end.",
    )

    def splat(values, places, size):
        left = places.astype(int)
        grid = np.zeros(size + 1)
        np.add.at(grid, left, (left + 1 - places) * values)
        np.add.at(grid, left + 1, (places - left) * values)
        return grid[:size]

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Values at places on a grid of `size` points; some places lie on a grid point, and several share one."""
        yield np.array([8.0]), np.array([0.25]), 2
        yield np.array([8.0]), np.array([2.0]), 3
        yield np.array([8.0]), np.array([0.75]), 3
        yield np.array([4.0, 8.0]), np.array([0.5, 0.75]), 3
        yield np.array([4.0, 8.0]), np.array([2.5, 0.25]), 5
        yield np.array([4.0, 8.0]), np.array([1.5, 0.5]), 3
        yield np.array([3.0]), np.array([0.0]), 1
        while True:
            size, count = rng.randint(2, 9), rng.randint(1, 6)
            steps, dtype = rng.choice((1, 4, 10, 1000)), rng.choice((np.float32, np.float64))
            places = [rng.randint(0, steps * (size - 1)) / steps for _ in range(count)]
            values = [float(rng.choice((1, 1, -1)) * rng.randint(0, 9)) for _ in range(count)]
            yield np.array(values, dtype), np.array(places, dtype), size

    @misconception(
        "Your code gives each value whole to its nearest grid point. Two pixels that differ by a hair may then land on "
        "different points, and the filter jumps. Share each value between two points."
    )
    def nearest(values: np.ndarray, places: np.ndarray, size: int) -> np.ndarray:
        return np.bincount(np.round(places).astype(int), values, size)

    @misconception(
        "Your code gives each value whole to the grid point on its left. Share it between the two points around its "
        "place."
    )
    def left_only(values: np.ndarray, places: np.ndarray, size: int) -> np.ndarray:
        return np.bincount(places.astype(int), values, size)

    @misconception(
        "Your code gives half of each value to either grid point, wherever it lies. The nearer point gets more: the "
        "fractions are `place - left` and the rest."
    )
    def halves(values: np.ndarray, places: np.ndarray, size: int) -> np.ndarray:
        left, behind = _around(places)
        return line_filter.splat(values, left + 0.5 * (behind > 0), size)

    @misconception(
        "Your code swaps the two fractions, so the farther grid point gets more. A value at 0.25 gives 0.75 of "
        "itself to grid point 0."
    )
    def swapped(values: np.ndarray, places: np.ndarray, size: int) -> np.ndarray:
        left, behind = _around(places)
        return line_filter.splat(values, left + (1 - behind) * (behind > 0), size)

    @misconception(
        "Your code overwrites what a grid point was given before. What several values give adds up: use `+=`."
    )
    def overwritten(values: np.ndarray, places: np.ndarray, size: int) -> np.ndarray:
        grid = np.zeros(size + 1)
        for value, left, behind in zip(values, *_around(places), strict=True):
            grid[left], grid[left + 1] = (1 - behind) * value, behind * value
        return grid[:size]

    @misconception(
        "Your code adds with an array of indices, and numpy's `grid[left] += …` keeps only the last of several "
        "values for one point. Use a loop, `np.add.at` or `np.bincount`."
    )
    def repeated_indices(values: np.ndarray, places: np.ndarray, size: int) -> np.ndarray:
        grid, (left, behind) = np.zeros(size + 1), _around(places)
        grid[left] += (1 - behind) * values
        grid[left + 1] += behind * values
        return grid[:size]

    @misconception(
        "Your code returns a mean: it divides by the weight that each point received. The filter needs the sum, "
        "because normalisation comes later, and once, by filtering ones."
    )
    def mean_of_givers(values, places, size):
        return line_filter.splat(values, places, size) / np.maximum(
            line_filter.splat(np.ones_like(values), places, size), 1e-12
        )

    @misconception(
        "Your code returns how much weight each grid point gets, without the values. Multiply each fraction by its "
        "value."
    )
    def weights_only(values, places, size):
        return line_filter.splat(np.ones_like(values), places, size)

    @misconception(
        "Your code leaves the last grid point empty. A value right on it, or just before it, belongs there too."
    )
    def last_point_empty(values: np.ndarray, places: np.ndarray, size: int) -> np.ndarray:
        return np.append(line_filter.splat(values, places, size)[:-1], 0)


class _Filter:
    """A filter of values [C, N] by a kernel [N, N], as a lattice is one whose kernel nobody sees."""

    def __init__(self, kernel: torch.Tensor):
        self.kernel = kernel

    def __call__(self, values: torch.Tensor) -> torch.Tensor:
        return values.to(self.kernel) @ self.kernel.T

    def __repr__(self) -> str:
        return f"a filter with k = {show_value(self.kernel)}"


@exercise
class NormalisedFilter:
    """A filter normalised so that its kernel stays symmetric."""

    hints = (
        "The kernel can't be seen, but what does the filter return for values that are all 1?",
        "It returns the sums, s. The division by √s_j can be done before the filter, and the one by √s_i after it.",
        "With `scale = 1 / filter(torch.ones_like(values)).sqrt()`, return `scale * filter(scale * values)`.",
    )

    def normalised_filter(filter, values):
        sums = filter(torch.ones_like(values))
        return filter(values / sums.sqrt()) / sums.sqrt()

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Filters by symmetric kernels, and values [C, N]; the first sums are squares of whole numbers."""
        yield _Filter(torch.tensor([[1.0, 3.0], [3.0, 6.0]])), torch.tensor([[4.0, 12.0]])
        yield _Filter(torch.tensor([[4.0]])), torch.tensor([[-3.0], [1.0]])
        yield _Filter(torch.tensor([[1.0, 0.0], [0.0, 4.0]])), torch.tensor([[1.0, 2.0], [3.0, 4.0]])
        while True:
            numbers, dtype = torch_generator(rng), rng.choice((torch.float32, torch.float64))
            features = 1.5 * torch.randn(rng.randint(1, 3), rng.randint(1, 6), generator=numbers)
            kernel = rng.choice((0.01, 1, 50)) * tiny_crf.exact_kernel(features).to(dtype)
            values = torch.randn(rng.randint(1, 4), features.shape[1], generator=numbers)
            yield _Filter(kernel), values.to(dtype)

    @misconception(
        "Your code returns the filter's result as it comes. Pixels in large even regions then receive far more "
        "than others: divide by the square root of both pixels' sums."
    )
    def not_normalised(filter, values):
        return filter(values)

    @misconception(
        "Your code divides the result by the sums: a weighted mean. Its kernel is no longer symmetric, and no energy "
        "belongs to it. Divide by square roots, before and after."
    )
    def by_row(filter, values):
        return filter(values) / filter(torch.ones_like(values))

    @misconception(
        "Your code divides the values by the sums before the filter, and nothing after it. Divide by square roots, on "
        "both sides."
    )
    def by_column(filter, values):
        return filter(values / filter(torch.ones_like(values)))

    @misconception(
        "Your code lacks the square root: it divides by the whole sums on both sides, which is once too often."
    )
    def no_root(filter, values):
        sums = filter(torch.ones_like(values))
        return filter(values / sums) / sums

    @misconception(
        "Your code divides after the filter only. √s_j belongs to the pixel that sends: divide the values "
        "by it before they're filtered."
    )
    def after_only(filter, values):
        return filter(values) / filter(torch.ones_like(values)).sqrt()

    @misconception(
        "Your code divides before the filter only. √s_i belongs to the pixel that receives: divide the result by "
        "it as well."
    )
    def before_only(filter, values):
        return filter(values / filter(torch.ones_like(values)).sqrt())

    @misconception(
        "Your code multiplies by the square roots. Pixels that receive a lot must be turned down: divide."
    )
    def multiplied(filter, values):
        sums = filter(torch.ones_like(values)).sqrt()
        return sums * filter(sums * values)

    @misconception(
        "Your code divides by the total of the kernel. One number for all pixels changes nothing between them: divide "
        "by the sums of the two pixels."
    )
    def by_the_total(filter, values):
        return filter(values) / filter(torch.ones_like(values)).sum(-1, keepdim=True)


@exercise
class Trimap:
    """The band of pixels near a boundary."""

    package = metrics.trimap
    hints = (
        "What does `known` hold at void pixels? Which pixels can it no longer tell apart?",
        "Void counts as a label of its own for the distances, but its own pixels are never in the band.",
        "Use `labels` instead of `known`, and return `(distance <= width) & (labels != 255)`.",
    )

    def trimap(labels, width):
        from scipy import ndimage

        distance = np.full(labels.shape, np.inf)
        for label in np.unique(labels):
            inside = labels == label
            if not inside.all():
                distance[inside] = ndimage.distance_transform_edt(inside)[inside]
        return (distance <= width) & (labels != 255)

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Label maps with rectangles of other labels, void among them, and a width from 1 to 4 pixels."""
        void = IGNORE_INDEX
        for rows, width in (
            ([[0, 0, 1, 1]], 1),
            ([[0, void, void, 1]], 1),
            ([[3, 3, 3, void, 2, 2, 2]], 2),
            ([[0, 0, 0, 0, 1, 1, 1, 1]], 2),
            ([[0, 0, 0], [0, 0, 0], [0, 0, 1]], 1),
            ([[0, 0, 0], [0, 0, 0], [0, 0, 1]], 1.5),
            ([[2, 2, 2, 2], [2, 2, 2, 2], [2, 2, 2, 2], [2, 2, 2, 1]], 3),
            ([[1, 1], [1, 1]], 1),
            ([[void, void]], 1),
        ):
            yield np.array(rows, np.uint8), width
        while True:
            shape, dtype = (rng.randint(1, 9), rng.randint(2, 9)), rng.choice((np.uint8, np.int64))
            labels = np.full(shape, rng.choice((0, 0, 4, void)), dtype)
            for label in rng.sample((0, 1, 2, 20, void), rng.randint(1, 3)):
                top, left = rng.randrange(shape[0]), rng.randrange(shape[1])
                labels[top : top + rng.randint(1, 5), left : left + rng.randint(1, 5)] = label
            yield labels, rng.choice((1, 2, 3, 4, 1.5, 2.5))

    @fault(
        "Void pixels are in the band, and where void borders on background the band's labelled side is missing."
    )
    def void_as_background(labels, width):
        from scipy import ndimage

        known = np.where(labels == 255, 0, labels)
        distance = np.full(labels.shape, np.inf)
        for label in np.unique(known):
            inside = known == label
            if not inside.all():
                distance[inside] = ndimage.distance_transform_edt(inside)[inside]
        return distance <= width

    @misconception(
        "Your code has void pixels in the band. Their class is unknown, so nothing can be measured there: take them "
        "out with `labels != 255`."
    )
    def void_inside(labels, width):
        return metrics.boundary_distance(labels) <= width

    @misconception(
        "Your code takes void pixels out of the band, but still measures distances as if they were background. Void "
        "counts as another label, and its border as a boundary."
    )
    def distances_to_background(labels: np.ndarray, width: float) -> np.ndarray:
        known = np.where(labels == IGNORE_INDEX, 0, labels)
        return metrics.trimap(known, width) & (labels != IGNORE_INDEX)

    @misconception(
        "Your code takes the band on the objects' side only. Mistakes happen on both sides of an edge: measure the "
        "distances of background pixels too."
    )
    def one_side(labels: np.ndarray, width: float) -> np.ndarray:
        return metrics.trimap(labels, width) & (labels != 0)

    @misconception(
        "Your code excludes pixels at exactly the width. A pixel right at the edge has the distance 1, and belongs to "
        "the band of width 1: use <=."
    )
    def open_band(labels, width):
        return (metrics.boundary_distance(labels) < width) & (labels != IGNORE_INDEX)

    @misconception(
        "Your code counts a diagonal step as 1. Its length is 1.41: measure between pixel centres, with "
        "`distance_transform_edt`."
    )
    def chessboard(labels: np.ndarray, width: float) -> np.ndarray:
        return _band(labels, width, "chessboard")

    @misconception(
        "Your code counts a diagonal step as 2. Its length is 1.41: measure between pixel centres, with "
        "`distance_transform_edt`."
    )
    def taxicab(labels: np.ndarray, width: float) -> np.ndarray:
        return _band(labels, width, "taxicab")

    @misconception(
        "Your code counts the width across both sides together. In a trimap it is the reach on each side."
    )
    def half_width(labels, width):
        return (metrics.boundary_distance(labels) <= width / 2) & (labels != IGNORE_INDEX)

    @misconception(
        "Your code returns the pixels outside the band. Those at most `width` away from another label are wanted."
    )
    def outside(labels, width):
        return (metrics.boundary_distance(labels) > width) & (labels != IGNORE_INDEX)


def _band(labels: np.ndarray, width: float, metric: str) -> np.ndarray:
    """The band by another metric of scipy's, "chessboard" or "taxicab"."""
    distance = np.full(labels.shape, np.inf)
    for label in np.unique(labels):
        inside = labels == label
        if not inside.all():
            distance[inside] = ndimage.distance_transform_cdt(inside, metric)[inside]
    return (distance <= width) & (labels != IGNORE_INDEX)


def _moved(vertex: tuple, axis: int, steps: int) -> tuple:
    """The vertex `steps` steps along an axis of the lattice."""
    return tuple(number + steps * (1 - len(vertex) * (place == axis)) for place, number in enumerate(vertex))


def _weighed(table: dict, axis: int, weights: tuple) -> dict:
    """The blur with other weights: of the neighbour below, the vertex itself, the one above."""
    return {
        vertex: sum(
            weight * table.get(_moved(vertex, axis, steps), 0)
            for steps, weight in zip((-1, 0, 1), weights, strict=True)
        )
        for vertex in table
    }


@exercise
class BlurAlong:
    """Stretch: the lattice's blur along one direction."""

    hints = (
        "In the plane, where is the next vertex from (0, 0, 0) along axis 0? Its three numbers must sum to 0.",
        "Build a neighbour as a tuple: with `n = len(vertex)`, each number grows by 1, and the one at `axis` by 1 - n.",
        "`table.get(neighbour, 0)` is 0 where a vertex is missing. Write into a new dict: neighbours need old values.",
    )

    def blur_along(table, axis):
        blurred = {}
        for vertex, value in table.items():
            step = np.ones(len(vertex), int)
            step[axis] = 1 - len(vertex)
            before, after = tuple(vertex - step), tuple(vertex + step)
            blurred[vertex] = value + (table.get(before, 0) + table.get(after, 0)) / 2
        return blurred

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Vertices of the lattice in 1 to 5 dimensions with their values; on a line first, then with gaps."""
        yield {(0, 0): 2.0, (1, -1): 4.0}, 0
        yield {(0, 0, 0): 4.0, (-2, 1, 1): 2.0, (1, -2, 1): 8.0}, 0
        yield {(0, 0, 0): 4.0, (-2, 1, 1): 2.0, (1, 1, -2): 8.0}, 2
        yield {(2, -2): 2.0, (0, 0): 4.0, (1, -1): 8.0, (4, -4): 6.0}, 1
        yield {(0, 0): 4.0, (1, -1): 0.0, (2, -2): -8.0}, 0
        while True:
            d = rng.randint(1, 5)
            vertex, axis, table = (0,) * (d + 1), rng.randint(0, d), {}
            for _ in range(rng.randint(1, 9)):
                table[vertex] = float(rng.choice((1, 1, -1)) * rng.randint(0, 9))
                vertex = _moved(vertex, rng.choice((axis, rng.randint(0, d))), rng.choice((-1, 1, 2)))
            yield table, axis

    @misconception(
        "Your code leaves the table as it was: it never finds a neighbour. A neighbour's numbers sum to 0 as well: a "
        "step adds 1 to all of them and takes d + 1 from one."
    )
    def no_neighbours(table, axis):
        return dict(table)

    @misconception(
        "Your code uses the weights ¼, ½, ¼. The exercise adds half of both neighbours to the vertex's own value, so "
        "the weights are ½, 1, ½."
    )
    def halved(table, axis):
        return _weighed(table, axis, (0.25, 0.5, 0.25))

    @misconception("Your code adds the neighbours whole. Add half of each.")
    def whole_neighbours(table, axis):
        return _weighed(table, axis, (1, 1, 1))

    @misconception("Your code returns the neighbours' part only. Add it to the vertex's own value.")
    def without_itself(table, axis):
        return _weighed(table, axis, (0.5, 0, 0.5))

    @misconception(
        "Your code looks in one direction only. A vertex has two neighbours along an axis: one step ahead, and one "
        "step back."
    )
    def ahead_only(table, axis):
        return _weighed(table, axis, (0, 1, 0.5))

    @misconception(
        "Your code looks in one direction only. A vertex has two neighbours along an axis: one step ahead, and one "
        "step back."
    )
    def back_only(table, axis):
        return _weighed(table, axis, (0.5, 1, 0))

    @misconception(
        "Your code divides by the weights that it found, as if a missing vertex were unknown. It counts as 0: pass 0 "
        "to `table.get`, and don't divide."
    )
    def renormalised(table, axis):
        found = _weighed(dict.fromkeys(table, 1), axis, (0.5, 1, 0.5))
        return {
            vertex: value / found[vertex] for vertex, value in _weighed(table, axis, (0.5, 1, 0.5)).items()
        }

    @misconception(
        "Your code ignores `axis` and always steps along axis 0. Subtract d + 1 from the number at `axis`."
    )
    def first_axis(table, axis):
        return _weighed(table, 0, (0.5, 1, 0.5))

    @misconception("Your code blurs along every axis. The exercise asks for one: `axis`.")
    def every_axis(table: dict, axis: int) -> dict:
        for each in range(len(next(iter(table)))):
            table = _weighed(table, each, (0.5, 1, 0.5))
        return table

    @misconception(
        "Your code writes into the table that it reads, so a later vertex gets its neighbour's new value. Fill a new "
        "dict, and leave the old one as it is."
    )
    def in_place(table: dict, axis: int) -> dict:
        table = dict(table)
        for vertex in table:
            table[vertex] = _weighed(table, axis, (0.5, 1, 0.5))[vertex]
        return table

    @misconception(
        "Your code makes new vertices next to those in the table. What flows to a missing vertex is lost: keep the "
        "vertices as they are."
    )
    def new_vertices(table: dict, axis: int) -> dict:
        spread = dict.fromkeys([_moved(vertex, axis, s) for s in (-1, 1) for vertex in table], 0.0)
        return _weighed(spread | table, axis, (0.5, 1, 0.5))
