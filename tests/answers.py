"""Answers to exercises as learners write them: classes `OutputStrideRight` and `OutputStrideWrong` full of functions."""

import importlib
import re


import pytest


def exercise(lesson: str, name: str):
    """Return the exercise `name` of a lesson such as "lesson01"."""
    return getattr(importlib.import_module(f"deeplab_lessons.classroom.exercises.{lesson}"), name)


def says(words: str):
    """Mark a wrong answer whose verdict must contain `words`."""

    def mark(answer):
        answer.words = words
        return answer

    return mark


def listed(module: dict, kind: str) -> list:
    """Return parameters: the name of the exercise and the answer, for every function in the module's classes of this `kind`."""
    found = []
    for title, answers in module.items():
        if isinstance(answers, type) and title.endswith(kind):
            name = re.sub(r"(?<!^)(?=[A-Z])", "_", title.removesuffix(kind)).lower()
            for key, answer in vars(answers).items():
                if callable(answer) and not key.startswith("_"):
                    found.append(pytest.param(name, answer, id=f"{name}-{key}"))
    return found
