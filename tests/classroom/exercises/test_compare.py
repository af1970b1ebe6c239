"""Answers of the wrong kind, and right answers in other clothes."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from verdicts import double, said, some_cells, twice

from deeplab_lessons.classroom.exercises.compare import difference, show
from deeplab_lessons.classroom.exercises.framework import Function


@pytest.mark.parametrize(
    ("attempt", "words"),
    [
        (lambda n: math.nan, "not a number"),
        (lambda n: math.inf, "infinite"),
        (lambda n: 2.0 * n + 0.5, "fraction"),
        (lambda n: True, "truth value"),
        (lambda n: (2 * n, 2 * n), "one number for each axis"),
        (lambda n: str(2 * n), "got text (str)"),
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
    assert verdict.state == "correct" and "// instead of /" in said(verdict)


def test_numpy_and_torch_numbers_count_as_whole():
    assert twice.check(lambda n: np.int64(2 * n)).state == "correct"
    assert twice.check(lambda n: torch.tensor(2 * n)).state == "correct"
    assert twice.check(lambda n: np.bool_(True)).state == "wrong"


def test_tensors_need_shape_and_finite_values():
    def ramp(count):
        return torch.arange(count, dtype=torch.float32)

    exercise = Function(ramp, some_cells)
    for right in (lambda n: ramp(n) + 1e-7, lambda n: ramp(n).double(), lambda n: ramp(n).long()):
        assert exercise.check(right).state == "correct"
    for attempt, words in (
        (lambda n: ramp(n).view(1, -1), "The values are right, but the shape is [1, 1]. Expected [1]"),
        (lambda n: ramp(n + 1), "Expected the shape [1], got [2]"),
        (lambda n: ramp(n) > 0, "Expected numbers, got truth values"),
        (lambda n: ramp(n) / 0, "NaN or infinite"),
        (
            lambda n: ramp(n).numpy(),
            "The values are right, but they are in a numpy array of shape [1]. Expected a tensor",
        ),
        (
            lambda n: ramp(n).numpy() + 1,
            "Expected a tensor of shape [1], got a numpy array of shape [1]",
        ),
        (
            lambda n: ramp(n).tolist(),
            "The values are right, but they are in a list. Expected a tensor of shape [1]",
        ),
        (lambda n: torch.stack([ramp(n), ramp(n)]).max(0), "Expected a tensor of shape [1], got a pair"),
        (lambda n: {}, "Expected a tensor of shape [1], got a dict"),
        (lambda n: ramp(n) + 1, "the largest difference is 1"),
    ):
        verdict = exercise.check(attempt)
        assert verdict.state == "wrong" and words in said(verdict), said(verdict)


@pytest.mark.parametrize(
    ("got", "words"),
    [
        ({(1, -1): 0.5, (0, 0): 2}, None),
        ({(0, 0): np.float32(2), (np.int64(1), np.int64(-1)): torch.tensor(0.5)}, None),
        ([2, 0.5], "Expected a dict with 2 keys, got a list."),
        ({(0, 0): 2}, "The key (1, -1) is missing."),
        ({(0, 0): 2, (1, -1): 0.5, (2, -2): 0}, "The key (2, -2) does not belong there."),
        ({(0, 0): 3, (1, -1): 0.5}, "The first difference is at the key (0, 0)."),
        (
            {(0, 0): 2, (1, -1): "a"},
            "The first difference is at the key (1, -1). Expected one number, got text (str)",
        ),
    ],
)
def test_dicts_need_the_same_keys_and_values(got, words):
    found = difference(got, {(0, 0): 2.0, (1, -1): 0.5})
    assert found is None if words is None else words in found


def third(count):
    return count / 3


@pytest.mark.parametrize(
    ("got", "words"),
    [
        (third, None),
        (lambda n: np.float32(n) / np.float32(3), None),
        (lambda n: torch.tensor(n) / 3, None),
        (lambda n: Fraction(n, 3), None),
        (lambda n: third(n) * 1.00005, None),
        (lambda n: third(n) * 1.0005, ""),
        (lambda n: round(n / 3, 2), "This is the expected value rounded to 2 places"),
        (lambda n: torch.tensor([n / 3]), "The value is right, but it is in a tensor of shape [1]"),
        (lambda n: torch.tensor([n / 2]), "Expected one number, got a tensor of shape [1]"),
        (lambda n: np.array([n, n]), "Expected one number, got a numpy array of shape [2]"),
        (lambda n: True, "Expected one number, got a bool"),
        (lambda n: str(n / 3), "got text (str)"),
    ],
)
def test_numbers_are_right_up_to_single_precision_and_in_any_clothes(got, words):
    problem = difference(got(1), third(1))
    assert problem is None if words is None else problem is not None and words in problem
    assert (problem == "") == (words == "")


@pytest.mark.parametrize("pair", [(2, 5), [2, 5], np.array([2, 5]), torch.tensor([2.0, 5.0]), range(2, 8, 3)])
def test_a_pair_is_a_tuple_a_list_an_array_or_a_tensor(pair):
    assert difference(pair, (2, 5)) is None
    assert difference(pair, (2, 6)) == "The first difference is at position 1."
    assert difference(pair, (2, 5, 8)) == "Expected 3 values, got 2."


@pytest.mark.parametrize("pair", [{2, 5}, "25", 7, torch.tensor(2), np.float64(2)])
def test_what_has_no_order_or_is_one_number_is_no_pair(pair):
    assert "Expected a tuple of length 2, got" in difference(pair, (2, 5))


@pytest.mark.parametrize(
    "got", [[[1, 2], [3, 4]], torch.tensor([[1.0, 2.0], [3.0, 4.0]]), np.int64([[1, 2], [3, 4]])]
)
def test_where_an_array_is_expected_lists_and_tensors_with_its_values_are_right(got):
    expected = np.array([[1, 2], [3, 4]], np.uint8)
    assert difference(got, expected) is None and difference(got, expected + 1) is not None
    assert difference([[1, 2], [3]], expected) == "Expected a numpy array of shape [2, 2], got a list."


def test_a_mask_is_no_array_of_numbers():
    mask = np.array([True, False])
    assert difference(torch.tensor([True, False]), mask) is None
    assert difference(np.array([1, 0]), mask) == "Expected truth values (dtype bool), got numbers."


def test_what_is_expected_to_carry_a_gradient_must_carry_one():
    expected = torch.ones(2, requires_grad=True) * 2
    assert difference(expected * 1, expected) is None
    assert "no gradient can flow back" in difference(expected.detach(), expected)
    assert difference(expected, expected.detach()) is None


def test_rounding_is_named_only_where_it_explains_the_answer():
    assert difference(0.33, 1 / 3) == "This is the expected value rounded to 2 places. Return it as it comes."
    assert difference(0.0, 0.001) == "" and difference(0.5, 0.5004) == ""
    rounded = torch.tensor([0.33, 0.67])
    assert "rounded to 2 places" in difference(rounded, torch.tensor([1 / 3, 2 / 3]))
    assert "values differ" in difference(rounded, torch.tensor([1 / 3, 0.7]))


@pytest.mark.parametrize(
    ("got", "words"),
    [
        ([1.0, 0.0, 3.0], "1 of 3 values differs: at [1] one of the two is NaN and the other is not."),
        (
            [5.0, math.nan, 3.0],
            "1 of 3 values differs: the first is at [0], and the largest difference is 4.",
        ),
        ([1j, math.nan, 3.0], "the largest difference is 1.41."),
    ],
)
def test_a_difference_is_told_beside_values_that_are_nan(got, words):
    assert difference(np.array(got), np.array([1, math.nan, 3])).endswith(words)


def test_one_number_has_no_position():
    assert difference(torch.tensor(1.0), torch.tensor(2.0)) == ""
    assert difference(np.array([1, 5]), np.array([1, 2])).startswith("1 of 2 values differs: the first is at")


def test_numbers_of_numpy_are_shown_as_pythons():
    assert show(np.float64(0.5)) == "0.5" and show(np.int64(3)) == "3"
