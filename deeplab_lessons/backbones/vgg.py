"""torchvision's VGG16, at any width."""

import torch
from torch import nn
from torchvision import models
from torchvision.models.vgg import VGG, cfgs, make_layers

from deeplab_lessons.backbones.initialise import init_classifier, scale_channels
from deeplab_lessons.backbones.weights import Weights, materialise


def vgg16(width: float = 1.0, weights: Weights = None, batch_norm=False, num_classes: int = 1000) -> VGG:
    """Return torchvision's VGG16, or vgg16_bn with `batch_norm`: images [N, 3, 224, 224] -> scores [N, num_classes].

    At width 1 the structure and the keys are torchvision's own. Random weights are those of `init_kaiming` and
    `init_classifier`. Raises ValueError for a width that is not positive or weights of another network.
    Source: Simonyan and Zisserman, ICLR 2015, table 1.
    """
    if not width > 0:
        raise ValueError(f"width must be above 0, got {width}: 1.0 is VGG16, 0.25 a quarter of its channels")
    column_d = [layer if isinstance(layer, str) else scale_channels(layer, width) for layer in cfgs["D"]]
    last, hidden = scale_channels(512, width), scale_channels(4096, width)
    with torch.device("meta"):
        net = VGG(make_layers(column_d, batch_norm), init_weights=False)
        sizes = {0: (last * 7 * 7, hidden), 3: (hidden, hidden), 6: (hidden, num_classes)}
        for layer, (ins, outs) in sizes.items():
            net.classifier[layer] = nn.Linear(ins, outs)
    imagenet = models.VGG16_BN_Weights if batch_norm else models.VGG16_Weights
    net = materialise(net, weights, imagenet.IMAGENET1K_V1)
    if weights is None:
        init_classifier(net.classifier[-1])
    return net
