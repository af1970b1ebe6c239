"""Predictions of lesson 04: what each edit does to kernels, maps, fields and scores."""

from dataclasses import replace

import torch

from deeplab_lessons import arithmetic, backbones, models
from deeplab_lessons.classroom import stacks
from deeplab_lessons.classroom.predictions.framework import Answer, choice, number
from deeplab_lessons.receptive_field import trace


@choice(
    "Which shape does fc6's matrix of 4096 × 25088 have as a kernel for the 512 channels of pool5?",
    ("[4096, 512, 7, 7]", "[512, 4096, 7, 7]", "[4096, 7, 7, 512]", "[4096, 25088, 1, 1]"),
    slips={
        "[512, 4096, 7, 7]": "You put the inputs first. A kernel begins with its outputs, as the matrix does.",
        "[4096, 7, 7, 512]": "You put the channels last. PyTorch flattens a map channel by channel.",
        "[4096, 25088, 1, 1]": "You gave it a single tap. fc6 reads 7 × 7 cells, so 25088 is 512 · 49.",
    },
)
def fc6_as_kernel():
    with torch.device("meta"):
        shape = str(list(backbones.as_kernel(torch.empty(4096, 25088), kernel_size=7).shape))
    return Answer(shape, shows=shape)


@number(
    "How many scores per side does a kernel of 7 × 7 taps give on 14 cells per side, without padding?",
    unit="scores",
    slips={
        14: "You kept the size of the map. Without padding the kernel can't hang over the border.",
        14 - 7: "You counted the steps. The first position needs no step, so there is one more score.",
        14 // 7: "You cut the map into pieces of 7 cells. The kernel moves by one cell.",
        1: "You thought of the small image. A convolution takes every position at which it fits.",
    },
)
def scores_per_side():
    (fc6,) = (field for field in arithmetic.receptive_fields(stacks.vgg16(), 448) if field.name == "fc6")
    return Answer(fc6.out, shows=f"[1, 1000, {fc6.out}, {fc6.out}]")


def _field(layers):
    return arithmetic.receptive_fields(layers)[-1].size


@number(
    "If two pools lose their stride and nothing else changes, how many pixels does fc6 see instead of 404?",
    unit="pixels",
    slips={
        404: "You kept the field. Each tap of conv5, pool5 and fc6 now takes a shorter step over the image.",
        404
        // 2: "You halved it. The layers before pool4 keep their field, and fc6's steps are a quarter as long.",
        404 // 4: "You took a quarter of it. The layers before pool4 keep their field.",
        404 * 4: "You multiplied. A finer map makes the steps between taps shorter.",
    },
)
def field_without_holes():
    undilated = [replace(layer, dilation=1) for layer in stacks.deeplab_v1()]
    return _field(undilated)


def _strided_and_dilated(size, moved=(0, 0)):
    """Maps of a narrow VGG16, the image moved by so many rows and columns, and of its dilated form, unmoved."""
    torch.manual_seed(0)
    net = backbones.fully_convolutional(backbones.vgg16(1 / 32).eval().double())
    x = torch.randn(1, 3, *size, dtype=torch.float64)
    with torch.inference_mode():
        return net(x[..., moved[0] :, moved[1] :]), backbones.dilate(backbones.keep_resolution(net))(x)


SAME = ("the coarse map's scores", "a smoothed copy of the coarse map", "other scores")


@choice(
    "What do you get if you read the dilated network's map at every fourth row and column?",
    SAME,
    slips={
        "a smoothed copy of the coarse map": "Nothing is averaged: even cells meet only even cells in every layer.",
        "other scores": "Every tap reads the cell that it always read, because dilation replaces the strides.",
    },
)
def every_fourth_cell():
    coarse, fine = _strided_and_dilated((224, 256))
    same = torch.allclose(fine[..., ::4, ::4], coarse)
    return Answer(SAME[0 if same else 2], shows=f"same scores: {same}")


MOVED = (
    "VGG16's scores for the shifted image",
    "means of the framed cells around it",
    "scores that VGG16 never gives",
)


@choice(
    "If one cell in sixteen of the dilated map holds VGG16's scores, what do the other fifteen hold?",
    MOVED,
    slips={
        "means of the framed cells around it": "Nothing is averaged: every cell reads pixels of its own.",
        "scores that VGG16 never gives": "The weights meet the pixels as in VGG16, only on another grid.",
    },
)
def other_fifteen():
    coarse, fine = _strided_and_dilated((448, 448), (8, 24))
    same = torch.allclose(fine[..., 4 * 3 + 1, 4 * 3 + 3], coarse[..., 3, 3])  # far from the border
    return Answer(MOVED[0 if same else 2], shows=f"16 answers, largest difference below 1e-12: {same}")


@number(
    "If conv5 and fc6 are dilated but pool5 isn't, how many pixels does fc6 see instead of 404?",
    unit="pixels",
    slips={
        404: "You treated pool5 as a layer without taps. It has two, and they are now one cell apart instead of two.",
        404 // 2: "You halved the field. One layer changes, by one cell of 8 pixels.",
        404
        - 1: "You subtracted one pixel. The taps move together by one cell, and cells are 8 pixels apart.",
        404
        - 16: "You subtracted two cells. pool5 has two taps and one gap, which shrinks by one cell of 8 pixels.",
        404 - 2: "You subtracted two pixels. pool5's gap shrinks by one cell of 8 pixels.",
    },
)
def field_with_plain_pool5():
    size = _field(stacks.deeplab_v1(7, 4, False))
    return Answer(size, shows=f"field: {size}")


@number(
    "What percentage of CRF-7x7's parameters does fc6 hold?",
    unit="%",
    tolerance=6,
    slips={
        100 / 16: "You shared the parameters out evenly among 16 layers. fc6 has 512 · 49 · 4096 weights.",
        100
        / 3: "You shared the parameters out evenly among fc6, fc7 and fc8. fc6 has 49 taps, the others one.",
        50: "You treated fc6 as half of the network. It has 512 · 49 · 4096 weights, six times as many as fc7.",
    },
)
def fc6_fraction():
    with torch.device("meta"):
        table = trace(models.deeplab_v1(**models.V1_TABLE["CRF-7x7"]), 320)
    fraction = table["head.fc6"].parameters / table.parameters
    return Answer(100 * fraction, shows=f"{fraction:4.0%} of parameters")
