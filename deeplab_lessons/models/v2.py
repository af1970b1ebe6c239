"""DeepLab v2: VGG16, ResNet-101 or MobileNetV2, atrous spatial pyramid pooling, and multi-scale inputs."""

from collections.abc import Sequence

import torch
from torch import nn

from deeplab_lessons.backbones import mobilenet_v2, resnet
from deeplab_lessons.backbones.encoders import check_images, out_channels
from deeplab_lessons.backbones.initialise import init_classifier, init_kaiming
from deeplab_lessons.backbones.weights import Weights
from deeplab_lessons.checks import check_choice
from deeplab_lessons.grid import Grid
from deeplab_lessons.heads.aspp import ASPP_RATES, SummedASPP
from deeplab_lessons.models.multi_scale import MultiScale
from deeplab_lessons.models.v1 import deeplab_v1


class DeepLabV2(nn.Module):
    """A backbone under a summed ASPP: images [N, 3, H, W] -> logits [N, classes, h, w]. See `deeplab_v2`.

    Cell 0 is on pixel 0 (`grid`), whatever the image's size: every strided layer is padded by half its kernel.
    """

    def __init__(self, backbone: nn.Module, head: SummedASPP, output_stride: int = 8):
        super().__init__()
        self.backbone, self.head, self.grid = backbone, head, Grid(output_stride, 0.0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits [N, classes, h, w] of normalised images [N, 3, H, W]; ValueError for another shape."""
        return self.head(self.backbone(check_images(x)))

    def parameter_groups(self, lr: float) -> list[dict]:
        """Return trained weights at `lr`; classifiers' weights at 10 `lr`, their biases at 20 `lr` without decay.

        Source: DeepLab v2, section 4.1 (10 times); the biases' 20 times are in the released networks.
        """
        new = self.head.classifiers
        weights, biases = [layer.weight for layer in new], [layer.bias for layer in new]
        known = {id(p) for p in (*weights, *biases)}
        trained = [p for p in self.parameters() if id(p) not in known and p.requires_grad]
        return [
            {"params": trained, "lr": lr},
            {"params": weights, "lr": 10 * lr},
            {"params": biases, "lr": 20 * lr, "weight_decay": 0.0},
        ]


def deeplab_v2(
    num_classes: int = 21,
    backbone: str = "resnet101",
    rates: str | Sequence[int] | None = "L",
    multi_scale: bool = False,
    width: float = 1.0,
    weights: Weights = None,
    blocks: tuple[int, int, int, int] | None = None,
    stride_in: str = "3x3",
    frozen: bool = True,
    batch_norm: bool = False,
    dropout: float = 0.5,
    output_stride: int = 8,
) -> DeepLabV2 | MultiScale:
    """Return DeepLab v2: [N, 3, H, W] -> logits [N, num_classes, H/8, W/8]; `weights`, `width` as in `backbones`.

    `backbone` is "vgg16" (released pools of 3 x 3, branches of fc6 – fc7 – fc8, which begin with its weights) or
    "resnet50", "resnet101", "mobilenet_v2" (branches of one 3 x 3). `output_stride` is the paper's 8; on MobileNetV2
    it may be 16. `rates` is "S", "L", or numbers, one for each branch; (12,) alone is LargeFOV. Except on VGG16 it
    may be None: one 1 x 1 classifier, where ImageNet's was (table 4's rows without LargeFOV and ASPP; the paper does
    not print its kernel). `multi_scale` wraps it in `MultiScale`. ResNets only: `blocks`, `stride_in` and `frozen`
    (batch norm as ImageNet left it; False to start from random weights). VGG16 only: `batch_norm`, `dropout`.
    Raises ValueError for what isn't there. Source: DeepLab v2, sections 3 and 4; table 4.
    """
    if output_stride != 8 and backbone != "mobilenet_v2":
        raise ValueError(f"DeepLab v2 has output stride 8 (16 on MobileNetV2 only), got {output_stride}")
    if isinstance(rates, str):
        check_choice("rates (numbers, or a name)", rates, ASPP_RATES)
        rates = ASPP_RATES[rates]
    check_choice("backbone", backbone, ("vgg16", "resnet50", "resnet101", "mobilenet_v2"))
    if backbone == "vgg16":
        if rates is None:
            raise ValueError('rates must be dilations on "vgg16", got None: pass (12,), "S" or "L"')
        model = _on_vgg(num_classes, rates, width, weights, batch_norm, dropout)
    else:
        if backbone == "mobilenet_v2":
            net = mobilenet_v2(output_stride, weights, width)
        else:
            net = resnet(int(backbone[6:]), output_stride, weights, width, blocks, stride_in, frozen)
        rates, kernel_size = ((1,), 1) if rates is None else (rates, 3)
        head = SummedASPP(out_channels(net), num_classes, rates, kernel_size=kernel_size)
        for layer in head.classifiers:
            init_classifier(layer)
        model = DeepLabV2(net, head, output_stride)
    return MultiScale(model) if multi_scale else model


def _on_vgg(num_classes, rates, width, weights, batch_norm, dropout) -> DeepLabV2:
    """v1's LargeFOV network with released pools; its head once for each rate, with the same first weights."""
    options = {"weights": weights, "batch_norm": batch_norm, "dropout": dropout}
    v1 = deeplab_v1(num_classes, rate=rates[0], width=width, pool_size=3, **options)
    fc6 = v1.head.fc6
    head = SummedASPP(fc6.in_channels, num_classes, rates, fc6.out_channels, batch_norm, dropout)
    for branch, classifier in zip(head.branches, head.classifiers, strict=True):
        if weights is None:
            init_kaiming(branch)
        else:
            branch.load_state_dict(v1.head.state_dict())
        init_classifier(classifier)
    return DeepLabV2(v1.backbone, head.to(next(v1.parameters()).device))
