"""The edits that turn VGG16 into DeepLab v1. Each returns a new network and leaves the one given untouched.

A network under surgery is one flat `nn.Sequential` under the papers' names: conv1_1 … conv5_3, pool1 … pool5,
fc6, fc7, fc8. Source: DeepLab v1, sections 3.1 and 3.2; v2, section 3.1.
"""

import copy
from collections import OrderedDict
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from torchvision.models import VGG

from deeplab_lessons.arithmetic import same_padding
from deeplab_lessons.backbones.dilation import set_dilation
from deeplab_lessons.backbones.initialise import init_classifier
from deeplab_lessons.checks import check_choice

_FC6_TAPS = 7


def as_kernel(weight: torch.Tensor, kernel_size: int) -> torch.Tensor:
    """Read a fully connected layer's weight as a kernel: [O, C k k] -> [O, C, k, k], the same numbers.

    A map [C, k, k] is flattened channel by channel, each of them row by row. Raises ValueError where the
    inputs can't be split so. Source: DeepLab v1, section 3.1.
    """
    outs, ins = weight.shape
    taps = kernel_size * kernel_size
    if ins % taps:
        raise ValueError(
            f"{ins} inputs cannot be split into {kernel_size}×{kernel_size} = {taps} taps: kernel_size must be "
            "the side of the map that the layer was trained on"
        )
    return weight.reshape(outs, ins // taps, kernel_size, kernel_size)


def _conv(weight: torch.Tensor, bias: torch.Tensor | None, dilation: int = 1, padding: int = 0) -> nn.Conv2d:
    """A convolution that holds a copy of these numbers."""
    outs, ins, *taps = weight.shape
    with torch.device("meta"):  # its own random start would be thrown away
        conv = nn.Conv2d(ins, outs, (taps[0], taps[1]), padding=padding, dilation=dilation)
    conv.weight = nn.Parameter(weight.detach().clone(memory_format=torch.contiguous_format))
    conv.bias = None if bias is None else nn.Parameter(bias.detach().clone())
    return conv


def fully_convolutional(vgg: VGG, padding: str = "valid") -> nn.Sequential:
    """Edit 1: VGG16 with convolutions instead of its fully connected layers; all weights are carried over.

    Images [N, 3, H, W] of at least 224 pixels per side -> scores [N, classes, H/32 - 6, W/32 - 6] (rounded
    down): at 224 the classifier's own scores. `padding` "same" pads fc6 by 3 cells on each side, for a map of
    H/32 x W/32. Raises TypeError for anything but torchvision's VGG16.
    """
    if not isinstance(vgg, VGG) or sum(isinstance(m, nn.MaxPool2d) for m in vgg.features) != 5:
        raise TypeError(f"expected the VGG16 of backbones.vgg16 or of torchvision, got {type(vgg).__name__}")
    check_choice("padding", padding, ("same", "valid"))
    vgg = copy.deepcopy(vgg)
    names = ("fc6", "relu6", "drop6", "fc7", "relu7", "drop7", "fc8")
    layers: dict[str, Any] = _named(vgg.features) | dict(zip(names, vgg.classifier, strict=True))
    for name, kernel_size in (("fc6", _FC6_TAPS), ("fc7", 1), ("fc8", 1)):
        linear = layers[name]
        layers[name] = _conv(as_kernel(linear.weight, kernel_size), linear.bias).train(linear.training)
    if padding == "same":
        layers["fc6"].padding = (same_padding(_FC6_TAPS),) * 2
    net = nn.Sequential(OrderedDict(layers))
    net.training = vgg.training
    return net


def _named(features: nn.Sequential) -> dict[str, nn.Module]:
    """torchvision's numbered layers, under the names of the papers."""
    kinds: dict[type, str] = {nn.Conv2d: "conv", nn.BatchNorm2d: "bn", nn.ReLU: "relu", nn.MaxPool2d: "pool"}
    layers: dict[str, nn.Module] = {}
    block, position = 1, 0
    for layer in features:
        kind = kinds[type(layer)]
        position += kind == "conv"
        layers[f"pool{block}" if kind == "pool" else f"{kind}{block}_{position}"] = layer
        if kind == "pool":
            block, position = block + 1, 0
    return layers


def _surgery_copy(net: nn.Module) -> Any:
    """A deep copy of a network on which edit 1 has been done."""
    if not isinstance(net, nn.Sequential) or not hasattr(net, "fc6"):
        raise TypeError(f"net must be what fully_convolutional returns, got {type(net).__name__}")
    return copy.deepcopy(net)


class SameMaxPool2d(nn.MaxPool2d):
    """Max pooling at stride 1 that keeps the map's size: [N, C, H, W] -> [N, C, H, W].

    Unit i looks at cells i and i + dilation; cells missing on the right and below never win.
    """

    kernel_size: int
    dilation: int

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Pool x [N, C, H, W]."""
        extra = (self.kernel_size - 1) * self.dilation
        return super().forward(F.pad(x, (0, extra, 0, extra), value=-torch.inf))


def keep_resolution(net: nn.Sequential, padding: str = "same") -> nn.Sequential:
    """Edit 2: pool4 and pool5 move by 1 cell, not by 2, so that the map stays at stride 8.

    With `padding` "same" a pool keeps its map's size; "valid" adds no cells, and the map loses one at each pool.
    No weight changes, but conv5 and fc6 now see cells that lie too close together: see `dilate`.
    """
    check_choice("padding", padding, ("same", "valid"))
    pool, edited = SameMaxPool2d if padding == "same" else nn.MaxPool2d, _surgery_copy(net)
    edited.pool4, edited.pool5 = pool(2, stride=1), pool(2, stride=1)
    return edited


def released_pools(net: nn.Sequential) -> nn.Sequential:
    """Edit 2 as in the authors' released networks: all five pools 3 x 3 with padding 1, the last two at stride 1.

    torch rounds map sizes down where Caffe rounds up: they agree for pictures of 8n + 1 pixels, such as 321. One layer
    of the released LargeFOV is left out: `pool5a`, an average over 3 x 3 cells between pool5 and fc6.
    """
    edited = _surgery_copy(net)
    for block in range(1, 6):
        setattr(edited, f"pool{block}", nn.MaxPool2d(3, stride=2 if block < 4 else 1, padding=1))
    return edited


def dilate(net: nn.Sequential, pool5: bool = True) -> nn.Sequential:
    """Edit 3: taps move apart as far as the strides that edit 2 took away: conv5 and pool5 by 2, fc6 by 4.

    Padding grows with the dilation. Every unit that the strided network had is there again, at every fourth
    place; lesson 04 proves it. `pool5=False` leaves pool5 undilated, as papers and released networks do: then the
    fields differ, and so do the numbers.
    """
    edited = _surgery_copy(net)
    for name in ("conv5_1", "conv5_2", "conv5_3"):
        set_dilation(edited.get_submodule(name), 2)
    set_dilation(edited.fc6, 4)
    if pool5:
        edited.pool5.dilation = 2
    return edited


def new_classifier(net: nn.Sequential, num_classes: int = 21) -> nn.Sequential:
    """Edit 4: a fresh 1 x 1 layer from fc7's channels to `num_classes` (VOC: 20 and background)."""
    edited = _surgery_copy(net)
    weight = edited.fc8.weight
    edited.fc8 = nn.Conv2d(weight.shape[1], num_classes, 1, device=weight.device, dtype=weight.dtype)
    init_classifier(edited.fc8)
    return edited


def decimate(weight: torch.Tensor, kernel_size: int) -> torch.Tensor:
    """Keep evenly spaced taps, the outermost among them: [O, I, 7, 7] -> [O, I, 4, 4] or [O, I, 3, 3].

    With taps 0, 3, 6 of 7 at three times the dilation, the kernel reads with the same weights at the same
    cells, only at fewer of them. Raises ValueError where the taps can't be evenly spaced.
    Source: DeepLab v1, section 3.2 ("simple decimation").
    """
    taps = weight.shape[-1]
    if not 2 <= kernel_size <= taps or (taps - 1) % (kernel_size - 1):
        fitting = [k for k in range(2, taps + 1) if (taps - 1) % (k - 1) == 0]
        raise ValueError(f"of {taps} taps in a row {fitting} fit at even distances, not {kernel_size}")
    step = (taps - 1) // (kernel_size - 1)
    return weight[..., ::step, ::step]


def large_fov(
    net: nn.Sequential, kernel_size: int = 3, rate: int = 12, channels: int = 1024, seed: int = 0
) -> nn.Sequential:
    """Edit 5: fc6 with fewer taps further apart, fc6 and fc7 with fewer channels.

    fc6 is decimated to `kernel_size` and dilated by `rate`, and keeps the map's size if it did so before. Of the
    trained filters of fc6 and of fc7 a random subset of `channels` stays, drawn from `seed`; fc8 keeps the weights
    that belong to them. The paper's rows (kernel_size, rate, channels): (7, 4, 4096), (4, 4, 4096), (4, 8, 4096),
    (3, 12, 1024). Source: DeepLab v1, table 2; the random subset: v2.
    """
    edited = _surgery_copy(net)
    fc6, fc7, fc8 = edited.fc6, edited.fc7, edited.fc8
    if channels > fc6.out_channels:
        raise ValueError(f"fc6 has {fc6.out_channels} channels to choose from, {channels} were requested")
    generator = torch.Generator().manual_seed(seed)
    kept6, kept7 = (_subset(conv, channels, generator) for conv in (fc6, fc7))
    padding = 0 if fc6.padding == (0, 0) else same_padding(kernel_size, rate)
    edited.fc6 = _conv(decimate(fc6.weight, kernel_size)[kept6], fc6.bias[kept6], rate, padding)
    edited.fc7 = _conv(fc7.weight[kept7][:, kept6], fc7.bias[kept7])
    edited.fc8 = _conv(fc8.weight[:, kept7], fc8.bias)
    return edited


def _subset(conv: nn.Conv2d, channels: int, generator: torch.Generator) -> torch.Tensor:
    """`channels` of a convolution's filters, drawn at random, in order."""
    drawn = torch.randperm(conv.out_channels, generator=generator, device="cpu")[:channels]
    return drawn.sort().values.to(conv.weight.device)
