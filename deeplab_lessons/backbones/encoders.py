"""The backbones of DeepLab v3 and v3+ by name, and the early map that the decoder takes from them."""

from collections.abc import Sequence

import torch
from torch import nn

from deeplab_lessons.backbones import Xception, mobilenet_v2, resnet, xception
from deeplab_lessons.backbones.resnet import DEPTHS
from deeplab_lessons.backbones.vgg import he
from deeplab_lessons.backbones.weights import Weights

#: Factors of layer4's three blocks on ResNets. Source: DeepLab v3, table 5.
MULTI_GRID = (1, 2, 4)
RESNETS = tuple(f"resnet{depth}" for depth in DEPTHS)
EARLY_STRIDE = 4  # of the early map. Source: DeepLab v3+, section 3.1.

_ON_RESNETS = {"multi_grid": None, "cascade": 4, "blocks": None, "stride_in": "3x3"}
#: Which options a backbone has, and what they are when nobody asks.
OPTIONS = {
    **dict.fromkeys(RESNETS, _ON_RESNETS),
    "xception": {"multi_grid": None, "middle_blocks": 16, "relu_between": True},
    "mobilenet_v2": {},
}


def encoder(
    name: str,
    output_stride: int = 16,
    width: float = 1.0,
    weights: Weights = None,
    multi_grid: Sequence[int] | str | None = "paper",
    **options,
) -> nn.Sequential:
    """A backbone by name: pictures [N, 3, H, W] -> [N, channels, H / output_stride, W / output_stride].

    `multi_grid` "paper" is (1, 2, 4) on ResNets and none elsewhere. An option of another backbone may be given as
    long as it has its usual value. Raises ValueError for an unknown name, or an option that is not this one's.
    """
    if name not in OPTIONS:
        known = ", ".join(f'"{known}"' for known in OPTIONS)
        raise ValueError(f"backbone must be one of {known}; got {name!r}")
    if isinstance(multi_grid, str):
        if multi_grid != "paper":
            raise ValueError(f'multi_grid must be "paper", numbers or None; got {multi_grid!r}')
        multi_grid = MULTI_GRID if name in RESNETS else None
    usual = {option: value for own in OPTIONS.values() for option, value in own.items()}
    given = {"multi_grid": multi_grid, **options}
    asked = {option: value for option, value in given.items() if value != usual[option]}
    foreign = [option for option in asked if option not in OPTIONS[name]]
    if foreign:
        own = ", ".join(OPTIONS[name]) or "none of its own"
        raise ValueError(f'"{name}" has no option {", ".join(foreign)}; it has {own}')
    if name == "xception":
        return xception(output_stride, weights, width, **asked)
    if name == "mobilenet_v2":
        return _mobilenet(output_stride, weights, width)
    return resnet(int(name.removeprefix("resnet")), output_stride, weights, width, **asked)


def _mobilenet(output_stride: int, weights: Weights, width: float) -> nn.Sequential:
    if weights is not None:
        return mobilenet_v2(output_stride, weights, width)
    with torch.device("meta"):
        net = mobilenet_v2(output_stride, None, width)
    return at_random(net)


def at_random(part: nn.Module) -> nn.Module:
    """A part made without numbers, filled with random ones on the default device (`he`); on meta, as it is."""
    device = torch.get_default_device()
    if device.type != "meta":
        part = part.to_empty(device=device)
        he(part)
    return part


def channels_of(part: nn.Module) -> int:
    """Channels of a part's result: those of its last convolution."""
    return [layer for layer in part.modules() if isinstance(layer, nn.Conv2d)][-1].out_channels


def early_channels(net: nn.Sequential) -> int:
    """Channels of the early map that `early_and_last` gives."""
    part = net.entry2.inner if isinstance(net, Xception) else net.get_submodule(_early_layer(net))
    return channels_of(part)


def early_and_last(net: nn.Sequential, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Early map [N, C, H/4, W/4] and last map of pictures x [N, 3, H, W].

    The early map is the last one at stride 4: after layer1 of a ResNet (the paper's Conv2), in Xception before
    entry2's stride, in MobileNetV2 after its second block of 24 channels (our choice).
    Source: DeepLab v3+, section 4.1.
    """
    if isinstance(net, Xception):
        return net.maps(x)
    early, wanted = x, _early_layer(net)
    for name, layer in net.named_children():
        x = layer(x)
        if name == wanted:
            early = x
    return early, x


def _early_layer(net: nn.Sequential) -> str:
    return "layer1" if hasattr(net, "layer1") else "3"
