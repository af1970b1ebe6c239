"""The drawings of dense CRFs show the numbers that they are given."""

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt

from deeplab_lessons.classroom import drawing


@pytest.fixture
def axes():
    figure, axes = plt.subplots(1, 2)
    yield axes
    plt.close(figure)


def test_the_dot_is_at_the_pixel_in_every_panel(axes):
    weights = torch.rand(4, 6)
    drawing.crf.show_connected(axes, np.zeros((4, 6, 3), np.uint8), (1, 5), {"exact": weights})
    assert [ax.lines[0].get_xydata().tolist() for ax in axes] == [[[5, 1]]] * 2
    assert np.allclose(axes[1].images[0].get_array(), weights) and axes[1].get_title() == "exact"


def test_the_power_of_growth_is_in_the_legend(ax):
    counts = [10, 100, 1000]
    square, straight = [count**2 for count in counts], [5 * count for count in counts]
    drawing.crf.show_times(ax, {"brute force": (counts, square), "lattice": (counts, straight)})
    said = [text.get_text() for text in ax.get_legend().get_texts()]
    assert said == ["brute force: N to the power 2.0", "lattice: N to the power 1.0"]
    assert ax.lines[1].get_ydata()[0] == 1, "the unit is the lattice's first time"


def test_both_weights_and_the_result_are_drawn(axes):
    weights = {0: torch.tensor([10.0, 3.0]), 8: torch.tensor([7.0, 2.0])}
    drawing.crf.show_learning(axes, {0: 0.5, 8: 0.6}, weights)
    assert axes[0].lines[0].get_ydata().tolist() == [50, 60]
    assert [list(map(float, line.get_ydata())) for line in axes[1].lines] == [[10, 7], [3, 2]]


def test_costs_have_their_classes_on_both_sides(axes):
    potts = 1 - torch.eye(2)
    drawing.crf.show_costs(axes, {"Potts": potts, "learned": potts / 2}, ("ground", "pole"))
    for ax, matrix in zip(axes, (potts, potts / 2), strict=True):
        assert np.array_equal(ax.images[0].get_array(), matrix) and ax.images[0].get_clim() == (0, 1)
        assert [label.get_text() for label in ax.get_yticklabels()] == ["ground", "pole"]


def test_a_gradient_is_drawn_by_entry_and_by_updates(axes):
    drawing.crf.show_reach(
        axes, {"w1 = 1": [0.1, 1.0], "w1 = 10": [0.5, 0.5]}, {"w1 = 1": {0: 40, 5: 9}, "w1 = 10": {0: 40}}
    )
    assert axes[0].lines[0].get_ydata().tolist() == [0.1, 1.0] and axes[0].get_yscale() == "log"
    assert axes[1].lines[0].get_xydata().tolist() == [[0, 40], [5, 9]] and len(axes[1].lines) == 2
