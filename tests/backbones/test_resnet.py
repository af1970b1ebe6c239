"""Dilated ResNets: torchvision's numbers to the bit, the two stride layouts, the map of a strided network kept."""

import pytest
import torch
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import lively
from torch import nn
from torchvision.models._utils import IntermediateLayerGetter
from torchvision.models.resnet import BasicBlock, Bottleneck

from deeplab_lessons.backbones import resnet
from deeplab_lessons.backbones.resnet import DEPTHS, freeze_batch_norm
from deeplab_lessons.models import deeplab_v3
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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.parametrize("output_stride", [8, 16, 32])
def test_the_fields_of_both_layouts(output_stride):
    """Facts of the receptive-field lesson: 971 with torchvision's strides, 1027 with Caffe's."""
    with torch.device("meta"):
        for stride_in, field in (("3x3", 971), ("1x1", 1027)):
            net = resnet(101, output_stride, stride_in=stride_in)
            assert trace(net, 513)["layer4.2.conv3"].size == field


@pytest.mark.slow
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
        ({"output_stride": 4}, "8, 16, 32"),
        ({"depth": 18, "stride_in": "1x1"}, "ResNet-50"),
        ({"stride_in": "first"}, "Caffe"),
        ({"blocks": (1, 2, 3)}, "four numbers"),
        ({"weights": {}}, "missing"),
        ({"weights": "imagenet", "stride_in": "1x1"}, "trained with the stride in the 3 x 3"),
        ({"weights": "imagenet", "stride_in": "1x1"}, r"BGR, 0 to 255, minus \(104.008, 116.669, 122.675\)"),
    ],
)
def test_what_is_not_there_is_named(arguments, words):
    with pytest.raises(ValueError, match=words):
        resnet(**{"depth": 50, "width": 1 / 16} | arguments)


TINY = {"width": 1 / 16, "blocks": (1, 1, 1, 3)}


def dilations(net):
    """Dilations of the 3 x 3 convolutions in each block of layer4 and later."""
    stages = [stage for name, stage in net.named_children() if name.startswith("layer") and name >= "layer4"]
    convs = [
        [m.dilation[0] for m in block.modules() if isinstance(m, nn.Conv2d) and m.kernel_size == (3, 3)]
        for stage in stages
        for block in stage
    ]
    return [one[0] if len(set(one)) == 1 else one for one in convs]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("output_stride", "multi_grid", "cascade", "expected"),
    [
        (32, (1, 2, 4), 4, [1, 2, 4]),
        (16, (1, 2, 4), 4, [2, 4, 8]),  # the paper's example, section 3.2.1
        (8, (1, 2, 4), 4, [4, 8, 16]),
        (16, (1, 1, 1), 4, [2, 2, 2]),
        (16, (1, 2, 1), 7, [2, 4, 2, 4, 8, 4, 8, 16, 8, 16, 32, 16]),  # rates 2, 4, 8, 16: figure 3 (b)
        (8, (1, 1, 1), 6, [4, 4, 4, 8, 8, 8, 16, 16, 16]),
        (64, (1, 2, 1), 7, [1, 2, 1, 1, 2, 1, 2, 4, 2, 4, 8, 4]),
        (256, (1, 1, 1), 7, [1] * 12),  # no atrous convolution at all: table 1
        (16, None, 4, [1, 2, 2]),  # the first as it was trained in torchvision's layout
        (8, None, 5, [2, 4, 4, 4, 8, 8]),
    ],
)
@pytest.mark.parametrize("depth", [50, 34])
def test_the_dilation_of_every_block(depth, output_stride, multi_grid, cascade, expected):
    net = resnet(depth, output_stride, None, multi_grid=multi_grid, cascade=cascade, **TINY)
    found = dilations(net)
    if (
        depth == 34 and multi_grid is None
    ):  # two 3 x 3 in a block: the first of a stage keeps the old dilation
        assert all(second == 2 * first for first, second in found[::3])
        found[::3] = [first for first, _ in found[::3]]
    assert found == expected
    blocks = [m for m in net.modules() if isinstance(m, (BasicBlock, Bottleneck))]
    assert len(blocks) == 6 + 3 * (cascade - 4)


def test_resnet_18_takes_the_grids_first_numbers():
    with torch.device("meta"):
        assert dilations(deeplab_v3(backbone="resnet18").backbone) == [2, 4]
        assert dilations(deeplab_v3(backbone="resnet34").backbone) == [2, 4, 8]
    with pytest.raises(ValueError, match="each of the stage's 3 blocks"):
        resnet(50, 16, multi_grid=(1, 2), **TINY)


@pytest.mark.parametrize("depth", [18, 50])
@pytest.mark.parametrize("cascade", [4, 6])
def test_every_output_stride_holds_the_coarsest_map(depth, cascade):
    """Without a grid the dilated networks compute what the strided one computes, and more in between."""
    torch.manual_seed(depth)
    small = {"cascade": cascade, **TINY, "blocks": (1, 1, 1, 2)}
    coarsest = 4 * 2 ** (cascade - 1)
    strided = lively(resnet(depth, coarsest, **small))
    x = torch.randn(1, 3, coarsest + 1, 2 * coarsest + 1, dtype=torch.float64)
    with torch.inference_mode():
        coarse = strided(x)
        for output_stride in (coarsest // 2, 8):
            fine = resnet(depth, output_stride, **small)
            fine.load_state_dict(strided.state_dict())
            every = coarsest // output_stride
            assert torch.allclose(fine.eval().double()(x)[..., ::every, ::every], coarse)


@pytest.mark.parametrize(("stride_in", "coarsest"), [("1x1", 32), ("3x3", 16)])
def test_a_grid_trained_at_one_output_stride_serves_at_another(stride_in, coarsest):
    """The paper trains at 16 and tests at 8 with (1, 2, 4): the same function of the same weights."""
    torch.manual_seed(0)
    options = {"multi_grid": (1, 2, 4), "stride_in": stride_in, **TINY}
    strided = lively(resnet(50, coarsest, **options))
    x = torch.randn(1, 3, 65, 97, dtype=torch.float64)
    with torch.inference_mode():
        fine = resnet(50, 8, strided.state_dict(), **options).double().eval()
        assert torch.allclose(fine(x)[..., :: coarsest // 8, :: coarsest // 8], strided(x))
