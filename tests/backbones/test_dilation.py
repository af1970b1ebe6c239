"""A stride that is taken out becomes a dilation of all that follows."""

import pytest
import torch
from torch import nn

from deeplab_lessons.backbones.dilation import dilate_strides, set_dilation


def test_strides_beyond_the_output_stride_dilate_the_layers_after_them():
    strides = (2, 1, 2, 2, 1)
    convs = [nn.Conv2d(1, 1, 3, stride, padding=1) for stride in strides]
    convs.insert(3, nn.Conv2d(1, 1, 1))
    strided = nn.Sequential(*convs)
    x = torch.randn(1, 1, 33, 17)
    expected = strided(x)
    assert dilate_strides(convs, output_stride=2) == (2, 4)
    assert [conv.stride[0] for conv in convs] == [2, 1, 1, 1, 1, 1]
    assert [conv.dilation[0] for conv in convs] == [1, 1, 1, 1, 2, 4], "a single tap has no gaps"
    assert torch.allclose(strided(x)[..., ::4, ::4], expected, atol=1e-6)


@pytest.mark.parametrize("padding", [0, 3, "same"])
def test_padding_grows_with_the_dilation(padding):
    conv = nn.Conv2d(1, 1, 7, padding=padding)
    for dilation in (4, 2):
        set_dilation(conv, dilation)
        assert conv.dilation == (dilation, dilation)
        assert conv.padding == ("same" if padding == "same" else (dilation * padding,) * 2)
