"""Shapes first, then numbers: a network is built on the meta device and filled once, from a file or at random."""

from collections.abc import Mapping
from typing import TypeVar

import torch
from torch import nn

from deeplab_lessons.backbones.weights import fill

Network = TypeVar("Network", bound=nn.Module)


def scale_channels(channels: int, width: float) -> int:
    """Return `channels` times `width`, rounded, at least 1."""
    return max(1, round(channels * width))


def init_kaiming(net: nn.Module) -> None:
    """Draw random weights that keep a signal's strength from layer to layer; works in place.

    Convolutions and linear layers: normal, variance 2 / (inputs of a unit); biases 0; batch norm 1 and 0.
    Numbers come from torch's global generator. Source: He et al., ICCV 2015, for layers before a ReLU.
    """
    for layer in net.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.reset_parameters()
        elif isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def init_classifier(classifier: nn.Conv2d | nn.Linear) -> None:
    """Draw small weights (standard deviation 0.01) and set the bias to 0: all classes begin about equally likely."""
    nn.init.normal_(classifier.weight, std=0.01)
    if classifier.bias is not None:
        nn.init.zeros_(classifier.bias)


def materialise(net: Network, state: Mapping[str, torch.Tensor] | None = None) -> Network:
    """Fill a network that was built on the meta device, and return it: with a state dict, or by `init_kaiming`.

    Random numbers are drawn on the default device. If that is the meta device itself, a state dict is only
    checked and the network stays without numbers. Raises ValueError for a state dict of another network.
    """
    device = torch.get_default_device()
    if state is not None:
        fill(net, state)
        return net.to(device) if device.type == "meta" else net
    if device.type != "meta":
        net = net.to_empty(device=device)
        init_kaiming(net)
    return net
