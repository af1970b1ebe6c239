"""The multiply-adds that DeepLab v3+ prints, accounted for."""

from functools import cache

import pytest
import torch
from torch import nn

from deeplab_lessons.backbones import resnet
from deeplab_lessons.classroom.ledger.released import (
    DEVIATIONS,
    PRINTED,
    account,
    filling,
    released_resnet101,
)
from deeplab_lessons.models import deeplab_v3plus
from deeplab_lessons.receptive_field import trace


@cache
def row(*which):
    return account(*which)


@pytest.mark.slow
@pytest.mark.parametrize("which", PRINTED)
def test_every_printed_count_is_accounted_for(which):
    found = row(*which)
    assert found["sum"] == pytest.approx(found["ours"] + found["backbone"] + found["filling"])
    assert found["ours"] < found["printed"]
    if which == ("resnet101", 16, True, False):  # the one row that does not fit the paper's others
        assert found["sum"] - found["printed"] == pytest.approx(1.3, abs=0.05)
    else:
        assert found["sum"] == pytest.approx(found["printed"], rel=0.004)


@pytest.mark.slow
@pytest.mark.parametrize("backbone", ["resnet101", "xception"])
@pytest.mark.parametrize("output_stride", [8, 16, 32])
def test_the_decoder_costs_what_the_tables_say(backbone, output_stride):
    """21.7 to 21.8 thousand million in every pair of rows, but for 101.28 - 81.02 = 20.26."""
    rows = [(backbone, output_stride, decoder, False) for decoder in (True, False)]
    if rows[0] in PRINTED:
        with_it, without = map(row, *zip(*rows, strict=True))
        assert with_it["ours"] - without["ours"] == pytest.approx(21.76, abs=0.02)
        if rows[0] != ("resnet101", 16, True, False):
            assert with_it["printed"] - without["printed"] == pytest.approx(21.76, abs=0.025)


def rebuilt(output_stride):
    """Our ResNet-101 with the released stem, and its strides moved to the end of the stage before."""
    net = resnet(101, 32)
    stem = [nn.Conv2d(3, 64, 3, 2, 1), nn.Conv2d(64, 64, 3, 1, 1), nn.Conv2d(64, 128, 3, 1, 1)]
    net.conv1, net.bn1 = nn.Sequential(*stem), nn.BatchNorm2d(128)
    first = net.layer1[0]
    first.conv1, first.downsample[0] = nn.Conv2d(128, 64, 1), nn.Conv2d(128, 256, 1)
    for before, after, stride in (
        (net.layer1, net.layer2, 8),
        (net.layer2, net.layer3, 16),
        (net.layer3, net.layer4, 32),
    ):
        after[0].conv2.stride = after[0].downsample[0].stride = (1, 1)
        if stride <= output_stride:
            before[-1].conv2.stride, before[-1].downsample = (2, 2), nn.MaxPool2d(1, 2)
    return net


@pytest.mark.slow
@pytest.mark.parametrize("output_stride", [8, 16, 32])
def test_the_released_resnet_is_counted_as_it_is_built(output_stride):
    with torch.device("meta"):
        assert trace(rebuilt(output_stride), 513).multiply_adds == released_resnet101(output_stride)


def test_filling():
    conv = nn.Conv2d(4, 6, 3, padding=18, dilation=18)
    (only,) = trace(conv, 33, in_channels=4)
    assert filling(only) == (36 * 36 - 33 * 33) * 4 * 6 * 9
    (only,) = trace(nn.Conv2d(4, 6, 3, padding=1), 33, in_channels=4)
    assert filling(only) == 0


@pytest.mark.slow
def test_the_deviations_change_what_they_name():
    with torch.device("meta"):
        paper = deeplab_v3plus()
        one, far, plain = (deeplab_v3plus(**options) for options in DEVIATIONS.values())
    assert (len(paper.decoder.refine), len(one.decoder.refine)) == (2, 1)
    assert (paper.aspp.rates, far.aspp.rates) == ((6, 12, 18), (12, 24, 36))
    last = [[block.conv2.dilation[0] for block in net.backbone.layer4] for net in (paper, plain)]
    assert last == [[2, 4, 8], [1, 2, 2]]
