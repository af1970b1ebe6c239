"""What the compute functions of the entries share: counts on networks without numbers, made once."""

from functools import cache

import torch

from deeplab_lessons import arithmetic, models
from deeplab_lessons.classroom import stacks
from deeplab_lessons.receptive_field import Trace, trace


@cache
def traced(size: int, version: str = "v1", **settings) -> Trace:
    """The trace of `models.deeplab(version, **settings)` for images of `size` pixels per side."""
    with torch.device("meta"):
        return trace(models.deeplab(version, num_classes=21, **settings), size)


def v1(row: str, size: int = 320) -> Trace:
    """The trace of a row of v1's table 2."""
    return traced(size, "v1", **models.V1_TABLE[row])


def parameters(row: str):
    """A function that counts the parameters of a row of v1's table 2."""
    return lambda: v1(row).parameters


def field(row: str):
    """A function that gives the field of fc6, in pixels, of a row of v1's table 2."""
    return lambda: v1(row)["head.fc6"].size


def vgg_field() -> int:
    """Field of VGG16's fc6 as a convolution, in pixels."""
    return arithmetic.receptive_fields(stacks.vgg16())[-1].size


def cells(size: int, stride: int):
    """Return a function that counts a map's cells per side, all layers padded: `size` pixels, one in `stride`."""
    return lambda: -(-size // stride)
