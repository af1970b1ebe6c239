"""Both tools against brute force, operator by operator: the field is right, or the operator is refused by name.

Brute force moves one pixel at a time by a lot and looks which units change. A mask that misses such a unit is the
worst that can happen; one with more is right where values decide (a comparison hardly ever changes).
"""

import copy  # noqa: F401
import functools
import operator  # noqa: F401
from pathlib import Path

import pytest
import torch
import torchvision  # noqa: F401
from torch import nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint  # noqa: F401

from deeplab_lessons.classroom.gradient_fields import empirical_field
from deeplab_lessons.receptive_field import UntraceableError, trace

SIZE = 6
INDEX = torch.tensor([2, 0, 1, 3])
pool = functools.partial(F.avg_pool2d, kernel_size=3, stride=1, padding=1)
ones = functools.partial(torch.ones, dtype=torch.float64)
zeros = functools.partial(torch.zeros, dtype=torch.float64)


def weight(*shape):
    return torch.randn(shape, dtype=torch.float64, device="cpu")


def tokens(x):
    return x.flatten(2).transpose(1, 2)


def both(x):
    return torch.cat([x, pool(x)], 1)


def without_gradients(x):
    with torch.no_grad():
        y = pool(x)
    return x + y


def in_inference_mode(x):
    with torch.inference_mode():
        y = pool(x)
    return x + y


def in_autocast(x):
    with torch.autocast("cpu"):
        return F.conv2d(x, weight(2, 4, 3, 3)).double()


class Twice(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, gradient):
        return gradient * 2


class Reversed(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.view_as(x)

    @staticmethod
    def backward(ctx, gradient):
        return -gradient


class Dropped(Reversed):
    @staticmethod
    def backward(ctx, gradient):
        return gradient * 0


@torch.jit.script
def scripted(x):
    return torch.relu(x)


class Then(nn.Module):
    """A 3x3 convolution, then an operator."""

    def __init__(self, function):
        super().__init__()
        self.conv, self.function = nn.Conv2d(3, 4, 3, padding=1), function
        self.double()

    def forward(self, x):
        return self.function(self.conv(x))


def brute_force(model):
    """Which pixel [SIZE², rows, columns] of the image changes which unit."""
    seen = 0
    for draw in range(2):
        image = torch.randn(1, 3, SIZE, SIZE, dtype=torch.float64)

        def run(image, draw=draw):
            torch.manual_seed(draw)
            with torch.no_grad():
                out = model(image.clone())
            return (out if out.dim() >= 4 else out.reshape(1, -1, 1, 1)).flatten(0, -3)

        before, changed = run(image), []
        for pixel in range(SIZE**2):
            places = [image.clone() for _ in range(2)]
            for place, by in zip(places, (7.3, -6.1), strict=True):
                place.view(3, -1)[:, pixel] += by
            after = [run(place) for place in places]
            changed.append(sum((out != before) & ~(out.isnan() & before.isnan()) for out in after).any(0))
        seen = torch.stack(changed) | seen
    return seen.bool().numpy().reshape(SIZE, SIZE, *seen.shape[1:])


def masks(tool, function, units):
    """Fields of some units, as a tool gives them."""
    model = Then(function)
    if tool is trace:
        return [trace(model, SIZE).mask(unit=unit) for unit in units]
    return [empirical_field(model, SIZE, unit=unit) for unit in units]


def judge(tool, function, brute):
    """`=` for right, `>` for a mask with more, `<` for a mask that misses something, `x` for refused by name."""
    try:
        masks(tool, function, [None])
    except UntraceableError as error:
        assert any(
            words in str(error) for words in ("cannot", "the values of a tensor", "the value of a tensor")
        )
        return "x"
    seen = brute()
    rows, columns = seen.shape[2:]
    units = [(0, 0), (rows // 2, columns // 3), (rows - 1, columns - 1)]
    found = masks(tool, function, units)
    expected = [seen[:, :, y, x] for y, x in units]
    if any((more & ~mask).any() for mask, more in zip(found, expected, strict=True)):
        return "<"
    return ">" if any((mask & ~more).any() for mask, more in zip(found, expected, strict=True)) else "="


#: Lines of expected judgements (trace's, then empirical_field's) and an expression of the map x.
OPERATORS = [
    line for line in Path(__file__).with_name("operators.txt").read_text().splitlines() if line[0] != "#"
]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("line", OPERATORS)
def test_an_operator_is_followed_rightly_or_refused(line):
    expected, expression = line.split(" ", 1)
    function = eval(f"lambda x: {expression}", globals())
    torch.manual_seed(0)
    brute = functools.cache(lambda: brute_force(Then(function)))
    for tool, judgement in zip((trace, empirical_field), expected, strict=True):
        assert judge(tool, function, brute) in (judgement, "=" if judgement == ">" else judgement), tool
