"""Lessons compare two ways to one number, on CUDA too: all digits of float32, set before a lesson computes."""

import ast
import re
from pathlib import Path

import pytest
import torch
from tf32 import TF32Convolutions, to_tf32

from deeplab_lessons import crf, runtime
from deeplab_lessons.classroom import built_in
from deeplab_lessons.layers.separable import SeparableConv2d

LESSONS = sorted((Path(__file__).resolve().parents[2] / "lessons").glob("[0-9][0-9]_*.md"))


@pytest.fixture(autouse=True)
def as_cuda_begins():
    """Torch's defaults, before a test and after it."""
    torch.backends.cudnn.allow_tf32 = True
    yield
    torch.backends.cudnn.allow_tf32 = True


def cells(lesson):
    """Code of a lesson's cells, the lesson given by its number."""
    (path,) = [path for path in LESSONS if path.stem.startswith(lesson)]
    return re.findall(
        r"```\{code-cell\}[^\n]*\n(?::[^\n]*\n|\n)*(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL
    )


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem[:2])
def test_every_lesson_sets_the_precision_before_it_computes(path):
    lines = [line for cell in cells(path.stem[:2])[:2] for line in map(ast.unparse, ast.parse(cell).body)]
    before = lines[: lines.index("runtime.full_precision()")]
    assert {line.split()[0] for line in before} <= {"import", "from", "drawing.use_style()"}


def run(lesson, *beginnings, **names):
    """Run the cells of a lesson that begin so, one after the other; return what the last line would print."""
    said = []
    names |= {"torch": torch, "F": torch.nn.functional, "crf": crf, "SeparableConv2d": SeparableConv2d}
    names["print"] = lambda *words: said.append(words[-1])
    for beginning in beginnings:
        (cell,) = [cell for cell in cells(lesson) if cell.startswith(beginning)]
        exec(cell, names)
    return said[-1]


def compatibility():
    """Lesson 08: the compatibility transform as a 1 × 1 convolution, here with random scores."""
    picture, _ = built_in.Embedded("val", 4, 128).pair(3)
    torch.manual_seed(0)
    return run(
        "08",
        "layer = crf.DenseCRF",
        "filtered = ",
        "as_convolution = ",
        by_hand=crf.Parameters(w1=10, sigma_alpha=40, sigma_beta=5, w2=3, sigma_gamma=1),
        image=torch.tensor(picture).permute(2, 0, 1),
        scores=3 * torch.randn(6, 128, 128),
    )


def separable():
    """Lesson 12: a separable convolution and the dense one with its kernel."""
    return run("12", "torch.manual_seed(1)\nseparable", "kernel = separable.dense_kernel()")


@pytest.mark.parametrize("comparison", [pytest.param(compatibility, marks=pytest.mark.slow), separable])
def test_a_comparison_of_a_lesson_holds_where_convolutions_round(comparison):
    assert comparison() is True
    with TF32Convolutions():
        assert comparison() is False, "the stand-in rounds, so that the next line can fail"
        runtime.full_precision()
        assert comparison() is True


def test_the_stand_in_keeps_ten_bits():
    unit = torch.tensor([1.0, 1 + 2**-10, 1 + 2**-11, 1 + 3 * 2**-11, 1 + 2**-11 + 2**-20, -1 - 2**-12])
    assert to_tf32(unit).tolist() == [1, 1 + 2**-10, 1, 1 + 2 * 2**-10, 1 + 2**-10, -1]


def test_the_stand_in_rounds_gradients_too():
    def slope():
        kernel = torch.full((1, 1, 1, 1), 1 / 3, requires_grad=True)
        with TF32Convolutions():
            torch.nn.functional.conv2d(torch.full((1, 1, 1, 1), 1 / 7), kernel).sum().backward()
        return kernel.grad.item()

    rounded = slope()
    runtime.full_precision()
    assert rounded == to_tf32(torch.tensor(1 / 7)).item() and slope() == torch.tensor(1 / 7).item()
