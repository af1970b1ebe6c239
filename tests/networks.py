"""Networks that several tests share."""

import torch
from torch import nn
from torch.nn import functional as F

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


class Exchange(nn.Module):
    """Branches at full, half, quarter … resolution that give each other their maps after every step, as in HRNet."""

    def __init__(self, branches=3, steps=3, channels=2):
        super().__init__()
        self.stem = nn.Conv2d(3, channels, 3, padding=1)
        self.down = nn.ModuleList(
            nn.Conv2d(channels, channels, 3, 2**i, 1, bias=False) for i in range(branches)
        )
        self.steps = nn.ModuleList(
            nn.ModuleList(nn.Conv2d(channels, channels, 3, padding=1) for _ in range(branches))
            for _ in range(steps)
        )
        self.shrink = nn.ModuleList(nn.Conv2d(channels, channels, 3, 2, 1) for _ in range(branches - 1))

    def moved(self, x, start, end, size):
        if start > end:
            return F.interpolate(x, size, mode="bilinear", align_corners=False)
        for layer in self.shrink[start:end]:
            x = layer(x)
        return x

    def forward(self, x):
        x = self.stem(x)
        maps = [layer(x) for layer in self.down]
        for layers in self.steps:
            maps = [y + layer(y) for y, layer in zip(maps, layers, strict=True)]
            sizes = [y.shape[-2:] for y in maps]
            maps = [
                sum(self.moved(y, i, j, size) for i, y in enumerate(maps)) for j, size in enumerate(sizes)
            ]
        return maps[0]
