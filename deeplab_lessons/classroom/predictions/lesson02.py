"""Predictions of lesson 02: taps, windows, outputs, padding, and what the holes leave out."""

import torch
from torch.nn import functional as F

from deeplab_lessons import arithmetic
from deeplab_lessons.arithmetic import Layer
from deeplab_lessons.classroom import atrous, built_in, stacks
from deeplab_lessons.classroom.predictions.framework import Answer, choice, number, order


@number(
    "Three taps of 1 with dilation 2 slide over the row 0, 1, … 6: what is the first output?",
    slips={
        0 + 1 + 2: "You read three neighbours. Dilation 2 skips one cell between taps.",
        0
        + 3
        + 6: "Perhaps you put two zeros into each gap, or began at cell 1. The first output reads cells 0, 2 and 4.",
    },
)
def first_output():
    first = sum(Layer(3, dilation=2).taps(0))
    return Answer(first, shows=f"[ {first}.")


@number(
    "How many cells do three taps cover at dilation 12, as in DeepLab v1's LargeFOV?",
    unit="cells",
    slips={
        3 + 2 * 12: "You put 12 zeros into each gap. Dilation 12 is the distance between taps: 11 zeros.",
        3
        * 12: "You gave every tap 12 cells. Three taps have two gaps, and nothing is covered after the last tap.",
        2 * 12: "You measured from the first tap to the last. Both of them are covered, so add one cell.",
        3 + 12: "You added the dilation once. Three taps have two gaps, each with 11 zeros.",
        3 + 11: "You filled one gap. Three taps have two of them.",
        3: "You counted the taps. The kernel also covers the cells between them.",
    },
)
def covered_at_twelve():
    cells = arithmetic.effective_kernel_size(3, 12)
    return Answer(cells, shows=f"covers {cells} cells")


@number(
    "How many outputs do 8 cells give, with three taps at dilation 2, stride 2 and no padding?",
    unit="outputs",
    slips={
        8
        - 5
        + 1: "Perhaps you counted every position, or halved the row. Stride 2 takes every second position.",
        (8 - 5) // 2: "You counted the steps. The first position needs no step, so there is one more output.",
        (8 - 3) // 2
        + 1: "Perhaps you ignored the dilation, or rounded up. The kernel covers 5 cells and can't hang over.",
        (8 - 5) / 2 + 1: "You kept half a step. The kernel can't hang over the end, so round down.",
    },
)
def outputs_of_eight():
    return Answer(outputs := arithmetic.output_size(8, 3, stride=2, dilation=2), shows=f"{outputs} outputs")


@number(
    "Which padding on each side keeps the size for 5 taps at dilation 4?",
    unit="cells",
    slips={
        4: "You used the dilation, which is right for 3 taps. Five taps have two gaps on each side of the middle.",
        5 // 2: "You used the padding of an undilated kernel. Each of its gaps is 4 cells wide here.",
        4 * 4: "You counted both sides. The padding is given for each side.",
        5 * 4 // 2: "You counted the taps. Five taps have four gaps, two on each side.",
        5 * 4: "You multiplied the taps by the dilation. Count the gaps on one side of the middle tap.",
    },
)
def padding_for_five():
    padding = arithmetic.same_padding(5, dilation=4)
    return Answer(padding, shows=f"5 taps, dilation  4: padding {padding:2d}")


EQUAL = ("equal, to the last bit", "equal up to rounding", "different")


def _green():
    return torch.tensor(built_in.photograph("chelsea")[..., 1], dtype=torch.float64)[None, None]


@choice(
    "How do the answers of the spread kernel and of the dilated one compare on the photo?",
    EQUAL,
    slips={
        "equal up to rounding": "Photo and kernel are whole numbers, and sums of whole numbers are exact here.",
        "different": "The zeros only fill the gaps: both kernels multiply the same cells by the same weights.",
    },
)
def spread_or_dilated():
    edges = torch.tensor([[1.0, 0, -1], [2, 0, -2], [1, 0, -1]], dtype=torch.float64)[None, None]
    spread = F.conv2d(_green(), atrous.dilate_kernel(edges, dilation=4))
    dilated = F.conv2d(_green(), edges, dilation=4)
    equal = torch.equal(spread, dilated)
    return Answer(EQUAL[0 if equal else 1 if torch.allclose(spread, dilated) else 2], shows=str(equal))


@number(
    "How many multiplications does one unit need for one channel, with 3 × 3 taps at dilation 12?",
    unit="multiplications",
    slips={
        25**2: "You counted a full kernel as wide as the window. Nothing is multiplied in the gaps.",
        25: "You counted the cells that the window covers along one axis. Only the taps multiply.",
        3: "You counted one axis. An image has two, with three taps along each.",
        9 * 12: "You multiplied the taps by the dilation. Dilation moves the taps apart and adds none.",
        9 * 12**2: "You multiplied the taps by the dilation. Dilation moves the taps apart and adds none.",
    },
)
def multiplications_at_twelve():
    taps = len(Layer(3, dilation=12).taps(0)) ** 2
    covered = arithmetic.effective_kernel_size(3, 12)
    return Answer(
        taps, shows=f"dilation 12: {taps} multiplications; a full kernel as wide ({covered}×{covered})"
    )


@number(
    "Three layers of three taps at dilation 2 have a window of 13 pixels: how many of those does a unit read?",
    unit="pixels",
    slips={
        13: "You took the window to be full. Each layer skips every second cell, and so do all three together.",
        13 // 2: "You counted the holes. The first and the last pixel of the window are both read.",
        3 * 3: "You multiplied taps by layers, but the layers share most of the pixels that they read.",
        3**3: "You counted the paths. Many of them end at the same pixel.",
        3: "You counted the pixels of one layer. Two more layers reach further.",
    },
)
def pixels_read():
    counts = stacks.path_counts(stacks.dilated(2, 2, 2), unit=6, input_size=13)
    read = sum(count > 0 for count in counts)
    return Answer(read, shows=f"{read} of {len(counts)}")


def _blurred(dilations):
    """The photograph with a checkerboard over it, blurred as in the lesson, and what is left of the board."""
    rows, columns = torch.meshgrid(torch.arange(300), torch.arange(451), indexing="ij")
    board, green = 40 * (-1.0) ** (rows + columns), _green()
    mean = torch.full((1, 1, 3, 3), 1 / 9, dtype=torch.float64)
    images = [green + board, green]
    for dilation in dilations:
        padding = arithmetic.same_padding(3, dilation)
        images = [F.conv2d(image, mean, padding=padding, dilation=dilation) for image in images]
    checkered, plain = (image[0, 0, 100:200, 100:300] for image in images)
    return checkered, (checkered - plain).abs().max().item()


@choice(
    "Which blur removes the checkerboard?",
    ("dilations 2-2-2", "dilations 1-2-5", "both", "neither"),
    slips={
        "dilations 2-2-2": "At dilation 2 a tap meets squares of one colour only, and their mean changes nothing.",
        "both": "At dilation 2 a tap meets squares of one colour only, so 2-2-2 leaves the board as it is.",
        "neither": "A layer of odd dilation meets 5 squares of one colour and 4 of the other, which nearly cancel.",
    },
)
def blur_that_removes():
    blurs = {"2-2-2": (2, 2, 2), "1-2-5": (1, 2, 5)}
    steps = {name: _blurred(blur)[0].diff(dim=1).abs().mean().item() for name, blur in blurs.items()}
    before = _blurred(())[0].diff(dim=1).abs().mean().item()
    removes = [name for name, step in steps.items() if step < before / 10]
    said = ("neither", f"dilations {''.join(removes)}", "both")[len(removes)]
    return Answer(
        said, shows=tuple(f"{name}: neighbours differ by {step:.0f}" for name, step in steps.items())
    )


BLURS = {"dilations 1-2-4": (1, 2, 4), "dilations 1-2-5": (1, 2, 5), "dilations 2-2-2": (2, 2, 2)}


@order(
    "Sort the blurs by how much of the checkerboard they leave, the largest part first.",
    tuple(BLURS),
    slips={
        (
            "dilations 2-2-2",
            "dilations 1-2-5",
            "dilations 1-2-4",
        ): "1-2-4 has no hole, but only one layer of odd dilation. 1-2-5 has two, so it leaves less.",
        (
            "dilations 1-2-4",
            "dilations 1-2-5",
            "dilations 2-2-2",
        ): "2-2-2 has no layer of odd dilation, so nothing takes the board away.",
    },
)
def board_left():
    left = {name: _blurred(dilations)[1] for name, dilations in BLURS.items()}
    ranked = tuple(sorted(left, key=left.get, reverse=True))
    return Answer(ranked, shows=tuple(f"{BLURS[name]} leave ±{left[name]:.2f} of ±40" for name in ranked))
