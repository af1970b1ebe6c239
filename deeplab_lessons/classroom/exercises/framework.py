"""Exercises that ask for a function: it is compared with the course's own on many small cases.

    @exercise
    class EffectiveKernelSize:
        "Warm-up: how many cells a dilated kernel covers."

        package = arithmetic.effective_kernel_size
        hints = ("How many gaps lie between k taps?",)

        def effective_kernel_size(kernel_size, dilation=1):
            return (kernel_size - 1) * dilation + 1

        def cases(rng):
            yield from product(range(1, 6), range(1, 5))

        @misconception("Your code adds the dilation once. Count the gaps.")
        def adds_dilation(k, d=1):
            return k + d

An exercise is declared by a class because it is several functions that belong together (solution, cases, known
wrong answers), and in a class each has a plain name that hides no other. The class is only a namespace, so its
functions take no `self`; `@exercise` leaves it as it is and puts the `Function` next to it, under the class's name
in snake case, where lessons find it: `ex.effective_kernel_size`.

The solution is the function written in the class under the exercise's name. `package` is the package's function of the
same work, if there is one, so that a check can tell it from the learner's own.

Where one function is marked with `@fault("What the reader sees: the symptom, not the place.")` the exercise is a
repair: the lesson's cell holds that function, under the exercise's name, and the reader fixes it there. Exercises that
ask for data are in `designs`, those that ask for a sequence of steps in `orders`.

A check never raises for what a learner wrote, and runs in `surroundings` of its own: what a notebook has switched
(gradients, default dtype and device, warnings, seeds) changes no verdict, and is as before afterwards. An endless
loop looks the same as a slow function: stop it with the kernel's Interrupt button, and the verdict then names the
input at which it was working.
"""

import contextlib
import inspect
import random
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from itertools import islice

from deeplab_lessons.classroom.exercises.base import Exercise, declared, put
from deeplab_lessons.classroom.exercises.cards import Card, Verdict
from deeplab_lessons.classroom.exercises.compare import difference, show
from deeplab_lessons.classroom.exercises.run import Run
from deeplab_lessons.classroom.exercises.surroundings import defaults, random_numbers
from deeplab_lessons.classroom.exercises.words import SAY


@dataclass(frozen=True)
class Misconception:
    """A wrong answer with an explanation of its own: `answer` gives it, `message` says what it overlooks."""

    answer: Callable
    message: str


@dataclass(eq=False, repr=False)
class Function(Exercise):
    """What the learner's function must agree with, and what to say when it does not.

    `reference` is the solution. `cases(rng)` yields argument tuples, smallest first. `same(got, expected)` and
    `show(value)` replace the usual comparison and formatter. `package` is the package's function of the same work.
    `trials` limits the number of cases. `fault` is the broken function of a repair, and the first of its
    misconceptions. `name` is the reference's own unless another is given.
    """

    reference: Callable
    cases: Callable[[random.Random], Iterator[tuple]]
    misconceptions: tuple[Misconception, ...] = ()
    same: Callable[[object, object], bool] | None = None
    show: Callable[[object], str] = show
    package: Callable | None = None
    trials: int = 200
    fault: Misconception | None = None

    def __post_init__(self) -> None:
        self.name = self.name or self.reference.__name__

    @property
    def kind(self) -> str:
        """A "repair" where there is a fault to fix, else "write"."""
        return "write" if self.fault is None else "repair"

    def arguments(self, seed: object = "") -> list[tuple]:
        """The cases that a check tries: the same ones on every run. Another `seed` draws other random ones."""
        return list(islice(self.cases(random.Random(f"{self.name}{seed}")), self.trials))

    def problem(self, got: object, expected: object) -> str | None:
        """None if `got` is right; otherwise what differs, in words (perhaps "")."""
        if self.same is None:
            return difference(got, expected)
        with contextlib.suppress(Exception):
            if self.same(got, expected):
                return None
        return difference(got, expected) or ""

    def _check(self, answer: object) -> Verdict:
        if not callable(answer):
            return self._verdict("error", self._say("not a function", got=show(answer)))
        with defaults(), random_numbers():
            return Run(self, answer).verdict()

    def _solution(self) -> Card:
        return Card(self._say("solution"), (SAY[f"one {self.kind}"],), code=_source(self.reference))


# ---------------------------------------------------------------- how an exercise is declared


def misconception(message: str) -> Callable[[Callable], Callable]:
    """Mark a function in an exercise's class as a known wrong answer; `message` says what it overlooks."""

    def mark(answer: Callable) -> Callable:
        answer.misconception = message
        return answer

    return mark


def fault(symptom: str) -> Callable[[Callable], Callable]:
    """Mark the function in an exercise's class that the reader is to fix; `symptom` says what the reader sees of it."""

    def mark(answer: Callable) -> Callable:
        answer.fault = symptom
        return answer

    return mark


def exercise(declaration: type) -> type:
    """Put the `Function` that a class declares into the class's module, under its name in snake case.

    The class holds fields of `Function` and functions marked by `misconception` or, at most one, by `fault`. The
    solution is its function under the exercise's name. Names that begin with an underscore are the class's own
    business. Raises TypeError for any other name, for no solution, for two faults, and where the module has that name
    already.
    """
    name, held = declared(declaration)
    faults = [Misconception(answer, answer.fault) for answer in _marked(held, "fault")]
    known = [Misconception(answer, answer.misconception) for answer in _marked(held, "misconception")]
    solution = held.pop(name, None)
    if getattr(solution, "__name__", None) != name:
        raise TypeError(
            f"the solution of {declaration.__name__} must be a function {name} in it, got {solution}"
        )
    if len(faults) > 1:
        raise TypeError(
            f"{declaration.__name__} must have one fault, got {len(faults)}: mark others with @misconception"
        )
    choices = [each.name for each in fields(Function) if each.init and each.name != "reference"]
    for key in held.keys() - choices:
        raise TypeError(
            f"unknown field {key!r} of {declaration.__name__}: choose from {', '.join(choices)}, or mark a wrong "
            "answer with @misconception"
        )
    known = (*faults, *known)
    made = Function(solution, misconceptions=known, fault=known[0] if faults else None, **held)
    return put(declaration, made)


def _marked(held: dict, mark: str) -> list[Callable]:
    """Take the functions with this mark out of what a class holds."""
    return [held.pop(key) for key in [key for key, value in held.items() if hasattr(value, mark)]]


def _source(part: Callable) -> str:
    return textwrap.dedent(inspect.getsource(part)).rstrip()
