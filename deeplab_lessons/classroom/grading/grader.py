"""The grading process: notebooks in, a table out, a row for each learner and exercise."""

import csv
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import deeplab_lessons
from deeplab_lessons.classroom.exercises.compare import tidy
from deeplab_lessons.classroom.exercises.own import PACKAGE
from deeplab_lessons.classroom.grading import notebooks
from deeplab_lessons.classroom.grading.lessons import LESSONS, exercises_of
from deeplab_lessons.classroom.grading.processes import Helpers, Item
from deeplab_lessons.files import whole_file

_PACKAGE = Path(deeplab_lessons.__file__).parent
_TO_JUDGE = 10  # seconds more than the answers themselves may take
STATES = ("correct", "wrong", "error", "not attempted", "package's own", "not graded")


@dataclass(frozen=True)
class Row:
    """What one learner has of one exercise. `case` is the first input with a wrong answer, `note` says the rest."""

    learner: str
    lesson: str = ""
    exercise: str = ""
    kind: str = ""
    state: str = "not graded"
    case: str = ""
    seconds: float = 0.0
    note: str = ""


def grade(
    paths: Sequence[Path],
    output: Path,
    seed: int = 1,
    seconds: float = 60,
    memory: float = 4,
    say: Callable[[str], object] = print,
) -> list[Row]:
    """Grade notebooks, write the table to `output` and return its rows.

    `seed` chooses the cases, 0 those of the lesson's own checks. The exercises of a notebook have `seconds` together,
    divided equally, and its process `memory` GiB. `say` gets a line for each notebook. After Ctrl-C the table holds
    the notebooks that were done. Raises RuntimeError where a notebook has changed the package's files.
    """
    rows: list[Row] = []
    try:
        with Helpers(int(memory * 2**30)) as helpers:
            before = _digest()
            for path, learner in _learners(paths).items():
                new = list(_rows(path, learner, "" if seed == 0 else str(seed), seconds, helpers))
                if _digest() != before:
                    raise RuntimeError(
                        f"the files of {_PACKAGE} changed while {path} was graded: install the package again, and look "
                        "into that notebook before you grade the others"
                    )
                rows += new
                say(f"{learner}: {_summary(new)}{_why(new)}")
    finally:
        _write(rows, output)
    return rows


def summary(rows: Sequence[Row]) -> str:
    """Return how many rows have each state, over all notebooks."""
    learners = len({row.learner for row in rows})
    return f"{learners} {'notebook' if learners == 1 else 'notebooks'}: {_summary(rows)}"


def _summary(rows: Sequence[Row]) -> str:
    counts = Counter(row.state for row in rows)
    return ", ".join(f"{counts[state]} {state}" for state in STATES if counts[state])


def _why(rows: Sequence[Row]) -> str:
    """Why a whole notebook could not be graded."""
    return f" ({rows[0].note})" if not rows[0].exercise else ""


def _learners(paths: Sequence[Path]) -> dict[Path, str]:
    """Each file once, with its learner: the name without its ending, or the path where names clash."""
    once = list(dict.fromkeys(paths))
    count = Counter(path.stem for path in once)
    return {path: path.stem if count[path.stem] == 1 else str(path) for path in once}


def _rows(path: Path, learner: str, seed: str, seconds: float, helpers: Helpers) -> Iterator[Row]:
    try:
        notebook = notebooks.read(path)
    except notebooks.Unreadable as error:
        yield Row(learner, note=str(error))
        return
    lessons = [lesson for lesson in notebook.lessons if lesson in LESSONS]
    if not lessons:
        broken = f"; cells that are not valid Python: {len(notebook.broken)}" if notebook.broken else ""
        yield Row(learner, note=f"this notebook imports no exercises of the course{broken}")
    for lesson in lessons:
        yield from _lesson(notebook, learner, {"lesson": lesson, "seed": seed}, seconds, helpers)


def _lesson(
    notebook: notebooks.Notebook, learner: str, job: dict, seconds: float, helpers: Helpers
) -> Iterator[Row]:
    exercises = exercises_of(job["lesson"])
    seconds /= len(exercises)
    needed = {name: statements for name in exercises if (statements := notebook.needed(name))}
    pieces = {name: [(each.cell, each.code) for each in statements] for name, statements in needed.items()}
    answers = helpers.do(job | {"task": "answer", "items": pieces}, seconds)
    for item in answers.values():
        if item.ended:
            item.messages.append({"ended": item.ended})
    messages = {name: item.messages for name, item in answers.items()}
    judged = helpers.do(job | {"task": "judge", "items": messages}, seconds + _TO_JUDGE)
    for name, exercise in exercises.items():
        about = {"learner": learner, "lesson": job["lesson"], "exercise": name, "kind": exercise.kind}
        if name not in judged or not answers[name].begun:
            yield Row(**about, **_without_answer(notebook.fault(name), answers.get(name)))
            continue
        uncompared = {
            "state": "not graded",
            "note": f"its answers could not be compared: {judged[name].ended}",
        }
        said = judged[name].messages[0] if judged[name].messages else uncompared
        if said["state"] != "correct":
            said["note"] = "; ".join(filter(None, (notebook.fault(name), said["note"])))
        elif notebooks.hands_in_ours(needed[name], _own(exercise)):
            said["state"] = "package's own"
        yield Row(**about, **said, seconds=round(answers[name].seconds, 2))


def _without_answer(fault: str, item: Item | None) -> dict[str, str]:
    if item is not None:
        return {"state": "not graded", "note": item.ended}
    return {"state": "error", "note": fault} if fault else {"state": "not attempted", "note": "not handed in"}


def _own(exercise) -> set[str]:
    """Names of the package's functions that would answer an exercise."""
    found = (getattr(exercise, name, None) for name in ("package", "reference"))
    return {each.__name__ for each in found if each and each.__module__.startswith(f"{PACKAGE}.")}


def _digest() -> str:
    """A digest of the package's files, without what Python compiles from them."""
    files = (path for path in _PACKAGE.rglob("*") if path.is_file())
    found = hashlib.sha256()
    for path in sorted(path for path in files if path.suffix != ".pyc" and "__pycache__" not in path.parts):
        found.update(
            f"{path}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\0".encode(errors="surrogateescape")
        )
    return found.hexdigest()


def _write(rows: Sequence[Row], output: Path) -> None:
    """Write the rows as CSV, each on one line, without what a spreadsheet would treat as a formula.

    The mark at the beginning tells spreadsheets that this is UTF-8.
    """
    with (
        whole_file(output) as part,
        open(part, "w", newline="", encoding="utf-8-sig", errors="backslashreplace") as file,
    ):
        table = csv.writer(file)
        table.writerow(each.name for each in fields(Row))
        table.writerows([_cell(value) for value in asdict(row).values()] for row in rows)


def _cell(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = tidy(" ".join(value.split()))
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text
