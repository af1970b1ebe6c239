"""DeepLab v3+'s modified aligned Xception: separable convolutions throughout, at any output stride."""

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import nn
from torchvision.ops import Conv2dNormActivation

from deeplab_lessons.backbones.dilation import OUTPUT_STRIDES
from deeplab_lessons.backbones.initialise import scale_channels
from deeplab_lessons.backbones.weights import Weights, materialise
from deeplab_lessons.checks import check_choice
from deeplab_lessons.layers.separable import SeparableConv2d

#: Channels of the stem, and of the three separable convolutions in each block; the middle one is repeated.
#: Source: DeepLab v3+, figure 4.
STEM = (32, 64)
ENTRY = ((128, 128, 128), (256, 256, 256), (728, 728, 728))
MIDDLE = (728, 728, 728)
EXIT = ((728, 1024, 1024), (1536, 1536, 2048))


class XceptionBlock(nn.Module):
    """Three separable convolutions next to a shortcut: [N, C, h, w] -> [N, channels[2], h / stride, w / stride].

    The third one has the stride, where Xception had a max-pool. `shortcut` is "conv" (1 x 1 with the stride),
    "sum" (the block's input itself) or "none". A ReLU comes before each convolution, but in a block without a
    shortcut after each. `relu_between` sets the ReLU after each depthwise part.
    Source: Chollet, CVPR 2017, figure 5; DeepLab v3+, section 3.2 and figure 4.
    """

    def __init__(
        self,
        in_channels: int,
        channels: Sequence[int],
        stride: int = 1,
        dilations: Sequence[int] = (1, 1, 1),
        shortcut: str = "conv",
        relu_between: bool = True,
    ):
        super().__init__()
        alone = shortcut == "none"
        widths, strides = (in_channels, *channels[:2]), (1, 1, stride)
        separable: list[nn.Module] = [
            SeparableConv2d(before, after, 3, step, dilation, True, relu_between or alone, alone)
            for before, after, step, dilation in zip(widths, channels, strides, dilations, strict=True)
        ]
        steps = separable if alone else [nn.Sequential(nn.ReLU(), conv) for conv in separable]
        self.inner, self.step = nn.Sequential(*steps[:2]), steps[2]
        self.shortcut: nn.Module | None = None if alone else nn.Identity()
        if shortcut == "conv":
            skip = nn.Conv2d(in_channels, channels[2], 1, stride, bias=False)
            self.shortcut = nn.Sequential(skip, nn.BatchNorm2d(channels[2]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the block's result."""
        return self.finish(x, self.inner(x))

    def finish(self, x: torch.Tensor, inner: torch.Tensor) -> torch.Tensor:
        """Return what follows after the first two convolutions: the third, and the shortcut next to all three."""
        y = self.step(inner)
        return y if self.shortcut is None else y + self.shortcut(x)


def xception(
    output_stride: int = 16,
    weights: Weights = None,
    width: float = 1.0,
    middle_blocks: int = 16,
    multi_grid: Sequence[int] | None = None,
    relu_between: bool = True,
    norm_eps: float = 1e-5,
) -> nn.Sequential:
    """Return the modified aligned Xception up to 2048 channels; with 16 middle blocks it is the paper's X-65.

    `output_stride`, `weights` and `width` as in `backbones`, but there is no "imagenet", and files have this network's
    keys. `multi_grid`, three numbers, multiplies the dilations of the last block; the paper found it of no use here
    (section 4.3). `relu_between=False` leaves out the ReLU after the depthwise parts (batch norm stays), as the
    released X-65 does before its last block; the paper's text has it. `norm_eps` is batch norm's epsilon, 1e-3 in the
    released X-65. Source: DeepLab v3+, section 3.2, figure 4.
    """
    check_choice("output_stride", output_stride, OUTPUT_STRIDES)
    if middle_blocks < 1:
        raise ValueError(f"middle_blocks must be at least 1, got {middle_blocks}")
    grid = (1, 1, 1) if multi_grid is None else tuple(multi_grid)
    if len(grid) != 3 or min(grid) < 1:
        raise ValueError(f"multi_grid needs three numbers of at least 1 on Xception, got {grid}")
    if isinstance(weights, str) and weights == "imagenet":
        raise ValueError("torchvision has no ImageNet weights of Xception: pass a path, a state dict or None")
    with torch.device("meta"):
        first, before = (scale_channels(number, width) for number in STEM)
        layers: dict[str, nn.Module] = {
            "conv1": Conv2dNormActivation(3, first, 3, stride=2, inplace=False),
            "conv2": Conv2dNormActivation(first, before, 3, inplace=False),
        }
        entry = [(f"entry{i}", channels, 2, "conv") for i, channels in enumerate(ENTRY, start=1)]
        middle = [(f"middle{i}", MIDDLE, 1, "sum") for i in range(1, middle_blocks + 1)]
        last = [("exit1", EXIT[0], 2, "conv"), ("exit2", EXIT[1], 1, "none")]
        stride, dilation = 2, 1
        for name, numbers, step, shortcut in (*entry, *middle, *last):
            channels = [scale_channels(number, width) for number in numbers]
            kept = step if stride * step <= output_stride else 1
            dilations = [dilation * factor for factor in grid] if name == "exit2" else [dilation] * 3
            layers[name] = XceptionBlock(before, channels, kept, dilations, shortcut, relu_between)
            before, stride, dilation = channels[-1], stride * kept, dilation * step // kept
    net = nn.Sequential(OrderedDict(layers))
    for part in net.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.eps = norm_eps
    return materialise(net, weights)
