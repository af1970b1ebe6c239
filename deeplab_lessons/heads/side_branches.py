"""The multi-scale variant (MSc) of DeepLab v1: early maps, brought to the last layer by side branches."""

from collections.abc import Sequence

import torch
from torch import nn

SIDE_CHANNELS = 128  # of each branch, at width 1


class SideBranches(nn.Module):
    """One two-layer branch for the picture and one for each of the first four pools, concatenated.

    Maps [N, C_i, H_i, W_i] -> [N, 5 * channels, h, w]. A branch is a 3 x 3 convolution and a 1 x 1
    convolution, each to `channels` and followed by ReLU. The paper does not say how the maps of different
    size come to meet: here the 3 x 3 convolution takes the stride that is missing (8, 4, 2, 1, 1), and what
    reaches over the end is cut off. `in_channels` and `strides` are in the maps' order.
    Source: DeepLab v1, section 4.3 (3x3x128, 1x1x128, +640 channels).
    """

    def __init__(
        self, in_channels: Sequence[int], strides: Sequence[int] = (8, 4, 2, 1, 1), channels: int = SIDE_CHANNELS
    ):
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(before, channels, 3, stride=stride, padding=1),
                nn.ReLU(inplace=True),
                nn.Conv2d(channels, channels, 1),
                nn.ReLU(inplace=True),
            )
            for before, stride in zip(in_channels, strides, strict=True)
        )

    def forward(self, maps: Sequence[torch.Tensor], size: tuple[int, int]) -> torch.Tensor:
        """Results of the branches, concatenated and cut to `size` = (h, w) cells."""
        results = [branch(x) for branch, x in zip(self.branches, maps, strict=True)]
        return torch.cat([result[..., : size[0], : size[1]] for result in results], dim=1)
