"""Drawings of lesson 11: stages, pyramid and tap maps say what the networks and the arithmetic say."""

import matplotlib
import numpy as np
import pytest
import torch

matplotlib.use("Agg")

from matplotlib import colors
from matplotlib import pyplot as plt

from deeplab_lessons import models
from deeplab_lessons.arithmetic import tap_shares
from deeplab_lessons.classroom import drawing
from deeplab_lessons.classroom.drawing.cascade import TAP_COLOURS
from deeplab_lessons.receptive_field import trace


@pytest.fixture
def ax():
    figure, ax = plt.subplots()
    yield ax
    plt.close(figure)


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
    told = words(ax)
    for expected in ("dilation\n2, 4, 2", "dilation\n4, 8, 4", "dilation\n8, 16, 8"):
        assert expected in told
    assert [label.get_text() for label in ax.get_xticklabels()][
        -1
    ] == "block6" and ax.get_title() == "a title"


def test_a_network_without_dilation_has_no_word_of_it(ax):
    drawing.cascade.draw_stages(ax, network(64, 5, multi_grid=(1, 1, 1)).backbone, 513)
    assert not any("dilation" in text for text in words(ax))


def test_the_pyramid_is_the_networks_own(ax):
    drawing.cascade.draw_pyramid(ax, network())
    told = words(ax)
    assert told[1:6] == [
        "1×1\nto 256",
        *(f"3×3\ndilation {rate}\nto 256" for rate in (6, 12, 18)),
        "mean of the map\n1×1\nto 256",
    ]
    assert "concatenated: 1280 channels" in told and told[-1] == "1×1\nto 21"


def test_another_pyramid_has_other_boxes(ax):
    drawing.cascade.draw_pyramid(ax, network(8, image_pooling=False, rates=(1, 3), refine=True))
    told = words(ax)
    assert "3×3\ndilation 3\nto 256" in told and "concatenated: 768 channels" in told
    assert not any("mean" in text for text in told)
    assert "3×3\nto 256" in told  # torchvision's before the classifier


@pytest.mark.parametrize(("size", "dilation"), [(33, 6), (33, 24), (65, 64), (4, 9), (11, 5)])
def test_the_map_has_as_many_cells_of_each_colour_as_counted(ax, size, dilation):
    drawing.cascade.show_tap_map(ax, size, dilation)
    picture = np.asarray(ax.images[0].get_array())[..., :3].reshape(-1, 3)
    shares = tap_shares(size, dilation=dilation)
    for taps, colour in TAP_COLOURS.items():
        share = np.isclose(picture, colors.to_rgb(colour), atol=0.01).all(1).mean()
        assert share == pytest.approx(shares[taps])
    assert {int(word) for word in words(ax)} == {taps for taps, share in shares.items() if share}
