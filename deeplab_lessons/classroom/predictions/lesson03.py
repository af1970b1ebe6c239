"""Predictions of lesson 03: size, jump and position of a field, branches, and how much of a field is used."""

import torch

from deeplab_lessons import arithmetic
from deeplab_lessons.arithmetic import Field, Layer
from deeplab_lessons.classroom import stacks
from deeplab_lessons.classroom.predictions.framework import Answer, choice, number


@number(
    "Each of two layers has three neighbouring taps: how many different pixels reach one unit of the upper map?",
    unit="pixels",
    slips={
        3 * 3: "You counted paths. Neighbouring cells share most of the pixels that they read.",
        3 + 3: "You added the taps. The upper layer adds one pixel on each side of the three in the middle.",
        3: "You counted the cells of the lower map. Each of them reads pixels to its left and right too.",
        3 + 1: "You added one pixel. The outer cells add one on each side.",
        3 + 2 + 2: "You added two pixels on each side. Each layer reaches one pixel further.",
    },
)
def pixels_of_two():
    first, last = stacks.back_project(stacks.plain(2), 4, input_size=9)
    pixels = list(range(first, last + 1))
    return Answer(len(pixels), shows=f"{len(pixels)} pixels: {pixels}")


@number(
    "How wide is the field after a 3-tap layer of stride 2 and a 3-tap layer of stride 1?",
    unit="pixels",
    slips={
        1
        + 2 * 2
        + 2 * 2: "Perhaps you used the jump after the first layer for its own taps, which are 1 pixel apart.",
        1 + 2 + 2: "You ignored the stride. The taps of the second layer are 2 pixels apart.",
        1
        + 3
        + 3
        * 2: "Perhaps you counted taps instead of steps, or stretched the whole field. Three taps have two gaps.",
        3: "You stopped after the first layer. The second one reads three of its cells.",
    },
)
def size_after_stride():
    field = arithmetic.receptive_fields([Layer(3, stride=2), Layer(3)])[-1]
    return Answer(field.size, shows=f"size {field.size}, jump {field.jump}")


@number(
    "VGG16's pool1 (2 taps, stride 2) follows two 3-tap convolutions with padding 1: where is its unit 0 centred?",
    slips={
        0: "You placed it over pixel 0. Padded convolutions keep the centre there, and two taps average two pixels.",
        -2: "You found the first pixel of the field, which is in the padding. The centre is half a field further.",
        6 / 2
        - 2: "Perhaps you went half of 6 pixels from pixel -2. From the first of 6 to the last are 5 steps.",
        5 / 2: "You left out the padding. It moves the field by one pixel per convolution.",
    },
)
def centre_of_pool1():
    field = {field.name: field for field in arithmetic.receptive_fields(stacks.vgg16())}["pool1"]
    return Answer(field.start, shows=f"centre {field.start}")


@choice(
    "Which of the two does the surgery change, compared with VGG16?",
    ("the field", "the map size", "both", "neither"),
    slips={
        "the field": "The dilations give each later layer the steps that the missing strides take away.",
        "both": "The map grows. The dilations give the field back, layer by layer.",
        "neither": "Two pooling layers lose their stride, so fewer cells are dropped.",
    },
)
def changed_by_surgery():
    before, after = (
        arithmetic.receptive_fields(layers, 224) for layers in (stacks.vgg16(), stacks.deeplab_v1())
    )
    pairs = list(zip(before, after, strict=True))
    field = any(a.size != b.size for a, b in pairs)
    size = any(a.out != b.out for a, b in pairs)
    said = {(True, False): "the field", (False, True): "the map size", (True, True): "both"}
    a, b = next(pair for pair in pairs if pair[0].name == "pool5")
    shows = f"field {a.size} and {b.size}   jump {a.jump:2} and {b.jump:2}   map {a.out:2} and {b.out:2}"
    return Answer(said.get((field, size), "neither"), shows=shows)


@number(
    "The map has a field of 971 pixels at jump 8: how wide is the field of a 3 × 3 branch with dilation 12?",
    unit="pixels",
    slips={
        971 + 12 * 8: "You went to one side. The outer taps are 12 cells away on both sides.",
        971 + 2 * 12: "You added cells to pixels. At jump 8 each of the 24 cells is 8 pixels.",
        971 + 3 * 12 * 8: "You counted three gaps. Three taps have two.",
        2 * 12 * 8: "You found what the branch adds. Each of its cells already sees 971 pixels.",
        25 * 8: "You found the width of the branch's window. Each of its cells already sees 971 pixels.",
        971 + 25 * 8: "You added the whole window. It begins with a cell that is counted in the 971 pixels.",
        971: "You left out the branch's kernel. Its outer taps are 24 cells apart.",
    },
)
def field_of_branch():
    return arithmetic.extend(Field(size=971, jump=8), Layer(3, dilation=12)).size


def _middle(depth):
    """How many pixels in the middle of the field carry 95% of the paths through `depth` plain layers."""
    size = 2 * depth + 1
    paths = torch.tensor(stacks.path_counts(stacks.plain(depth), depth, input_size=size))
    carried = [paths[i : size - i].sum() / paths.sum() for i in range(depth + 1)]
    return size - 2 * max(i for i, part in enumerate(carried) if part >= 0.95)


@choice(
    "From 8 to 32 plain layers the field grows fourfold: how does its middle with 95% of the paths grow?",
    ("not at all", "twofold", "fourfold", "eightfold"),
    slips={
        "not at all": "Each layer still spreads the paths a little further, as a sum of random steps spreads.",
        "fourfold": "Most paths step to both sides and end near the middle, so few reach the new pixels.",
        "eightfold": "The middle is a part of the field, so it can't grow faster than the field for long.",
    },
)
def growth_of_middle():
    few, many = _middle(8), _middle(32)
    said = {1: "not at all", 2: "twofold", 4: "fourfold", 8: "eightfold"}[round(many / few)]
    return Answer(said, shows=(f"middle {few:2} pixels", f"middle {many:2} pixels"))


@number(
    "How wide must a square window be, so that noise in every pixel outside it leaves a score of fc6 untouched?",
    unit="pixels",
    slips={
        224: "Perhaps you took the paper's number, or 7 tiles of 32 pixels. Each cell that fc6 reads sees 212 pixels.",
        212: "You took the field of one cell of pool5. fc6 reads 7 × 7 of them.",
        7
        * 212: "You gave each of fc6's taps 212 pixels of its own. Neighbouring cells share most of theirs.",
        448: "You took the whole image. The noise may come closer than that.",
    },
)
def untouched_window():
    (fc6,) = (field for field in arithmetic.receptive_fields(stacks.vgg16(), 448) if field.name == "fc6")
    return Answer(fc6.size, shows=f"kept {fc6.size} pixels")
