"""Xception: its parts, counts and dilations, and the strided map that every output stride keeps."""

import pytest
import torch
from networks import lively, separable
from torch import nn

from deeplab_lessons.backbones import xception
from deeplab_lessons.backbones.encoders import low_level_features
from deeplab_lessons.backbones.xception import XceptionBlock
from deeplab_lessons.layers.separable import SeparableConv2d
from deeplab_lessons.models import deeplab_v3plus

CLASS_SIZE = {"width": 1 / 16, "middle_blocks": 1}


def block(before, *channels, shortcut):
    """Parameters of three of them and the shortcut."""
    widths = (before, *channels)
    own = sum(separable(a, b) for a, b in zip(widths, channels, strict=False))
    return own + (before * channels[-1] + 2 * channels[-1] if shortcut else 0)


def test_the_parameters_of_xception_65():
    stem = 27 * 32 + 2 * 32 + 9 * 32 * 64 + 2 * 64
    entry = (
        block(64, 128, 128, 128, shortcut=True)
        + block(128, 256, 256, 256, shortcut=True)
        + block(256, 728, 728, 728, shortcut=True)
    )
    middle = 16 * block(728, 728, 728, 728, shortcut=False)
    last = block(728, 728, 1024, 1024, shortcut=True) + block(1024, 1536, 1536, 2048, shortcut=False)
    with torch.device("meta"):
        net = xception()
    assert sum(p.numel() for p in net.parameters()) == stem + entry + middle + last
    separable_ones = [m for m in net.modules() if isinstance(m, SeparableConv2d)]
    assert 2 + len(separable_ones) == 65  # the number in its name: with the stem's two convolutions


@pytest.mark.parametrize("size", [(33, 33), (64, 96), (70, 51)])
@pytest.mark.parametrize("output_stride", [8, 16, 32])
def test_sizes_round_up(output_stride, size):
    net = xception(output_stride, **CLASS_SIZE).eval()
    early, last = low_level_features(net, torch.zeros(1, 3, *size))
    assert early.shape == (1, 16, *(-(-side // 4) for side in size))
    assert last.shape == (1, 128, *(-(-side // output_stride) for side in size))


@pytest.mark.parametrize(
    ("output_stride", "strides", "dilations"),
    [
        (32, [2, 2, 2, 1, 2, 1], [1, 1, 1, 1, 1, 1]),
        (16, [2, 2, 2, 1, 1, 1], [1, 1, 1, 1, 1, 2]),
        (8, [2, 2, 1, 1, 1, 1], [1, 1, 1, 2, 2, 4]),
    ],
)
def test_strides_and_dilations(output_stride, strides, dilations):
    net = xception(output_stride, **CLASS_SIZE)
    blocks = [part for part in net if isinstance(part, XceptionBlock)]
    convs = [[m for m in b.modules() if isinstance(m, nn.Conv2d) and m.groups > 1] for b in blocks]
    assert [[c.stride[0] for c in three] for three in convs] == [[1, 1, s] for s in strides]
    assert [[c.dilation[0] for c in three] for three in convs] == [[d] * 3 for d in dilations]
    assert all(c.padding == c.dilation for three in convs for c in three)
    assert not any(isinstance(m, (nn.MaxPool2d, nn.AvgPool2d)) for m in net.modules())


def test_multi_grid_multiplies_the_last_block():
    net = xception(16, multi_grid=(1, 2, 4), **CLASS_SIZE)
    assert [m.dilation[0] for m in net.exit2.modules() if isinstance(m, nn.Conv2d) and m.groups > 1] == [
        2,
        4,
        8,
    ]


@pytest.mark.parametrize("cells", [(1, 2), (2, 3)])
def test_the_dilated_map_holds_the_strided_map(cells):
    torch.manual_seed(1)
    strided = lively(xception(32, **CLASS_SIZE))
    x = torch.randn(1, 3, 32 * cells[0] + 1, 32 * cells[1] + 1, dtype=torch.float64)
    with torch.inference_mode():
        early, coarse = low_level_features(strided, x)
        for output_stride, every in ((16, 2), (8, 4)):
            fine = xception(output_stride, strided.state_dict(), **CLASS_SIZE).double().eval()
            assert torch.allclose(fine(x)[..., ::every, ::every], coarse)
            low, last = low_level_features(fine, x)
            assert torch.equal(low, early) and torch.equal(last, fine(x))


def test_relu_between_is_the_papers_and_can_be_left_out():
    torch.manual_seed(2)
    ours = lively(xception(16, **CLASS_SIZE))
    released = xception(16, ours.state_dict(), relu_between=False, **CLASS_SIZE).double().eval()
    relus = [[m for m in net.exit1.modules() if isinstance(m, nn.ReLU)] for net in (ours, released)]
    assert [len(found) for found in relus] == [6, 3]
    assert len([m for m in released.exit2.modules() if isinstance(m, nn.ReLU)]) == 6
    x = torch.randn(1, 3, 33, 33, dtype=torch.float64)
    assert not torch.allclose(ours(x), released(x))


def test_the_released_epsilon_is_that_of_the_backbone_alone():
    for released, eps in ((False, 1e-5), (True, 1e-3)):
        with torch.device("meta"):
            model = deeplab_v3plus(21, "xception", middle_blocks=1, released=released)
        found = [
            {m.eps for m in part.modules() if isinstance(m, nn.BatchNorm2d)}
            for part in (model.backbone, model.aspp, model.decoder)
        ]
        assert found == [{eps}, {1e-5}, {1e-5}]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"output_stride": 4}, "8, 16, 32"),
        ({"middle_blocks": 0}, "at least 1"),
        ({"multi_grid": (1, 2)}, "three numbers"),
        ({"weights": "imagenet"}, "no ImageNet weights"),
        ({"weights": {}}, "missing"),
    ],
)
def test_what_is_not_there_is_named(arguments, words):
    with pytest.raises(ValueError, match=words):
        xception(**CLASS_SIZE | arguments)
