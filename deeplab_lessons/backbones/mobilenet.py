"""torchvision's MobileNetV2 as a dilated backbone: real images on two cores."""

from torch import nn
from torchvision import models

from deeplab_lessons.backbones.dilation import OUTPUT_STRIDES, dilate_strides
from deeplab_lessons.backbones.weights import Weights, materialise
from deeplab_lessons.checks import check_choice


def mobilenet_v2(output_stride: int = 16, weights: Weights = None, width: float = 1.0) -> nn.Sequential:
    """Return MobileNetV2 up to its last block of 320 channels, dilated; options as in `backbones`.

    Random weights are torchvision's own start. Source: Sandler et al., CVPR 2018.
    """
    check_choice("output_stride", output_stride, OUTPUT_STRIDES)
    net = models.mobilenet_v2(width_mult=width).features[:18]
    if weights is not None:
        unused = ("18.", "classifier.")  # the 1 x 1 to 1280 channels, and the classifier
        materialise(net, weights, models.MobileNet_V2_Weights.IMAGENET1K_V2, unused, "features.")
    dilate_strides((m for m in net.modules() if isinstance(m, nn.Conv2d)), output_stride)
    return net
