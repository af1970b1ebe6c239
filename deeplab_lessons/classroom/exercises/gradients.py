"""Do the right gradients flow back from an answer to its inputs? Asked only where the solution lets them flow."""

import sys

from deeplab_lessons.classroom.exercises.compare import difference, is_tensor, show_error
from deeplab_lessons.classroom.exercises.words import SAY


def carries_gradient(value: object) -> bool:
    """Whether `value` is a tensor through which gradients flow."""
    return is_tensor(value) and value.requires_grad


def gradients(value: object, inputs: tuple) -> list | str:
    """Return what flows back from `value` to each input that takes a gradient: a tensor, or None where nothing does.

    The numbers of `value` get different weights, so that no two of them may be exchanged. Where PyTorch refuses, its
    words are returned. Nothing flows back from a value that carries no gradient.
    """
    if not carries_gradient(value):
        return []
    torch = sys.modules["torch"]
    leaves = [each for each in inputs if carries_gradient(each)]
    weights = torch.linspace(1, 2, value.numel(), dtype=value.dtype).view(value.shape)
    try:
        return list(torch.autograd.grad(value, leaves, weights, allow_unused=True))
    except Exception as error:
        return show_error(error)


def gradient_problem(got: list | str, expected: list | str) -> str | None:
    """None where every expected gradient arrives; otherwise what is wrong, in words."""
    if isinstance(got, str):
        return SAY["gradient raises"].format(error=got)
    if len(got) != len(expected):
        return SAY["no gradient"]
    for mine, theirs in zip(got, expected, strict=True):
        if theirs is not None and mine is None:
            return SAY["no gradient"]
        if theirs is not None and difference(mine, theirs) is not None:
            return SAY["gradient"]
    return None
