"""The exercise framework: a learner's function is compared with the package's on many small cases.

    @exercise
    class EffectiveKernelSize:
        "Warm-up: how many cells a dilated kernel covers."

        reference = arithmetic.effective_kernel_size
        hints = ("How many gaps lie between k taps?",)

        def cases(rng):
            yield from product(range(1, 6), range(1, 5))

        @misconception("This adds the dilation once. Count the gaps.")
        def adds_dilation(k, d=1):
            return k + d

An exercise is declared by a class because it is several functions that belong together (solution, cases, known
wrong answers), and in a class each has a plain name that hides no other. The class is only a namespace, so its
functions take no `self`; `@exercise` leaves it as it is and puts the `Exercise` beside it, under the class's name
in snake case, where lessons find it: `ex.effective_kernel_size`.

The solution of an exercise is the package's source, or a function written in the class under the exercise's name
(then `package` is the package's function, if there is one, so that a check can tell it from the learner's own).
A check never raises for what a learner wrote, and runs in `surroundings` of its own: what a notebook has switched
(gradients, default dtype and device, warnings, seeds) changes no verdict, and is as before afterwards. An endless
loop cannot be told from a slow function: stop it with the kernel's Interrupt button, and the verdict then names the
input at which it was working.
"""

import contextlib
import inspect
import random
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from itertools import islice

from deeplab_lessons.classroom.exercises.cards import BORDERS, Card, Verdict
from deeplab_lessons.classroom.exercises.compare import difference, show
from deeplab_lessons.classroom.exercises.run import Run
from deeplab_lessons.classroom.exercises.surroundings import defaults, random_numbers
from deeplab_lessons.classroom.exercises.words import SAY

_MISSING = object()


@dataclass(frozen=True)
class Misconception:
    """A wrong answer worth a word of its own: `answer` gives it, `message` says what it overlooks."""

    answer: Callable
    message: str


@dataclass
class Exercise:
    """One exercise: what the learner's function must agree with, and what to say when it does not.

    `reference` is the package's function. `cases(rng)` yields argument tuples, smallest first. `same(got,
    expected)` and `show(value)` replace the usual comparison and formatter. `parts` are further objects
    whose source belongs to the solution. `package` is the package's function where the reference is another one.
    `trials` limits the number of cases. `name` is the reference's own unless another is given.
    """

    reference: Callable
    cases: Callable[[random.Random], Iterator[tuple]]
    hints: tuple[str, ...] = ()
    misconceptions: tuple[Misconception, ...] = ()
    same: Callable[[object, object], bool] | None = None
    show: Callable[[object], str] = show
    parts: tuple = ()
    package: Callable | None = None
    name: str = ""
    trials: int = 200
    _shown: int = field(default=0, repr=False)

    def __post_init__(self) -> None:
        self.name = self.name or self.reference.__name__

    def __repr__(self) -> str:
        return f"<exercise {self.name}: .check(your_function), .hint(), .solution()>"

    # ---------------------------------------------------------------- what a learner calls

    def check(self, attempt: Callable = _MISSING) -> Verdict:
        """Try `attempt` on many cases and say how it does. Raises nothing for what the learner wrote."""
        if attempt is _MISSING or attempt is Ellipsis:
            return self._verdict("not attempted", self._say("no attempt"))
        if not callable(attempt):
            return self._verdict("error", self._say("not a function", got=show(attempt)))
        with defaults(), random_numbers():
            return Run(self, attempt).verdict()

    def hint(self) -> Card:
        """Show the next hint; the last one is repeated."""
        if not self.hints:
            return Card(self._say("solution"), (SAY["no hints"],))
        self._shown = min(self._shown + 1, len(self.hints))
        more = SAY["last hint" if self._shown == len(self.hints) else "more hints"]
        title = self._say("hint", number=self._shown, count=len(self.hints))
        return Card(title, (self.hints[self._shown - 1], more))

    def solution(self) -> Card:
        """Show the package's source: the reference and the private helpers that it calls."""
        own, *parts = self._sources()
        code = "\n\n".join([_source(own), *map(_source_with_class, parts)])
        module = self.reference.__module__
        said = SAY["one way"] if ".exercises." in module else SAY["source"].format(module=module)
        return Card(self._say("solution"), (said,), code=code)

    # ---------------------------------------------------------------- behind them

    def arguments(self) -> list[tuple]:
        """The cases that a check tries: the same ones on every run."""
        return list(islice(self.cases(random.Random(self.name)), self.trials))

    def problem(self, got: object, expected: object) -> str | None:
        """None if `got` is right; otherwise what differs, in words (perhaps "")."""
        if self.same is None:
            return difference(got, expected)
        with contextlib.suppress(Exception):
            if self.same(got, expected):
                return None
        return difference(got, expected) or ""

    def _say(self, words: str, **blanks) -> str:
        return SAY[words].format(name=self.name, **blanks)

    def _verdict(self, state: str, *sentences: str, rows: tuple = ()) -> Verdict:
        said = tuple(sentence for sentence in sentences if sentence)
        return Verdict(self._say(state), said, rows, border=BORDERS[state], state=state)

    def _sources(self) -> list:
        parts = [self.reference, *self.parts]
        for part in parts:  # grows while we walk over it: helpers of helpers too
            for name in getattr(getattr(part, "__code__", None), "co_names", ()):
                helper = part.__globals__.get(name)
                if name.startswith("_") and inspect.isfunction(helper) and helper not in parts:
                    parts.append(helper)
        return parts


# ---------------------------------------------------------------- how an exercise is declared


def misconception(message: str) -> Callable[[Callable], Callable]:
    """Mark a function in an exercise's class as a known wrong answer; `message` says what it overlooks."""

    def mark(answer: Callable) -> Callable:
        answer.misconception = message
        return answer

    return mark


def exercise(declaration: type) -> type:
    """Put the `Exercise` that a class declares into the class's module, under its name in snake case.

    The class holds fields of `Exercise` and functions marked by `misconception`. The solution is its `reference`,
    or its function under the exercise's name. Names that begin with an underscore are the class's own business.
    Raises TypeError for any other name, for no solution or two, and where the module has that name already.
    """
    name = re.sub(r"(?<!^)(?=[A-Z])", "_", declaration.__name__).lower()
    declared = {key: value for key, value in vars(declaration).items() if not key.startswith("_")}
    marked = [key for key, value in declared.items() if hasattr(value, "misconception")]
    answers = [declared.pop(key) for key in marked]
    solutions = [declared.pop(key) for key in ("reference", name) if key in declared]
    if len(solutions) != 1 or solutions[0].__name__ != name:
        found = [solution.__name__ for solution in solutions]
        raise TypeError(
            f"the solution of {declaration.__name__} must be one function {name}, got {found}: pass it as "
            "`reference`, or write it in the class"
        )
    choices = [each.name for each in fields(Exercise) if each.init and not each.name.startswith("_")]
    for key in declared.keys() - choices:
        raise TypeError(
            f"unknown field {key!r} of {declaration.__name__}: choose from {', '.join(choices)}, or mark a wrong "
            "answer with @misconception"
        )
    module = vars(sys.modules[declaration.__module__])
    if not isinstance(module.get(name), Exercise | None):  # an Exercise is there when the module is reloaded
        raise TypeError(
            f"{name} must be a free name in its module, got {module[name]!r}: rename one of the two"
        )
    known = tuple(Misconception(answer, answer.misconception) for answer in answers)
    module[name] = Exercise(solutions[0], misconceptions=known, **declared)
    return declaration


def _source(part: Callable) -> str:
    return textwrap.dedent(inspect.getsource(part)).rstrip()


def _source_with_class(part: Callable) -> str:
    """Source of a function; a method says to which class it belongs."""
    owner = part.__qualname__.rpartition(".")[0]
    return f"# a method of {owner}\n{_source(part)}" if owner else _source(part)
