"""Figures of a training show what they are given, where the reader looks for it."""

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt

from deeplab_lessons import training as trains
from deeplab_lessons.classroom import drawing
from deeplab_lessons.classroom.drawing import training


def axes():
    return plt.gcf().axes


def test_colours_are_mixed_by_fractions_and_void_is_white():
    fractions = torch.zeros(6, 1, 3)
    fractions[:2, 0, 0] = 0.5
    fractions[4, 0, 1] = 1
    half, pole, void = training.mixed_colours(fractions)[0]
    palette = drawing.colour_labels(np.arange(6)[None])[0].astype(float)
    assert np.abs(half - palette[:2].mean(0)).max() <= 0.5
    assert (pole == palette[4]).all() and (void == 255).all()


def test_schedules_have_a_line_for_each_group_at_its_learning_rate():
    training.show_schedules(
        {"step": trains.step, "poly": trains.poly}, 0.001, 60, {"backbone": 1, "head": 10}
    )
    lines = {line.get_label(): line for line in axes()[0].lines}
    assert list(lines) == ["step, backbone", "step, head", "poly, backbone", "poly, head"]
    assert lines["step, backbone"].get_ydata()[[0, 30]].tolist() == pytest.approx([0.001, 0.0001])
    assert lines["poly, head"].get_ydata()[30] == pytest.approx(0.01 * trains.poly(30, 60))
    assert lines["step, head"].get_color() == lines["step, backbone"].get_color()
    assert lines["step, head"].get_alpha() < 1 and lines["poly, head"].get_linestyle() == "--"


def test_every_run_is_a_dot_in_the_row_of_its_network():
    training.show_runs({"losses": {"area": [50, 51], "upsampled": [60, 62]}, "heads": {"7x7": [57]}}, "runs")
    (ax,) = axes()
    dots = [(line.get_xdata().tolist(), set(line.get_ydata())) for line in ax.lines]
    assert [runs for runs, _ in dots] == [[50, 51], [60, 62], [57]]
    heights = dict(zip((label.get_text() for label in ax.get_yticklabels()), ax.get_yticks(), strict=True))
    assert [{heights[name]} for name in ("area", "upsampled", "7x7")] == [rows for _, rows in dots]
    assert ax.lines[0].get_color() == ax.lines[1].get_color() != ax.lines[2].get_color()


def test_a_scale_has_means_and_their_spread_next_to_each_other():
    _, ax = plt.subplots()
    training.show_by_scale(
        ax, {"a": [[10, 20], [30, 20]], "b": [[5, 5], [5, 5]]}, ["small", "large"], "", "size"
    )
    one, other = ax.containers
    assert one.lines[0].get_ydata().tolist() == [20, 20] and other.lines[0].get_ydata().tolist() == [5, 5]
    low, high = one.lines[2][0].get_segments()[0][:, 1]
    assert high - 20 == 20 - low == pytest.approx(np.std([10, 30], ddof=1))
    assert (one.lines[0].get_xdata() < other.lines[0].get_xdata()).all()
    assert [label.get_text() for label in ax.get_xticklabels()] == ["small", "large"]
