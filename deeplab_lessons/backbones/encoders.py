"""The backbones of DeepLab v3 and v3+ by name, and the low-level features that the decoder takes from them."""

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import nn

from deeplab_lessons.backbones.mobilenet import mobilenet_v2
from deeplab_lessons.backbones.resnet import DEPTHS, resnet
from deeplab_lessons.backbones.weights import Weights, materialise
from deeplab_lessons.backbones.xception import XceptionBlock, xception
from deeplab_lessons.checks import check_choice

LOW_LEVEL_STRIDE = 4  # Source: DeepLab v3+, section 3.1.
RESNETS = tuple(f"resnet{depth}" for depth in DEPTHS)
#: Which options a backbone has, and their defaults.
OPTIONS: dict[str, dict[str, Any]] = {
    **{name: {"multi_grid": None, "cascade": 4, "blocks": None, "stride_in": "3x3"} for name in RESNETS},
    "xception": {"multi_grid": None, "middle_blocks": 16, "relu_between": True, "norm_eps": 1e-5},
    "mobilenet_v2": {},
}


def encoder(
    name: str,
    output_stride: int = 16,
    width: float = 1.0,
    weights: Weights = None,
    multi_grid: Sequence[int] | str | None = "paper",
    **options: Any,
) -> nn.Sequential:
    """Build a backbone by name.

    `multi_grid` "paper" is (1, 2, 4) on ResNets (DeepLab v3, table 5) and none elsewhere. An option of another
    backbone may be given as long as it has its default. Raises ValueError for an unknown name or option.
    """
    check_choice("backbone", name, OPTIONS)
    if isinstance(multi_grid, str):
        if multi_grid != "paper":
            raise ValueError(f'multi_grid must be "paper", numbers or None; got {multi_grid!r}')
        multi_grid = (1, 2, 4) if name in RESNETS else None
    defaults = {option: value for own in OPTIONS.values() for option, value in own.items()}
    options = {"multi_grid": multi_grid, **options}
    options = {option: value for option, value in options.items() if value != defaults[option]}
    foreign = [option for option in options if option not in OPTIONS[name]]
    if foreign:
        own = ", ".join(OPTIONS[name]) or "none of its own"
        raise ValueError(f'"{name}" has no option {", ".join(foreign)}; it has {own}')
    if name == "xception":
        return xception(output_stride, weights, width, **options)
    if name in RESNETS:
        return resnet(int(name.removeprefix("resnet")), output_stride, weights, width, **options)
    if weights is not None:
        return mobilenet_v2(output_stride, weights, width)
    with torch.device("meta"):  # not torchvision's own random start, but that of the other two
        net = mobilenet_v2(output_stride, None, width)
    return materialise(net)


def check_images(x: torch.Tensor, smallest: int = 1) -> torch.Tensor:
    """Return a network's input [N, 3, H, W] as it is; raise ValueError for another shape or a side too short."""
    if x.ndim != 4 or x.shape[1] != 3 or min(x.shape[2:]) < smallest:
        raise ValueError(
            f"expected pictures [N, 3, H, W] from {smallest} pixels per side, got {list(x.shape)}: for one pass x[None]"
        )
    return x


def out_channels(part: nn.Module) -> int:
    """Return the channels of a part's result: those of its last convolution."""
    return [layer for layer in part.modules() if isinstance(layer, nn.Conv2d)][-1].out_channels


def low_level_channels(net: nn.Sequential) -> int:
    """Return the channels of the first map that `low_level_features` gives."""
    layer = net.get_submodule(_low_level_layer(net))
    return out_channels(layer.inner if isinstance(layer, XceptionBlock) else layer)


def low_level_features(
    net: nn.Sequential, x: torch.Tensor, released: bool = False
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the low-level features [N, C, H/4, W/4] and the last map of images x [N, 3, H, W].

    They are the last ones at stride 4: after layer1 of a ResNet (the paper's Conv2), in MobileNetV2 after its
    second block of 24 channels (our choice), in Xception before entry2's stride, as in the released code (the
    paper's text says "before striding" only of ResNet-101). The released code takes less of a ResNet: of layer1's
    second block what is added to the shortcut, before that sum and its ReLU; `released` does so, for ResNets of
    bottlenecks. Source: DeepLab v3+, section 4.1; released `feature_extractor.py`, block1/unit_2/…/conv3.
    """
    wanted = _low_level_layer(net)
    for name, layer in net.named_children():
        if name != wanted:
            x = layer(x)
        elif isinstance(layer, XceptionBlock):
            low = layer.inner(x)
            x = layer.finish(x, low)
        elif released:
            first, second, *rest = cast(Any, layer)
            x = first(x)
            low = second.relu(second.bn2(second.conv2(second.relu(second.bn1(second.conv1(x))))))
            low = second.bn3(second.conv3(low))
            x = second.relu(low + x)
            for block in rest:
                x = block(x)
        else:
            low = x = layer(x)
    return low, x


def _low_level_layer(net: nn.Sequential) -> str:
    for name in ("layer1", "entry2", "3"):
        if hasattr(net, name):
            return name
    raise ValueError("the backbone must be a ResNet, Xception or MobileNetV2: pass one that `encoder` builds")
