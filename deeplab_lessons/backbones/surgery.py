"""The edits that turn VGG16 into DeepLab v1. Each returns a new network and leaves the one given untouched.

A network under surgery is one flat `nn.Sequential` whose layers bear the papers' names: conv1_1 … conv5_3,
pool1 … pool5, fc6, fc7, fc8. Source: DeepLab v1, sections 3.1 and 3.2; v2, section 3.1.
"""

import copy
from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import nn
from torchvision.models import VGG

from deeplab_lessons.arithmetic import same_padding
from deeplab_lessons.backbones.vgg import start_evenly

_FC6_TAPS = 7


# ---------------------------------------------------------------- edit 1: fully connected -> convolution


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


def linear_to_conv(linear: nn.Linear, kernel_size: int) -> nn.Conv2d:
    """A convolution that gives on a [C, k, k] map the scores of a fully connected layer, as a 1 x 1 map."""
    weight = as_kernel(linear.weight.detach().clone(), kernel_size)
    return _conv(weight, None if linear.bias is None else linear.bias.detach().clone())


def _conv(weight: torch.Tensor, bias: torch.Tensor | None, dilation: int = 1, padding: int = 0) -> nn.Conv2d:
    """A convolution that holds these very numbers."""
    outs, ins, *taps = weight.shape
    with torch.device("meta"):  # its own random start would be thrown away
        conv = nn.Conv2d(ins, outs, tuple(taps), padding=padding, dilation=dilation, bias=bias is not None)
    conv.weight = nn.Parameter(weight)
    conv.bias = None if bias is None else nn.Parameter(bias)
    return conv


def fully_convolutional(vgg: VGG, padding: str = "valid") -> nn.Sequential:
    """Edit 1: VGG16 with convolutions in place of its fully connected layers, under the papers' names.

    Pictures [N, 3, H, W] of at least 224 pixels a side -> scores [N, classes, H/32 - 6, W/32 - 6] (rounded
    down): at 224 the classifier's own scores. `padding` "same" pads fc6 by 3 cells on each side, for a map of
    H/32 x W/32. All weights are carried over. Raises TypeError for anything but torchvision's VGG16.
    """
    if not isinstance(vgg, VGG) or sum(isinstance(m, nn.MaxPool2d) for m in vgg.features) != 5:
        raise TypeError(f"expected the VGG16 of backbones.vgg16 or of torchvision, got {type(vgg).__name__}")
    vgg = copy.deepcopy(vgg)
    fc6, relu6, drop6, fc7, relu7, drop7, fc8 = vgg.classifier
    fc6 = linear_to_conv(fc6, _FC6_TAPS)
    fc6.padding = (same_padding(_FC6_TAPS),) * 2 if _is_same(padding) else (0, 0)
    layers = _named(vgg.features)
    layers |= {"fc6": fc6, "relu6": relu6, "drop6": drop6}
    layers |= {"fc7": linear_to_conv(fc7, 1), "relu7": relu7, "drop7": drop7, "fc8": linear_to_conv(fc8, 1)}
    return nn.Sequential(OrderedDict(layers)).train(vgg.training)


def _named(features: nn.Sequential) -> dict[str, nn.Module]:
    """torchvision's numbered layers, under the names of the papers."""
    layers, block, place = {}, 1, 0
    for layer in features:
        if isinstance(layer, nn.MaxPool2d):
            layers[f"pool{block}"] = layer
            block, place = block + 1, 0
        else:
            place += isinstance(layer, nn.Conv2d)
            kind = {nn.Conv2d: "conv", nn.BatchNorm2d: "bn", nn.ReLU: "relu"}[type(layer)]
            layers[f"{kind}{block}_{place}"] = layer
    return layers


def _is_same(padding: str) -> bool:
    if padding not in ("same", "valid"):
        raise ValueError(f'padding must be "same" or "valid", got {padding!r}')
    return padding == "same"


def _surgery_copy(net: nn.Module) -> nn.Sequential:
    """A deep copy of a network on which edit 1 has been done."""
    if not isinstance(net, nn.Sequential) or not hasattr(net, "fc6"):
        raise TypeError(
            f"this edit works on the network that fully_convolutional returns, got {type(net).__name__}"
        )
    return copy.deepcopy(net)


# ---------------------------------------------------------------- edit 2: no stride in pool4 and pool5


class SameMaxPool2d(nn.MaxPool2d):
    """Max pooling at stride 1 that keeps the map's size: [N, C, H, W] -> [N, C, H, W].

    Unit i looks at cells i and i + dilation. Cells that are missing on the right and below count as minus
    infinity, so that they never win.
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Pool x [N, C, H, W]."""
        extra = (self.kernel_size - 1) * self.dilation
        return super().forward(F.pad(x, (0, extra, 0, extra), value=-torch.inf))


def keep_resolution(net: nn.Sequential, padding: str = "same") -> nn.Sequential:
    """Edit 2: pool4 and pool5 move by 1 cell, not by 2, so that the map stays at stride 8.

    With `padding` "same" a pool keeps its map's size; "valid" adds no cells, and the map loses one at each pool.
    No weight changes, but conv5 and fc6 now see cells that lie too close together: see `dilate`.
    """
    pool, net = SameMaxPool2d if _is_same(padding) else nn.MaxPool2d, _surgery_copy(net)
    net.pool4, net.pool5 = pool(2, stride=1), pool(2, stride=1)
    return net


def released_pools(net: nn.Sequential) -> nn.Sequential:
    """Edit 2 as in the authors' released networks: all five pools 3 x 3 with padding 1, the last two at stride 1.

    torch rounds map sizes down where Caffe rounds up: they agree for pictures of 8n + 1 pixels, such as 321.
    """
    net = _surgery_copy(net)
    for block in range(1, 6):
        setattr(net, f"pool{block}", nn.MaxPool2d(3, stride=2 if block < 4 else 1, padding=1))
    return net


# ---------------------------------------------------------------- edit 3: holes


def dilate(net: nn.Sequential, pool5: bool = True) -> nn.Sequential:
    """Edit 3: taps move apart as far as the strides that edit 2 took away: conv5 and pool5 by 2, fc6 by 4.

    Padding grows with the dilation. Every unit that the strided network had is there again, at every fourth
    place; lesson 04 proves it. `pool5=False` leaves pool5 undilated, as papers and released networks do: then the
    fields differ, and so do the numbers.
    """
    net = _surgery_copy(net)
    for place in (1, 2, 3):
        _spread(getattr(net, f"conv5_{place}"), 2)
    _spread(net.fc6, 4)
    if pool5:
        net.pool5.dilation = 2
    return net


def _spread(conv: nn.Conv2d, dilation: int) -> None:
    """Move the taps of an undilated convolution apart, and its padding with them."""
    conv.padding = tuple(dilation * cells for cells in conv.padding)
    conv.dilation = (dilation, dilation)


# ---------------------------------------------------------------- edit 4: the classes


def new_classifier(net: nn.Sequential, num_classes: int = 21) -> nn.Sequential:
    """Edit 4: a fresh 1 x 1 layer from fc7's channels to `num_classes` (VOC: 20 and background).

    Random weights of standard deviation 0.01 and zero biases: every class begins equally likely.
    """
    net = _surgery_copy(net)
    ins = net.fc8.in_channels
    weight = net.fc8.weight
    net.fc8 = nn.Conv2d(ins, num_classes, 1, device=weight.device, dtype=weight.dtype)
    start_evenly(net.fc8)
    return net


# ---------------------------------------------------------------- edit 5: a smaller fc6


def decimate(weight: torch.Tensor, kernel_size: int) -> torch.Tensor:
    """Keep evenly spaced taps, the outermost among them: [O, I, 7, 7] -> [O, I, 4, 4] or [O, I, 3, 3].

    With taps 0, 3, 6 of 7 at three times the dilation, the kernel reads with the same weights at the same
    cells, only at fewer of them. Raises ValueError where the taps can't be evenly spaced.
    Source: DeepLab v1, section 3.2 ("simple decimation").
    """
    taps = weight.shape[-1]
    if not 2 <= kernel_size <= taps or (taps - 1) % (kernel_size - 1):
        fitting = [k for k in range(2, taps + 1) if (taps - 1) % (k - 1) == 0]
        raise ValueError(
            f"of {taps} taps in a row {fitting} can be kept at even distances, not {kernel_size}"
        )
    step = (taps - 1) // (kernel_size - 1)
    return weight[..., ::step, ::step]


def large_fov(
    net: nn.Sequential, kernel_size: int = 3, rate: int = 12, channels: int = 1024, seed: int = 0
) -> nn.Sequential:
    """Edit 5: fc6 with fewer taps further apart, fc6 and fc7 with fewer channels.

    fc6 is decimated to `kernel_size` and dilated by `rate`; of the trained filters of fc6 and of fc7 a random
    subset of `channels` stays (always the same one for one `seed`). fc8 keeps the weights that belong to them.
    With padding in fc6 before, the new fc6 keeps the map's size.
    The paper's rows (kernel_size, rate, channels): (7, 4, 4096), (4, 4, 4096), (4, 8, 4096), (3, 12, 1024).
    Source: DeepLab v1, table 2; the random subset: v2.
    """
    net = _surgery_copy(net)
    padded = net.fc6.padding != (0, 0)
    if channels > net.fc6.out_channels:
        raise ValueError(f"fc6 has {net.fc6.out_channels} channels to choose from, {channels} were asked for")
    numbers = torch.Generator().manual_seed(seed)
    kept6, kept7 = (_subset(conv.out_channels, channels, numbers) for conv in (net.fc6, net.fc7))
    weight = decimate(net.fc6.weight.detach(), kernel_size)
    padding = same_padding(kernel_size, rate) if padded else 0
    net.fc6 = _conv(_pick(weight, kept6), _pick(net.fc6.bias.detach(), kept6), rate, padding)
    net.fc7 = _conv(_pick(net.fc7.weight.detach(), kept7, kept6), _pick(net.fc7.bias.detach(), kept7))
    net.fc8 = _conv(_pick(net.fc8.weight.detach(), None, kept7), net.fc8.bias.detach().clone())
    return net


def _subset(of: int, channels: int, numbers: torch.Generator) -> torch.Tensor:
    """`channels` of `of` numbers, drawn at random, in order."""
    return torch.randperm(of, generator=numbers, device="cpu")[:channels].sort().values


def _pick(tensor: torch.Tensor, outs: torch.Tensor | None, ins: torch.Tensor | None = None) -> torch.Tensor:
    """The chosen output channels (first axis) and input channels (second axis)."""
    for axis, chosen in enumerate((outs, ins)):
        if chosen is not None:
            tensor = tensor.index_select(axis, chosen.to(tensor.device))
    return tensor.clone(memory_format=torch.contiguous_format)
