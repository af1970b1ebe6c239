"""Backbones, and the surgery that turns a classifier into one.

- `vgg16`, `resnet`, `mobilenet_v2`: torchvision's networks, at any width, with any weights.
- `xception`: DeepLab v3+'s own backbone.
- `fully_convolutional`, `keep_resolution`, `dilate`, `large_fov`, `new_classifier`: the five edits of
  DeepLab v1. Each takes a network and returns a new one; the network given is left as it was.
"""

from deeplab_lessons.backbones.mobilenet import mobilenet_v2
from deeplab_lessons.backbones.resnet import freeze_batch_norm, resnet
from deeplab_lessons.backbones.surgery import (
    SameMaxPool2d,
    as_kernel,
    decimate,
    dilate,
    fully_convolutional,
    keep_resolution,
    large_fov,
    linear_to_conv,
    new_classifier,
    released_pools,
)
from deeplab_lessons.backbones.vgg import vgg16
from deeplab_lessons.backbones.weights import load_weights, weights_file
from deeplab_lessons.backbones.xception import xception

__all__ = [
    "SameMaxPool2d",
    "as_kernel",
    "decimate",
    "dilate",
    "freeze_batch_norm",
    "fully_convolutional",
    "keep_resolution",
    "large_fov",
    "linear_to_conv",
    "load_weights",
    "mobilenet_v2",
    "new_classifier",
    "released_pools",
    "resnet",
    "vgg16",
    "weights_file",
    "xception",
]
