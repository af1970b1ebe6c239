"""How exercises are declared, and how a check answers: the rules, on small exercises."""

import sys

import pytest
from answers import exercise_of
from verdicts import double, said, some_cells, twice

from deeplab_lessons.classroom import progress
from deeplab_lessons.classroom.exercises.framework import (
    Function,
    Misconception,
    exercise,
    fault,
    misconception,
)


def add_up(values):
    return [sum(values)]


def lists(rng):
    yield from (([1] * length,) for length in range(1, 20))


total = Function(add_up, lists)


# ---------------------------------------------------------------- how an exercise is declared


@exercise
class TimesThree:
    """Three times a count."""

    hints = ("Multiply.",)
    trials = 7

    def times_three(count):
        """Return three times `count`."""
        return 3 * count

    def cases(rng):
        yield from ((count,) for count in range(1, 30))

    @misconception("Three is added. Multiply.")
    def added(count):
        return count + TimesThree._three()

    def _three():
        return 3


def test_a_class_declares_an_exercise_beside_it():
    made = vars(sys.modules[__name__])["times_three"]
    assert isinstance(TimesThree, type) and TimesThree.times_three(2) == 6 and TimesThree.added(2) == 5
    assert repr(made) == "<exercise times_three (write): .check(your_answer), .hint(), .solution()>"
    assert made.hints == ("Multiply.",) and len(made.arguments()) == 7
    assert made.check(lambda n: 3 * n).state == "correct"
    assert made.check(lambda n: n + 3).sentences == ("Three is added. Multiply.",)
    code = made.solution().code
    assert code.startswith("def times_three(count):\n    ") and code.endswith("return 3 * count")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"cases": some_cells}, "must be a function some_thing in it, got None"),
        (
            {"cases": some_cells, "some_thing": double},
            "must be a function some_thing in it, got <function double",
        ),
        ({"cases": some_cells, "reference": double}, "unknown field 'reference' of SomeThing: choose from"),
        ({"cases": some_cells, "hint": ("typing error",)}, "unknown field 'hint' of SomeThing: choose from"),
        ({"cases": some_cells, "one_mistake": double}, "or mark a wrong answer with @misconception"),
    ],
)
def test_a_declaration_that_says_too_little_or_too_much_is_refused(fields, words):
    def some_thing(count):
        return count

    if {"hint", "one_mistake", "reference"} & fields.keys():
        fields = {**fields, "some_thing": some_thing}
    with pytest.raises(TypeError) as refused:
        exercise(type("SomeThing", (), {**fields, "__module__": __name__}))
    assert words in str(refused.value)
    assert "some_thing" not in vars(sys.modules[__name__])


def test_an_exercise_takes_the_name_of_nothing_else():
    def add_up(values):
        return [sum(values)]

    declared = {"add_up": add_up, "cases": lists, "__module__": __name__}
    with pytest.raises(TypeError, match="add_up must be a free name in its module"):
        exercise(type("AddUp", (), declared))


def test_a_reloaded_declaration_takes_its_own_place_again():
    before = vars(sys.modules[__name__])["times_three"]
    assert exercise(TimesThree) is TimesThree
    assert vars(sys.modules[__name__])["times_three"] is not before


# ---------------------------------------------------------------- repairs


@exercise
class Halves:
    """Half of a count, if it is even."""

    hints = ("Which counts have a half?",)

    def halves(count):
        return count // 2

    def cases(rng):
        yield from ((2 * count,) for count in range(1, 20))
        while True:
            yield (2 * rng.randrange(1000),)

    @fault("The half of 2 comes out as 0.")
    def as_found(count):
        return count // 3

    @misconception("Your code doubles.")
    def doubles(count):
        return 2 * count


repair = vars(sys.modules[__name__])["halves"]


def test_a_fault_makes_a_repair():
    assert (repair.kind, repair.fault.answer) == ("repair", Halves.as_found)
    assert "Find the fault" in said(repair.check()) and "one way to fix it" in said(repair.solution())
    assert vars(sys.modules[__name__])["times_three"].kind == "write"


def test_the_fault_as_it_stands_is_told_its_symptom():
    verdict = repair.check(Halves.as_found)
    assert verdict.state == "wrong" and verdict.sentences == ("The half of 2 comes out as 0.",)
    assert dict(verdict.rows)["inputs"] == "count = 2"
    assert repair.check(lambda n: 2 * n).sentences == ("Your code doubles.",)
    assert repair.check(lambda n: n / 2).state == "correct"


def test_a_repair_has_one_fault():
    held = {key: value for key, value in vars(Halves).items() if key != "__dict__"}
    held["another"] = fault("Another symptom.")(lambda count: 0)
    with pytest.raises(TypeError, match="Halves must have one fault, got 2"):
        exercise(type("Halves", (), held))


def test_another_seed_draws_other_random_cases():
    usual, other = repair.arguments(), repair.arguments("2")
    assert usual == repair.arguments("") and usual[:19] == other[:19] and usual[19:] != other[19:]


# ---------------------------------------------------------------- solutions switched off


def test_an_instructor_switches_solutions_off(monkeypatch):
    monkeypatch.setenv("DEEPLAB_LESSONS_SOLUTIONS", "off")
    assert "switched the solutions off" in said(repair.solution()) and not repair.solution().code
    assert said(repair.hint()).endswith("Which counts have a half? That was the last hint.")
    monkeypatch.setenv("DEEPLAB_LESSONS_SOLUTIONS", "on")
    assert "return count // 2" in repair.solution().code and "solution() shows" in said(repair.hint())


# ---------------------------------------------------------------- what a check answers


def test_the_smallest_counterexample_is_shown():
    verdict = twice.check(lambda n: 2 * n if n < 7 else 0)
    assert dict(verdict.rows) == {"inputs": "count = 7", "expected": "14", "got": "0"}


def test_parameters_in_another_order_are_noticed():
    def minus(first, second):
        return first - second

    exercise = Function(minus, lambda rng: ((a, b) for a in range(5) for b in range(5)))
    verdict = exercise.check(lambda second, first: first - second)
    assert verdict.state == "error"
    assert "minus(first, second), but your function is written as <lambda>(second, first)" in said(verdict)


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


def test_a_comparison_of_ones_own_replaces_the_usual_one():
    loose = Function(double, some_cells, same=lambda got, expected: abs(got - expected) <= 1)
    assert loose.check(lambda n: 2 * n + 1).state == "correct"
    assert loose.check(lambda n: 2 * n + 2).state == "wrong"
    assert loose.check(lambda n: "text").state == "wrong"


def test_the_framework_loads_without_torch():
    import subprocess
    import sys

    code = "import sys, deeplab_lessons.classroom.exercises.framework; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_none_and_then_an_error_is_an_attempt():
    def gives_up(count):
        return None if count == 1 else 1 // 0

    verdict = twice.check(gives_up)
    assert verdict.state == "wrong" and "branch without return" in said(verdict)
    assert dict(verdict.rows)["inputs"] == "count = 1"


def test_a_listed_mistake_must_explain_the_case_that_crashes_too():
    exercise = Function(
        double, some_cells, misconceptions=(Misconception(lambda count: count + 1, "One is added."),)
    )

    def one_more(count):
        return count + 1

    def one_more_at_first(count):
        return count + 1 if count < 4 else 1 // 0

    assert exercise.check(one_more).sentences == ("One is added.",)
    verdict = exercise.check(one_more_at_first)
    assert verdict.state == "wrong" and "One is added." not in said(verdict)
    assert dict(verdict.rows) == {"inputs": "count = 2", "expected": "4", "got": "3"}


def test_an_attempt_that_switches_gradients_off_disturbs_nothing():
    import torch

    def slope(value):
        at = torch.tensor(value, requires_grad=True)
        (at**2).backward()
        return at.grad

    def without_gradients(value):
        torch.set_grad_enabled(False)
        return torch.tensor(2 * value)

    exercise = Function(slope, lambda rng: ((float(n),) for n in range(1, 9)))
    assert exercise.check(without_gradients).state == "correct"
    assert torch.is_grad_enabled()


def test_only_a_right_answer_is_remembered(monkeypatch):
    remembered = []
    monkeypatch.setattr(progress, "exercise_done", lambda *what: remembered.append(what))
    exercise = exercise_of("lesson02", "effective_kernel_size")
    exercise.check()
    exercise.check(lambda kernel_size, dilation=1: kernel_size)
    exercise.check(exercise.package or exercise.reference)
    assert remembered == []
    exercise.check(lambda kernel_size, dilation=1: (kernel_size - 1) * dilation + 1)
    assert remembered == [("lesson02", "effective_kernel_size")]
