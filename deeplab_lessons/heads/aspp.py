"""Atrous spatial pyramid pooling as in DeepLab v2: branches of different rates on one map, summed."""

from collections.abc import Sequence

import torch
from torch import nn

from deeplab_lessons.heads.large_fov import LargeFOV

#: Rates of the four branches. Source: DeepLab v2, section 4.1.2, ASPP-S and ASPP-L.
ASPP_RATES = {"S": (2, 4, 8, 12), "L": (6, 12, 18, 24)}


class SummedASPP(nn.Module):
    """Parallel branches, each with its own rate and its own classifier: their scores are added.

    Map [N, in_channels, h, w] -> logits [N, num_classes, h, w]. With `channels` each branch is fc6 – fc7 – fc8
    as in LargeFOV (the form on VGG16); with None it is one 3 x 3 convolution to the classes (the form on
    ResNet-101). Raises ValueError where there is no rate, or one below 1. Source: DeepLab v2, section 3.2 and
    figure 7; the ResNet form stands in the released networks.
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
        """Make one branch for each rate; torch's own random start. `kernel_size`: odd."""
        super().__init__()
        if not rates or min(rates) < 1:
            raise ValueError(f"ASPP needs one rate of at least 1 for each branch, got {tuple(rates)}")
        self.rates = tuple(rates)
        self.branches = nn.ModuleList(
            nn.Conv2d(in_channels, num_classes, kernel_size, padding=rate * (kernel_size // 2), dilation=rate)
            if channels is None
            else LargeFOV(in_channels, num_classes, kernel_size, rate, channels, 0, batch_norm, dropout)
            for rate in rates
        )

    @property
    def classifiers(self) -> list[nn.Conv2d]:
        """The last layer of each branch, new to every data set."""
        return [getattr(branch, "fc8", branch) for branch in self.branches]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Sum of the branches' logits."""
        return sum(branch(x) for branch in self.branches)
