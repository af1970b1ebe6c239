"""Answers to exercises as learners write them, in classes `OutputStrideRight` and `OutputStrideWrong`.

Answers to exercises that ask for no function are functions without arguments that return them.
"""

import importlib
import pkgutil
import types
from collections.abc import Callable, Iterator

import pytest
from verdicts import said

from deeplab_lessons.classroom import exercises
from deeplab_lessons.classroom.exercises.base import Exercise, snake_case
from deeplab_lessons.classroom.exercises.framework import Function

MODULES = [m.name for m in pkgutil.iter_modules(exercises.__path__) if m.name.startswith("lesson")]


def all_exercises(kind: type = Exercise) -> Iterator[tuple[str, str, Exercise]]:
    """Yield lesson, name and exercise, for every exercise of the course that is a `kind`."""
    for module in MODULES:
        found = vars(importlib.import_module(f"deeplab_lessons.classroom.exercises.{module}"))
        yield from ((module, name, each) for name, each in found.items() if isinstance(each, kind))


def learners(function: Callable) -> Callable:
    """Return a copy of `function` that is not the package's own: what a learner who wrote the same would have."""
    copied = types.FunctionType(
        function.__code__,
        function.__globals__,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    copied.__kwdefaults__ = function.__kwdefaults__
    return copied


def exercise_of(lesson: str, name: str):
    """Return the exercise `name` of a lesson such as "lesson01"."""
    return getattr(importlib.import_module(f"deeplab_lessons.classroom.exercises.{lesson}"), name)


def handed_in(exercise: Exercise, answer: Callable) -> object:
    """Return what a check gets: a function as it is, the design or the letters that it returns for other kinds."""
    return answer if isinstance(exercise, Function) else answer()


def assert_accepted(exercise: Exercise, answer: Callable) -> None:
    """Fail, with the verdict, unless the check takes the answer for right."""
    verdict = exercise.check(handed_in(exercise, answer))
    assert verdict.state == "correct", said(verdict)


def assert_rejected(exercise: Exercise, answer: Callable) -> None:
    """Fail, with the verdict, unless the check refuses the answer and says the words that it is marked with."""
    verdict = exercise.check(handed_in(exercise, answer))
    assert verdict.state in ("wrong", "error"), said(verdict)
    assert getattr(answer, "words", "") in said(verdict), said(verdict)


def says(words: str):
    """Mark a wrong answer whose verdict must contain `words`."""

    def mark(answer):
        answer.words = words
        return answer

    return mark


def listed(module: dict, kind: str) -> list:
    """Return parameters, the exercise's name and the answer, for the functions in a module's classes of this `kind`."""
    found = []
    for title, answers in module.items():
        if isinstance(answers, type) and title.endswith(kind):
            name = snake_case(title.removesuffix(kind))
            for key, answer in vars(answers).items():
                if callable(answer) and not key.startswith("_"):
                    found.append(pytest.param(name, answer, id=f"{name}-{key}"))
    return found
