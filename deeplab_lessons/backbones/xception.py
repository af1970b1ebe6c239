"""DeepLab v3+'s modified aligned Xception: separable convolutions throughout, at any output stride."""

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import nn

from deeplab_lessons.backbones.vgg import he, scaled
from deeplab_lessons.backbones.weights import Weights, fill, load_weights
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
        """Make the three convolutions and the shortcut; torch's own random start."""
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
        self.shortcut = None if alone else nn.Identity()
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


class Xception(nn.Sequential):
    """The whole backbone, block after block; `maps` also gives the early map that v3+'s decoder takes.

    Build it with `xception`.
    """

    def maps(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Early map [N, C, H/4, W/4] and last map of pictures x [N, 3, H, W].

        The early one stands in entry2 before its stride. Source: the released code; the paper's text says
        "before striding" of ResNet-101 alone.
        """
        low = x
        for name, layer in self.named_children():
            if name == "entry2":
                low = layer.inner(x)
                x = layer.finish(x, low)
            else:
                x = layer(x)
        return low, x


def xception(
    output_stride: int = 16,
    weights: Weights = None,
    width: float = 1.0,
    middle_blocks: int = MIDDLE_BLOCKS,
    multi_grid: Sequence[int] | None = None,
    relu_between: bool = True,
) -> Xception:
    """Modified aligned Xception: pictures [N, 3, H, W] -> [N, 2048, H / output_stride, W / output_stride].

    Sizes round up. With 16 middle blocks it is the paper's X-65. `output_stride` is 32, 16 or 8: strides beyond
    it are taken out and what follows is dilated, so that the map holds the strided one at every 2nd or 4th
    place. `width` multiplies every number of channels. `multi_grid`, three numbers, multiplies the dilations of
    the last block; the paper found it of no use here (section 4.3). `relu_between=False` leaves out the ReLU
    after the depthwise parts (batch norm stays), as the released X-65 does before its last block; the
    paper's text has it. `weights` are None (random), a state dict or a path, with this network's keys; there is
    no "imagenet". Raises ValueError for what is not there. Source: DeepLab v3+, section 3.2, figure 4.
    """
    if output_stride not in (8, 16, 32):
        raise ValueError(f"output_stride must be 8, 16 or 32, got {output_stride}")
    if middle_blocks < 1:
        raise ValueError(f"middle_blocks must be at least 1, got {middle_blocks}")
    grid = (1, 1, 1) if multi_grid is None else tuple(multi_grid)
    if len(grid) != 3 or min(grid) < 1:
        raise ValueError(f"multi_grid needs three numbers of at least 1 on Xception, got {grid}")
    meta = torch.get_default_device().type == "meta"
    with torch.device("meta"):
        net = _build(output_stride, width, middle_blocks, grid, relu_between)
    if weights is not None:
        if isinstance(weights, str) and weights == "imagenet":
            raise ValueError(
                "torchvision has no ImageNet weights of Xception: give a path, a state dict or None"
            )
        fill(net, load_weights(weights, None))
    elif not meta:
        net = net.to_empty(device=torch.get_default_device())
        he(net)
    return net


def _build(output_stride, width, middle_blocks, grid, relu_between) -> Xception:
    """Stem, entry, middle and exit flow; each block with the strides and dilations left to it."""
    layers = OrderedDict(_stem(width))
    entry = [(f"entry{i}", channels, 2, "conv") for i, channels in enumerate(ENTRY, start=1)]
    middle = [(f"middle{i}", MIDDLE, 1, "sum") for i in range(1, middle_blocks + 1)]
    last = [("exit1", EXIT[0], 2, "conv"), ("exit2", EXIT[1], 1, "none")]
    before, stride, rate = scaled(STEM[-1], width), 2, 1
    for name, wide, asked, shortcut in (*entry, *middle, *last):
        channels = [scaled(number, width) for number in wide]
        taken = asked if stride * asked <= output_stride else 1
        dilations = [rate * unit for unit in grid] if name == "exit2" else [rate] * 3
        layers[name] = XceptionBlock(before, channels, taken, dilations, shortcut, relu_between)
        before, stride, rate = channels[-1], stride * taken, rate * asked // taken
    return Xception(layers)


def _stem(width: float) -> dict[str, nn.Module]:
    """Two 3 x 3 convolutions, the first with a stride of 2, each with batch norm and ReLU."""
    parts, before = {}, 3
    for i, wide in enumerate(STEM, start=1):
        channels = scaled(wide, width)
        conv = nn.Conv2d(before, channels, 3, stride=2 if i == 1 else 1, padding=1, bias=False)
        parts[f"conv{i}"] = nn.Sequential(conv, nn.BatchNorm2d(channels), nn.ReLU())
        before = channels
    return parts
