"""What the judging process does: compare answers that came as data with the exercise's own reference."""

import contextlib
import copy
import dataclasses
from collections.abc import Callable
from functools import partial

from deeplab_lessons.classroom.exercises.cards import Verdict
from deeplab_lessons.classroom.exercises.compare import show
from deeplab_lessons.classroom.exercises.run import Run, _ArityError
from deeplab_lessons.classroom.exercises.surroundings import defaults, random_numbers
from deeplab_lessons.classroom.exercises.words import SAY
from deeplab_lessons.classroom.grading.encoding import decode
from deeplab_lessons.classroom.grading.lessons import cases_of, exercises_of

_ENDS = {kind.__name__: kind for kind in (KeyboardInterrupt, SystemExit, RecursionError)}


def judge(job: dict, say: Callable[..., None]) -> None:
    """Judge the answers of a job, exercise by exercise; `say` sends one message."""
    exercises = exercises_of(job["lesson"])
    say(ready=True)
    for name, messages in job["items"].items():
        state, case, note = _judged(exercises[name], messages, job["seed"])
        say(state=state, case=case, note=note)
        say(end=name)


def _judged(exercise, messages: list[dict], seed: str) -> tuple[str, str, str]:
    first = messages[0] if messages else {}
    trouble = str(first.get("ended") or first.get("absent") or first.get("trouble") or "")
    if "absent" in first or "ended" in first:
        return ("error" if trouble else "not attempted"), "", trouble or "its check was never reached"
    if "value" in first:
        try:
            value = decode(first["value"])
        except ValueError:
            return "error", "", "its answer cannot be read"
        state, case, note = _read(exercise.check(value))
        case = case or show(value)
    else:
        with defaults(), random_numbers():
            state, case, note = _read(_Replay(exercise, messages, cases_of(exercise, seed)).verdict())
    if state in ("correct", "not attempted"):
        return ("package's own" if state == "correct" and first.get("own") else state), "", trouble
    return state, case, "; ".join(filter(None, (trouble, note)))


def _read(verdict: Verdict) -> tuple[str, str, str]:
    """State, case and note of a verdict: what it says of the answer, without what it advises a learner to do."""
    said = [each for each in verdict.sentences if "hint()" not in each and each != SAY["crashed"]]
    rows = {label: more for label, *more in verdict.rows}
    shown = [SAY[word] for word in ("raised", "expected", "got") if SAY[word] in rows]
    # that the process was stopped is no exception of the learner's code
    values = {label: rows[label][0].removeprefix(f"{Stopped.__name__}: ") for label in shown}
    found = [text if text != rows[label][0] else f"{label}: {text}" for label, text in values.items()]
    found += [f"{label}: {more[0]}" for label, more in rows.items() if more[1:] == [SAY["not met"]]]
    note = " ".join([*said, "; ".join(found)]).strip()
    return verdict.state, rows.get(SAY["inputs"], [""])[0], note


class Stopped(Exception):
    """The answering process ended, or was ended, before it had answered."""


class _Replay(Run):
    """A check of answers that were given in another process: a function that repeats them, one for each case."""

    def __init__(self, exercise, messages: list[dict], cases: list[tuple]):
        same_cases = dataclasses.replace(exercise, cases=lambda rng: iter(cases), trials=len(cases))
        # a partial has no name: messages then say the exercise's
        super().__init__(same_cases, partial(self._next))
        self._said = iter([each for each in messages if "own" not in each])
        self._now: dict = {}

    def _bind(self, args: tuple) -> None:
        self._now = next(self._said, {"ended": "no answer came"})
        if "ended" in self._now:
            raise Stopped(str(self._now["ended"]))
        kind, words = self._now.get("raised", ("", ""))
        if kind == "_ArityError":
            raise _ArityError(str(words))

    def _next(self, *args: object) -> object:
        if "raised" in self._now:
            kind, words = map(str, self._now["raised"])
            raise _ENDS.get(kind) or type(kind[:60], (Exception,), {})(words)
        return copy.deepcopy(decode(self._now["answer"]))

    def _gradients(self, got: object, given: tuple) -> list | str:
        with contextlib.suppress(ValueError):
            sent_back = decode(self._now.get("gradients"))
            return sent_back if isinstance(sent_back, list | str) else []
        return []

    def _changed(self, args: tuple, given: tuple) -> str:
        return str(self._now.get("changed") or "")
