"""Atrous spatial pyramid pooling as in DeepLab v3: batch norm, image pooling, and branches that are concatenated."""

from collections.abc import Sequence

import torch
from torch import nn

from deeplab_lessons.layers.separable import SeparableConv2d

CHANNELS = 256  # of every branch, and of the result. Source: DeepLab v3, section 3.3.

#: Dilations of the three branches at output stride 16. Source: DeepLab v3, section 3.3.
PYRAMID_RATES = (6, 12, 18)


def pyramid_rates(output_stride: int) -> tuple[int, ...]:
    """The branches' dilations at an output stride: equally far in pixels at each.

    (6, 12, 18) at 16 and (12, 24, 36) at 8 are the paper's (section 3.3). It names none for 32; (3, 6, 9) goes on
    in the same way, and the multiply-adds that v3+ prints for 32 (table 3) agree with it.
    """
    return tuple(max(1, rate * 16 // output_stride) for rate in PYRAMID_RATES)


def unit(
    in_channels: int, out_channels: int, kernel_size: int = 1, rate: int = 1, separable: bool = False
) -> nn.Sequential:
    """Convolution, batch norm, ReLU: [N, in_channels, h, w] -> [N, out_channels, h, w]."""
    if separable:
        return SeparableConv2d(in_channels, out_channels, kernel_size, dilation=rate)
    padding = rate * (kernel_size - 1) // 2
    conv = nn.Conv2d(in_channels, out_channels, kernel_size, padding=padding, dilation=rate, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(out_channels), nn.ReLU())


class ImagePooling(nn.Sequential):
    """The mean of the whole map, a 1 x 1 unit, laid over every cell: [N, C, h, w] -> [N, out_channels, h, w].

    Source: DeepLab v3, section 3.3 (image-level features).
    """

    def __init__(self, in_channels: int, out_channels: int = CHANNELS):
        """Make the three parts; torch's own random start."""
        super().__init__(nn.AdaptiveAvgPool2d(1), *unit(in_channels, out_channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The picture's one vector at every cell; ValueError for a single picture in training.

        The paper enlarges it bilinearly, which makes of one cell the same value everywhere.
        """
        norm = self[2]
        if isinstance(norm, nn.BatchNorm2d) and norm.training and len(x) == 1:
            raise ValueError(
                "image pooling leaves one cell of a picture, and batch norm in training needs at least two "
                "to compare: give batches of 2 or more, call eval(), or freeze batch norm (freeze_batch_norm)"
            )
        return super().forward(x).expand(-1, -1, *x.shape[2:])


class ASPP(nn.Module):
    """Branches of different fields on one map, concatenated and mixed: [N, in_channels, h, w] -> [N, channels, h, w].

    A 1 x 1, one 3 x 3 for each of `rates`, and (with `image_pooling`) the mean of the map; each `channels` wide,
    with batch norm and ReLU; then a 1 x 1 over all of them, with both again. `separable` makes the 3 x 3 atrous
    separable (v3+). `dropout` follows at the end: 0 here as in the paper's text, 0.1 in the released code, 0.5 in
    torchvision. Raises ValueError for no rate or one below 1. Source: DeepLab v3, section 3.3 and figure 5.
    """

    def __init__(
        self,
        in_channels: int,
        channels: int = CHANNELS,
        rates: Sequence[int] = PYRAMID_RATES,
        image_pooling: bool = True,
        separable: bool = False,
        dropout: float = 0.0,
    ):
        """Make the branches and the 1 x 1 over them; torch's own random start."""
        super().__init__()
        if not rates or min(rates) < 1:
            raise ValueError(f"ASPP needs at least one rate, each at least 1; got {tuple(rates)}")
        self.rates = tuple(rates)
        self.branches = nn.ModuleList([unit(in_channels, channels)])
        self.branches.extend(unit(in_channels, channels, 3, rate, separable) for rate in rates)
        if image_pooling:
            self.branches.append(ImagePooling(in_channels, channels))
        self.project = unit(channels * len(self.branches), channels).append(nn.Dropout(dropout))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The mixed map."""
        return self.project(torch.cat([branch(x) for branch in self.branches], dim=1))
