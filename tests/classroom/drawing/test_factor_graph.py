"""The factor graphs of lesson 06: which pixels share a factor."""

import pytest

from deeplab_lessons.classroom.drawing import factor_graph


def test_neighbours_only_or_all_pairs_each_once():
    full, grid = (factor_graph.pairs(2, 3, kind) for kind in (True, False))
    assert len(full) == len(set(map(frozenset, full))) == 6 * 5 // 2 and len(grid) == 7
    assert ((0, 0), (0, 1)) in grid and ((0, 0), (1, 0)) in grid and ((0, 0), (1, 1)) not in grid
    assert set(grid) < set(full)


@pytest.mark.parametrize("full, factors", [(False, 6 + 7), (True, 6 + 15)])
def test_every_factor_is_a_square_of_its_own(ax, full, factors):
    factor_graph.show(ax, full)
    squares = [tuple(line.get_xydata()[0]) for line in ax.lines if line.get_marker() == "s"]
    assert len(squares) == factors
    apart = [abs(x - u) + abs(y - v) for i, (x, y) in enumerate(squares) for u, v in squares[:i]]
    assert min(apart) > 0.1, "two squares in one place look like one factor of many pixels"
    assert [text.get_text() for text in ax.texts] == [f"$x_{i}$" for i in range(1, 7)]
