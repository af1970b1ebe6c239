"""A network that comes trained, for lessons 06, 07 and 13: the DeepLab v3 on MobileNetV2 published for PASCAL VOC."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from deeplab_lessons.backbones import mobilenet_v2
from deeplab_lessons.backbones.weights import Weights, fill, load_weights
from deeplab_lessons.grid import Grid
from deeplab_lessons.heads.aspp import conv_bn_relu


class MobileDeepLabV3(nn.Module):
    """MobileNetV2 under the mobile form of v3's head: images [N, 3, H, W] -> logits [N, num_classes, h, w].

    The head is a 1 x 1 branch and image pooling, concatenated, and no atrous branch. It was trained on squares of 513
    pixels, so smaller images are filled up with the mean colour on the right and below; of the filled image's map
    the cells that reach the image are returned.
    """

    grid, side = Grid(16, 0.0), 513

    def __init__(self, num_classes: int = 21):
        super().__init__()
        self.features = mobilenet_v2(16)
        self.aspp0, self.image_pooling, self.projection = (conv_bn_relu(n, 256) for n in (320, 320, 512))
        self.logits = nn.Conv2d(256, num_classes, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits [N, classes, h, w] of normalised images x [N, 3, H, W]."""
        height, width = (1 + math.ceil((size - 1) / self.grid.stride) for size in x.shape[2:])
        rows, columns = (max(self.side, 1 + 32 * math.ceil((size - 1) / 32)) for size in x.shape[2:])
        x = self.features(F.pad(x, (0, columns - x.shape[3], 0, rows - x.shape[2])))
        pooled = self.image_pooling(x.mean((2, 3), keepdim=True)).expand(-1, -1, *x.shape[2:])
        return self.logits(self.projection(torch.cat([pooled, self.aspp0(x)], dim=1)))[..., :height, :width]


def mobile_deeplab_v3(weights: Weights = None, num_classes: int = 21) -> MobileDeepLabV3:
    """MobileNetV2 DeepLab v3 in evaluation mode; `weights` is a state dict, a path, or None (random).

    Raises FileNotFoundError or ValueError for weights that are not there or belong to another network.
    Source: Sandler et al., CVPR 2018, section 6.3.
    """
    model = MobileDeepLabV3(num_classes)
    if weights is not None:
        fill(model, load_weights(weights, None))
    return model.eval()
