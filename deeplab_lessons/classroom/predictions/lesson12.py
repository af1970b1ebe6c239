"""Predictions of lesson 12: the early map, a map that moves, what costs, who draws best, and separable kernels."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from deeplab_lessons import backbones, heads
from deeplab_lessons.classroom.course import stored_results
from deeplab_lessons.classroom.predictions.framework import Answer, choice, number, order
from deeplab_lessons.layers.separable import SeparableConv2d
from deeplab_lessons.receptive_field import trace

STAGES = ("conv1", "layer1", "layer2", "layer3")
WAYS = ("v3, OS 8", "v3+", "v3, OS 16, CRF", "v3, OS 16")


@choice(
    "The last map of ResNet-101 has stride 16 here. Which map inside it has stride 4?",
    STAGES,
    slips={
        "conv1": "The first convolution has stride 2. The pool after it makes 4.",
        "layer2": "The stem makes 4, and the first stage keeps it. Layer 2 takes one more stride: 8.",
        "layer3": "You counted from the end. Layer 3 takes the last stride of 2, to 16.",
    },
)
def map_at_stride_4():
    with torch.device("meta"):
        counted = trace(backbones.resnet(101, output_stride=16), 513)
    (found,) = (name for name in STAGES if counted[name].jump == 4)
    return Answer(found, shows=f"{found}: stride {counted[found].jump:>2}")


@number(
    "With align_corners=False, 11 coarse cells are enlarged to 41. By how many pixels at most does the map move?",
    unit="pixels",
    tolerance=0.5,
    slips={
        0: "Only corners that coincide keep every cell on its pixel. Here the edges coincide.",
        4 / 2: "You took half a fine cell. The coarse cells have halves too, and theirs are larger.",
        4: "You took one fine cell.",
        16 / 2
        - 4 / 2: "You took half a coarse cell less half a fine one. That would be so on 44 fine cells.",
        16 / 2: "You took half a coarse cell. Half a fine cell comes off it.",
        16: "You took a whole coarse cell. Between edges and corners there is half a cell.",
    },
)
def pixels_moved():
    positions = torch.arange(11.0).view(1, 1, 1, 11) * 16
    found = F.interpolate(positions, (1, 41), mode="bilinear", align_corners=False).flatten()
    moved = (found - 4 * torch.arange(41.0)).abs().max().item()
    return Answer(round(moved, 1), shows=f"{moved:.1f} pixels")


@choice(
    "Which adds more multiply-adds to the decoder: 16 more channels of the early map, or one more 3 × 3?",
    ("16 more channels", "one more 3 × 3", "both add as many"),
    slips={
        "16 more channels": "They widen the input of one 3 × 3 from 304 to 320. Another 3 × 3 reads 256.",
        "both add as many": "Count the channels that a 3 × 3 reads: 16 more of them, or another 256.",
    },
)
def what_costs_more():
    def cost(channels, convolutions):
        with torch.device("meta"):
            decoder = heads.Decoder(256, low_level_channels=channels, convolutions=convolutions)
        layers = [layer for layer in decoder.modules() if isinstance(layer, nn.Conv2d)]
        return 129**2 * sum(layer.weight.numel() for layer in layers) / 1e9

    usual, wide, deep = cost(48, 1), cost(64, 1), cost(48, 2)
    found = "one more 3 × 3" if deep > wide else "16 more channels" if wide > deep else "both add as many"
    return Answer(found, shows=tuple(f"{each:.2f}·10⁹" for each in (usual, wide, deep)))


@order(
    "Sort these four by mIoU over the whole image, the lowest first.",
    WAYS,
    slips={
        ("v3, OS 16", "v3, OS 8", "v3, OS 16, CRF", "v3+"): (
            "You placed the CRF above output stride 8. It sharpens what was found, and v3 at 16 misses thin things."
        ),
        ("v3, OS 16", "v3, OS 16, CRF", "v3+", "v3, OS 8"): (
            "You placed output stride 8 first. Its map has 21 cells per side, and the decoder's has 41."
        ),
        ("v3, OS 16", "v3+", "v3, OS 8", "v3, OS 16, CRF"): (
            "You placed the decoder low. It is the only one of the four that draws at stride 4."
        ),
    },
)
def drawn_best():
    runs = stored_results("lesson12")["runs"]
    reached = {name: torch.tensor([run["mean_iou"] for run in runs[name]]) for name in WAYS}
    shows = tuple(f"{values.mean():.1f} ± {values.std():.1f}" for values in reached.values())
    return Answer(tuple(sorted(WAYS, key=lambda name: reached[name].mean())), shows)


@choice(
    "From 256 to 256 channels, about how many times fewer multiply-adds does a separable 3 × 3 need than a dense one?",
    ("3 times", "9 times", "256 times", "2304 times"),
    slips={
        "3 times": "You counted one axis. The dense kernel has 3 × 3 taps for each pair of channels.",
        "256 times": "You took 1/C' alone. The ratio adds 1/k² to it, which is larger.",
        "2304 times": "You multiplied 1/C' by 1/k². The weights of the two parts are added.",
    },
)
def times_fewer():
    with torch.device("meta"):
        dense = trace(nn.Conv2d(256, 256, 3, padding=1, bias=False), 129, in_channels=256)
        parts = trace(SeparableConv2d(256, 256, 3, batch_norm=False), 129, in_channels=256)
    ratio = parts.multiply_adds / dense.multiply_adds
    options = {f"{times} times": abs(math.log(times * ratio)) for times in (3, 9, 256, 2304)}
    return Answer(min(options, key=options.get), shows=f"ratio {ratio:.4f}")


@number(
    "The six kernels of one input channel of a separable convolution are the rows of a 6 × 9 matrix. What is its rank?",
    slips={
        6: "That is a dense kernel's rank. Here all six rows are multiples of one shape.",
        9: "A rank cannot exceed the number of rows. Here all six are multiples of one shape.",
        3: "You took the rank of one 3 × 3 kernel. The rows are whole kernels, all of one shape.",
        4: "You counted input channels. Within one channel all six rows are multiples of one shape.",
        2: "You counted the two parts. The depthwise part gives one shape, the pointwise part six strengths.",
    },
)
def rank_of_a_channel():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        kernel = SeparableConv2d(4, 6, batch_norm=False).dense_kernel()
    ranks = [int(torch.linalg.matrix_rank(kernel[:, c].flatten(1))) for c in range(4)]
    return Answer(max(ranks), shows=f"separable {ranks}")


@choice(
    "ResNet-101 with multi-grid sees 1259 pixels. X-65 has fewer layers and no multi-grid. Does it see more?",
    ("more", "fewer", "as many"),
    slips={
        "fewer": "You counted layers. Only 3 × 3 taps widen the field: a block of X-65 has three, ResNet's one.",
        "as many": "Only 3 × 3 taps widen the field. A block of X-65 has three of them, a block of ResNet one.",
    },
)
def field_of_xception():
    with torch.device("meta"):
        size = trace(backbones.xception(16), 513).rows[-1].size
        other = trace(backbones.resnet(101, output_stride=16, multi_grid=(1, 2, 4)), 513).rows[-1].size
    return Answer("more" if size > other else "fewer" if size < other else "as many", shows=str(size))
