"""Predictions of lesson 01: what a coarse map keeps, and what a shift changes."""

import numpy as np
import torch
from torch.nn import functional as F
from torchvision.models import vgg16

from deeplab_lessons.classroom import built_in, objects, redrawing
from deeplab_lessons.classroom.predictions.framework import Answer, choice, number


@number(
    "After five poolings of stride 2, how many cells per side does the map of a 224-pixel image have?",
    unit="cells",
    slips={
        224
        // (
            2 * 5
        ): "You added the strides. Each pooling halves what the one before it left, so strides multiply.",
        224 // 2**4: "You stopped after four poolings. The fifth halves the map once more.",
        2**5: "You found the output stride, in pixels. Divide 224 by it to count cells.",
        (224 // 2**5) ** 2: "You counted all cells of the map. The question is about one side.",
        224 // 2: "You halved once. Each of the five poolings halves the map.",
    },
)
def last_map_side():
    stride = redrawing.output_stride([2] * 5)
    side = 224 // stride
    return Answer(side, shows=(f"{side} × {side}", f"output stride {stride}"))


@number(
    "The last map has 1024 times fewer cells than the image has pixels: how many times fewer numbers does it hold?",
    unit="times",
    tolerance=0.5,
    slips={
        32
        * 32: "You compared cells with pixels. A pixel holds 3 numbers, and a cell of the last map holds 512.",
        32 * 32 / 512: "You counted one number per pixel. Each pixel holds three, one per colour.",
        32 * 32 * 3: "You counted one number per cell. Each cell holds 512, one per channel.",
        512
        / 3: "You compared the numbers of one cell with those of one pixel. There are 1024 times fewer cells.",
    },
)
def fewer_numbers():
    with torch.device("meta"):
        image = torch.empty(1, 3, 224, 224)
        last = vgg16(weights=None).features(image)
    times = image.numel() / last.numel()
    return Answer(times, shows=(str(image.numel()), str(last.numel()), f"{times:.0f} times"))


@number(
    "True labels 1 1 1 0 0 void, predicted 1 1 0 1 0 1: what is the IoU of class 1?",
    tolerance=0.005,
    slips={
        2 / 5: "You counted the void pixel in the union. Its class is unknown, so leave it out.",
        2
        / 3: "You divided by the pixels of one map only, or computed Dice. The union holds the pixels of both.",
        3
        / 5: "You computed the fraction of pixels that are right. IoU leaves out those on which both say class 0.",
        2 / 6: "You divided by all pixels. Only those that are predicted or true class 1 count.",
    },
)
def iou_of_class_one():
    true, predicted = np.array([[1, 1, 1, 0, 0, 255]]), np.array([[1, 1, 0, 1, 0, 1]])
    return objects.class_iou(predicted, true, label=1)


TO_THE_BIT = ("yes, to the last bit", "only up to rounding", "no")


def _edges(image):
    """A picture's vertical edges, with padding around the edge, as in the lesson."""
    kernel = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]]).view(1, 1, 3, 3)
    return F.conv2d(F.pad(image, (1, 1, 1, 1), mode="circular"), kernel).abs()


def _cat():
    return torch.tensor(built_in.photograph("chelsea")[40:296, 80:336].mean(2).round()).float()[None, None]


@choice(
    "Is the edge map of the shifted image the shifted edge map?",
    TO_THE_BIT,
    slips={
        "only up to rounding": "Each cell adds the same whole numbers in the same order, so nothing is rounded.",
        "no": "Every unit applies the same weights, wherever it is. The answer moves along with the image.",
    },
)
def edges_move_along():
    cat = _cat()
    pairs = [(_edges(cat.roll(shift, -1)), _edges(cat).roll(shift, -1)) for shift in range(1, 9)]
    equal = all(torch.equal(one, other) for one, other in pairs)
    close = all(torch.allclose(one, other) for one, other in pairs)
    return Answer(TO_THE_BIT[0 if equal else 1 if close else 2], shows=f"{equal}, {equal}")


@choice(
    "For which shifts from 1 to 8 pixels is the pooled map the same as before, moved by whole cells?",
    ("all", "2, 4, 6, 8", "4, 8", "8", "none"),
    slips={
        "all": "The convolution moves along at every shift. The pooling starts a cell at every fourth pixel only.",
        "2, 4, 6, 8": "A shift of 2 pixels is half a cell, so every cell sees other pixels than before.",
        "8": "A shift of 4 pixels is one whole cell already.",
        "none": "After a shift of 4 pixels each cell sees what its neighbour saw before.",
    },
)
def shifts_that_fit():
    cat = _cat()
    before = F.max_pool2d(_edges(cat), 4)
    after = {shift: F.max_pool2d(_edges(cat.roll(shift, -1)), 4) for shift in range(1, 9)}
    fit = [s for s, one in after.items() if any(torch.equal(one, before.roll(n, -1)) for n in range(64))]
    return Answer(", ".join(map(str, fit)), shows=str(fit))


def _position(pool, left):
    """The position of a bar of 16 pixels, read from cells of stride 16."""
    row = torch.zeros(1, 1, 128)
    row[..., left : left + 16] = 1
    cells = pool(row, 16)[0, 0]
    return ((cells * (torch.arange(8) * 16 + 7.5)).sum() / cells.sum()).item()


@choice(
    "A bar as wide as a cell moves by one pixel: which position, read from the cells, moves with it?",
    ("from max-pooled cells", "from average-pooled cells", "from both", "from neither"),
    slips={
        "from max-pooled cells": "A maximum says whether a cell is touched, not how much of it the bar covers.",
        "from both": "A maximum stays the same while the bar touches the same cells.",
        "from neither": "Two neighbouring averages change when the bar moves, and their ratio gives the position.",
    },
)
def bar_moves():
    pools = {"max": F.max_pool1d, "average": F.avg_pool1d}
    moves = {name: _position(pool, 41) - _position(pool, 40) for name, pool in pools.items()}
    moving = [name for name, way in moves.items() if abs(way) > 0.5]
    said = {0: "neither", 1: f"{moving[0] if moving else ''}-pooled cells", 2: "both"}[len(moving)]
    shows = tuple(f"{name}, 16 px wide: moves by {way:.1f} px" for name, way in moves.items())
    return Answer(f"from {said}", shows=shows)
