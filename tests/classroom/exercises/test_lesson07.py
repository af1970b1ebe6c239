"""Lesson 07: right answers in many styles, and wrong ones."""

import collections
import contextlib
import itertools
import math

import numpy as np
import pytest
import torch
from answers import assert_accepted, assert_rejected, exercise_of, listed, says
from scipy import ndimage


class SplatRight:
    def loop(values, places, size):
        grid = np.zeros(size + 1)
        for value, place in zip(values, places, strict=True):
            left = int(place)
            grid[left] += (left + 1 - place) * value
            grid[left + 1] += (place - left) * value
        return grid[:size]

    def bincount(values, places, size):
        left = np.floor(places).astype(int)
        right = places - left
        return (
            np.bincount(left, (1 - right) * values, size + 1)
            + np.bincount(left + 1, right * values, size + 1)
        )[:size]

    def tents(values, places, size):
        away = np.abs(np.arange(size)[:, None] - places)
        return np.maximum(1 - away, 0) @ values

    def a_list(values, places, size):
        grid = [0.0] * size
        for value, place in zip(values.tolist(), places.tolist(), strict=True):
            for point in range(size):
                grid[point] += value * max(0.0, 1 - abs(point - place))
        return grid

    def only_where_there_is_a_right_one(values, places, size):
        grid = np.zeros(size)
        for value, place in zip(values, places, strict=True):
            left = math.floor(place)
            grid[left] += value * (1 - (place - left))
            if left + 1 < size:
                grid[left + 1] += value * (place - left)
        return grid

    def torch_index_add(values, places, size):
        values, places = torch.tensor(values), torch.tensor(places)
        left = places.long()
        grid = torch.zeros(size + 1, dtype=values.dtype)
        grid.index_add_(0, left, (1 - (places - left)) * values)
        grid.index_add_(0, left + 1, (places - left) * values)
        return grid[:size]

    def modf(values, places, size):
        right, left = np.modf(places)
        grid = np.zeros((len(values), size + 1))
        rows = np.arange(len(values))
        grid[rows, left.astype(int)] = (1 - right) * values
        grid[rows, left.astype(int) + 1] = right * values
        return grid.sum(0)[:size]

    def float32(values, places, size):
        away = np.abs(np.arange(size, dtype=np.float32)[:, None] - places.astype(np.float32))
        return (np.clip(1 - away, 0, 1) * values.astype(np.float32)).sum(1)

    def dictionary(values, places, size):
        given = collections.defaultdict(float)
        for value, place in zip(values, places, strict=True):
            given[int(place)] += value * (1 - place % 1)
            given[int(place) + 1] += value * (place % 1)
        return tuple(given[point] for point in range(size))


class SplatWrong:
    @says("nearest grid point")
    def nearest(values, places, size):
        grid = np.zeros(size)
        np.add.at(grid, places.round().astype(int), values)
        return grid

    @says("on its left")
    def floor(values, places, size):
        grid = np.zeros(size)
        np.add.at(grid, places.astype(int), values)
        return grid

    def ceiling(values, places, size):
        grid = np.zeros(size)
        np.add.at(grid, np.ceil(places).astype(int), values)
        return grid

    @says("half of each value")
    def halves(values, places, size):
        grid = np.zeros(size + 1)
        np.add.at(grid, np.floor(places).astype(int), values / 2)
        np.add.at(grid, np.ceil(places).astype(int), values / 2)
        return grid[:size]

    @says("swaps the two fractions")
    def exchanged(values, places, size):
        left = np.floor(places).astype(int)
        right = np.ceil(places).astype(int)
        grid = np.zeros(size)
        np.add.at(grid, left, np.where(left == right, 1, places - left) * values)
        np.add.at(grid, right, np.where(left == right, 0, right - places) * values)
        return grid

    def exchanged_on_grid_points_too(values, places, size):
        left = places.astype(int)
        grid = np.zeros(size + 1)
        np.add.at(grid, left, (places - left) * values)
        np.add.at(grid, left + 1, (left + 1 - places) * values)
        return grid[:size]

    @says("overwrites")
    def overwritten(values, places, size):
        grid = np.zeros(size + 1)
        for value, place in zip(values, places, strict=True):
            left = int(place)
            grid[left] = (left + 1 - place) * value
            grid[left + 1] = (place - left) * value
        return grid[:size]

    @says("array of indices")
    def repeated_indices(values, places, size):
        grid, left = np.zeros(size + 1), places.astype(int)
        grid[left] += (left + 1 - places) * values
        grid[left + 1] += (places - left) * values
        return grid[:size]

    def both_whole(values, places, size):
        grid = np.zeros(size + 1)
        np.add.at(grid, np.floor(places).astype(int), values)
        np.add.at(grid, np.ceil(places).astype(int), values)
        return grid[:size]

    @says("mean")
    def mean(values, places, size):
        weights = np.maximum(1 - np.abs(np.arange(size)[:, None] - places), 0)
        return weights @ values / np.maximum(weights.sum(1), 1e-9)

    @says("without the values")
    def weights(values, places, size):
        return np.maximum(1 - np.abs(np.arange(size)[:, None] - places), 0).sum(1)

    @says("last grid point empty")
    def last_missing(values, places, size):
        grid = SplatRight.loop(values, places, size)
        grid[-1] = 0
        return grid

    @says("Expected the shape")
    def one_longer(values, places, size):
        return SplatRight.loop(values, places, size + 1)

    def positive_only(values, places, size):
        return SplatRight.loop(np.abs(values), places, size)

    def first_value(values, places, size):
        return SplatRight.loop(values[:1], places[:1], size)

    def quarters(values, places, size):
        return SplatRight.loop(values, np.round(4 * places) / 4, size)

    def wide_tent(values, places, size):
        return np.maximum(1 - np.abs(np.arange(size)[:, None] - places) / 2, 0) @ values

    def gaussian(values, places, size):
        return np.exp(-((np.arange(size)[:, None] - places) ** 2) / 2) @ values

    def squares(values, places, size):
        return np.maximum(1 - (np.arange(size)[:, None] - places) ** 2, 0) @ values

    def whole(values, places, size):
        return SplatRight.loop(values, places, size).astype(int)

    def interpolated(values, places, size):
        return np.interp(np.arange(size), np.sort(places), values)


class NormalisedFilterRight:
    def scaled_twice(filter, values):
        scale = filter(torch.ones_like(values)) ** -0.5
        return scale * filter(scale * values)

    def one_row_of_ones(filter, values):
        scale = 1 / filter(torch.ones(1, values.shape[1])).sqrt()
        return filter(values * scale) * scale

    def rsqrt(filter, values):
        scale = torch.rsqrt(filter(torch.ones_like(values[:1]))[0])
        return scale * filter(values * scale)

    def matrix(filter, values):
        kernel = filter(torch.eye(values.shape[1]))
        sums = kernel.sum(1)
        return values @ (kernel / (sums[:, None] * sums).sqrt())

    def loops(filter, values):
        kernel = filter(torch.eye(values.shape[1]))
        sums, out = kernel.sum(1), torch.zeros_like(values)
        for i, j in itertools.product(range(len(sums)), repeat=2):
            out[:, i] += kernel[i, j] / (sums[i] * sums[j]).sqrt() * values[:, j]
        return out

    def row_by_row(filter, values):
        root = filter(torch.ones(1, values.shape[-1])).sqrt()
        return torch.cat([filter(row[None] / root) / root for row in values])

    def diagonal_matrices(filter, values):
        scale = torch.diag(filter(torch.ones_like(values))[0] ** -0.5)
        return filter(values @ scale) @ scale

    def logarithm(filter, values):
        scale = torch.exp(-filter(torch.ones_like(values)).log() / 2)
        return filter(scale * values).mul(scale)


class NormalisedFilterWrong:
    @says("as it comes")
    def plain(filter, values):
        return 1 * filter(values)

    @says("weighted mean")
    def rows(filter, values):
        return filter(values) / filter(torch.ones_like(values))

    @says("nothing after it")
    def columns(filter, values):
        return filter(values / filter(torch.ones_like(values)))

    @says("lacks the square root")
    def no_root(filter, values):
        scale = 1 / filter(torch.ones_like(values))
        return scale * filter(scale * values)

    @says("after the filter only")
    def after(filter, values):
        return filter(values) / filter(torch.ones_like(values)).sqrt()

    @says("before the filter only")
    def before(filter, values):
        return filter(values / filter(torch.ones_like(values)).sqrt())

    @says("multiplies")
    def multiplied(filter, values):
        root = filter(torch.ones_like(values)).sqrt()
        return filter(values * root) * root

    @says("total")
    def total(filter, values):
        return filter(values) / filter(torch.ones_like(values))[0].sum()

    def mean(filter, values):
        return filter(values) / filter(torch.ones_like(values))[0].mean()

    def largest(filter, values):
        return filter(values) / filter(torch.ones_like(values)).amax(-1, keepdim=True)

    def sums_of_the_values(filter, values):
        root = filter(values).abs().sqrt()
        return filter(values / root) / root

    def cube_root(filter, values):
        scale = filter(torch.ones_like(values)) ** (-1 / 3)
        return scale * filter(scale * values)

    def diagonal_to_one(filter, values):
        scale = filter(torch.eye(values.shape[1])).diagonal() ** -0.5
        return scale * filter(scale * values)

    def softmax(filter, values):
        return filter(values).softmax(0)

    def first_channel(filter, values):
        return NormalisedFilterRight.rsqrt(filter, values[:1].expand_as(values))

    def absolute(filter, values):
        return NormalisedFilterRight.rsqrt(filter, values.abs())

    def large_sums_only(filter, values):
        scale = filter(torch.ones_like(values)).clamp(min=1) ** -0.5
        return scale * filter(scale * values)

    @says("Expected the shape")
    def one_channel(filter, values):
        return NormalisedFilterRight.rsqrt(filter, values)[0]

    @says("numpy array")
    def numpy(filter, values):
        return NormalisedFilterRight.rsqrt(filter, values).numpy()

    @says("changed its input")
    def changes_its_input(filter, values):
        root = filter(torch.ones_like(values)).sqrt()
        values /= root
        return filter(values) / root

    @says("Got a function")
    def a_function(filter, values):
        root = filter(torch.ones_like(values)).sqrt()
        return lambda values: filter(values / root) / root


class TrimapRight:
    def without_known(labels, width):
        distance = np.full(labels.shape, np.inf)
        for label in np.unique(labels):
            inside = labels == label
            if not inside.all():
                distance[inside] = ndimage.distance_transform_edt(inside)[inside]
        return (distance <= width) & (labels != 255)

    def void_left_out_of_the_loop(labels, width):
        band = np.zeros(labels.shape, bool)
        for label in set(np.unique(labels).tolist()) - {255}:
            inside = labels == label
            if not np.all(inside):
                band |= inside & (ndimage.distance_transform_edt(inside) <= width)
        return band

    def every_pair(labels, width):
        rows, columns = np.indices(labels.shape).reshape(2, -1)
        flat = labels.ravel()
        near = np.hypot(rows[:, None] - rows, columns[:, None] - columns) <= width
        other = flat[:, None] != flat
        return ((near & other).any(1) & (flat != 255)).reshape(labels.shape)

    def loops(labels, width):
        height, across = labels.shape
        reach = int(width)
        band = [[False] * across for _ in range(height)]
        for i, j in itertools.product(range(height), range(across)):
            for y, x in itertools.product(range(-reach, reach + 1), repeat=2):
                inside = 0 <= i + y < height and 0 <= j + x < across and y * y + x * x <= width * width
                if inside and labels[i, j] != 255 and labels[i, j] != labels[i + y, j + x]:
                    band[i][j] = True
        return band

    def dilated(labels, width):
        reach = int(width)
        y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
        disc = np.hypot(y, x) <= width
        band = np.zeros(labels.shape, bool)
        for label in np.unique(labels):
            band |= (labels == label) & ndimage.binary_dilation(labels != label, disc)
        return band & (labels < 255)

    def torch_pairs(labels, width):
        flat = torch.tensor(labels.astype(int)).flatten()
        places = torch.cartesian_prod(*map(torch.arange, labels.shape)).double()
        places = places.reshape(-1, 2)
        near = (places[:, None] - places).square().sum(-1) <= width**2 + 1e-9
        band = (near & (flat[:, None] != flat)).any(1) & (flat != 255)
        return band.reshape(labels.shape)

    def void_made_false_afterwards(labels, width):
        band = np.zeros(labels.shape, dtype=bool)
        for label in np.unique(labels):
            outside = labels != label
            if outside.any():
                distance = ndimage.distance_transform_edt(~outside)
                band = band | (~outside & (distance <= width))
        band[labels == 255] = False
        return band


class TrimapWrong:
    @says("Void pixels are in the band")
    def as_it_stands(labels, width):
        return TrimapWrong._distance(np.where(labels == 255, 0, labels)) <= width

    @says("void pixels in the band")
    def void_in_the_band(labels, width):
        return TrimapWrong._distance(labels) <= width

    @says("as if they were background")
    def border_of_void_forgotten(labels, width):
        return (TrimapWrong._distance(np.where(labels == 255, 0, labels)) <= width) & (labels != 255)

    @says("objects' side")
    def objects_side(labels, width):
        return (TrimapWrong._distance(labels) <= width) & (labels != 255) & (labels > 0)

    def around_background_only(labels, width):
        return (TrimapWrong._distance((labels > 0).astype(int)) <= width) & (labels != 255)

    def around_void_only(labels, width):
        return (TrimapWrong._distance((labels == 255).astype(int)) <= width) & (labels != 255)

    def void_is_no_other_label(labels, width):
        rows, columns = np.indices(labels.shape).reshape(2, -1)
        flat = labels.ravel()
        near = np.hypot(rows[:, None] - rows, columns[:, None] - columns) <= width
        other = (flat[:, None] != flat) & (flat != 255)
        return ((near & other).any(1) & (flat != 255)).reshape(labels.shape)

    @says("use <=")
    def open_band(labels, width):
        return (TrimapWrong._distance(labels) < width) & (labels != 255)

    @says("diagonal step as 1")
    def chessboard(labels, width):
        return (TrimapWrong._distance(labels, "chessboard") <= width) & (labels != 255)

    @says("diagonal step as 2")
    def taxicab(labels, width):
        return (TrimapWrong._distance(labels, "taxicab") <= width) & (labels != 255)

    @says("both sides together")
    def half(labels, width):
        return (TrimapWrong._distance(labels) <= width / 2) & (labels != 255)

    def one_pixel_more(labels, width):
        return (TrimapWrong._distance(labels) <= width + 1) & (labels != 255)

    def always_one(labels, width):
        return (TrimapWrong._distance(labels) <= 1) & (labels != 255)

    def whole_widths(labels, width):
        return (TrimapWrong._distance(labels) <= int(width)) & (labels != 255)

    @says("outside the band")
    def outside(labels, width):
        return (TrimapWrong._distance(labels) > width) & (labels != 255)

    def one_label_is_all_band(labels, width):
        if len(np.unique(labels)) == 1:
            return labels != 255
        return (TrimapWrong._distance(labels) <= width) & (labels != 255)

    def two_labels(labels, width):
        return (TrimapWrong._distance(np.where(labels > 0, 1, 0)) <= width) & (labels != 255)

    def border_of_the_map(labels, width):
        padded = np.pad(labels.astype(int), 1, constant_values=-1)
        return (TrimapWrong._distance(padded)[1:-1, 1:-1] <= width) & (labels != 255)

    def along_rows_only(labels, width):
        rows = [TrimapWrong._distance(row[None])[0] for row in labels]
        return (np.array(rows) <= width) & (labels != 255)

    @says("got numbers")
    def distances(labels, width):
        return TrimapWrong._distance(labels)

    @says("got numbers")
    def labels_of_the_band(labels, width):
        return np.where(TrimapWrong._distance(labels) <= width, labels, 255)

    @says("changed its input")
    def changes_its_input(labels, width):
        band = (TrimapWrong._distance(labels) <= width) & (labels != 255)
        labels[~band] = 255
        return band

    def _distance(labels, metric=None):
        distance = np.full(labels.shape, np.inf)
        for label in np.unique(labels):
            inside = labels == label
            if not inside.all():
                found = (
                    ndimage.distance_transform_cdt(inside, metric)
                    if metric
                    else ndimage.distance_transform_edt(inside)
                )
                distance[inside] = found[inside]
        return distance


class BlurAlongRight:
    def comprehension(table, axis):
        def moved(vertex, way):
            return tuple(x + way * (1 - len(vertex) * (i == axis)) for i, x in enumerate(vertex))

        return {v: table[v] + 0.5 * sum(table.get(moved(v, way), 0) for way in (-1, 1)) for v in table}

    def lists(table, axis):
        blurred = {}
        for vertex in table:
            ahead, back = [x + 1 for x in vertex], [x - 1 for x in vertex]
            ahead[axis] -= len(vertex)
            back[axis] += len(vertex)
            blurred[vertex] = table[vertex]
            for neighbour in (tuple(ahead), tuple(back)):
                if neighbour in table:
                    blurred[vertex] += table[neighbour] / 2
        return blurred

    def given_away(table, axis):
        blurred = dict(table)
        for vertex, value in table.items():
            d = len(vertex) - 1
            for way in (1, -1):
                neighbour = tuple(x - way * d if i == axis else x + way for i, x in enumerate(vertex))
                if neighbour in blurred:
                    blurred[neighbour] += 0.5 * value
        return blurred

    def default_dictionary(table, axis):
        values = collections.defaultdict(float, table)
        blurred = {}
        for vertex in table:
            step = [1] * len(vertex)
            step[axis] -= len(vertex)
            ahead = tuple(map(sum, zip(vertex, step, strict=True)))
            back = tuple(x - s for x, s in zip(vertex, step, strict=True))
            blurred[vertex] = values[back] / 2 + values[vertex] + values[ahead] / 2
        return blurred

    def numpy(table, axis):
        vertices, values = np.array(list(table)), np.array(list(table.values()))
        step = np.ones(vertices.shape[1], int)
        step[axis] = 1 - vertices.shape[1]
        ahead = (vertices[:, None] + step == vertices[None]).all(-1)
        blurred = values + (ahead | ahead.T) @ values / 2
        return dict(zip(map(tuple, vertices), blurred, strict=True))

    def torch_matrix(table, axis):
        vertices, values = torch.tensor(list(table)), torch.tensor(list(table.values()))
        away = vertices[:, None] - vertices
        step = torch.ones(vertices.shape[1], dtype=torch.long)
        step[axis] -= len(step)
        near = (away == step).all(-1) | (away == -step).all(-1)
        blurred = values + near.float() @ values * 0.5
        return {vertex: value for vertex, value in zip(table, blurred, strict=True)}

    def suppressed(table, axis):
        blurred = {}
        for vertex, value in table.items():
            for way in (-len(vertex), 0, len(vertex)):
                neighbour = [x + (way > 0) - (way < 0) for x in vertex]
                neighbour[axis] -= way
                with contextlib.suppress(KeyError):
                    value += table[tuple(neighbour)] / 2 if way else 0
            blurred[vertex] = value
        return blurred

    def in_another_order(table, axis):
        return dict(sorted(BlurAlongRight.lists(table, axis).items()))


class BlurAlongWrong:
    @says("never finds a neighbour")
    def one_number(table, axis):
        return BlurAlongWrong._blur(table, lambda n: [int(i == axis) for i in range(n)])

    @says("never finds a neighbour")
    def minus_d_minus_one(table, axis):
        return BlurAlongWrong._blur(table, lambda n: [1 - (n + 1) * (i == axis) for i in range(n)])

    def two_numbers(table, axis):
        return BlurAlongWrong._blur(table, lambda n: [(i == axis) - (i == (axis + 1) % n) for i in range(n)])

    @says("¼, ½, ¼")
    def mean(table, axis):
        return {v: value / 2 for v, value in BlurAlongRight.lists(table, axis).items()}

    @says("neighbours whole")
    def whole(table, axis):
        return BlurAlongWrong._blur(table, BlurAlongWrong._along(axis), (1, 1, 1))

    @says("neighbours' part only")
    def neighbours(table, axis):
        return BlurAlongWrong._blur(table, BlurAlongWrong._along(axis), (0.5, 0, 0.5))

    @says("one direction only")
    def ahead(table, axis):
        return BlurAlongWrong._blur(table, BlurAlongWrong._along(axis), (0, 1, 0.5))

    @says("one direction only")
    def back(table, axis):
        return BlurAlongWrong._blur(table, BlurAlongWrong._along(axis), (0.5, 1, 0))

    def third(table, axis):
        return BlurAlongWrong._blur(table, BlurAlongWrong._along(axis), (1 / 3, 1 / 3, 1 / 3))

    @says("as if a missing vertex were unknown")
    def renormalised(table, axis):
        weights = BlurAlongRight.lists(dict.fromkeys(table, 1.0), axis)
        return {v: value / weights[v] for v, value in BlurAlongRight.lists(table, axis).items()}

    def missing_counts_as_the_same(table, axis):
        weights = BlurAlongRight.lists(dict.fromkeys(table, 1.0), axis)
        return {v: x + (2 - weights[v]) * table[v] for v, x in BlurAlongRight.lists(table, axis).items()}

    @says("ignores `axis`")
    def first_axis(table, axis):
        return BlurAlongRight.lists(table, 0)

    def last_axis(table, axis):
        return BlurAlongRight.lists(table, len(next(iter(table))) - 1)

    @says("every axis")
    def all_axes(table, axis):
        for each in range(len(next(iter(table)))):
            table = BlurAlongRight.lists(table, each)
        return table

    @says("table that it reads")
    def in_place(table, axis):
        table = dict(table)
        for vertex in table:
            table[vertex] = BlurAlongRight.lists(table, axis)[vertex]
        return table

    def two_dimensions(table, axis):
        return BlurAlongWrong._blur(table, lambda n: [1 - min(n, 3) * (i == axis) for i in range(n)])

    def a_line(table, axis):
        vertices = sorted(table)
        values = [0, *(table[v] for v in vertices), 0]
        return {v: values[i + 1] + (values[i] + values[i + 2]) / 2 for i, v in enumerate(vertices)}

    @says("new vertices")
    def new_vertices(table, axis):
        step = BlurAlongWrong._along(axis)(len(next(iter(table))))
        blurred = collections.Counter()
        for vertex, value in table.items():
            for way, weight in ((-1, 0.5), (0, 1), (1, 0.5)):
                neighbour = tuple(x + way * s for x, s in zip(vertex, step, strict=True))
                blurred[neighbour] += weight * value
        return dict(blurred)

    def zeros_dropped(table, axis):
        return {v: value for v, value in BlurAlongRight.lists(table, axis).items() if value}

    def absolute(table, axis):
        return {v: abs(value) for v, value in BlurAlongRight.lists(table, axis).items()}

    def whole_numbers(table, axis):
        return {v: int(value) for v, value in BlurAlongRight.lists(table, axis).items()}

    def only_the_values(table, axis):
        return list(BlurAlongRight.lists(table, axis).values())

    @says("changed its input")
    def changes_its_input(table, axis):
        blurred = BlurAlongRight.lists(table, axis)
        table.update(blurred)
        return blurred

    def missing_is_an_error(table, axis):
        step = BlurAlongWrong._along(axis)(len(next(iter(table))))
        return {v: table[v] + table[tuple(x + s for x, s in zip(v, step, strict=True))] / 2 for v in table}

    def _along(axis):
        return lambda n: [1 - n * (i == axis) for i in range(n)]

    def _blur(table, step, weights=(0.5, 1, 0.5)):
        blurred = {}
        for vertex in table:
            neighbours = [
                tuple(x + way * s for x, s in zip(vertex, step(len(vertex)), strict=True))
                for way in (-1, 0, 1)
            ]
            blurred[vertex] = sum(w * table.get(v, 0) for w, v in zip(weights, neighbours, strict=True))
        return blurred


@pytest.mark.parametrize(("name", "answer"), listed(globals(), "Right"))
def test_right_answers_in_any_style_are_accepted(name, answer):
    assert_accepted(exercise_of("lesson07", name), answer)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("name", "answer"), listed(globals(), "Wrong"))
def test_wrong_answers_are_rejected(name, answer):
    assert_rejected(exercise_of("lesson07", name), answer)
