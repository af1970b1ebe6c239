"""One check of one answer: whatever the answer is or does, the verdict is true, and nothing is raised."""

import functools
import sys

import numpy as np
import pytest
import torch
from verdicts import said, twice

from deeplab_lessons.classroom.exercises.framework import Function, Misconception

pair = Function(lambda count: [count, 2 * count], lambda rng: ((n,) for n in range(1, 9)), name="pair")
ramp = Function(lambda count: torch.arange(count) / 2, lambda rng: ((n,) for n in range(1, 9)), name="ramp")


class Unspeakable(Exception):
    def __str__(self):
        raise ValueError


def raises(error):
    raise error


def closes_its_output(count):
    print("done")
    sys.stdout.close()
    return 2 * count


class Loud:
    """A callable object, whose own line is the one to show."""

    def __call__(self, count):
        return self.missing


class Made:
    def __init__(self, count):
        self.count = count


@pytest.mark.parametrize(
    ("attempt", "state", "words"),
    [
        (lambda n: raises(Unspeakable()), "error", "raised Unspeakable"),
        (lambda n: raises(GeneratorExit()), "error", "raised GeneratorExit"),
        (lambda n: raises(StopIteration(3)), "error", "raised StopIteration: 3"),
        (lambda n: raises(BaseExceptionGroup("two", [KeyError(1), ValueError(2)])), "error", "two"),
        (closes_its_output, "correct", "also prints"),
        (Loud(), "error", "return self.missing"),
        (Made, "wrong", "got a Made"),
        (functools.partial(lambda factor, n: factor * n, 2), "correct", "29 cases"),
        (functools.partial(lambda factor, n: factor * n.size, 2), "error", "factor * n.size"),
        (functools.lru_cache(lambda n: 2 * n), "correct", "29 cases"),
        ([1, 2].__getitem__, "error", "raised IndexError"),
        (torch.no_grad()(lambda n: 2 * n.size), "error", "2 * n.size"),
        (np.float64(2).__mul__, "correct", "returns a float"),
        (np.vectorize(lambda n: 2 * n), "correct", "29 cases"),
        (lambda n: np.int8(2 * n), "correct", "29 cases"),
        (lambda n: complex(2 * n), "wrong", "got a complex"),
        (lambda n: torch.empty((), device="meta", dtype=torch.int64), "wrong", "cannot be compared"),
        (lambda n: iter([2 * n]), "wrong", "got"),
        (lambda n: np.array([object()]), "wrong", "array of shape [1]"),
        (lambda n: np.zeros(1, [("size", int)]), "wrong", "array of shape [1]"),
        (lambda n: 10**5000, "wrong", "count = 1"),
    ],
)
def test_every_kind_of_answer_has_a_verdict(attempt, state, words):
    verdict = twice.check(attempt)
    assert (verdict.state, words in said(verdict)) == (state, True), said(verdict)


@pytest.mark.parametrize(
    "attempt",
    [
        lambda n: torch.empty(n, device="meta"),
        lambda n: torch.arange(n).to_sparse(),
        lambda n: (torch.arange(n) / 2).to_sparse(),
        lambda n: torch.arange(n).to(torch.bfloat16),
        lambda n: torch.full((n,), torch.nan),
        lambda n: np.ma.masked_all(n),
        lambda n: [torch.empty(n, device="meta")],
        lambda n: torch.nn.Parameter(torch.arange(n) / 2 + 1),
    ],
)
def test_every_kind_of_tensor_has_a_verdict(attempt):
    assert ramp.check(attempt).state == "wrong" and said(ramp.check(attempt))


def test_the_line_is_never_one_of_a_decorators():
    @torch.no_grad()
    def answer(count):
        return count.missing

    lines = [text for label, text in twice.check(answer).rows if label.startswith("your line")]
    assert lines == ["return count.missing"]


def test_nothing_returned_is_no_attempt_only_if_nothing_ever_is():
    def none_for_small_ones(count):
        return 2 * count if count > 5 else None

    verdict = twice.check(none_for_small_ones)
    assert verdict.state == "wrong" and "branch without return" in said(verdict)
    assert twice.check(lambda n: None).state == "not attempted"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            ZeroDivisionError("by zero"),
            "For count = 3: Your function stopped with an error. ZeroDivisionError: by",
        ),
        (SystemExit(), "For count = 3: Your function asks Python to quit."),
        (KeyboardInterrupt(), "For count = 3: You stopped the check"),
        (RecursionError(), "For count = 3: Perhaps your function calls itself without end."),
    ],
)
@pytest.mark.parametrize("first", [lambda n: None, lambda n: n + 1])
def test_a_crash_after_a_wrong_answer_is_told_as_well(error, words, first):
    exercise = Function(
        twice.reference,
        twice.cases,
        misconceptions=(Misconception(lambda count: count + 1, "One is added."),),
    )
    verdict = exercise.check(lambda n: first(n) if n < 3 else raises(error))
    assert verdict.state == "wrong" and "One is added." not in said(verdict)
    assert words in said(verdict), said(verdict)
    assert [label for label, _ in verdict.rows] == ["inputs", "expected", "got"]


def test_an_answer_that_is_written_over_is_shown_as_it_was():
    one_list = []

    def reuses(count):
        one_list[:] = [count, 3 * count]
        return one_list

    wrong = Misconception(lambda count: [count, 3 * count], "Three, not two.")
    exercise = Function(pair.reference, pair.cases, misconceptions=(wrong,))
    verdict = exercise.check(reuses)
    assert dict(verdict.rows)["got"] == "[1, 3]" and verdict.sentences == ("Three, not two.",)


def test_values_that_are_wrong_later_are_not_called_right():
    exercise = Function(lambda count: torch.tensor(count / 7), twice.cases, name="sevenths")
    verdict = exercise.check(lambda count: count / 7 if count < 4 else count / 6)
    assert dict(verdict.rows)["inputs"] == "count = 4" and "values are right" not in said(verdict)
    verdict = exercise.check(lambda count: count / 7)
    assert dict(verdict.rows)[
        "inputs"
    ] == "count = 1" and "The values are right, but they are in a float" in said(verdict)


def test_a_part_that_is_wrong_later_is_not_called_right():
    def sums(rows):
        return 1, rows.sum(0)

    exercise = Function(sums, lambda rng: iter([(torch.ones(1, 1),), (torch.ones(2, 1),)]), name="sums")
    verdict = exercise.check(lambda rows: (1, rows))
    assert dict(verdict.rows)["inputs"].startswith("rows = tensor of shape [2, 1]")
    assert "values are right" not in said(verdict) and "first step" in said(verdict)


def test_the_inputs_of_a_later_crash_are_named_in_short():
    exercise = Function(lambda n, row: n, lambda rng: iter([(1, []), (2, [0.5] * 90)]), name="first")
    verdict = exercise.check(lambda n, row: 0 if n == 1 else row[99])
    (later,) = [each for each in verdict.sentences if each.startswith("For n = 2")]
    assert "IndexError" in later and len(later) < 250


def test_an_answer_that_writes_into_its_input_spoils_no_other_case():
    shared = torch.zeros(3)
    exercise = Function(lambda values: values + 1, lambda rng: ((shared,) for _ in range(5)), name="add_one")

    def in_place(values):
        values += 1
        return values

    verdict = exercise.check(in_place)
    assert verdict.state == "wrong" and "changed its input values" in said(verdict)
    assert shared.tolist() == [0, 0, 0] and exercise.check(lambda values: values + 1).state == "correct"


def test_megabytes_of_print_are_not_kept():
    def talks(count):
        print("word " * 10**6)
        return None

    verdict = twice.check(talks)
    assert verdict.state == "not attempted" and len(said(verdict)) < 1000


def test_an_interrupt_outside_the_answer_passes_through():
    def interrupted(count):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Function(interrupted, twice.cases).check(lambda n: n)
    with pytest.raises(KeyboardInterrupt):
        Function(twice.reference, twice.cases, same=lambda got, expected: raises(KeyboardInterrupt())).check(
            lambda n: n
        )
