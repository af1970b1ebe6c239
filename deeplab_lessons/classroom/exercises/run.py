"""One check of one answer: call it on every case, keep what comes, and draw the verdict."""

import contextlib
import copy
import functools
import inspect
import io
import linecache
from typing import TYPE_CHECKING

from deeplab_lessons.classroom.exercises.cards import Verdict
from deeplab_lessons.classroom.exercises.compare import difference, show, show_error, tidy
from deeplab_lessons.classroom.exercises.gradients import carries_gradient, gradient_problem, gradients
from deeplab_lessons.classroom.exercises.own import hands_in
from deeplab_lessons.classroom.exercises.surroundings import defaults
from deeplab_lessons.classroom.exercises.words import AMBIGUOUS, RIGHT_BUT, SAY

if TYPE_CHECKING:
    from collections.abc import Callable

    from deeplab_lessons.classroom.exercises.framework import Exercise

Wrong = tuple[tuple, object, object, str]  # arguments, expected, got, what differs
Crash = tuple[tuple, BaseException]  # arguments, what was raised


class Run:
    """A check of `attempt`: what it answered so far, the first wrong answer, the first float for a whole number."""

    def __init__(self, exercise: "Exercise", attempt: "Callable"):
        self.exercise, self.attempt = exercise, attempt
        self.tried: list[tuple[tuple, object]] = []  # (arguments, answer) of every call so far
        self.printed = _Printed()
        self.wrong: Wrong | None = None
        self.first_float: float | None = None

    def verdict(self) -> Verdict:
        """Try every case, to tell misconceptions apart, up to one at which the attempt raises."""
        for args in self.exercise.arguments():
            expected = self.exercise.reference(*copy.deepcopy(args))
            given = copy.deepcopy(args)
            try:
                self._bind(given)
                with contextlib.redirect_stdout(self.printed), defaults():
                    got = self.attempt(*given)
            except BaseException as error:
                return self._wrong((args, error)) if self.wrong else self._crash(args, error)
            self._keep(args, given, got, expected)
        return self._wrong() if self.wrong else self._correct()

    def _bind(self, args: tuple) -> None:
        """Raise _ArityError unless the attempt can be called with these arguments."""
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

    def _keep(self, args: tuple, given: tuple, got: object, expected: object) -> None:
        if inspect.iscoroutine(got):
            got.close()
        problem = self._problem(args, given, got, expected)
        with contextlib.suppress(Exception):
            got = copy.deepcopy(got)  # the next call may write into it
        self.tried.append((args, got))
        if problem is not None:
            # "the values are right, but" is the last word only where no later values are wrong
            only_so_far = self.wrong is None or _right_but(self.wrong[3])
            if only_so_far and (self.wrong is None or not _right_but(problem)):
                self.wrong = (args, expected, got, problem)
        elif self.first_float is None and isinstance(got, float) and isinstance(expected, int):
            self.first_float = got

    def _problem(self, args: tuple, given: tuple, got: object, expected: object) -> str | None:
        """None for a right answer that leaves its input as it was; else a sentence, perhaps ""."""
        problem = self.exercise.problem(got, expected)
        if problem is None and carries_gradient(expected):
            inputs = copy.deepcopy(args)
            wanted = gradients(self.exercise.reference(*inputs), inputs)
            problem = gradient_problem(self._gradients(got, given), wanted)
        changed = self._changed(args, given) if problem is None else ""
        return SAY["changed"].format(parameter=changed) if changed else problem

    def _gradients(self, got: object, given: tuple) -> list | str:
        return gradients(got, given)

    def _changed(self, args: tuple, given: tuple) -> str:
        """Name of the first argument that is no longer what it was."""
        for name, before, now in zip(self._names(args), args, given, strict=True):
            comparable = difference(copy.deepcopy(before), before) is None
            if comparable and difference(now, before) is not None:
                return name
        return ""

    def _names(self, args: tuple) -> list[str]:
        names = list(inspect.signature(self.exercise.reference).parameters)[: len(args)]
        return names + [f"argument {i}" for i in range(len(names), len(args))]

    def _inputs(self, args: tuple) -> str:
        pairs = zip(self._names(args), args, strict=True)
        return ", ".join(f"{name} = {self.exercise.show(value)}" for name, value in pairs)

    # ---------------------------------------------------------------- what a learner reads

    def _correct(self) -> Verdict:
        theirs = (self.exercise.package, self.exercise.reference)
        if any(hands_in(self.attempt, own) for own in theirs if own):
            return self.exercise._verdict("not attempted", SAY["package's own"])
        as_float = "" if self.first_float is None else SAY["float"].format(got=self.first_float)
        agrees = SAY["agrees"].format(count=len(self.tried))
        return self.exercise._verdict("correct", agrees, as_float, self._also_prints())

    def _wrong(self, crash: Crash | None = None) -> Verdict:
        """The verdict for wrong answers, perhaps with a crash after them, which no listed answer explains."""
        if crash is None and all(got is None or got is Ellipsis for _, got in self.tried):
            printed = self.printed.getvalue().strip()
            only = SAY["printed only"].format(text=show(printed.splitlines()[0])) if printed else ""
            return self.exercise._verdict("not attempted", SAY["returned nothing"], only)
        args, expected, got, problem = self.wrong
        rows = (
            (SAY["inputs"], self._inputs(args)),
            (SAY["expected"], self.exercise.show(expected)),
            (SAY["got"], self.exercise.show(got)),
        )
        known = later = ""
        if crash is None:
            # an answer that is right, but for what it did to its input, is no listed wrong one
            known = "" if problem.startswith(SAY["changed"].partition("{")[0]) else self._misconception()
        else:
            what, raised = self._meaning(*crash)
            later = SAY["later"].format(
                inputs=tidy(self._inputs(crash[0]), 120), what=f"{what} {raised}".strip()
            )
        first_step = "" if known or _right_but(problem) else SAY["first step"]
        said = (known or problem, later, first_step, self._also_prints())
        return self.exercise._verdict("wrong", *said, rows=rows)

    def _misconception(self) -> str:
        """The message of the first listed wrong answer that agrees with the attempt on every case."""
        for known in self.exercise.misconceptions:
            with contextlib.suppress(Exception):
                if all(
                    difference(got, known.answer(*copy.deepcopy(args))) is None for args, got in self.tried
                ):
                    return known.message
        return ""

    def _crash(self, args: tuple, error: BaseException) -> Verdict:
        what, raised = self._meaning(args, error)
        if isinstance(error, _ArityError):
            return self.exercise._verdict("error", what)
        rows = [(SAY["inputs"], self._inputs(args)), (SAY["raised"], raised), *self._line(error)]
        perhaps = SAY["parentheses"] if any(text in raised for text in AMBIGUOUS) else ""
        return self.exercise._verdict("error", what, perhaps, rows=tuple(row for row in rows if row[1]))

    def _meaning(self, args: tuple, error: BaseException) -> tuple[str, str]:
        """What an exception means to a learner, and itself where its words help."""
        if isinstance(error, _ArityError):
            call = f"{self.exercise.name}({', '.join(self._names(args))})"
            yours = f"{getattr(self.attempt, '__name__', self.exercise.name)}{error}"
            return SAY["arity"].format(call=call, yours=yours), ""
        ends = ((KeyboardInterrupt, "interrupted"), (SystemExit, "quit"), (RecursionError, "endless"))
        words = next((word for kind, word in ends if isinstance(error, kind)), "crashed")
        return SAY[words], show_error(error) if words == "crashed" else ""

    def _line(self, error: BaseException) -> list[tuple[str, str]]:
        """The deepest line of the learner's own code in the traceback."""
        frames, trace = [], error.__traceback__.tb_next if error.__traceback__ else None
        while trace is not None:
            frames.append((trace.tb_frame, trace.tb_lineno))
            trace = trace.tb_next
        home = getattr(_without_partial(self.attempt), "__module__", None)
        mine = [pair for pair in frames if pair[0].f_globals.get("__name__") == home]
        if not mine:
            return []
        frame, number = mine[-1]
        text = linecache.getline(frame.f_code.co_filename, number, frame.f_globals).strip()
        return [(SAY["line"].format(number=number), tidy(text, 100))]

    def _also_prints(self) -> str:
        return SAY["printed"] if self.printed.getvalue().strip() else ""


def _right_but(problem: str) -> bool:
    """Whether a sentence says that the values are right, perhaps those at one position."""
    return any(words in problem for words in RIGHT_BUT)


class _ArityError(Exception):
    """The attempt does not take a case's arguments, or in another order; carries its signature."""


class _Printed(io.StringIO):
    """The beginning of what an attempt prints: a loop may print megabytes, and an attempt may close its output."""

    def write(self, text: str) -> int:
        super().write(text[: max(0, 1000 - self.tell())])
        return len(text)

    def close(self) -> None:
        """Stay open: the verdict reads it."""


def _without_partial(attempt: object) -> object:
    while isinstance(attempt, functools.partial):
        attempt = attempt.func
    return attempt
