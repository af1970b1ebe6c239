"""Atrous spatial pyramid pooling: branches of different rates, summed in DeepLab v2, concatenated in v3."""

from collections.abc import Sequence
from typing import cast

import torch
from torch import nn
from torchvision.ops import Conv2dNormActivation

from deeplab_lessons.heads.large_fov import LargeFOV
from deeplab_lessons.layers.separable import SeparableConv2d

ASPP_RATES = {"S": (2, 4, 8, 12), "L": (6, 12, 18, 24)}  # of v2's ASPP-S and -L. Source: v2, section 4.1.2.
CHANNELS = 256  # of v3's branches, and of their result. Source: DeepLab v3, section 3.3.
RATES_AT_16 = (6, 12, 18)  # of v3's three branches at output stride 16. Source: DeepLab v3, section 3.3.


def atrous_rates(output_stride: int) -> tuple[int, ...]:
    """Return the rates of v3's branches at an output stride: equally far in pixels at each.

    (6, 12, 18) at 16 and (12, 24, 36) at 8 are the paper's (section 3.3). It names none for 32; the multiply-adds that
    v3+ prints for 32 (table 3) agree with (3, 6, 9).
    """
    return tuple(max(1, rate * 16 // output_stride) for rate in RATES_AT_16)


def _checked(rates: Sequence[int]) -> tuple[int, ...]:
    if not rates or min(rates) < 1:
        raise ValueError(f"rates must be one or more dilations of at least 1, got {tuple(rates)}")
    return tuple(rates)


class SummedASPP(nn.Module):
    """DeepLab v2's: parallel branches, each with its own rate and classifier, whose scores are added.

    Map [N, in_channels, h, w] -> logits [N, num_classes, h, w]. With `channels` each branch is a LargeFOV (the form
    on VGG16); with None it is one convolution of odd `kernel_size` (the form on ResNet-101, of the released
    networks). Raises ValueError for no rate or one below 1. Source: DeepLab v2, section 3.2 and figure 7.
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int = 21,
        rates: Sequence[int] = ASPP_RATES["L"],
        channels: int | None = None,
        batch_norm: bool = False,
        dropout: float = 0.5,
        kernel_size: int = 3,
    ):
        super().__init__()
        self.rates = _checked(rates)
        self.branches = nn.ModuleList(
            nn.Conv2d(in_channels, num_classes, kernel_size, padding=rate * (kernel_size // 2), dilation=rate)
            if channels is None
            else LargeFOV(in_channels, num_classes, kernel_size, rate, channels, 0, batch_norm, dropout)
            for rate in rates
        )

    @property
    def classifiers(self) -> list[nn.Conv2d]:
        """Last layer of each branch, new to every data set."""
        return [part.fc8 if isinstance(part, LargeFOV) else cast(nn.Conv2d, part) for part in self.branches]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the sum of the branches' logits."""
        return sum(branch(x) for branch in self.branches)


def conv_bn_relu(
    in_channels: int, out_channels: int, kernel_size: int = 1, rate: int = 1, separable: bool = False
) -> nn.Sequential:
    """Make a convolution, batch norm and ReLU: [N, in_channels, h, w] -> [N, out_channels, h, w]."""
    if separable:
        return SeparableConv2d(in_channels, out_channels, kernel_size, dilation=rate)
    return Conv2dNormActivation(in_channels, out_channels, kernel_size, dilation=rate, inplace=False)


class ImagePooling(nn.Sequential):
    """The mean of the whole map, a 1 x 1 unit, laid over every cell: [N, C, h, w] -> [N, out_channels, h, w].

    The paper enlarges it bilinearly, which makes of one cell the same value everywhere. Raises ValueError for a
    single image in training. Source: DeepLab v3, section 3.3 (image-level features).
    """

    def __init__(self, in_channels: int, out_channels: int = CHANNELS):
        super().__init__(nn.AdaptiveAvgPool2d(1), *conv_bn_relu(in_channels, out_channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the image's one vector at every cell."""
        norm = self[2]
        if isinstance(norm, nn.BatchNorm2d) and norm.training and len(x) == 1:
            raise ValueError(
                "image pooling leaves one cell of a picture, and batch norm in training needs at least two "
                "to compare: pass batches of 2 or more, call eval(), or freeze batch norm (freeze_batch_norm)"
            )
        return super().forward(x).expand(-1, -1, *x.shape[2:])


class ASPP(nn.Module):
    """DeepLab v3's: branches concatenated and mixed, [N, in_channels, h, w] -> [N, channels, h, w].

    A 1 x 1, a 3 x 3 for each of `rates` (atrous separable with `separable`, v3+), and the mean of the map, each with
    batch norm and ReLU; then a 1 x 1 over all of them, with both again, and `dropout`: 0 as in the paper's text, 0.1
    in the released code, 0.5 in torchvision. Raises ValueError for no rate or one below 1.
    Source: DeepLab v3, section 3.3 and figure 5.
    """

    def __init__(
        self,
        in_channels: int,
        channels: int = CHANNELS,
        rates: Sequence[int] = RATES_AT_16,
        image_pooling: bool = True,
        separable: bool = False,
        dropout: float = 0.0,
    ):
        super().__init__()
        self.rates = _checked(rates)
        self.branches = nn.ModuleList([conv_bn_relu(in_channels, channels)])
        self.branches.extend(conv_bn_relu(in_channels, channels, 3, rate, separable) for rate in rates)
        if image_pooling:
            self.branches.append(ImagePooling(in_channels, channels))
        self.project = conv_bn_relu(channels * len(self.branches), channels).append(nn.Dropout(dropout))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the mixed map."""
        return self.project(torch.cat([branch(x) for branch in self.branches], dim=1))
