"""What the answering process does: run a notebook's statements, and send what its answers return for each case."""

import contextlib
import copy
import sys
import types
from collections.abc import Callable

from deeplab_lessons.classroom.exercises.compare import show_error
from deeplab_lessons.classroom.exercises.gradients import gradients
from deeplab_lessons.classroom.exercises.own import hands_in
from deeplab_lessons.classroom.exercises.run import Run
from deeplab_lessons.classroom.exercises.surroundings import defaults, random_numbers
from deeplab_lessons.classroom.grading.encoding import TooLarge, encode, other
from deeplab_lessons.classroom.grading.lessons import EXERCISES, cases_of, exercises_of

Say = Callable[..., None]


def answer(job: dict, say: Say) -> None:
    """Answer the exercises of a job, each from its own statements; `say` sends one message."""
    exercises = exercises_of(job["lesson"])
    module = sys.modules[f"{EXERCISES}.{job['lesson']}"]
    # made before the notebook can change what they are made with
    cases = {name: cases_of(exercises[name], job["seed"]) for name in job["items"]}
    say(ready=True)
    for name, pieces in job["items"].items():
        handed_in, trouble = _run(pieces, module, exercises)
        if name not in handed_in:
            say(absent=trouble)
        elif cases[name] is None or not callable(handed_in[name]):
            say(**_data(handed_in[name]), trouble=trouble)
        else:
            own = (exercises[name].package, exercises[name].reference)
            say(own=any(hands_in(handed_in[name], each) for each in own if each), trouble=trouble)
            with defaults(), random_numbers():
                _call(exercises[name], handed_in[name], cases[name], say)
        say(end=name)


def _run(pieces: list, lesson: types.ModuleType, exercises: dict) -> tuple[dict, str]:
    """What the check of an exercise got from these (cell, code) pieces, and the first error on the way there."""
    handed_in: dict = {}
    module = types.ModuleType("__main__")
    module.display = lambda *things, **options: None  # a notebook has it
    sys.modules["__main__"] = module
    trouble = ""
    for cell, code in pieces:
        _listen(handed_in, lesson, exercises)
        try:
            exec(compile(code, f"<cell {cell}>", "exec"), vars(module))
        except BaseException as error:
            trouble = trouble or f"cell {cell} raised {show_error(error)}"
    return handed_in, trouble


def _listen(handed_in: dict, module: types.ModuleType, exercises: dict) -> None:
    """Let every check note what it is given, whatever the notebook has done to checks and exercises before."""

    def check(self, attempt: object = ..., *more: object) -> None:
        handed_in[self.name] = attempt

    for name, exercise in exercises.items():
        vars(exercise).pop("check", None)
        type(exercise).check = check
        setattr(module, name, exercise)


def _call(exercise, attempt: Callable, cases: list[tuple], say: Say) -> None:
    run = Run(exercise, attempt)
    for args in cases:
        given = copy.deepcopy(args)
        try:
            run._bind(given)
            with defaults():
                got = attempt(*given)
                answer, sent_back = _encoded(got), _encoded(gradients(got, given))
        except BaseException as error:
            return say(raised=[type(error).__name__, *_words(error)])
        say(answer=answer, gradients=sent_back, changed=run._changed(args, given))


def _words(error: BaseException) -> tuple[str]:
    with contextlib.suppress(Exception):
        return (str(error)[:300],)
    return ("",)


def _data(value: object) -> dict:
    try:
        return {"value": _encoded(value)}
    except TooLarge as error:
        return {"ended": str(error)}


def _encoded(value: object) -> object:
    try:
        return encode(value)
    except (TooLarge, MemoryError):
        raise
    except BaseException:
        return encode(other(type(value).__name__))
