"""DeepLab v3: multi-grid, the cascade, a pyramid with image pooling; and torchvision's, which comes trained."""

from collections.abc import Sequence

import torch
from torch import nn
from torchvision.models import segmentation

from deeplab_lessons.backbones.encoders import check_images, encoder, out_channels
from deeplab_lessons.backbones.initialise import init_classifier, scale_channels
from deeplab_lessons.backbones.weights import Weights, fill, load_weights, materialise
from deeplab_lessons.checks import check_choice
from deeplab_lessons.grid import Grid
from deeplab_lessons.heads.aspp import ASPP, CHANNELS, atrous_rates, conv_bn_relu


class DeepLabV3(nn.Module):
    """Backbone, pyramid, classifier: images [N, 3, H, W] -> logits [N, classes, h, w]. See `deeplab_v3`.

    Cell 0 is on pixel 0 (`grid`), since every strided layer is padded on both sides: as on a map centred on the
    image where a side is a multiple of the output stride plus 1, as 513 is.
    """

    def __init__(self, backbone: nn.Module, aspp: nn.Module, classifier: nn.Module, output_stride: int = 16):
        super().__init__()
        self.backbone, self.aspp, self.classifier = backbone, aspp, classifier
        self.grid = Grid(output_stride, 0.0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits [N, classes, h, w] of normalised images [N, 3, H, W]; ValueError for another shape."""
        return self.classifier(self.aspp(self.backbone(check_images(x))))

    def parameter_groups(self, lr: float) -> list[dict]:
        """Return every trained weight at `lr`: v3 prints one rate for all. Source: DeepLab v3, section 4.1."""
        return [{"params": [p for p in self.parameters() if p.requires_grad], "lr": lr}]


def deeplab_v3(
    num_classes: int = 21,
    backbone: str = "resnet101",
    output_stride: int = 16,
    multi_grid: Sequence[int] | str | None = "paper",
    cascade: int = 4,
    aspp: bool | None = None,
    rates: Sequence[int] | None = None,
    image_pooling: bool = True,
    width: float = 1.0,
    weights: Weights = None,
    blocks: tuple[int, int, int, int] | None = None,
    stride_in: str = "3x3",
    dropout: float = 0.0,
    refine: bool = False,
) -> DeepLabV3:
    """Return DeepLab v3: images [N, 3, H, W] -> logits [N, num_classes, H / output_stride, W / output_stride].

    `output_stride` is 8, 16 or 32, with a cascade up to 256; `weights` and `width` are as in `backbones`. `backbone` is
    one of `encoders.OPTIONS`; `cascade`, `blocks` and `stride_in` belong to ResNets. `multi_grid` "paper" is (1, 2, 4)
    on ResNets and none elsewhere; None leaves every dilation as the weights want it (`backbones.resnet.dilate_stages`).
    `cascade` is the number of the last block, 4 to 7. `aspp` is by default on at cascade 4 and off beyond, where the
    paper's classifier is on the last block itself. `rates` are by default `atrous_rates(output_stride)`. `dropout` ends
    the pyramid, and `refine` puts one more unit of 3 x 3 before the classifier: both as in torchvision, not as in the
    paper's text. Raises ValueError for what is not there. Source: DeepLab v3, sections 3.2 and 3.3; figures 3 and 5.
    """
    options = {"cascade": cascade, "blocks": blocks, "stride_in": stride_in}
    net = encoder(backbone, output_stride, width, weights, multi_grid, **options)
    aspp = cascade == 4 if aspp is None else aspp
    with torch.device("meta"):
        wide = out_channels(net)
        pyramid: nn.Module = nn.Identity()
        if aspp:
            rates = atrous_rates(output_stride) if rates is None else rates
            wide = scale_channels(CHANNELS, width)
            pyramid = ASPP(out_channels(net), wide, rates, image_pooling, dropout=dropout)
        last = nn.Conv2d(wide, num_classes, 1)
        classifier = nn.Sequential(conv_bn_relu(wide, wide, 3), last) if refine else last
    model = DeepLabV3(net, materialise(pyramid), materialise(classifier), output_stride)
    init_classifier(last)
    return model


def torchvision_deeplab_v3(
    backbone: str = "resnet101", weights: Weights = "coco", output_stride: int = 8, num_classes: int = 21
) -> DeepLabV3:
    """Return torchvision's `deeplabv3_resnet50` or `deeplabv3_resnet101` as one of our networks, in evaluation mode.

    `weights` are "coco" (torchvision's file: COCO images with PASCAL VOC's classes; downloaded when it is not
    there), a path or a state dict of torchvision's; the classifier of layer3 in it is left out. Where it differs
    from the paper: no multi-grid, a 3 x 3 before the classifier, dropout of 0.5. It was trained at output stride 8
    with scores enlarged as from a map centred on the image, so its map is centred; at 16 it runs with the
    halved rates. Raises ValueError where the weights belong to another network.
    """
    entries = {
        "resnet50": segmentation.DeepLabV3_ResNet50_Weights.COCO_WITH_VOC_LABELS_V1,
        "resnet101": segmentation.DeepLabV3_ResNet101_Weights.COCO_WITH_VOC_LABELS_V1,
    }
    check_choice("backbone of torchvision", backbone, entries)
    # "imagenet" is load_weights' word for: torchvision's own file
    given = load_weights("imagenet" if weights == "coco" else weights, entries[backbone])
    with torch.device("meta"):
        model = deeplab_v3(num_classes, backbone, output_stride, None, dropout=0.5, refine=True)
    fill(model, {our_name(key): v for key, v in given.items() if not key.startswith("aux_classifier.")})
    model.grid = Grid(output_stride, None)
    return model.eval()


def our_name(key: str) -> str:
    """Return our name of one of torchvision's parameters."""
    names = {
        "classifier.0.convs.": "aspp.branches.",
        "classifier.0.project.": "aspp.project.",
        "classifier.1.": "classifier.0.0.",
        "classifier.2.": "classifier.0.1.",
        "classifier.4.": "classifier.1.",
    }
    theirs = next((start for start in names if key.startswith(start)), "")
    return names.get(theirs, "") + key.removeprefix(theirs)
