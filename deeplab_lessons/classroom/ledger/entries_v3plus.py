"""What the course states of DeepLab v3+ (ECCV 2018, arXiv 1802.02611)."""

import torch

from deeplab_lessons.classroom.ledger.counted import traced
from deeplab_lessons.classroom.ledger.entry import cite, compute, measure
from deeplab_lessons.classroom.ledger.rows import multiply_adds, published, weight_decay
from deeplab_lessons.classroom.ledger.twins import Gain, Twin
from deeplab_lessons.models import deeplab_v3plus

_CHANNELS = {8: "77.61", 16: "77.92", 32: "78.16", 64: "77.94"}


def _decoder() -> float:
    """Multiply-adds that the decoder adds to ResNet-101 at output stride 16, 513 pixels."""
    with_one, without = (
        traced(513, "v3plus", backbone="resnet101", output_stride=16, decoder=decoder)
        for decoder in (True, False)
    )
    return with_one.multiply_adds - without.multiply_adds


def _xception() -> list:
    """The parts of Xception in order, on the meta device."""
    with torch.device("meta"):
        return list(deeplab_v3plus(21, "xception", 16).backbone.named_children())


def _convolutions() -> int:
    """Convolutions on the way through Xception, a separable one counted once, shortcuts not at all."""
    return 2 + sum(len(part.inner) + 1 for _, part in _xception() if hasattr(part, "inner"))


def _epsilon() -> float:
    """Epsilon of batch norm in Xception as released."""
    with torch.device("meta"):
        return deeplab_v3plus(21, "xception", 16, released=True).backbone.conv1[1].eps


def _middle_blocks() -> int:
    """Blocks of the middle flow."""
    return sum(name.startswith("middle") for name, _ in _xception())


ENTRIES = [
    # what is built
    cite(
        "v3+, section 4.1",
        "48",
        "channels of the early map in the decoder",
        near="channel|early|decoder|printed",
    ),
    cite("v3+, section 4.1", "256", "filters of the decoder's 3 x 3", near="filter|channel"),
    cite("v3+, table 1", "8, 16, 32, 48, 64", "channels that are tried", near="channel|printed"),
    cite("v3+, table 2", "128", "filters that are tried", near="filters"),
    cite("v3+, table 2", "1, 2, 3", "numbers of 3 x 3 that are tried", near="printed"),
    compute(
        "v3+, section 4.5",
        "65",
        "convolutions in its Xception, X-65",
        _convolutions,
        near="X-65|convolutions, hence",
    ),
    compute("v3+, figure 4", "16", "blocks in Xception's middle flow", _middle_blocks, near="blocks|middle"),
    cite("Chollet 2017, figure 5", "8", "blocks in the first Xception's middle flow", near="instead of 8"),
    compute(
        "v3+, released train script",
        "0.00004",
        "weight decay, Xception",
        weight_decay("v3plus_xception"),
        near="decay",
    ),
    compute("v3+, released code", "0.001", "epsilon of Xception's batch norm", _epsilon, near="epsilon"),
    *multiply_adds(),
    compute(
        "v3+, section 4.2",
        "20B",
        'multiply-adds of the decoder, "about"',
        _decoder,
        ours="22B",
        why="Four of five pairs of rows in the paper's tables are 21.7 or 21.8 apart; the text follows the fifth.",
        near="about|decoder",
    ),
    # what it reaches
    *(
        cite("v3+, table 1", iou, f"mIoU (%) with {number} early channels")
        for number, iou in _CHANNELS.items()
    ),
    measure("v3+, tables 1 and 2", "78.21", "mIoU (%) with one 3 x 3", Twin("12", "v3+, one 3x3")),
    *published("v3plus"),
    cite("v3+, table 2", "78.02", "mIoU (%) with three 3 x 3"),
    cite("v3+, table 2", "77.25", "mIoU (%) with 128 filters"),
    cite("v3+, table 2", "78.07", "mIoU (%) with 1 x 1 instead of 3 x 3"),
    cite("v3+, table 2", "78.61", "mIoU (%) with Conv3 as well"),
    cite("v3+, table 3", "79.35", "mIoU (%) of ResNet-101 with decoder at 8"),
    cite("v3+, table 3", "80.57", "mIoU (%) of ResNet-101 with decoder at 8, scales, flip"),
    cite("v3+, table 5", "79.17", "mIoU (%) of Xception without decoder"),
    cite("v3+, table 5", "79.93", "mIoU (%) of Xception with decoder"),
    cite("v3+, table 4", "22.40", "top-1 error (%) of ResNet-101 on ImageNet"),
    cite("v3+, table 4", "20.19", "top-1 error (%) of modified Xception on ImageNet"),
    cite(
        "v3+, section 4.3",
        "0.75",
        "points of top-1 accuracy by the extra batch norm",
        near="accuracy|top-1",
    ),
    measure(
        "v3+, section 4.4",
        "4.8",
        "gain of the decoder in the narrowest band (points)",
        Gain(Twin("12", "v3+", band=1), Twin("12", "v3, OS 16", band=1)),
        near="band|trimap",
    ),
    cite("v3+, section 4.4", "5.4", "the same on Xception", near="band|trimap"),
    cite("v3+, section 4.3", "87.8", "mIoU (%) on VOC test"),
    cite("v3+, section 4.3", "89.0", "mIoU (%) on VOC test, with JFT-300M"),
    cite("v3+, table 7", "78.79", "mIoU (%) on Cityscapes val"),
    cite("v3+, table 7", "79.14", "mIoU (%) on Cityscapes val, without image pooling"),
]
