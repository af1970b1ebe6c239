"""The drawings of the heads of v2 and v3 show what the heads really are."""

import pytest
import torch

from deeplab_lessons import models
from deeplab_lessons.classroom import drawing, stacks
from deeplab_lessons.heads import SummedASPP


def texts(ax):
    return [text.get_text().replace("\n", " ") for text in ax.texts]


def v3(output_stride=16, **options):
    with torch.device("meta"):
        return models.deeplab_v3(21, "resnet50", output_stride, **options)


def test_a_pyramid_is_drawn_branch_by_branch(ax):
    drawing.aspp.draw_head(ax, SummedASPP(8, 6, (6, 12, 18, 24), channels=16), "ASPP-L")
    written = texts(ax)
    for rate in (6, 12, 18, 24):
        assert written.count(f"3×3 dilation {rate} to 16") == 1
    assert written.count("1×1 to 16") == 4 and written.count("1×1 to 6") == 4
    assert "sum: scores" in written and ax.get_title() == "ASPP-L"


def test_one_branch_has_no_sum_and_the_resnet_form_one_box(ax):
    drawing.aspp.draw_head(ax, SummedASPP(8, 6, (12,)))
    assert texts(ax) == ["last map of the backbone", "3×3 dilation 12 to 6", "scores"]


def test_v3s_head_is_the_networks_own(ax):
    drawing.aspp.draw_pyramid(ax, v3())
    written = [text.get_text() for text in ax.texts]
    assert written[1:6] == [
        "1×1\nto 256",
        *(f"3×3\ndilation {rate}\nto 256" for rate in (6, 12, 18)),
        "mean of the map\n1×1\nto 256",
    ]
    assert "concatenated: 1280 channels" in written and written[-1] == "1×1\nto 21"


def test_another_head_of_v3_has_other_boxes(ax):
    drawing.aspp.draw_pyramid(ax, v3(8, image_pooling=False, rates=(1, 3), refine=True))
    written = [text.get_text() for text in ax.texts]
    assert "3×3\ndilation 3\nto 256" in written and "concatenated: 768 channels" in written
    assert not any("mean" in text for text in written)
    assert "3×3\nto 256" in written  # torchvision's before the classifier


def test_a_dilation_of_1_is_not_written(ax):
    drawing.aspp.draw_head(ax, SummedASPP(8, 6, (1, 2)))
    assert texts(ax)[1:3] == ["3×3 to 6", "3×3 dilation 2 to 6"]


@pytest.mark.parametrize("cell", [(0, 0), (20, 20), (3, 37), (40, 20)])
@pytest.mark.parametrize("rate", [1, 6, 12, 18, 24])
def test_taps_agree_with_the_arithmetic(cell, rate):
    taps = drawing.aspp.taps_around(cell, rate, 41)
    along = stacks.taps_on_map(41, 3, rate)
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
