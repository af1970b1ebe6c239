"""Drawings of lesson 11: stages and tap maps say what the networks and the arithmetic say."""

import numpy as np
import pytest
import torch
from matplotlib import colors

from deeplab_lessons import models
from deeplab_lessons.classroom import drawing
from deeplab_lessons.classroom.drawing.cascade import TAP_COLOURS
from deeplab_lessons.classroom.stacks import tap_shares
from deeplab_lessons.receptive_field import trace


def words(ax):
    return [text.get_text() for text in ax.texts]


def network(output_stride=16, cascade=4, **options):
    with torch.device("meta"):
        return models.deeplab_v3(21, "resnet50", output_stride, cascade=cascade, **options)


def test_rates_are_read_from_the_blocks():
    for stride, expected in ((8, (4, 8, 16)), (16, (2, 4, 8)), (32, (1, 2, 4))):
        assert drawing.cascade.stage_rates(network(stride).backbone.layer4) == expected
    assert drawing.cascade.stage_rates(network(multi_grid=None).backbone.layer4) == (1, 2, 2)


def test_a_bar_for_the_stem_and_each_stage_as_high_as_its_map(ax):
    net = network(16, cascade=6, multi_grid=(1, 2, 1)).backbone
    drawing.cascade.draw_stages(ax, net, 513, "a title")
    table = trace(net, 513)
    sides = [table[name].map_size[0] for name in ("maxpool", *(f"layer{number}" for number in range(1, 7)))]
    assert [bar.get_height() for bar in ax.patches] == sides == [129, 129, 65, 33, 33, 33, 33]
    written = words(ax)
    for expected in ("dilation\n2, 4, 2", "dilation\n4, 8, 4", "dilation\n8, 16, 8"):
        assert expected in written
    assert ax.get_xticklabels()[-1].get_text() == "block6" and ax.get_title() == "a title"


def test_a_network_without_dilation_has_no_word_of_it(ax):
    drawing.cascade.draw_stages(ax, network(64, 5, multi_grid=(1, 1, 1)).backbone, 513)
    assert not any("dilation" in text for text in words(ax))


@pytest.mark.parametrize(("size", "dilation"), [(33, 6), (33, 24), (65, 64), (4, 9), (11, 5)])
def test_the_map_has_as_many_cells_of_each_colour_as_counted(ax, size, dilation):
    drawing.cascade.show_tap_map(ax, size, dilation)
    picture = np.asarray(ax.images[0].get_array())[..., :3].reshape(-1, 3)
    shares = tap_shares(size, dilation=dilation)
    for taps, colour in TAP_COLOURS.items():
        share = np.isclose(picture, colors.to_rgb(colour), atol=0.01).all(1).mean()
        assert share == pytest.approx(shares[taps])
    assert {int(word) for word in words(ax)} == {taps for taps, share in shares.items() if share}


def test_curves_have_the_counted_fractions(ax):
    drawing.cascade.show_tap_shares(ax, 33, 40, "a title")
    assert [line.get_label() for line in ax.lines] == ["1 valid", "4 valid", "9 valid"]
    for taps, line in zip((1, 4, 9), ax.lines, strict=True):
        dilation, fraction = line.get_xydata()[17]
        assert (dilation, fraction) == (18, pytest.approx(tap_shares(33, dilation=18)[taps]))
        assert len(line.get_xydata()) == 40


def test_grids_have_a_line_each_and_a_point_for_each_last_block(ax):
    results = {(1, 1, 1): (68, 73), (1, 2, 4): (73, 76)}
    drawing.cascade.show_grids(ax, {(1, 1, 1): [1000, 1400], (1, 2, 4): [1259, 2155]}, results)
    assert [line.get_xydata().tolist() for line in ax.lines] == [
        [[1000, 68], [1400, 73]],
        [[1259, 73], [2155, 76]],
    ]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["(1, 1, 1)", "(1, 2, 4)"]


def test_gains_have_a_dot_for_each_seed_above_the_name_of_their_comparison(ax):
    drawing.cascade.show_gains(ax, {"pooling": [1.5, -0.5], "loss": [-5]}, "a title")
    assert [line.get_xydata().tolist() for line in ax.lines[:2]] == [[[0, 1.5], [0, -0.5]], [[1, -5]]]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["pooling", "loss"]
