"""How a network begins: its width, and its random weights."""

from torch import nn


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
