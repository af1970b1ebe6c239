"""The decoder of DeepLab v3+: the pyramid's coarse map refined with the details of an early one."""

import torch
from torch import nn

from deeplab_lessons.grid import Grid, upsample
from deeplab_lessons.heads.aspp import CHANNELS, conv_bn_relu

LOW_LEVEL_CHANNELS = 48  # Source: DeepLab v3+, section 4.1, table 1.


class Decoder(nn.Module):
    """A coarse map and an early, finer one -> logits [N, num_classes, H', W'] at the finer one's cells.

    The early map [N, low_channels, H', W'] is reduced to `low_level_channels`, the coarse one
    [N, in_channels, h, w] enlarged to its size; both are concatenated and refined by `convolutions` units of
    3 x 3. `factor` is how many cells of the early map there are for one of the coarse map; cell 0 of both is on
    pixel 0, as in every network whose strided layers are padded on both sides. Raises ValueError for fewer than one
    convolution. Source: DeepLab v3+, sections 3.1 and 4.1, tables 1 and 2 (48 channels, two convolutions: the best).
    """

    def __init__(
        self,
        low_channels: int,
        in_channels: int = CHANNELS,
        num_classes: int = 21,
        factor: int = 4,
        low_level_channels: int = LOW_LEVEL_CHANNELS,
        channels: int = CHANNELS,
        convolutions: int = 2,
        separable: bool = False,
    ):
        super().__init__()
        if convolutions < 1:
            raise ValueError(f"the decoder needs at least one 3 x 3 convolution, got {convolutions}")
        self.factor = factor
        self.reduce = conv_bn_relu(low_channels, low_level_channels)
        widths = [in_channels + low_level_channels, *[channels] * (convolutions - 1)]
        self.refine = nn.Sequential(*(conv_bn_relu(n, channels, 3, separable=separable) for n in widths))
        self.classifier = nn.Conv2d(channels, num_classes, 1)

    def forward(self, x: torch.Tensor, low: torch.Tensor) -> torch.Tensor:
        """Return the logits of a coarse map x and the early map `low`."""
        low = self.reduce(low)
        x = upsample(x, low.shape[2:], Grid(self.factor, 0.0), by_torch=True)
        return self.classifier(self.refine(torch.cat([x, low], dim=1)))
