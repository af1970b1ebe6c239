"""The head of DeepLab v1: fc6 with holes, fc7, and the classifier fc8; the side branches of its variant MSc."""

from collections.abc import Sequence

import torch
from torch import nn

from deeplab_lessons.arithmetic import same_padding

SIDE_CHANNELS = 128  # of each side branch, at width 1
SIDE_STRIDES = (8, 4, 2, 1, 1)  # from the image and the maps after pool1 … pool4 to the cells of the last map


class LargeFOV(nn.Module):
    """fc6 (kernel_size x kernel_size, dilation `rate`), fc7 (1 x 1), fc8 (1 x 1, to the classes).

    Map [N, in_channels, h, w] -> logits [N, num_classes, h, w]: fc6 is padded so that the size stays. `extra_channels`
    are concatenated in front of fc8 (`SideBranches`). `batch_norm` after fc6 and fc7 is not the paper's, but a head
    that starts from random weights learns faster. Source: DeepLab v1, section 3.2 and table 2.
    """

    def __init__(
        self,
        in_channels: int = 512,
        num_classes: int = 21,
        kernel_size: int = 3,
        rate: int = 12,
        channels: int = 1024,
        extra_channels: int = 0,
        batch_norm: bool = False,
        dropout: float = 0.5,
    ):
        super().__init__()
        padding = same_padding(kernel_size, rate)
        self.fc6 = nn.Conv2d(in_channels, channels, kernel_size, padding=padding, dilation=rate)
        self.fc7 = nn.Conv2d(channels, channels, 1)
        self.fc8 = nn.Conv2d(channels + extra_channels, num_classes, 1)
        self.bn6, self.bn7 = (nn.BatchNorm2d(channels) if batch_norm else nn.Identity() for _ in range(2))
        self.relu, self.drop = nn.ReLU(inplace=True), nn.Dropout(dropout)

    def forward(self, x: torch.Tensor, extra: torch.Tensor | None = None) -> torch.Tensor:
        """Return the logits of a map x and of the maps `extra` [N, extra_channels, h, w]."""
        x = self.drop(self.relu(self.bn6(self.fc6(x))))
        x = self.drop(self.relu(self.bn7(self.fc7(x))))
        return self.fc8(x if extra is None else torch.cat([x, extra], dim=1))


class SideBranches(nn.Module):
    """One two-layer branch for the image and one for each of the first four pools, concatenated (MSc).

    Maps [N, C_i, H_i, W_i] -> [N, 5 * channels, h, w]. The paper does not say how the maps of different size come to
    meet: here the 3 x 3 convolution has the stride that is missing, and what reaches over the end is cut off.
    `in_channels` are in the maps' order. Source: DeepLab v1, section 4.3 (3x3x128, 1x1x128, +640 channels).
    """

    def __init__(self, in_channels: Sequence[int], channels: int = SIDE_CHANNELS):
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(before, channels, 3, stride=stride, padding=1),
                nn.ReLU(inplace=True),
                nn.Conv2d(channels, channels, 1),
                nn.ReLU(inplace=True),
            )
            for before, stride in zip(in_channels, SIDE_STRIDES, strict=True)
        )

    def forward(self, maps: Sequence[torch.Tensor], size: tuple[int, int]) -> torch.Tensor:
        """Return the results of the branches, concatenated and cut to `size` = (h, w) cells."""
        results = [branch(x) for branch, x in zip(self.branches, maps, strict=True)]
        return torch.cat([result[..., : size[0], : size[1]] for result in results], dim=1)
