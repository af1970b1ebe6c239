"""Separable convolution: two parts that are one dense convolution, what they save, what follows each."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from deeplab_lessons.layers.separable import SeparableConv2d
from deeplab_lessons.receptive_field import trace


@pytest.mark.parametrize("kernel_size", [3, 5])
@pytest.mark.parametrize("dilation", [1, 2, 6])
@pytest.mark.parametrize("stride", [1, 2])
def test_both_parts_are_one_dense_dilated_convolution(kernel_size, dilation, stride):
    torch.manual_seed(0)
    conv = SeparableConv2d(5, 7, kernel_size, stride, dilation, batch_norm=False).double()
    x = torch.randn(2, 5, 17, 20, dtype=torch.float64)
    kernel = torch.einsum("oc,cyx->ocyx", conv.pointwise.weight[..., 0, 0], conv.depthwise.weight[:, 0])
    padding = dilation * (kernel_size // 2)
    dense = F.conv2d(x, kernel, stride=stride, padding=padding, dilation=dilation)
    assert torch.allclose(conv.dense_kernel(), kernel)
    assert torch.allclose(conv(x), dense)


def test_what_separating_saves():
    conv = SeparableConv2d(256, 256, batch_norm=False)
    assert sum(p.numel() for p in conv.parameters()) == 9 * 256 + 256 * 256
    assert trace(conv, 33, in_channels=256).multiply_adds == 33 * 33 * (9 * 256 + 256 * 256)


def test_batch_norm_and_relu_after_each_part():
    kinds = [type(part) for part in SeparableConv2d(4, 6)]
    assert kinds == [nn.Conv2d, nn.BatchNorm2d, nn.ReLU] * 2
    kinds = [type(part) for part in SeparableConv2d(4, 6, relu_between=False, relu_after=False)]
    assert kinds == [nn.Conv2d, nn.BatchNorm2d] * 2


def test_an_even_kernel_has_no_centre():
    with pytest.raises(ValueError, match="odd"):
        SeparableConv2d(4, 4, kernel_size=2)
