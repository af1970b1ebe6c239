"""The separable explorer: its numbers are those of real layers, its picture and words follow, keys and refusals."""

import re

import pytest
import torch
import traitlets

from deeplab_lessons.classroom.widgets.separable import CHANNELS, OPTIONS, SeparableExplorer, number
from deeplab_lessons.receptive_field import trace


@pytest.fixture
def explorer():
    return SeparableExplorer()


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"kernel_size": 5, "in_channels": 48, "out_channels": 2, "side": 17, "dilation": 6},
        {"kernel_size": 1, "in_channels": 1, "out_channels": 1, "side": 5},
        {"in_channels": 2048, "side": 33, "dilation": 18},
    ],
)
def test_the_numbers_are_those_of_the_tracer(values):
    explorer = SeparableExplorer(**values)
    dense, separable = (trace(layer, explorer.side, explorer.in_channels) for layer in explorer.layers())
    assert (explorer.dense, explorer.dense_weights) == (dense.multiply_adds, dense.parameters)
    assert (explorer.separable, explorer.separable_weights) == (separable.multiply_adds, separable.parameters)
    assert explorer.depthwise == separable["depthwise"].multiply_adds
    assert explorer.ratio == pytest.approx(1 / explorer.out_channels + 1 / explorer.kernel_size**2)


def test_dilation_and_map_leave_the_ratio_as_it_is(explorer):
    before = explorer.ratio, explorer.dense_weights, explorer.separable
    explorer.dilation = 18
    assert (explorer.ratio, explorer.dense_weights, explorer.separable) == before
    explorer.side = 33
    assert (explorer.ratio, explorer.dense_weights) == before[:2] and explorer.separable < before[2]


def test_the_ratio_tends_to_its_limit(explorer):
    ratios = []
    for explorer.out_channels in CHANNELS:
        ratios.append(explorer.ratio)
    assert ratios == sorted(ratios, reverse=True) and ratios[0] > 1
    assert explorer.limit < ratios[-1] < 1.01 * explorer.limit


def test_sliders_and_traits_are_one(explorer):
    explorer._sliders["out_channels"].value = 48
    assert explorer.out_channels == 48 and "48 channels" in explorer.caption
    explorer.kernel_size = 7
    assert explorer._sliders["kernel_size"].value == 7


def test_picture_and_words_follow(explorer):
    before = explorer._picture.value, explorer.caption
    explorer.out_channels = 1
    assert explorer._picture.value != before[0] and explorer.caption != before[1]
    assert "separable costs more" in explorer.caption and "times less" in before[1]
    for part in ('role="img"', 'role="status"', 'fill="white"'):
        assert part in explorer._picture.value


def test_the_bars_are_as_long_as_the_costs(explorer):
    bars = [float(width) for width in re.findall(r'width="([\d.]+)" height="26"', explorer._picture.value)]
    assert len(bars) == 3 and bars[0] == max(bars)
    assert (bars[1] + bars[2]) / bars[0] == pytest.approx(explorer.ratio, abs=1e-3)
    assert bars[1] / bars[0] == pytest.approx(explorer.depthwise / explorer.dense, abs=1e-3)


@pytest.mark.parametrize("out_channels", CHANNELS)
@pytest.mark.parametrize("kernel_size", OPTIONS["kernel_size"])
def test_everything_lies_inside_the_picture(kernel_size, out_channels):
    value = SeparableExplorer(kernel_size=kernel_size, out_channels=out_channels)._picture.value
    x, y = (float(place) for place in re.search(r'cx="([\d.]+)" cy="([\d.]+)"', value).groups())
    assert 92 <= x <= 622 and 150 <= y <= 286
    points = re.search(r'<polyline points="([^"]+)"', value).group(1).split()
    assert all(150 <= float(point.split(",")[1]) <= 286 for point in points)


def test_the_same_on_every_run(explorer):
    assert repr(explorer) == (
        "SeparableExplorer(kernel_size=3, in_channels=256, out_channels=256, dilation=1, side=129, ratio=0.115)"
    )
    assert SeparableExplorer()._picture.value == explorer._picture.value


def test_numbers_in_few_digits():
    assert [number(value) for value in (2304, 589_824, 68_000, 9_815_261_184, 41_000_000)] == [
        "2304", "589.8·10³", "68.0·10³", "9.82·10⁹", "41.00·10⁶",
    ]  # fmt: skip


def test_impossible_values_are_refused(explorer):
    with pytest.raises(traitlets.TraitError, match="unknown kernel_size 4: choose from 1, 3, 5"):
        explorer.kernel_size = 4
    with pytest.raises(traitlets.TraitError, match="unknown dilation 0: choose from 1, 2"):
        explorer.dilation = 0
    with pytest.raises(traitlets.TraitError):
        explorer.ratio = 1.0
    with pytest.raises(ValueError, match="unknown slider 'stride': choose from kernel_size"):
        SeparableExplorer(stride=2)


def test_the_layers_are_the_courses_own(explorer):
    dense, separable = explorer.layers()
    assert (
        type(separable).__name__ == "SeparableConv2d" and separable.depthwise.groups == explorer.in_channels
    )
    assert dense.weight.device == torch.device("meta")
