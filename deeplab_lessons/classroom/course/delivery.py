"""The lessons in a learner's folder: copied, brought up to date, and nothing of the learner's replaced.

`deeplab_course.json` in that folder remembers what was delivered. A lesson whose cells still say what was delivered is
replaced by a newer edition. One in which the learner has written stays, and the newer edition is put next to it.
"""

import hashlib
import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from deeplab_lessons import __version__
from deeplab_lessons.classroom.course import RECORD, ROOT
from deeplab_lessons.files import whole_file

COURSE = "deeplab_lessons"
#: What a learner gets, in the folders in which the course has it: lessons find pictures by these paths.
DELIVERED = ("notebooks/*.ipynb", "lessons/images/*")


@dataclass
class Delivery:
    """Names of files in the learner's folder: copied, updated, and {one that has changes: its newer edition}."""

    copied: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    beside: dict[str, str] = field(default_factory=dict)

    def in_words(self, folder: Path) -> str:
        """Return a line for each thing that was done, and nothing where nothing was."""
        lines = []
        for words, names in (
            ("Copied {} to {}", self.copied),
            ("Updated {} in {}, where you had not written", self.updated),
        ):
            if count := sum(name.endswith(".ipynb") for name in names):
                lines.append(words.format(f"{count} lesson{'s' * (count > 1)}", folder))
        for theirs, newer in self.beside.items():
            lines.append(f"{theirs} has your changes and stays; the newer edition is {newer}")
        return "".join(f"{line}\n" for line in lines)


def deliver(folder: Path) -> Delivery:
    """Bring the lessons to a folder, which may be new, of an earlier edition, or have other files in it.

    Raises NotADirectoryError where a file has the name of a folder, ValueError if the folder's record was written by
    something else, and the system's OSError if the folder cannot be written to.
    """
    _check_folders(folder)
    remembered, done = _read_record(folder), Delivery()
    known = dict(remembered)
    try:
        for edition in sorted(path for pattern in DELIVERED for path in ROOT.glob(pattern)):
            name = edition.relative_to(ROOT).as_posix()
            known[name] = _bring(edition, name, folder, remembered.get(name, {}), done)
    finally:
        if known != remembered:
            _write_record(folder, known)
    return done


def _bring(edition: Path, name: str, folder: Path, before: dict, done: Delivery) -> dict:
    """Bring one file; return what is to be remembered of it: the edition, and what is written where it belongs."""
    theirs, new = folder / name, {"edition": _digest_of(edition), "written": written(edition)}
    if not os.path.lexists(theirs):
        _copy(edition, theirs)
        done.copied.append(name)
        return new
    if before.get("edition") == new["edition"]:  # it was delivered, and since then the file is the learner's
        return before
    now = written(theirs)
    unchanged = now is not None and now == before.get("written")
    if unchanged and (now != new["written"] or _digest_of(theirs) == before.get("edition")):
        _copy(edition, theirs)
        done.updated.append(name)
        return new
    if now == new["written"]:  # only outputs differ, and they are the learner's
        return new
    beside = _free_name(theirs, new["written"])
    if not beside.exists():
        _copy(edition, beside)
    done.beside[name] = beside.relative_to(folder).as_posix()
    return new | {"written": before.get("written")}


def written(path: Path) -> str | None:
    """Return a digest of what a learner can write into a file: a notebook's cells without outputs, or all of another.

    It is None for a file that cannot be read, which counts as changed.
    """
    try:
        if path.suffix != ".ipynb":
            return _digest_of(path)
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        parts = [[cell["cell_type"], "".join(cell["source"]), cell.get("attachments")] for cell in cells]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return None


def _digest_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _copy(source: Path, path: Path) -> None:
    with whole_file(path) as part:
        shutil.copyfile(source, part)


def _free_name(path: Path, content: str | None) -> Path:
    """A name next to a file for its newer edition: one that is free, or has that edition already."""
    number = 1
    while True:
        again = f"-{number}" if number > 1 else ""
        beside = path.with_name(f"{path.stem}.new-{__version__}{again}{path.suffix}")
        if not os.path.lexists(beside) or written(beside) == content:
            return beside
        number += 1


def _check_folders(folder: Path) -> None:
    for place in (folder, *(folder / Path(pattern).parent for pattern in DELIVERED)):
        for part in (place, *place.parents):
            if part.exists() and not part.is_dir():
                raise NotADirectoryError(f"{part} is a file, and the lessons need a folder of that name")


def _read_record(folder: Path) -> dict[str, dict]:
    path = folder / RECORD
    if not os.path.lexists(path):
        return {}
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        known = {name: dict(each) for name, each in record["files"].items()}
        if record["course"] == COURSE:
            return known
    except (UnicodeDecodeError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
        pass
    raise ValueError(f"{path} cannot be read as this course's record: move it away, or choose another folder")


def _write_record(folder: Path, known: dict[str, dict]) -> None:
    record = {"course": COURSE, "version": __version__, "files": known}
    with whole_file(folder / RECORD) as part:
        part.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
