"""What a learner has done, in one small file next to the notebooks. It is never sent anywhere.

`deeplab_progress.json` is written only from a notebook, and moving it away is harmless. With the environment variable
`DEEPLAB_LESSONS_PROGRESS=off` nothing is read or written.
"""

import ast
import hashlib
import json
import os
import re
import sys
import tempfile
from functools import cache
from pathlib import Path

from filelock import FileLock

from deeplab_lessons.files import whole_file

FILE = Path.cwd() / "deeplab_progress.json"
COURSE = "deeplab_lessons"
_HERE = Path(__file__).parent
# What declares an exercise or a prediction, by the folder of the lessons' modules.
_DECLARED = {"exercises": {"exercise", "design", "order"}, "predictions": {"number", "choice", "order"}}

SAY = {
    "exercises": "{done} of {all} exercises done",
    "predictions": "{done} of {all} predictions committed",
    "right": "{right} of those right",
    "foreign": "{file} cannot be read as this course's progress, so it stays as it is and nothing is remembered. "
    "Move it away to begin afresh.",
    "refused": "Nothing is remembered: {folder} cannot be written to.",
}

_refused = False  # by the disk, when something was last to be remembered


def exercise_done(lesson: str, name: str) -> None:
    """Remember that an exercise of a lesson, such as "lesson03", was solved."""
    _remember(lesson, "exercises", name, True)


def prediction_committed(lesson: str, name: str, answer: float | str | list[str], right: bool) -> None:
    """Remember what the reader predicted, and whether it was right."""
    _remember(lesson, "predictions", name, {"answer": answer, "right": right})


def committed(lesson: str, name: str) -> float | str | list[str] | None:
    """Return the answer that the reader committed to a prediction; None where there is none."""
    known = (_stored() or {}).get("lessons", {}).get(lesson, {}).get("predictions", {})
    return known.get(name, {}).get("answer")


def line(lesson: str) -> None:
    """Print how far the learner is in a lesson, such as "03". Raises ValueError for a lesson without tasks."""
    name = f"lesson{lesson}"
    if name not in _lessons():
        numbers = ", ".join(known.removeprefix("lesson") for known in _lessons())
        raise ValueError(f"unknown lesson {lesson!r}: choose from {numbers}")
    exercises, predictions, right = _counts(name)
    said = [SAY[kind].format(done=done, all=total) for kind, (done, total) in
            (("exercises", exercises), ("predictions", predictions)) if total]  # fmt: skip
    if predictions[0]:
        said.append(SAY["right"].format(right=right))
    print(f"Lesson {lesson}: {', '.join(said)}.")
    _print_trouble()


def page():
    """Return a table of all lessons: exercises done, predictions committed, and how many of those are right."""
    import pandas

    rows = {}
    for name in _lessons():
        exercises, predictions, right = _counts(name)
        done = [f"{done} of {total}" if total else "" for done, total in (exercises, predictions)]
        rows[name.removeprefix("lesson")] = [*done, f"{right} of {predictions[0]}" if predictions[0] else ""]
    _print_trouble()
    columns = ["exercises done", "predictions committed", "of those right"]
    return pandas.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("lesson")


def _counts(lesson: str) -> tuple[tuple[int, int], tuple[int, int], int]:
    """(exercises done, all), (predictions committed, all) and how many predictions are right."""
    done = (_stored() or {}).get("lessons", {}).get(lesson, {})
    known = {kind: declared(kind, lesson) for kind in _DECLARED}
    done = {kind: {name: done.get(kind, {}).get(name) for name in names} for kind, names in known.items()}
    exercises, predictions = ([value for value in done[kind].values() if value] for kind in _DECLARED)
    right = sum(prediction.get("right") is True for prediction in predictions)
    return (len(exercises), len(known["exercises"])), (len(predictions), len(known["predictions"])), right


def snake_case(title: str) -> str:
    """Return the name of the exercise that a class `title` declares: FieldOf15 declares field_of_15."""
    return re.sub(r"(?<!^)(?=[A-Z])|(?<=[a-z])(?=[0-9])", "_", title).lower()


@cache
def declared(kind: str, lesson: str) -> list[str]:
    """Names of a lesson's "exercises" or "predictions", read from their source: importing it may import torch."""
    path = _HERE / kind / f"{lesson}.py"
    tree = ast.parse(path.read_text(encoding="utf-8")) if path.is_file() else ast.Module([])
    names = []
    for node in tree.body:
        for mark in getattr(node, "decorator_list", []):
            if getattr(getattr(mark, "func", mark), "id", None) in _DECLARED[kind]:
                names.append(snake_case(node.name) if isinstance(node, ast.ClassDef) else node.name)
    return names


def _lessons() -> list[str]:
    return sorted({path.stem for kind in _DECLARED for path in (_HERE / kind).glob("lesson[0-9][0-9].py")})


def _in_a_notebook() -> bool:
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return hasattr(shell, "kernel") and os.environ.get("DEEPLAB_LESSONS_PROGRESS") != "off"


def _stored() -> dict | None:
    """What the file holds, an empty record where there is none; None if it is not this course's."""
    if not (_in_a_notebook() and FILE.exists()):
        return {"course": COURSE, "lessons": {}}
    try:
        stored = json.loads(FILE.read_text(encoding="utf-8"))
        return stored if stored["course"] == COURSE and _is_record(stored["lessons"]) else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _is_record(lessons: object) -> bool:
    """Whether these are lessons as this module writes them, perhaps with further names."""
    done = [lesson.get(kind, {}) for lesson in lessons.values() for kind in _DECLARED]
    committed = [each for lesson in lessons.values() for each in lesson.get("predictions", {}).values()]
    return all(isinstance(each, dict) for each in [lessons, *lessons.values(), *done, *committed])


def _remember(lesson: str, kind: str, name: str, value: object) -> None:
    """Add one entry to what the file holds at this moment; other notebooks may write to it too."""
    global _refused
    if not _in_a_notebook():
        return
    own = hashlib.sha256(str(FILE).encode()).hexdigest()[:16]
    try:
        with FileLock(Path(tempfile.gettempdir()) / f"deeplab_progress_{own}.lock", timeout=5):
            stored = _stored()
            if stored is not None:
                stored["lessons"].setdefault(lesson, {}).setdefault(kind, {})[name] = value
                with whole_file(FILE) as part:
                    part.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
        _refused = False
    except OSError:
        _refused = True


def _print_trouble() -> None:
    if _stored() is None:
        print(SAY["foreign"].format(file=FILE.name))
    elif _in_a_notebook() and (_refused or not os.access(FILE.parent, os.W_OK)):
        print(SAY["refused"].format(folder=FILE.parent))
