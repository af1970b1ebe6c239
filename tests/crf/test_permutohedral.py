"""The permutohedral lattice against a slow reading and exact kernels."""

import math
from collections import defaultdict

import pytest
import torch
from crf_cases import (
    randoms,
)

from deeplab_lessons.classroom.readable_lattice import Lattice
from deeplab_lessons.crf import LatticeFilter, permutohedral, tables


def slow_filter(points, values, reverse=False):
    """Splat, blur and slice with dictionaries, one point at a time; points and values are lists of lists."""
    d = len(points[0])
    table, corners = defaultdict(float), []
    for point, value in zip(points, values, strict=True):
        corners.append(slow_corners(point))
        for vertex, weight in corners[-1].items():
            table[vertex] += weight * value
    for j in sorted(range(d + 1), reverse=reverse):
        step = [1] * (d + 1)
        step[j] = -d
        up = {v: tuple(a + s for a, s in zip(v, step, strict=True)) for v in table}
        down = {v: tuple(a - s for a, s in zip(v, step, strict=True)) for v in table}
        table = {v: table[v] + (table.get(up[v], 0.0) + table.get(down[v], 0.0)) / 2 for v in table}
    return [sum(w * table[v] for v, w in each.items()) / (1 + 2**-d) for each in corners]


def slow_corners(point):
    """The vertices of the simplex around a point and its weights, from the definition of the lattice.

    A lattice point has d+1 whole coordinates that sum to 0 and leave one common rest k when divided by d+1.
    The simplex is found by sorting what each coordinate has over the multiple of d+1 below it.
    """
    axes = len(point) + 1
    scaled = [x * math.sqrt(2 / 3) * axes / math.sqrt((i + 1) * (i + 2)) for i, x in enumerate(point)]
    place = [sum(scaled[i:]) - (i * scaled[i - 1] if i else 0) for i in range(axes)]
    below = [axes * math.floor(x / axes) for x in place]
    over = [x - b for x, b in zip(place, below, strict=True)]
    missing = -sum(below) // axes  # this many axes, those with most over, belong one multiple higher
    for axis in sorted(range(axes), key=lambda i: -over[i])[:missing]:
        below[axis], over[axis] = below[axis] + axes, over[axis] - axes
    order = sorted(range(axes), key=lambda i: -over[i])
    weights, vertex = {}, list(below)
    for k in range(axes):  # from the vertex of rest k to the next: one up everywhere, the lowest axis d down
        step = over[order[-k]] - over[order[-k - 1]] if k else over[order[-1]] - over[order[0]] + axes
        weights[tuple(vertex)] = abs(step) / axes
        lowest = order[-k - 1]
        vertex = [v + 1 - (axes if i == lowest else 0) for i, v in enumerate(vertex)]
    return weights


@pytest.mark.parametrize("d", range(1, 7))
@pytest.mark.parametrize("transpose", [False, True])
def test_slow_reading_readable_lattice_and_tables_agree(d, transpose):
    features, values = 1.5 * randoms(d, 40, seed=d), randoms(1, 40, seed=d + 50)
    slow = torch.tensor(slow_filter(features.T.tolist(), values[0].tolist(), transpose), dtype=torch.float64)
    readable = Lattice(features).filter(values, transpose)[0]
    written = tables.write_tables(features).filter(values.T.contiguous(), transpose)[:, 0]
    assert torch.allclose(readable, slow, atol=1e-12)
    assert torch.allclose(written, slow, atol=1e-12)


@pytest.mark.parametrize("d", range(1, 7))
def test_corners_surround_the_point(d):
    features = 3 * randoms(d, 50, seed=d)
    elevated = permutohedral.embed(features)
    lattice = Lattice(features)
    assert torch.allclose(elevated.sum(0), torch.zeros(50).double(), atol=1e-9)
    assert (lattice.weights > -1e-12).all() and torch.allclose(
        lattice.weights.sum(0), torch.ones(50).double()
    )
    corners = lattice.vertices[:, lattice.vertex].double()  # [d+1 coordinates, d+1 colours, N]
    assert torch.allclose((corners * lattice.weights).sum(1), elevated)
    assert torch.allclose((lattice.positions[:, lattice.vertex] * lattice.weights).sum(1), features)
    colours = corners % (d + 1)
    assert torch.equal(colours, torch.arange(d + 1).view(1, -1, 1).expand_as(colours).double())
    assert (corners.sum(0) == 0).all()


def test_equal_parts_of_a_tie_go_to_the_first_axis():
    on_a_vertex = Lattice(torch.zeros(3, 1))
    assert on_a_vertex.weights[:, 0].tolist() == [1, 0, 0, 0]
    assert permutohedral.nearest_simplex(torch.zeros(4, 1))[1][:, 0].tolist() == [0, 1, 2, 3]


def dense(apply, points):
    return apply(torch.eye(points, dtype=torch.float64))


@pytest.mark.parametrize("d", [1, 2, 5])
def test_transposed_filter_is_the_transposed_matrix(d):
    features = 1.5 * randoms(d, 30, seed=d)
    lattice, written = Lattice(features), tables.write_tables(features)
    forward = dense(lattice.filter, 30)
    assert torch.allclose(dense(lambda v: lattice.filter(v, transpose=True), 30), forward.T, atol=1e-12)
    columns = written.filter(
        torch.eye(30, dtype=torch.float64), transpose=True
    )  # works on [N, C], not [C, N]
    assert torch.allclose(columns, forward, atol=1e-12)
    if d > 1:  # with missing vertices the order of the blur matters, so this is worth something
        assert not torch.allclose(forward, forward.T, atol=1e-6)


@pytest.mark.parametrize("wrong", [1e9, math.inf, math.nan])
def test_features_out_of_reach_are_refused(wrong):
    features = torch.randn(3, 10)
    features[1, 4] = wrong
    for build in (Lattice, tables.write_tables, LatticeFilter):
        with pytest.raises(ValueError, match="σ near 0"):
            build(features)


def test_shapes_are_refused_in_words():
    with pytest.raises(ValueError, match=r"\[C, 5\]"):
        LatticeFilter(randoms(2, 5))(torch.zeros(3, 4))
    with pytest.raises(ValueError, match="make them alike"):
        LatticeFilter(randoms(2, 5))(torch.zeros(3, 5))
