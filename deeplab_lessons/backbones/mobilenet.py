"""torchvision's MobileNetV2 as a dilated backbone: real pictures on two cores."""

import torch
from torch import nn
from torchvision.models import MobileNet_V2_Weights
from torchvision.models import mobilenet_v2 as torchvision_mobilenet_v2

from deeplab_lessons.backbones.weights import Weights, fill, load_weights


def mobilenet_v2(output_stride: int = 16, weights: Weights = None, width: float = 1.0) -> nn.Sequential:
    """MobileNetV2 up to its last block: pictures [N, 3, H, W] -> [N, 320, H / output_stride, W / output_stride].

    Sizes round up. `output_stride` is 32 (as trained), 16 or 8: strides beyond it are taken out and the later
    convolutions dilated instead, so that the map holds the trained network's map at every 2nd or 4th place.
    `weights` is None, "imagenet", a state dict with torchvision's keys or a path; the 1x1 layer to 1280
    channels and the classifier are not used and may be missing. Raises ValueError for another output stride.
    Source: Sandler et al., CVPR 2018; the dilation as in DeepLab v1, section 3.1.
    """
    if output_stride not in (8, 16, 32):
        raise ValueError(f"output_stride must be 8, 16 or 32, got {output_stride}")
    meta = torch.get_default_device().type == "meta"
    net = torchvision_mobilenet_v2(width_mult=width).features[:18]
    if weights is not None:
        given = load_weights(weights, MobileNet_V2_Weights.IMAGENET1K_V2)
        given = {key.removeprefix("features."): value for key, value in given.items()}
        own = {key: value for key, value in given.items() if not key.startswith(("18.", "classifier."))}
        fill(net, own)
        net = net.to("meta") if meta else net
    return dilate_strides(net, output_stride)


def dilate_strides(net: nn.Sequential, output_stride: int) -> nn.Sequential:
    """Take out the strides beyond `output_stride` and dilate what follows; works in place and returns `net`.

    A stride of 2 that goes becomes a dilation of 2 in every layer after it.
    """
    stride, rate = 1, 1
    for conv in (m for m in net.modules() if isinstance(m, nn.Conv2d)):
        asked = conv.stride[0]
        if conv.kernel_size[0] > 1:
            conv.dilation = (rate, rate)
            conv.padding = tuple(rate * cells for cells in conv.padding)
        if asked > 1 and stride * asked > output_stride:
            conv.stride, rate = (1, 1), rate * asked
        else:
            stride *= asked
    return net
