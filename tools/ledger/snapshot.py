"""What the package's table must know of the lessons: which of them state an entry, and what the twins measured.

It is derived here from the lessons, the notebooks and `lessons/results/`, and kept in the package as `snapshot.json`.
"""

import json
from functools import cache
from pathlib import Path

from deeplab_lessons.classroom.ledger import ENTRIES, snapshot
from deeplab_lessons.classroom.ledger.twins import Gain, Twin
from ledger.scan import stated_in
from ledger.statements import LESSONS, unbuilt

#: Lists of runs by name; a results file has one or several of them.
_GROUPS = ("runs", "results", "heads", "losses", "budgets")


def derive() -> dict[str, dict]:
    """Return the snapshot: "lessons", entry -> lessons that state it, and "twins", twin -> one number for each seed.

    Raises FileNotFoundError where a lesson's notebook is not built, because it may print numbers of papers.
    """
    if names := unbuilt():
        raise FileNotFoundError(f"no notebook of {', '.join(names)}: run `make notebooks` first")
    gets = [entry.get for entry in ENTRIES if isinstance(entry.get, Twin | Gain)]
    return {
        "lessons": {entry.key: ", ".join(lessons) for entry, lessons in stated_in(ENTRIES).items()},
        "twins": {str(twin): mean_ious(twin) for get in gets for twin in twins_of(get)},
    }


def update() -> bool:
    """Derive the snapshot and write it into the package; return whether it has changed."""
    text = json.dumps(derive(), indent=1, ensure_ascii=False) + "\n"
    changed = not snapshot.PATH.is_file() or snapshot.PATH.read_text(encoding="utf-8") != text
    if changed:
        snapshot.PATH.write_text(text, encoding="utf-8")
        snapshot.load.cache_clear()
    return changed


def twins_of(get: Twin | Gain) -> tuple[Twin, ...]:
    """Return the twins whose results `get` reads."""
    return (get.more, get.less) if isinstance(get, Gain) else (get,)


def mean_ious(twin: Twin) -> list[float]:
    """Return the mIoU in per cent of a twin's runs, one for each seed, from `lessons/results/`."""
    tests = [run["at"][twin.at] if twin.at else run for run in runs(twin.lesson, twin.name)]
    return [test["trimap"][str(twin.band)] if twin.band else test["mean_iou"] for test in tests]


def runs(lesson: str, name: str) -> list[dict]:
    """Return the runs called `name` in the results of `lesson` ("10"). Raises KeyError for an unknown name."""
    found = _runs(LESSONS / "results" / f"lesson{lesson}.json")
    if name not in found:
        raise KeyError(f"unknown runs {name!r} of lesson{lesson}.json: choose from {', '.join(found)}")
    return found[name]


@cache
def _runs(path: Path) -> dict[str, list[dict]]:
    """All runs of a results file by their names, each name with one run for each seed."""
    found: dict[str, list[dict]] = {}
    stored = json.loads(path.read_text(encoding="utf-8"))
    for group in _GROUPS:
        for name, each in stored.get(group, {}).items():
            if isinstance(each, list):
                found.setdefault(name, each)
    return found
