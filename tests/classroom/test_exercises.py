"""Every exercise of every lesson: accepts its solution, rejects every listed mistake in its own words."""

import functools
import importlib
import math
import pkgutil

import pytest

from deeplab_lessons.classroom import exercises
from deeplab_lessons.classroom.exercises.framework import Exercise

MODULES = [m.name for m in pkgutil.iter_modules(exercises.__path__) if m.name.startswith("lesson")]


@functools.cache
def load(module):
    found = vars(importlib.import_module(f"deeplab_lessons.classroom.exercises.{module}"))
    return {name: value for name, value in found.items() if isinstance(value, Exercise)}


ALL = [pytest.param(exercise, id=f"{m}-{name}") for m in MODULES for name, exercise in load(m).items()]
MISTAKES = [
    pytest.param(exercise, mistake, id=f"{m}-{name}-{place}")
    for m in MODULES
    for name, exercise in load(m).items()
    for place, mistake in enumerate(exercise.misconceptions)
]
every_exercise = pytest.mark.parametrize("exercise", ALL)


def said(verdict):
    """What a learner reads, in one line; the notebook's form must say the same."""
    text = repr(verdict)
    assert verdict.title in verdict._repr_html_() and " at 0x" not in text
    return " ".join(text.split())


def test_every_module_has_exercises():
    assert "lesson02" in MODULES
    for module in MODULES:
        assert len(load(module)) >= 3, module


@every_exercise
def test_the_solution_is_accepted_and_shown(exercise):
    verdict = exercise.check(exercise.reference)
    assert verdict.state == "correct", said(verdict)
    assert "def " in exercise.solution().code and exercise.solution().code in repr(exercise.solution())
    assert repr(exercise) and exercise.name in repr(exercise)


@every_exercise
def test_checks_say_the_same_on_every_run(exercise):
    wrong = exercise.misconceptions[0].answer
    assert repr(exercise.check(wrong)) == repr(exercise.check(wrong))
    assert exercise.check(wrong)._repr_html_() == exercise.check(wrong)._repr_html_()


@pytest.mark.parametrize(("exercise", "mistake"), MISTAKES)
def test_every_listed_mistake_is_told_what_it_overlooks(exercise, mistake):
    verdict = exercise.check(mistake.answer)
    assert verdict.state == "wrong", said(verdict)
    assert mistake.message in verdict.sentences, said(verdict)
    assert [label for label, _ in verdict.rows] == ["inputs", "expected", "got"]


@every_exercise
def test_no_constant_is_accepted(exercise):
    answers = [exercise.reference(*args) for args in exercise.arguments()[:40]]
    for answer in [*answers, 0, 1, True, "", [], math.nan]:
        assert exercise.check(lambda *args, answer=answer: answer).state == "wrong"


@every_exercise
def test_no_argument_is_accepted_as_the_answer(exercise):
    for place in range(len(exercise.arguments()[0])):
        assert exercise.check(lambda *args, place=place: args[place]).state == "wrong"


@every_exercise
def test_hints_come_one_by_one(exercise):
    assert exercise.hints and exercise.misconceptions
    fresh = Exercise(exercise.reference, exercise.cases, exercise.hints, name=exercise.name)
    shown = [fresh.hint() for _ in range(len(exercise.hints) + 1)]
    assert [card.sentences[0] for card in shown] == [*exercise.hints, exercise.hints[-1]]
    assert "last hint" in said(shown[-1])


@every_exercise
def test_unattempted_is_a_state(exercise):
    def stub(*args): ...  # your code here

    for verdict in (exercise.check(), exercise.check(...), exercise.check(stub)):
        assert verdict.state == "not attempted"
    assert "return" in said(exercise.check(stub)) and "dots" in said(exercise.check(stub))


# ---------------------------------------------------------------- what else a learner may write


def crashes(*args):
    nothing = {}
    return nothing["key"]


def calls_itself(*args):
    return calls_itself(*args)


def quits(*args):
    raise SystemExit


def is_interrupted(*args):
    raise KeyboardInterrupt


def yields(*args):
    yield 1


async def is_async(*args):
    return 1


class Odd:
    def __repr__(self):
        raise RuntimeError

    def __eq__(self, other):
        raise RuntimeError

    __hash__ = None


@every_exercise
@pytest.mark.parametrize(
    ("attempt", "state", "words"),
    [
        (crashes, "error", ["KeyError", "'key'", 'return nothing["key"]', "inputs"]),
        (calls_itself, "error", ["calls itself without end", "return calls_itself(*args)"]),
        (quits, "error", ["quit"]),
        (is_interrupted, "error", ["You stopped the check"]),
        (yields, "wrong", ["generator", "Use return"]),
        (is_async, "wrong", ["coroutine"]),
        (lambda *args: print, "wrong", ["parentheses"]),
        (lambda *args: "text", "wrong", ["text (str) came"]),
        (lambda *args: Odd(), "wrong", ["Odd"]),
        (lambda *args: print("my answer"), "not attempted", ["my answer", "return hands it"]),
        (lambda: 3, "error", ["The check calls", "<lambda>()"]),
        (lambda a, b, c, d, e, f, g, h, i: 3, "error", ["The check calls"]),
        (3, "error", ["3 came", "without parentheses"]),
        (None, "error", ["None came", "without parentheses"]),
    ],
)
def test_everything_else_is_answered_kindly(exercise, attempt, state, words, capsys):
    verdict = exercise.check(attempt)
    assert verdict.state == state, said(verdict)
    missing = [word for word in words if word not in said(verdict)]
    assert not missing, said(verdict)
    assert "Traceback" not in said(verdict) and "framework.py" not in said(verdict)
    assert capsys.readouterr().out == ""


# ---------------------------------------------------------------- the framework's rules, on one exercise


def some_cells(rng):
    yield from ((count,) for count in range(1, 30))


def double(count):
    return 2 * count


def add_up(values):
    return [sum(values)]


def lists(rng):
    yield from (([1] * length,) for length in range(1, 20))


twice = Exercise(double, some_cells)
total = Exercise(add_up, lists)


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


def test_the_smallest_counterexample_is_shown():
    verdict = twice.check(lambda n: 2 * n if n < 7 else 0)
    assert dict(verdict.rows) == {"inputs": "count = 7", "expected": "14", "got": "0"}


def test_parameters_in_another_order_are_noticed():
    def minus(first, second):
        return first - second

    exercise = Exercise(minus, lambda rng: ((a, b) for a in range(5) for b in range(5)))
    verdict = exercise.check(lambda second, first: first - second)
    assert verdict.state == "error"
    assert "minus(first, second), but your function is written as <lambda>(second, first)" in said(verdict)


def test_a_method_in_a_solution_names_its_class():
    from deeplab_lessons.classroom.exercises import lesson02

    assert "# a method of Layer\ndef output_size(self" in lesson02.output_size.solution().code


def test_changing_the_input_is_noticed():
    def empties(values):
        answer = [sum(values)]
        values.clear()
        return answer

    verdict = total.check(empties)
    assert verdict.state == "wrong" and "changed its input values" in said(verdict)
    assert total.check(add_up).state == "correct"


def test_printing_is_kept_out_of_the_verdict():
    def talks(count):
        print("thinking")
        return 2 * count

    verdict = twice.check(talks)
    assert verdict.state == "correct" and "also prints" in said(verdict)


def test_the_line_shown_is_the_learners_own():
    from deeplab_lessons.arithmetic import effective_kernel_size

    def asks_for_the_impossible(count):
        size = effective_kernel_size(0)
        return size

    verdict = twice.check(asks_for_the_impossible)
    line = [value for label, value in verdict.rows if label.startswith("your line")]
    assert line == ["size = effective_kernel_size(0)"]
    assert "a kernel needs at least one tap" in said(verdict)


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


def test_a_comparison_of_ones_own_replaces_the_usual_one():
    loose = Exercise(double, some_cells, same=lambda got, expected: abs(got - expected) <= 1)
    assert loose.check(lambda n: 2 * n + 1).state == "correct"
    assert loose.check(lambda n: 2 * n + 2).state == "wrong"
    assert loose.check(lambda n: "text").state == "wrong"


def test_the_framework_loads_without_torch():
    import subprocess
    import sys

    code = "import sys, deeplab_lessons.classroom.exercises.framework; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
