"""Drawings of ResNets say what the networks are."""

import pytest
import torch
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from deeplab_lessons import backbones
from deeplab_lessons.classroom import drawing
from deeplab_lessons.classroom.drawing.style import COLOURS


def resnet(**options):
    with torch.device("meta"):
        return backbones.resnet(101, **options)


def words(ax):
    return [text.get_text().replace("\n", ", ") for text in ax.texts]


def test_bars_are_the_maps_of_all_blocks(ax):
    drawing.resnet.draw_blocks(ax, resnet(output_stride=8), 321)
    bars = [bar for bar in ax.patches if isinstance(bar, Rectangle)]
    assert [bar.get_height() for bar in bars] == [161, 81] + [81] * 3 + [41] * 30
    colours = [to_hex(bar.get_facecolor()).upper() for bar in bars]
    assert colours.count(COLOURS[4].upper()) == 22 + 1 and colours.count(COLOURS[1].upper()) == 2
    assert [label.get_text() for label in ax.get_xticklabels()][2:] == [
        "layer1",
        "layer2",
        "layer3",
        "layer4",
    ]


def test_the_classifier_has_four_stages_that_step_three_times(ax):
    drawing.resnet.draw_blocks(ax, resnet(output_stride=32), 321)
    bars = [bar for bar in ax.patches if isinstance(bar, Rectangle)]
    assert [bar.get_height() for bar in bars] == [161, 81] + [81] * 3 + [41] * 4 + [21] * 23 + [11] * 3
    assert sum(to_hex(bar.get_facecolor()) == "#bbbbbb" for bar in bars) == 2 + 3
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["has a stride", "dilation 1"]


def test_a_multi_grid_of_another_dilation_has_its_own_word(ax):
    drawing.resnet.draw_blocks(ax, resnet(output_stride=16, multi_grid=(1, 2, 4)), 321, legend=True)
    assert "dilation 8" in [text.get_text() for text in ax.get_legend().get_texts()]


@pytest.mark.parametrize(
    ("stride_in", "output_stride", "expected"),
    [
        ("3x3", 32, ["1×1", "3×3, stride 2", "1×1", "shortcut: 1×1, stride 2"]),
        ("1x1", 32, ["1×1, stride 2", "3×3", "1×1", "shortcut: 1×1, stride 2"]),
        ("3x3", 8, ["1×1", "3×3", "1×1", "shortcut: 1×1"]),
        ("1x1", 8, ["1×1", "3×3, dilation 2", "1×1", "shortcut: 1×1"]),
    ],
)
def test_a_blocks_drawing_says_what_its_convolutions_do(ax, stride_in, output_stride, expected):
    block = resnet(output_stride=output_stride, stride_in=stride_in).layer3[0]
    drawing.resnet.draw_block(ax, block, "first block")
    assert [text for text in words(ax) if "×" in text] == expected
    assert [text for text in words(ax) if text.isdigit()] == ["512", "256", "256", "1024"]
    marked = {text.get_text() for text in ax.texts if text.get_color() == COLOURS[1]}
    assert all(("stride" in text) or ("dilation" in text) for text in marked)
    assert len(marked) == sum("stride" in text or "dilation" in text for text in expected)


def test_a_shortcut_without_convolution_and_a_basic_block(ax):
    drawing.resnet.draw_block(ax, resnet().layer1[1])
    assert "shortcut: as it is" in words(ax)
    ax.clear()
    with torch.device("meta"):
        drawing.resnet.draw_block(ax, backbones.resnet(18).layer1[0])
    assert [text for text in words(ax) if "×" in text] == ["3×3", "3×3"]
