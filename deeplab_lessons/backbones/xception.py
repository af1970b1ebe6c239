"""DeepLab v3+'s modified aligned Xception: separable convolutions throughout, at any output stride."""

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import nn
from torchvision.ops import Conv2dNormActivation

from deeplab_lessons.backbones.dilation import check_output_stride
from deeplab_lessons.backbones.initialise import materialise, scale_channels
from deeplab_lessons.backbones.weights import Weights, load_weights
from deeplab_lessons.layers.separable import SeparableConv2d

#: Channels of the three separable convolutions in each block; the middle one is repeated.
#: Source: DeepLab v3+, figure 4.
ENTRY = ((128, 128, 128), (256, 256, 256), (728, 728, 728))
MIDDLE = (728, 728, 728)
EXIT = ((728, 1024, 1024), (1536, 1536, 2048))
STEM = (32, 64)
MIDDLE_BLOCKS = 16


class XceptionBlock(nn.Module):
    """Three separable convolutions beside a shortcut: [N, C, h, w] -> [N, channels[2], h / stride, w / stride].

    The third one takes the stride, where Xception had a max-pool. `shortcut` is "conv" (1 x 1 with the stride),
    "sum" (the block's input itself) or "none". A ReLU stands before each convolution, but in a block without a
    shortcut after each. `dilations` are the convolutions' own; `relu_between` sets the ReLU after each depthwise
    part. Source: Chollet, CVPR 2017, figure 5; DeepLab v3+, section 3.2 and figure 4.
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
        steps = []
        before = (in_channels, *channels)
        for i, (inside, outside, dilation) in enumerate(zip(before, channels, dilations, strict=False)):
            conv = SeparableConv2d(
                inside, outside, 3, stride if i == 2 else 1, dilation, True, relu_between or alone, alone
            )
            steps.append(conv if alone else nn.Sequential(nn.ReLU(), conv))
        self.inner, self.step = nn.Sequential(*steps[:2]), steps[2]
        self.shortcut: nn.Module | None = None if alone else nn.Identity()
        if shortcut == "conv":
            skip = nn.Conv2d(in_channels, channels[2], 1, stride, bias=False)
            self.shortcut = nn.Sequential(skip, nn.BatchNorm2d(channels[2]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The block's result."""
        return self.finish(x, self.inner(x))

    def finish(self, x: torch.Tensor, inner: torch.Tensor) -> torch.Tensor:
        """What follows after the first two convolutions: the third, and the shortcut beside all."""
        y = self.step(inner)
        return y if self.shortcut is None else y + self.shortcut(x)


def xception(
    output_stride: int = 16,
    weights: Weights = None,
    width: float = 1.0,
    middle_blocks: int = MIDDLE_BLOCKS,
    multi_grid: Sequence[int] | None = None,
    relu_between: bool = True,
) -> nn.Sequential:
    """Modified aligned Xception: pictures [N, 3, H, W] -> [N, 2048, H / output_stride, W / output_stride].

    Sizes round up. With 16 middle blocks it is the paper's X-65. `output_stride` is 32, 16 or 8: strides beyond
    it are taken out and what follows is dilated, so that the map holds the strided one at every 2nd or 4th
    place. `width` multiplies every number of channels. `multi_grid`, three numbers, multiplies the dilations of
    the last block; the paper found it of no use here (section 4.3). `relu_between=False` leaves out the ReLU
    after the depthwise parts (batch norm stays), as the released X-65 does before its last block; the
    paper's text has it. `weights` are None (random), a state dict or a path, with this network's keys; there is
    no "imagenet". Raises ValueError for what is not there. Source: DeepLab v3+, section 3.2, figure 4.
    """
    check_output_stride(output_stride)
    if middle_blocks < 1:
        raise ValueError(f"middle_blocks must be at least 1, got {middle_blocks}")
    grid = (1, 1, 1) if multi_grid is None else tuple(multi_grid)
    if len(grid) != 3 or min(grid) < 1:
        raise ValueError(f"multi_grid needs three numbers of at least 1 on Xception, got {grid}")
    if isinstance(weights, str) and weights == "imagenet":
        raise ValueError("torchvision has no ImageNet weights of Xception: pass a path, a state dict or None")
    with torch.device("meta"):
        net = _build(output_stride, width, middle_blocks, grid, relu_between)
    return materialise(net, None if weights is None else load_weights(weights, None))


def _build(output_stride, width, middle_blocks, multi_grid, relu_between) -> nn.Sequential:
    """Stem, entry, middle and exit flow; each block with the strides and dilations left to it."""
    stem = [scale_channels(number, width) for number in STEM]
    layers: dict[str, nn.Module] = {
        "conv1": Conv2dNormActivation(3, stem[0], 3, stride=2, inplace=False),
        "conv2": Conv2dNormActivation(stem[0], stem[1], 3, inplace=False),
    }
    entry = [(f"entry{i}", channels, 2, "conv") for i, channels in enumerate(ENTRY, start=1)]
    middle = [(f"middle{i}", MIDDLE, 1, "sum") for i in range(1, middle_blocks + 1)]
    last = [("exit1", EXIT[0], 2, "conv"), ("exit2", EXIT[1], 1, "none")]
    before, stride, dilation = stem[1], 2, 1
    for name, numbers, step, shortcut in (*entry, *middle, *last):
        channels = [scale_channels(number, width) for number in numbers]
        kept = step if stride * step <= output_stride else 1
        dilations = [dilation * factor for factor in multi_grid] if name == "exit2" else [dilation] * 3
        layers[name] = XceptionBlock(before, channels, kept, dilations, shortcut, relu_between)
        before, stride, dilation = channels[-1], stride * kept, dilation * step // kept
    return nn.Sequential(OrderedDict(layers))
