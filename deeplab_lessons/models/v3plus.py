"""DeepLab v3+: v3 as the encoder, a decoder that brings back details, and atrous separable convolution."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from deeplab_lessons.backbones import encoders
from deeplab_lessons.backbones.encoders import LOW_LEVEL_STRIDE
from deeplab_lessons.backbones.initialise import init_classifier, scale_channels
from deeplab_lessons.backbones.weights import Weights, materialise
from deeplab_lessons.grid import Grid
from deeplab_lessons.heads.aspp import ASPP, CHANNELS, atrous_rates
from deeplab_lessons.heads.decoder import LOW_LEVEL_CHANNELS, Decoder
from deeplab_lessons.models.v3 import DeepLabV3


class DeepLabV3Plus(nn.Module):
    """Backbone, pyramid, decoder: images [N, 3, H, W] -> logits [N, classes, H/4, W/4]. See `deeplab_v3plus`."""

    grid = Grid(LOW_LEVEL_STRIDE, 0.0)  # of the logits; cell 0 of every map is on pixel 0, as in DeepLabV3

    def __init__(self, backbone: nn.Sequential, aspp: ASPP, decoder: Decoder, released: bool = False):
        super().__init__()
        self.backbone, self.aspp, self.decoder, self.released = backbone, aspp, decoder, released
        self.encoder_stride = LOW_LEVEL_STRIDE * decoder.factor

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits [N, classes, H/4, W/4] of normalised images [N, 3, H, W]; ValueError for another shape."""
        low, last = encoders.low_level_features(self.backbone, encoders.check_images(x), self.released)
        return self.decoder(self.aspp(last), low)

    def parameter_groups(self, lr: float) -> list[dict]:
        """Return every trained weight at `lr`, as in v3. Source: DeepLab v3+, section 4 (v3's protocol)."""
        return [{"params": [p for p in self.parameters() if p.requires_grad], "lr": lr}]


def deeplab_v3plus(
    num_classes: int = 21,
    backbone: str = "resnet101",
    output_stride: int = 16,
    multi_grid: Sequence[int] | str | None = "paper",
    rates: Sequence[int] | None = None,
    image_pooling: bool = True,
    decoder: bool = True,
    low_level_channels: int = LOW_LEVEL_CHANNELS,
    decoder_convolutions: int = 2,
    separable: bool | None = None,
    width: float = 1.0,
    weights: Weights = None,
    blocks: tuple[int, int, int, int] | None = None,
    stride_in: str = "3x3",
    middle_blocks: int = 16,
    relu_between: bool = True,
    dropout: float = 0.0,
    released: bool = False,
) -> DeepLabV3Plus | DeepLabV3:
    """Return DeepLab v3+: images [N, 3, H, W] -> logits [N, num_classes, H/4, W/4].

    `output_stride` is the encoder's, 8, 16 or 32; without `decoder` the logits have it too, and the network is a
    `DeepLabV3`. `separable` makes the 3 x 3 convolutions of pyramid and decoder atrous separable; by default on
    Xception only, as in the paper's tables 3 and 5. `low_level_channels` and `decoder_convolutions` are the decoder's.
    `middle_blocks` and `relu_between` belong to Xception; the other options are those of `deeplab_v3`. `released` takes
    from the released code what the paper leaves open: a ResNet's low-level features (`encoders.low_level_features`) and
    the epsilon of Xception's batch norm, 1e-3. Raises ValueError for what is not there. Source: DeepLab v3+, sections 3
    and 4.
    """
    options: dict = {"blocks": blocks, "stride_in": stride_in}
    options |= {"middle_blocks": middle_blocks, "relu_between": relu_between}
    if released and backbone == "xception":
        options["norm_eps"] = 1e-3
    net = encoders.encoder(backbone, output_stride, width, weights, multi_grid, **options)
    stage: Any = getattr(net, "layer1", ())
    if released and backbone != "xception" and not (len(stage) > 1 and hasattr(stage[1], "conv3")):
        raise ValueError(
            "released is for Xception and for ResNets with two bottlenecks or more in layer1 (ResNet-50, ResNet-101), "
            f"got {backbone!r}{f' with blocks={tuple(blocks)}' if blocks else ''}: pass released=False"
        )
    separable = backbone == "xception" if separable is None else separable
    rates = atrous_rates(output_stride) if rates is None else rates
    wide = scale_channels(CHANNELS, width)
    with torch.device("meta"):
        aspp = ASPP(encoders.out_channels(net), wide, rates, image_pooling, separable, dropout)
        top: Decoder | nn.Conv2d = nn.Conv2d(wide, num_classes, 1)
        if decoder:
            top = Decoder(
                encoders.low_level_channels(net), wide, num_classes, output_stride // LOW_LEVEL_STRIDE,
                scale_channels(low_level_channels, width), wide, decoder_convolutions, separable,
            )  # fmt: skip
    aspp, top = materialise(aspp), materialise(top)
    if isinstance(top, Decoder):
        init_classifier(top.classifier)
        return DeepLabV3Plus(net, aspp, top, released and backbone != "xception")
    init_classifier(top)
    return DeepLabV3(net, aspp, top, output_stride)
