"""torchvision's MobileNetV2 as a dilated backbone: real photos on two cores."""

from torch import nn
from torchvision import models

from deeplab_lessons.backbones.dilation import check_output_stride, dilate_strides
from deeplab_lessons.backbones.initialise import materialise
from deeplab_lessons.backbones.weights import Weights, load_weights


def mobilenet_v2(output_stride: int = 16, weights: Weights = None, width: float = 1.0) -> nn.Sequential:
    """MobileNetV2 up to its last block: pictures [N, 3, H, W] -> [N, 320, H / output_stride, W / output_stride].

    Sizes round up. `output_stride` is 32 (as trained), 16 or 8, see `dilate_strides`. `weights` is None
    (torchvision's own random start), "imagenet", a state dict with torchvision's keys or a path; the 1 x 1 layer
    to 1280 channels and the classifier are not used and may be missing. Raises ValueError for another output
    stride. Source: Sandler et al., CVPR 2018.
    """
    check_output_stride(output_stride)
    net = models.mobilenet_v2(width_mult=width).features[:18]
    if weights is not None:
        state = load_weights(weights, models.MobileNet_V2_Weights.IMAGENET1K_V2)
        state = {key.removeprefix("features."): value for key, value in state.items()}
        unused = ("18.", "classifier.")
        materialise(net, {key: value for key, value in state.items() if not key.startswith(unused)})
    dilate_strides((m for m in net.modules() if isinstance(m, nn.Conv2d)), output_stride)
    return net
