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
A check never raises for what a learner wrote. An endless loop cannot be told from a slow function: stop it with the
kernel's Interrupt button, and the verdict then names the input at which it was working.
"""

import contextlib
import copy
import inspect
import io
import linecache
import random
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from itertools import islice

from deeplab_lessons.classroom.exercises.cards import BORDERS, Card, Verdict
from deeplab_lessons.classroom.exercises.compare import difference, show, tidy
from deeplab_lessons.classroom.exercises.own import hands_in
from deeplab_lessons.classroom.exercises.words import AMBIGUOUS, RIGHT_BUT, SAY

_MISSING = object()
_FIRST = 3  # an attempt that returns nothing on this many first cases has not been started


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
        with _recording_gradients():
            return _Run(self, attempt).verdict()

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


# ---------------------------------------------------------------- one check


class _Run:
    """One check of one attempt: calls it, keeps what came, and draws the verdict."""

    def __init__(self, exercise: Exercise, attempt: Callable):
        self.exercise, self.attempt = exercise, attempt
        self.tried: list[tuple[tuple, object]] = []  # (arguments, answer) of every call so far
        self.printed = io.StringIO()
        self.first_float: object = _MISSING

    def verdict(self) -> Verdict:
        wrong, crashed = None, False
        for args in self.exercise.arguments():  # all of them, to tell misconceptions apart
            expected = self.exercise.reference(*copy.deepcopy(args))
            given = copy.deepcopy(args)
            try:
                self._bind(given)
                with contextlib.redirect_stdout(self.printed), _recording_gradients():
                    got = self.attempt(*given)
            except (Exception, KeyboardInterrupt, SystemExit) as error:
                if wrong is None:
                    return self._crash(args, error)
                crashed = True
                break
            if inspect.iscoroutine(got):
                got.close()
            self.tried.append((args, got))
            wrong = wrong or self._judge(args, given, got, expected)
            if (
                wrong is None
                and isinstance(got, float)
                and isinstance(expected, int)
                and self.first_float is _MISSING
            ):
                self.first_float = got
        return self._summary(wrong, crashed)

    def _bind(self, args: tuple) -> None:
        """Raise _Arity unless the attempt can be called with these arguments."""
        try:
            signature = inspect.signature(self.attempt)
        except (TypeError, ValueError):
            return  # a built-in function may hide its signature
        try:
            signature.bind(*args)
        except TypeError:
            raise _ArityError(str(signature)) from None
        ours, theirs = self._names(args), list(signature.parameters)
        if ours != theirs and sorted(ours) == sorted(theirs):
            raise _ArityError(str(signature))  # the same names in another order

    def _judge(self, args, given, got, expected) -> tuple | None:
        """None for a right answer, else (arguments, expected, got, sentence)."""
        problem = self.exercise.problem(got, expected)
        if problem is not None:
            return args, expected, got, problem
        for name, before, now in zip(self._names(args), args, given, strict=True):
            comparable = difference(copy.deepcopy(before), before) is None
            if comparable and difference(now, before) is not None:
                return args, expected, got, SAY["changed"].format(parameter=name)
        return None

    def _names(self, args: tuple) -> list[str]:
        names = list(inspect.signature(self.exercise.reference).parameters)[: len(args)]
        return names + [f"argument {i}" for i in range(len(names), len(args))]

    def _inputs(self, args: tuple) -> tuple[str, str]:
        pairs = zip(self._names(args), args, strict=True)
        return SAY["inputs"], ", ".join(f"{name} = {self.exercise.show(value)}" for name, value in pairs)

    def _summary(self, wrong: tuple | None, crashed: bool) -> Verdict:
        say, printed = self.exercise._verdict, self.printed.getvalue().strip()
        if wrong is None:
            theirs = (self.exercise.package, self.exercise.reference)
            if any(hands_in(self.attempt, own) for own in theirs if own):
                return say("not attempted", SAY["package's own"])
            as_float = "" if self.first_float is _MISSING else SAY["float"].format(got=self.first_float)
            agrees = SAY["agrees"].format(count=len(self.tried))
            return say("correct", agrees, as_float, SAY["printed"] if printed else "")
        if not crashed and all(got is None or got is Ellipsis for _, got in self.tried[:_FIRST]):
            first_line = show(printed.splitlines()[0]) if printed else ""
            only = SAY["printed only"].format(text=first_line) if printed else ""
            return say("not attempted", SAY["returned nothing"], only)
        args, expected, got, sentence = wrong
        rows = (
            self._inputs(args),
            (SAY["expected"], self.exercise.show(expected)),
            (SAY["got"], self.exercise.show(got)),
        )
        known = "" if crashed else self._misconception()  # a listed answer explains every case or none
        first_step = "" if known or sentence.startswith(RIGHT_BUT) else SAY["first step"]
        return say("wrong", known or sentence, first_step, SAY["printed"] if printed else "", rows=rows)

    def _misconception(self) -> str:
        """The message of the first listed wrong answer that agrees with the attempt on every case tried."""
        for known in self.exercise.misconceptions:
            with contextlib.suppress(Exception):
                if all(
                    difference(got, known.answer(*copy.deepcopy(args))) is None for args, got in self.tried
                ):
                    return known.message
        return ""

    def _crash(self, args: tuple, error: BaseException) -> Verdict:
        say, name = self.exercise._verdict, self.exercise.name
        if isinstance(error, _ArityError):
            call = f"{name}({', '.join(self._names(args))})"
            yours = f"{getattr(self.attempt, '__name__', name)}{error}"
            return say("error", SAY["arity"].format(call=call, yours=yours))
        ends = ((KeyboardInterrupt, "interrupted"), (SystemExit, "quit"), (RecursionError, "endless"))
        words = next((word for kind, word in ends if isinstance(error, kind)), "crashed")
        rows = [self._inputs(args)]
        if words == "crashed":
            rows.append((SAY["raised"], show_error(error)))
        rows += self._line(error)
        ambiguous = words == "crashed" and any(text in str(error) for text in AMBIGUOUS)
        return say("error", SAY[words], SAY["parentheses"] if ambiguous else "", rows=tuple(rows))

    def _line(self, error: BaseException) -> list[tuple[str, str]]:
        """The deepest line of the learner's own code in the traceback."""
        own, frames = getattr(self.attempt, "__globals__", None), []
        trace = error.__traceback__.tb_next if error.__traceback__ else None
        while trace is not None:
            frames.append((trace.tb_frame, trace.tb_lineno))
            trace = trace.tb_next
        mine = [pair for pair in frames if pair[0].f_globals is own] or frames[:1]
        if not mine:
            return []
        frame, number = mine[-1]
        text = linecache.getline(frame.f_code.co_filename, number, frame.f_globals).strip()
        return [(SAY["line"].format(number=number), tidy(text, 100))] if text else []


class _ArityError(Exception):
    """The attempt does not take a case's arguments, or in another order; carries its signature."""


@contextlib.contextmanager
def _recording_gradients() -> Iterator[None]:
    """Let autograd record inside, whatever the learner has switched off outside. Torch is not loaded for this."""
    torch = sys.modules.get("torch")
    if torch is None:
        yield
    else:
        with torch.inference_mode(False), torch.enable_grad():
            yield


def _source(part: Callable) -> str:
    return textwrap.dedent(inspect.getsource(part)).rstrip()


def _source_with_class(part: Callable) -> str:
    """Source of a function; a method says to which class it belongs."""
    owner = part.__qualname__.rpartition(".")[0]
    return f"# a method of {owner}\n{_source(part)}" if owner else _source(part)


def show_error(error: BaseException) -> str:
    """Type of `error` and the first line of its message, with no addresses in it."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {tidy(lines[0])}" if lines else type(error).__name__
