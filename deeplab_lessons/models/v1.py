"""DeepLab v1: VGG16 after the five edits, or MobileNetV2, under the LargeFOV head."""

import contextlib
from typing import Any

import torch
from torch import nn

from deeplab_lessons import backbones
from deeplab_lessons.backbones.encoders import check_images, out_channels
from deeplab_lessons.backbones.initialise import init_classifier, init_kaiming, scale_channels
from deeplab_lessons.backbones.weights import Weights, materialise
from deeplab_lessons.checks import check_choice
from deeplab_lessons.grid import Grid
from deeplab_lessons.heads import LargeFOV, SideBranches
from deeplab_lessons.heads.large_fov import SIDE_CHANNELS

#: The rows of DeepLab v1's table 2. `channels` are those of fc6 and fc7.
V1_TABLE = {
    "CRF-7x7": {"kernel_size": 7, "rate": 4, "channels": 4096},
    "CRF": {"kernel_size": 4, "rate": 4, "channels": 4096},
    "CRF-4x4": {"kernel_size": 4, "rate": 8, "channels": 4096},
    "CRF-LargeFOV": {"kernel_size": 3, "rate": 12, "channels": 1024},
}


class DeepLabV1(nn.Module):
    """A backbone and a LargeFOV head: images [N, 3, H, W] -> logits [N, classes, h, w]. See `deeplab_v1`."""

    def __init__(
        self, backbone: nn.Sequential, head: LargeFOV, side: SideBranches | None, grid: Grid, new_head=False
    ):
        super().__init__()
        self.backbone, self.side, self.head, self.grid, self.new_head = backbone, side, head, grid, new_head

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits [N, classes, h, w] of normalised images [N, 3, H, W]; ValueError for another shape."""
        check_images(x, smallest=int(self.grid.stride))
        if self.side is None:
            return self.head(self.backbone(x))
        maps = self.early_maps(x)
        return self.head(maps[-1], self.side(maps[:-1], tuple(maps[-1].shape[2:])))

    def early_maps(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Return the image, the maps after pool1 … pool4, and the backbone's last map."""
        maps = [x]
        for name, layer in self.backbone.named_children():
            x = layer(x)
            if name in ("pool1", "pool2", "pool3", "pool4"):
                maps.append(x)
        return [*maps, x]

    def parameter_groups(self, lr: float) -> list[dict]:
        """Return an optimiser's groups: trained weights at `lr`, new layers at 10 `lr`.

        New are fc8 and the side branches; on a MobileNetV2 the whole head. The paper says nothing of biases, so
        they go with their weights, unless `training.train(released_groups=True)` divides them. Source: DeepLab v1,
        section 5 (training).
        """
        new = [self.head if self.new_head else self.head.fc8, *([self.side] if self.side else [])]
        is_new = {id(p) for part in new for p in part.parameters()}
        groups: dict[bool, dict] = {}
        for p in self.parameters():
            if p.requires_grad:
                start = {"params": [], "lr": lr * (10 if id(p) in is_new else 1)}
                groups.setdefault(id(p) in is_new, start)["params"].append(p)
        return list(groups.values())


def deeplab_v1(
    num_classes: int = 21,
    kernel_size: int = 3,
    rate: int = 12,
    channels: int = 1024,
    width: float = 1.0,
    pool_size: int = 2,
    multi_scale: bool = False,
    backbone: str = "vgg16",
    weights: Weights = None,
    batch_norm: bool = False,
    dilate_pool5: bool | None = None,
    dropout: float = 0.5,
    output_stride: int = 8,
) -> DeepLabV1:
    """Return DeepLab v1: [N, 3, H, W] -> logits [N, num_classes, H/8, W/8]; `weights`, `width` as in `backbones`.

    `kernel_size`, `rate` and `channels` are fc6's; `V1_TABLE` has the paper's four rows, and LargeFOV is the
    default. `pool_size` 3 gives the released networks' pools; `dilate_pool5` is by default True with 2 x 2 pools and
    False with 3 x 3 pools. `multi_scale` adds the side branches (MSc). `backbone` "mobilenet_v2" takes
    `output_stride` 8 or 16. Weights of VGG16's fc6 and fc7 are carried over. `batch_norm` adds batch norm to all of
    VGG (vgg16_bn) and to the head: not the paper's, for training from random weights.
    Raises ValueError for what doesn't go together. Source: DeepLab v1, sections 3 and 4.3; table 2.
    """
    check_choice("backbone", backbone, ("vgg16", "mobilenet_v2"))
    if backbone == "vgg16" and output_stride != 8:
        raise ValueError(f"on VGG16 DeepLab v1 has output stride 8, got {output_stride}")
    if backbone == "mobilenet_v2" and (multi_scale or pool_size != 2):
        raise ValueError("multi_scale and pool_size belong to the VGG16 backbone")
    head: dict[str, Any] = {"kernel_size": kernel_size, "rate": rate, "num_classes": num_classes}
    head |= {"channels": scale_channels(channels, width), "batch_norm": batch_norm, "dropout": dropout}
    with contextlib.nullcontext() if weights is not None else torch.device("meta"):
        if backbone == "vgg16":
            model = _on_vgg(width, weights, pool_size, dilate_pool5, multi_scale, head)
        else:
            net = backbones.mobilenet_v2(output_stride, weights, width)
            top = LargeFOV(out_channels(net), **head)
            init_kaiming(top)
            model = DeepLabV1(net, top, None, Grid(output_stride, 0.0), new_head=True)
    if weights is None:
        model = materialise(model)
    init_classifier(model.head.fc8)
    return model


def _on_vgg(width, weights, pool_size, dilate_pool5, multi_scale, head) -> DeepLabV1:
    """The five edits, one after the other, then cut into backbone and head."""
    if pool_size not in (2, 3):
        raise ValueError(f"pool_size must be 2 (VGG16's own) or 3 (the released networks'), got {pool_size}")
    classifier = backbones.vgg16(width, weights, head["batch_norm"])
    net: Any = backbones.fully_convolutional(classifier, padding="same")
    net = backbones.keep_resolution(net) if pool_size == 2 else backbones.released_pools(net)
    net = backbones.dilate(net, pool5=pool_size == 2 if dilate_pool5 is None else dilate_pool5)
    net = backbones.large_fov(net, head["kernel_size"], head["rate"], head["channels"])
    side, extra = None, 0
    if multi_scale:
        before = [3, *(conv.out_channels for conv in (net.conv1_2, net.conv2_2, net.conv3_3, net.conv4_3))]
        channels = scale_channels(SIDE_CHANNELS, width)
        side, extra = SideBranches(before, channels=channels), len(before) * channels
        init_kaiming(side)
    top = LargeFOV(net.fc6.in_channels, extra_channels=extra, **head)
    top.fc6, top.fc7 = net.fc6, net.fc7
    start = 3.5 if pool_size == 2 else 0.0  # a cell on the middle of its 8 pixels, or on every eighth pixel
    cut = list(dict(net.named_children())).index("fc6")
    return DeepLabV1(net[:cut], top, side, Grid(8, start))
