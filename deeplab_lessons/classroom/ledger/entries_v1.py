"""What the course states of DeepLab v1 (ICLR 2015, arXiv 1412.7062)."""

import torch

from deeplab_lessons import arithmetic, models
from deeplab_lessons.classroom import stacks
from deeplab_lessons.classroom.ledger.counted import field, parameters, traced, v1, vgg_field
from deeplab_lessons.classroom.ledger.entry import cite, compute
from deeplab_lessons.classroom.ledger.rows import published
from deeplab_lessons.receptive_field import trace

_WINDOW = "The column is 8 (k - 1) r + 32, the window of only fc6; a cell of pool5 sees 212 pixels, not 32."
_FIELD = "field|RF|fc6|print|window"
_BOTH = "v1, table 2; v2, table 1"


def _scores_of_306() -> int:
    """Cells per side after the first release's padded 2 x 2 pools, for 306 pixels."""
    pools = [arithmetic.Layer(2, 2, (1, 1), ceil_mode=True)] * 3
    return arithmetic.receptive_fields([*pools, arithmetic.Layer(2, 1)], 306)[-1].out


def _released_field() -> int:
    """Field of the released LargeFOV: pools of 3 x 3, and a mean over 3 x 3 cells between pool5 and fc6."""
    with torch.device("meta"):
        net = models.deeplab_v2(21, "vgg16", (12,))
        net.backbone.append(torch.nn.AvgPool2d(3, 1, 1))
        return trace(net, 321)["head.branches.0.fc6"].size


def _side_channels() -> int:
    """Channels that MSc adds to those of fc7."""
    with_msc, without = traced(320, multi_scale=True), traced(320)
    return (with_msc["head.fc8"].parameters - without["head.fc8"].parameters) // 21


ENTRIES = [
    # what is built
    compute(_BOTH, "134.3M", "parameters of 7x7", parameters("CRF-7x7")),
    compute(_BOTH, "65.1M", "parameters of 4x4 at rate 4", parameters("CRF")),
    compute(_BOTH, "65.1M", "parameters of 4x4 at rate 8", parameters("CRF-4x4")),
    compute(_BOTH, "20.5M", "parameters of LargeFOV", parameters("CRF-LargeFOV")),
    *(
        compute(_BOTH, "224", f"receptive field of {name}", field(row), near=_FIELD, ours="404", why=_WINDOW)
        for name, row in {"7x7": "CRF-7x7", "4x4 at rate 8": "CRF-4x4", "LargeFOV": "CRF-LargeFOV"}.items()
    ),
    compute(
        _BOTH, "128", "receptive field of 4x4 at rate 4", field("CRF"), ours="308", why=_WINDOW, near="224"
    ),
    compute("v1, section 3.2", "404 × 404", "field of VGG16 as a convolution", vgg_field, also=["404"]),
    compute("v1, section 3.2", "308 × 308", "field with a 4 x 4 kernel", field("CRF"), also=["308"]),
    compute(
        "v1, section 3.2",
        "224 × 224",
        "field of VGG16, zero-padded",
        vgg_field,
        near="zero-padding",
        ours="404 × 404",
        why="It is the size of the image: the 404 pixels hang over its border on all sides, into zeros.",
    ),
    compute(
        _BOTH,
        "4",
        "dilation of fc6 with 7 x 7 taps",
        lambda: stacks.rate_that_keeps_field(7),
        near="fc6|7x7",
    ),
    cite(_BOTH, "4", "dilation of fc6 with 4 x 4 taps, small field", near="fc6|4 ?[x×] ?4"),
    compute(
        _BOTH,
        "8",
        "dilation of fc6 with 4 x 4 taps, large field",
        lambda: stacks.rate_that_keeps_field(4),
        near="fc6|4 ?[x×] ?4|rate 8",
    ),
    compute(
        _BOTH,
        "12",
        "dilation of fc6 in LargeFOV, 3 x 3 taps",
        lambda: stacks.rate_that_keeps_field(3),
        near="LargeFOV|fc6",
    ),
    compute(
        "v1, section 3.1",
        "2",
        "holes in the last three convolutions",
        lambda: traced(320)["backbone.conv5_1"].dilation[0],
        near="three|conv5",
    ),
    compute(
        "v1, section 3.1",
        "4",
        "holes in the first fully connected layer",
        lambda: v1("CRF-7x7")["head.fc6"].dilation[0],
        near="first fully",
    ),
    compute(
        "v1, section 3.1",
        "8",
        "stride of the map (pixels)",
        lambda: traced(320)["head.fc6"].jump,
        near="stride|pixels",
    ),
    compute(
        "v1, section 3.2",
        "39×39",
        "map of an image of 306 pixels",
        _scores_of_306,
        near="306|cells",
        also=["39"],
    ),
    cite("v1, section 3.2", "306×306", "crop of the first release (pixels)", also=["306"]),
    compute("v1, section 4.3", "640", "channels that MSc adds", _side_channels),
    compute("v1, released network", "435", "field of LargeFOV with pool5a", _released_field, near="pool5a"),
    cite("v1, section 4.3", "128", "channels of each of MSc's convolutions", near="MSc|channels|branch"),
    cite(
        "v1, section 5; v2, section 4.1.1",
        "1,024",
        "channels of fc6 and fc7 in LargeFOV",
        near="channel|filters",
    ),
    cite("v1, section 3.2", "4,096", "channels of fc6 in VGG16", near="channel|filters|fc6"),
    cite(
        "v1, released LargeFOV",
        "3",
        "cells per side that pool5a averages, between pool5 and fc6",
        near="pool5a",
    ),
    # how fast
    cite(_BOTH, "1.44", "images per second in training, 7x7"),
    cite(_BOTH, "2.90", "images per second in training, 4x4"),
    cite(_BOTH, "4.84", "images per second in training, LargeFOV"),
    # how it is trained
    cite("v1, section 5", "20", "images in a batch", near="batch"),
    cite("v1, section 5", "0.001", "first learning rate", near="rate|paper"),
    cite("v1, section 5", "0.01", "first learning rate of the classifier", near="classifier"),
    cite("v1, section 5", "0.1", "factor of the step policy", near="times|factor|rate"),
    cite("v1, section 5", "2000", "iterations of a step"),
    cite("v1, section 5", "0.9", "momentum", near="momentum"),
    cite("v1, section 5", "0.0005", "weight decay", near="decay", also=["5e-4"]),
    # what it reaches
    *published("v1"),
    cite("v1, table 3", "71.6", "mIoU (%) on VOC test, MSc-LargeFOV"),
]
