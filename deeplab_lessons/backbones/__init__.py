"""Backbones, from images [N, 3, H, W] to a map [N, channels, H / output_stride, W / output_stride], sizes rounded up.

`width` multiplies every number of channels, for small networks. `weights` are None (random), "imagenet"
(torchvision's file, downloaded when it is not there), a path, or a state dict with torchvision's keys, with or
without the classifier; they want the images they were trained on. Ours are `datasets.transforms.normalise`'s, as in
torchvision. Caffe's want BGR, 0 … 255, less (104.008, 116.669, 122.675); the released Xception's RGB in [-1, 1].
`output_stride` is 32 (as trained), 16 or 8, see `dilation.dilate_strides`. What is not there raises ValueError. The
edits of DeepLab v1 (`surgery`) take a network and return a new one.
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
    new_classifier,
    released_pools,
)
from deeplab_lessons.backbones.vgg import vgg16
from deeplab_lessons.backbones.weights import at_hand
from deeplab_lessons.backbones.xception import xception

__all__ = [
    "SameMaxPool2d", "as_kernel", "at_hand", "decimate", "dilate", "freeze_batch_norm", "fully_convolutional",
    "keep_resolution", "large_fov", "mobilenet_v2", "new_classifier", "released_pools",
    "resnet", "vgg16", "xception",
]  # fmt: skip
