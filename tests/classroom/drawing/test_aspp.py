"""The drawings of lesson 09 show what the heads really are."""

import pytest

from deeplab_lessons import arithmetic
from deeplab_lessons.classroom import drawing
from deeplab_lessons.heads import SummedASPP


def texts(ax):
    return [text.get_text().replace("\n", " ") for text in ax.texts]


def test_a_pyramid_is_drawn_branch_by_branch(ax):
    drawing.aspp.draw_head(ax, SummedASPP(8, 6, (6, 12, 18, 24), channels=16), "ASPP-L")
    said = texts(ax)
    for rate in (6, 12, 18, 24):
        assert said.count(f"3×3 dilation {rate} to 16") == 1
    assert said.count("1×1 to 16") == 4 and said.count("1×1 to 6") == 4
    assert "sum: scores" in said and ax.get_title() == "ASPP-L"


def test_one_branch_has_no_sum_and_the_resnet_form_one_box(ax):
    drawing.aspp.draw_head(ax, SummedASPP(8, 6, (12,)))
    assert texts(ax) == ["last map of the backbone", "3×3 dilation 12 to 6", "scores"]


@pytest.mark.parametrize("cell", [(0, 0), (20, 20), (3, 37), (40, 20)])
@pytest.mark.parametrize("rate", [1, 6, 12, 18, 24])
def test_taps_agree_with_the_arithmetic(cell, rate):
    taps = drawing.aspp.taps_around(cell, rate, 41)
    along = arithmetic.taps_on_map(41, 3, rate)
    assert len(taps) == 9 and taps[cell]
    assert sum(taps.values()) == along[cell[0]] * along[cell[1]]


def test_the_legend_counts_the_taps_on_the_map_and_outside_ones_are_hollow(ax):
    drawing.aspp.show_branch_taps(ax, (6, 24), 41, (20, 20), "middle")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "dilation 6: 9 of 9",
        "dilation 24: 1 of 9",
    ]
    filled = [points for points in ax.collections if len(points.get_facecolors())]
    assert sum(len(points.get_offsets()) for points in filled) == 8 + 0 + 1  # without the cell; the star
    hollow = [points for points in ax.collections if not len(points.get_facecolors())]
    assert sum(len(points.get_offsets()) for points in hollow) == 8
