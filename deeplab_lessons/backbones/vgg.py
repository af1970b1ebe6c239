"""torchvision's VGG16, at any width."""

import torch
from torch import nn
from torchvision.models import VGG, VGG16_BN_Weights, VGG16_Weights

from deeplab_lessons.backbones.weights import Weights, fill, load_weights

#: Channels of each block at width 1. Source: Simonyan and Zisserman, ICLR 2015, table 1, column D.
BLOCKS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
FULLY_CONNECTED = 4096


def scaled(channels: int, width: float) -> int:
    """`channels` times `width`, rounded, at least 1."""
    return max(1, round(channels * width))


def vgg16(
    width: float = 1.0, weights: Weights = None, batch_norm: bool = False, num_classes: int = 1000
) -> VGG:
    """torchvision's VGG16: pictures [N, 3, 224, 224] -> scores [N, num_classes].

    `width` multiplies every number of channels; at width 1 the structure and the keys are torchvision's own.
    `weights` is None (random, see `he` and `start_evenly`), "imagenet" (torchvision's file, downloaded when it
    is not there), a state dict or a path. `batch_norm` gives torchvision's vgg16_bn. Raises ValueError for a
    width that is not positive or weights of another network. Source: Simonyan and Zisserman, ICLR 2015.
    """
    if not width > 0:
        raise ValueError(
            f"width must be above 0, got {width}: 1.0 is VGG16, 0.25 has a quarter of its channels"
        )
    with torch.device("meta"):  # shapes first: torchvision's own start would fill 138 million numbers twice
        net = VGG(nn.Identity(), num_classes=num_classes, init_weights=False)
        net.features = _features(width, batch_norm)
        net.classifier = _classifier(width, num_classes)
    if weights is not None:
        imagenet = (VGG16_BN_Weights if batch_norm else VGG16_Weights).IMAGENET1K_V1
        fill(net, load_weights(weights, imagenet))
    elif torch.get_default_device().type != "meta":
        net = net.to_empty(device=torch.get_default_device())
        he(net)
        start_evenly(net.classifier[-1])
    return net


def _features(width: float, batch_norm: bool) -> nn.Sequential:
    layers, before = [], 3
    for block in BLOCKS:
        for channels in block:
            after = scaled(channels, width)
            layers.append(nn.Conv2d(before, after, 3, padding=1))
            layers += [nn.BatchNorm2d(after)] if batch_norm else []
            layers.append(nn.ReLU(inplace=True))
            before = after
        layers.append(nn.MaxPool2d(2, 2))
    return nn.Sequential(*layers)


def _classifier(width: float, num_classes: int) -> nn.Sequential:
    last, hidden = scaled(BLOCKS[-1][-1], width), scaled(FULLY_CONNECTED, width)
    return nn.Sequential(
        nn.Linear(last * 7 * 7, hidden),
        nn.ReLU(inplace=True),
        nn.Dropout(0.5),
        nn.Linear(hidden, hidden),
        nn.ReLU(inplace=True),
        nn.Dropout(0.5),
        nn.Linear(hidden, num_classes),
    )


def he(net: nn.Module) -> None:
    """Fill weights with random numbers that keep a signal's strength from layer to layer; works in place.

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


def start_evenly(classifier: nn.Conv2d | nn.Linear) -> None:
    """Small random weights (standard deviation 0.01) and no bias: every class begins about equally likely."""
    nn.init.normal_(classifier.weight, std=0.01)
    nn.init.zeros_(classifier.bias)
