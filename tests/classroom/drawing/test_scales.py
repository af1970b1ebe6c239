"""The figures of lesson 09 show what they are given, and in its place."""

import numpy as np

from deeplab_lessons.classroom.drawing import scales


def test_every_field_is_in_the_picture_with_its_name(ax):
    scales.show_fields(ax, np.zeros((321, 321, 3), np.uint8), {"near": (-1, 321), "far": (-145, 465)})
    assert [text.get_text() for text in ax.texts] == ["near", "far"]
    assert ax.get_xlim()[0] < -145 and ax.get_ylim()[0] > 465


def test_gains_are_dots_with_a_bar_at_their_mean(ax):
    scales.show_gains_by_size(
        ax, {"MSC": np.array([[1.0, 2], [3, 6]]), "ASPP-S": np.zeros((2, 2))}, ("small", "large")
    )
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["MSC", "ASPP-S"]
    bars = [line for line in ax.lines if line.get_marker() == "_"]
    assert bars[0].get_ydata().tolist() == [2, 4] and bars[1].get_ydata().tolist() == [0, 0]
    assert (bars[0].get_xdata() < bars[1].get_xdata()).all()  # not on one another


def test_the_curve_goes_through_the_means_and_says_how_many_taps_are_left(ax):
    scales.show_dilations(
        ax, {1: [28, 30], 24: [27, 27]}, {"kernel 1": [26, 28], "sum": [31]}, {1: 0.94, 24: 0}
    )
    named = {line.get_label(): line.get_ydata() for line in ax.lines}
    assert list(named["one branch, kernel 3 × 3"]) == [29, 27]
    assert set(named["kernel 1"]) == {27} and set(named["sum"]) == {31}
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["1\n94%\non the map", "24\n0%\non the map"]
