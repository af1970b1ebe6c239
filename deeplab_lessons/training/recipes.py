"""Defaults for 12 to 200 images of one's own on two cores: every version on every backbone that it has."""

from dataclasses import dataclass

from deeplab_lessons.checks import check_choice
from deeplab_lessons.models import VERSIONS
from deeplab_lessons.training.experiments import HEADS, Experiment

_CROPS = (
    1200,
    2400,
)  # seen in training, at least and at most: v3 on MobileNetV2 needs 6 and 12 minutes of one core
_BATCH = 4


@dataclass(frozen=True)
class Recipe(Experiment):
    """An `Experiment` on images that are reduced to `longest_side` pixels first, where they are larger."""

    longest_side: int = 512


def recipe(
    version: str = "v3",
    backbone: str = "mobilenet_v2",
    pairs: int = 100,
    pretrained: bool = True,
    output_stride: int | None = None,
    num_classes: int = 21,
) -> Recipe:
    """Return what a network is built of and trained with on so many `pairs`; `pretrained` from ImageNet's weights.

    Heads and learning rates are those measured on CamVid (`experiments.HEADS`), with dilations of as many pixels at
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
    if backbone == "vgg16":
        network |= {"batch_norm": not pretrained, "dropout": 0.0}
    elif only_8 and version == "v2":
        network["frozen"] = pretrained
    lr = 0.001 if only_8 and pretrained else lr
    crops = min(max(10 * pairs, _CROPS[0]), _CROPS[1]) if pretrained else _CROPS[1]
    return Recipe(
        f"{version}_{backbone}", network, iterations=crops // _BATCH, batch_size=_BATCH, lr=lr, loss="upsampled",
        crop=256, scale=(0.5, 1.5), data="folder", num_classes=num_classes,
        starts_from="ImageNet" if pretrained else "random weights",
    )  # fmt: skip
