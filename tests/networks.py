"""Networks that several tests share."""

import torch
from torch import nn

from deeplab_lessons import backbones


def lively(net):
    """Statistics and factors of batch norm that are not those of the start; double precision, evaluation."""
    for part in net.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.normal_()
            part.running_var.uniform_(0.5, 2)
            nn.init.uniform_(part.weight, 0.5, 1.5)
            nn.init.normal_(part.bias, std=0.1)
    return net.eval().double()


def separable(before, after):
    """Parameters of a separable convolution with a batch norm (factor and shift) after each part."""
    return 9 * before + 2 * before + before * after + 2 * after


def counted(model):
    return sum(p.numel() for p in model.parameters())


def small_vgg(width=0.0625, seed=0, dtype=torch.float64, **kwargs):
    """A narrow VGG16 with biases that are not zero, so that zero padding shows at every layer."""
    torch.manual_seed(seed)
    vgg = backbones.vgg16(width, **kwargs).eval().to(dtype)
    for module in vgg.modules():
        if getattr(module, "bias", None) is not None:
            nn.init.normal_(module.bias, std=0.1)
    return vgg


def picture(height, width=None, seed=1, dtype=torch.float64):
    return torch.randn(
        1, 3, height, width or height, generator=torch.Generator().manual_seed(seed), dtype=dtype
    )
