"""The figures of lesson 06: the drawn edge is on the drawn map, every panel and line has its name."""

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.colors import to_hex

from deeplab_lessons.classroom.drawing import COLOURS, refining

LEFT, RIGHT = (np.repeat([[0, 0, 1, 1]], 4, 0), np.repeat([[0, 0, 0, 1]], 4, 0))


def edges(ax):
    """Colour and column of each outline."""
    found = {}
    for lines in ax.collections:
        (path,) = lines.get_paths()
        found[to_hex(lines.get_edgecolor()[0])] = set(path.vertices[:, 0])
    return found


def test_the_true_edge_is_white_and_the_drawn_one_orange(ax):
    refining.show_outlines(ax, np.zeros((4, 4, 3), np.uint8), LEFT, RIGHT, "edges")
    assert edges(ax) == {"#ffffff": {1.5}, COLOURS[1].lower(): {2.5}} and ax.get_title() == "edges"


def test_without_a_drawn_map_there_is_one_edge(ax):
    refining.show_outlines(ax, np.zeros((4, 4, 3), np.uint8), LEFT)
    assert edges(ax) == {"#ffffff": {1.5}}


def test_each_step_has_its_probability_above_its_outline():
    q = torch.stack([torch.tensor(1.0 - RIGHT), torch.tensor(1.0 * RIGHT)])
    refining.show_refinement(np.zeros((4, 4, 3), np.uint8), LEFT, {"first": q, "last": q})
    top, bottom = plt.gcf().axes[:2], plt.gcf().axes[2:]
    assert [ax.get_title() for ax in top] == ["first", "last"]
    assert np.array_equal(top[0].images[0].get_array(), RIGHT)
    assert edges(bottom[0])[COLOURS[1].lower()] == {2.5}
