"""Dilated ResNets: torchvision's numbers to the bit, the two stride layouts, the map of a strided network kept."""

import pytest
import torch
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torchvision.models._utils import IntermediateLayerGetter

from deeplab_lessons.backbones import resnet
from deeplab_lessons.backbones.resnet import DEPTHS, freeze_batch_norm
from deeplab_lessons.receptive_field import trace


def small(depth, **options):
    """Few channels, few blocks, statistics of batch norm that are not those of the start."""
    torch.manual_seed(0)
    net = resnet(depth, width=1 / 16, blocks=(1, 2, 2, 2), **options).eval().double()
    for part in net.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.normal_()
            part.running_var.uniform_(0.5, 2)
            nn.init.normal_(part.bias, std=0.1)
    return net


@pytest.mark.parametrize("output_stride", [8, 16, 32])
@pytest.mark.parametrize("depth", [50, 101])
def test_torchvisions_weights_give_torchvisions_features_to_the_bit(depth, output_stride):
    torch.manual_seed(depth)
    replaced = {8: [False, True, True], 16: [False, False, True], 32: None}[output_stride]
    theirs = getattr(torchvision.models, f"resnet{depth}")(replace_stride_with_dilation=replaced).eval()
    ours = resnet(depth, output_stride, weights=theirs.state_dict()).eval()
    x = torch.randn(1, 3, 65, 97)
    with torch.inference_mode():
        expected = IntermediateLayerGetter(theirs, {"layer4": "out"})(x)["out"]
        assert torch.equal(ours(x), expected)


@pytest.mark.parametrize(("depth", "stride_in"), [(18, "3x3"), (34, "3x3"), (50, "3x3"), (50, "1x1")])
@settings(max_examples=6, deadline=None)
@given(rows=st.integers(1, 3), columns=st.integers(1, 3))
def test_the_dilated_map_holds_the_strided_map(depth, stride_in, rows, columns):
    strided = small(depth, output_stride=32, stride_in=stride_in)
    x = torch.randn(1, 3, 32 * rows + 1, 32 * columns + 1, dtype=torch.float64)
    with torch.inference_mode():
        coarse = strided(x)
        for output_stride, every in ((16, 2), (8, 4)):
            fine = resnet(depth, output_stride, strided.state_dict(), 1 / 16, (1, 2, 2, 2), stride_in).eval()
            assert torch.allclose(fine.double()(x)[..., ::every, ::every], coarse)


@pytest.mark.parametrize("output_stride", [8, 16, 32])
def test_the_fields_of_both_layouts(output_stride):
    """Facts of the receptive-field lesson: 971 with torchvision's strides, 1027 with Caffe's."""
    with torch.device("meta"):
        for stride_in, field in (("3x3", 971), ("1x1", 1027)):
            net = resnet(101, output_stride, stride_in=stride_in)
            assert trace(net, 513)["layer4.2.conv3"].size == field


def test_parameters_and_class_size():
    with torch.device("meta"):
        for depth in DEPTHS:
            theirs = getattr(torchvision.models, f"resnet{depth}")()
            expected = sum(p.numel() for p in theirs.parameters()) - sum(
                p.numel() for p in theirs.fc.parameters()
            )
            assert sum(p.numel() for p in resnet(depth).parameters()) == expected
    tiny = resnet(101, width=1 / 8, blocks=(1, 1, 2, 1))
    assert tiny(torch.zeros(1, 3, 64, 72)).shape == (1, 256, 8, 9)


def test_frozen_batch_norm_stays_as_it_was_and_has_nothing_to_train():
    net = small(50)
    x = torch.randn(2, 3, 33, 33, dtype=torch.float64)
    before = net(x)
    frozen = freeze_batch_norm(net).train()
    assert torch.allclose(frozen(x), before)
    assert not any("bn" in name for name, _ in frozen.named_parameters())
    assert not any(isinstance(part, nn.BatchNorm2d) for part in frozen.modules())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"depth": 20}, "18, 34, 50, 101"),
        ({"output_stride": 4}, "8, 16 or 32"),
        ({"depth": 18, "stride_in": "1x1"}, "ResNet-50"),
        ({"stride_in": "first"}, "Caffe"),
        ({"blocks": (1, 2, 3)}, "four numbers"),
        ({"weights": {}}, "missing"),
        ({"weights": "imagenet", "stride_in": "1x1"}, "trained with the stride in the 3 x 3"),
    ],
)
def test_what_is_not_there_is_named(arguments, words):
    with pytest.raises(ValueError, match=words):
        resnet(**{"depth": 50, "width": 1 / 16} | arguments)
