"""Answers of the wrong kind, and right answers in other clothes."""

import math

import pytest
from verdicts import double, said, some_cells, twice

from deeplab_lessons.classroom.exercises.framework import Exercise


@pytest.mark.parametrize(
    ("attempt", "words"),
    [
        (lambda n: math.nan, "not a number"),
        (lambda n: math.inf, "infinite"),
        (lambda n: 2.0 * n + 0.5, "fraction"),
        (lambda n: True, "truth value"),
        (lambda n: (2 * n, 2 * n), "one axis at a time"),
        (lambda n: str(2 * n), "text (str) came"),
        (lambda n: 2 * n if n < 5 else None, "branch without return"),
        (lambda n: 2 * n if n < 5 else ..., "dots"),
    ],
)
def test_wrong_kinds_of_numbers(attempt, words):
    verdict = twice.check(attempt)
    assert verdict.state == "wrong" and words in said(verdict)


def test_a_float_without_fraction_is_right_and_told_how_to_be_whole():
    assert twice.check(double).sentences == ("It agrees with the course's own function on 29 cases.",)
    verdict = twice.check(lambda n: 2.0 * n)
    assert verdict.state == "correct" and "// in place of /" in said(verdict)


def test_numpy_and_torch_numbers_count_as_whole():
    import numpy as np
    import torch

    assert twice.check(lambda n: np.int64(2 * n)).state == "correct"
    assert twice.check(lambda n: torch.tensor(2 * n)).state == "correct"
    assert twice.check(lambda n: np.bool_(True)).state == "wrong"


def test_tensors_need_shape_dtype_and_finite_values():
    import torch

    def ramp(count):
        return torch.arange(count, dtype=torch.float32)

    exercise = Exercise(ramp, some_cells)
    assert exercise.check(lambda n: ramp(n) + 1e-7).state == "correct"
    for attempt, words in (
        (lambda n: ramp(n).view(1, -1), "shape is [1, 1]; [1] was expected"),
        (lambda n: ramp(n).double(), "torch.float64; torch.float32 was expected"),
        (lambda n: ramp(n) / 0, "NaN or infinite"),
        (lambda n: ramp(n).numpy(), "numpy array"),
        (lambda n: ramp(n).tolist(), "A list came; a tensor of shape [1] was expected"),
        (lambda n: ramp(n) + 1, "the largest difference is 1"),
    ):
        verdict = exercise.check(attempt)
        assert verdict.state == "wrong" and words in said(verdict), said(verdict)
