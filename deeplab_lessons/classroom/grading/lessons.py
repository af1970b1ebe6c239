"""The exercises of a lesson, and the cases on which answers are compared."""

import importlib
import pkgutil

from deeplab_lessons.classroom import exercises
from deeplab_lessons.classroom.exercises.base import Exercise
from deeplab_lessons.classroom.exercises.framework import Function

EXERCISES = exercises.__name__
LESSONS = [each.name for each in pkgutil.iter_modules(exercises.__path__) if each.name.startswith("lesson")]


def exercises_of(lesson: str) -> dict[str, Exercise]:
    """Return a lesson's exercises by name, in the lesson's order."""
    module = importlib.import_module(f"{EXERCISES}.{lesson}")
    return {name: each for name, each in vars(module).items() if isinstance(each, Exercise)}


def cases_of(exercise: Exercise, seed: str) -> list[tuple] | None:
    """Return the argument tuples of this `seed`, the same in every process; None where an answer is not a function."""
    return exercise.arguments(seed) if isinstance(exercise, Function) else None
