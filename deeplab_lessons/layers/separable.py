"""Depthwise separable convolution, with holes: one kernel for each channel, then a 1 x 1 across the channels."""

from collections import OrderedDict

import torch
from torch import nn


class SeparableConv2d(nn.Sequential):
    """Depthwise convolution and pointwise 1 x 1: [N, C, H, W] -> [N, out_channels, H / stride, W / stride].

    Sizes round up. Stride and dilation belong to the depthwise part; with dilation above 1 it is the paper's
    *atrous separable convolution*. Each part is followed by batch norm, and by a ReLU where `relu_between` and
    `relu_after` say so; with `batch_norm=False` by neither, and the whole is linear. Raises ValueError for an even
    kernel. Source: DeepLab v3+, section 3.1, figure 3; section 3.2 (batch norm and ReLU after each depthwise one).
    """

    depthwise: nn.Conv2d
    pointwise: nn.Conv2d

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 3,
        stride: int = 1,
        dilation: int = 1,
        batch_norm: bool = True,
        relu_between: bool = True,
        relu_after: bool = True,
    ):
        if kernel_size % 2 == 0:
            raise ValueError(f"kernel_size must be odd, so that a tap is in its centre, got {kernel_size!r}")
        padding, c = dilation * (kernel_size - 1) // 2, in_channels
        depthwise = nn.Conv2d(c, c, kernel_size, stride, padding, dilation, groups=c, bias=False)
        pointwise = nn.Conv2d(in_channels, out_channels, 1, bias=False)
        parts: OrderedDict[str, nn.Module] = OrderedDict()
        for name, conv, relu in ("depthwise", depthwise, relu_between), ("pointwise", pointwise, relu_after):
            parts[name] = conv
            if batch_norm:
                parts[f"{name}_norm"] = nn.BatchNorm2d(conv.out_channels)
            if batch_norm and relu:
                parts[f"{name}_relu"] = nn.ReLU()
        super().__init__(parts)

    def dense_kernel(self) -> torch.Tensor:
        """Return the dense kernel that both parts make without batch norm: [out_channels, C, k, k].

        Entry (o, c, y, x) is pointwise(o, c) times depthwise(c, y, x).
        """
        return self.pointwise.weight * self.depthwise.weight[:, 0]
