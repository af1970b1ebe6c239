"""Defaults for 12 to 200 images of one's own on two cores: every version on every backbone that it has."""

from dataclasses import dataclass
from typing import Any

import torch

from deeplab_lessons import runtime
from deeplab_lessons.checks import check_choice
from deeplab_lessons.models import VERSIONS, deeplab
from deeplab_lessons.training.loop import batch_norms

#: Seen in training, at least and at most: v3 on MobileNetV2 needs 6 and 12 minutes of one core.
_CROPS = 1200, 2400
_BATCH = 4
#: Pixels to which larger images are reduced before they are scaled and cut at random.
LONGEST_SIDE = 512


#: Learning rate and head of each version on MobileNetV2 at output stride 16, as measured on CamVid. A crop of 256 x 320
#: pixels is a map of 16 x 20 cells, about half of v3's 33, so the dilations are half of the papers'; v3+ takes
#: separable convolutions, as on the paper's Xception. v1 and v2 give their heads ten times the learning rate.
HEADS: dict[str, tuple[float, dict[str, Any]]] = {
    "v1": (0.01, {"rate": 6, "channels": 256, "batch_norm": True, "dropout": 0.0}),
    "v2": (0.01, {"rates": (3, 6, 9, 12)}),
    "v3": (0.03, {"rates": (3, 6, 9)}),
    "v3plus": (0.03, {"rates": (3, 6, 9), "separable": True}),
}


@dataclass(frozen=True)
class Recipe:
    """A network and how it is trained.

    `network` holds the arguments of `models.deeplab`. `lr` is the backbone's first learning rate; it, `weight_decay`
    and `released_groups` are those of `training.optimiser_for`. `crop` is in pixels,
    a side or (height, width); `scale` is the range of random scaling. `batch_norm_decay` is the fraction of the old
    average that batch norm keeps at each iteration (None: torch's own).
    """

    name: str
    network: dict[str, Any]
    iterations: int
    batch_size: int
    lr: float
    schedule: str = "poly"
    loss: str = "subsample"
    crop: int | tuple[int, int] = 321
    scale: tuple[float, float] | None = None
    num_classes: int = 21
    freeze_batch_norm: bool = False
    batch_norm_decay: float | None = None
    weight_decay: float = 5e-4
    released_groups: bool = False

    @property
    def settings(self) -> dict[str, Any]:
        """What `train` is given."""
        names = ["iterations", "batch_size", "lr", "weight_decay", "released_groups", "schedule", "loss"]
        names.append("freeze_batch_norm")
        return {**{name: getattr(self, name) for name in names}, "channels_last": True}

    def model(self, seed: int | None = None, weights=None) -> torch.nn.Module:
        """Return the network; `weights` are the backbone's, `seed` (the course's by default) draws everything else."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(runtime.seed() if seed is None else seed)
            model = deeplab(**self.network, num_classes=self.num_classes, weights=weights)
        if self.batch_norm_decay is not None:
            for norm in batch_norms(model):
                norm.momentum = 1 - self.batch_norm_decay  # torch counts the other way round
        return model


def recipe(
    version: str = "v3",
    backbone: str = "mobilenet_v2",
    pairs: int = 100,
    pretrained: bool = True,
    output_stride: int | None = None,
    num_classes: int = 21,
) -> Recipe:
    """Return what a network is built of and trained with on so many `pairs`; `pretrained` from ImageNet's weights.

    Heads and learning rates are those measured on CamVid (`HEADS`), with dilations of as many pixels at
    every `output_stride`: 16, but 8 where a version has no other. Batch norm learns, also from ImageNet's weights: a
    head drawn at random needs it at these learning rates (v3, 12 frames of CamVid at half size, 90 iterations: 26.7 %
    mIoU, and 14.0 % with all of it at rest). Where none learns, the learning rate is VGG16's in v1. Raises ValueError
    for an unknown version; what does not go together `models.deeplab` refuses.
    """
    check_choice("version", version, VERSIONS)
    only_8 = version in ("v1", "v2") and backbone != "mobilenet_v2"
    stride = output_stride or (8 if only_8 else 16)
    lr, head = HEADS[version]
    network = {"version": version, "backbone": backbone, "output_stride": stride, **head}
    if "rates" in network:
        network["rates"] = tuple(max(rate * 16 // stride, 1) for rate in head["rates"])
    else:
        network["rate"] = head["rate"] * 16 // stride
    if backbone == "vgg16" and version in ("v1", "v2"):
        network |= {"batch_norm": not pretrained, "dropout": 0.0}
    elif only_8 and version == "v2":
        network["frozen"] = pretrained
    lr = 0.001 if only_8 and pretrained else lr
    crops = min(max(10 * pairs, _CROPS[0]), _CROPS[1]) if pretrained else _CROPS[1]
    return Recipe(
        f"{version}_{backbone}", network, iterations=crops // _BATCH, batch_size=_BATCH, lr=lr, loss="upsampled",
        crop=256, scale=(0.5, 1.5), num_classes=num_classes,
    )  # fmt: skip
