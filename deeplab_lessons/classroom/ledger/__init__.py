"""The ledger: every number from the papers that the course states, and what the course has of its own next to it.

- `ENTRIES`: the numbers, in one file for each paper (`entries_v1.py`, …), and `CHAPTERS`, the same by paper.
- `table`: the ledger as a pandas table, for the course, one lesson or one standing; `summary`: in a few lines.
- `released`: the multiply-adds of the released networks, part by part.

`make ledger` holds the lessons against it and writes it as a page: see `tools/ledger/`.
"""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from deeplab_lessons.classroom.ledger import (
    entries_crf,
    entries_others,
    entries_v1,
    entries_v2,
    entries_v3,
    entries_v3plus,
    snapshot,
)
from deeplab_lessons.classroom.ledger.entry import COLUMNS, STANDINGS, Entry, agrees, ours, row

if TYPE_CHECKING:
    import pandas

__all__ = ["CHAPTERS", "ENTRIES", "Entry", "summary", "table"]

#: By chapter of the page.
CHAPTERS: dict[str, list[Entry]] = {
    "DeepLab v1": entries_v1.ENTRIES,
    "DeepLab v2": entries_v2.ENTRIES,
    "DeepLab v3": entries_v3.ENTRIES,
    "DeepLab v3+": entries_v3plus.ENTRIES,
    "The CRF": entries_crf.ENTRIES,
    "Other papers": entries_others.ENTRIES,
}
ENTRIES: tuple[Entry, ...] = tuple(entry for chapter in CHAPTERS.values() for entry in chapter)


def table(kind: str | None = None, lesson: str | None = None) -> "pandas.DataFrame":
    """Return the ledger as a pandas table, one row for each number.

    `kind` ("compute", "measure" or "cite") keeps those of one standing, `lesson` ("10") what that lesson states.
    Computing them takes up to half a minute. Raises ValueError for another kind and for a lesson that states no number
    of a paper, ImportError without pandas.
    """
    try:
        import pandas
    except ImportError as error:
        raise ImportError("table() needs pandas: pip install 'deeplab-lessons[lab]'") from error

    lessons = sorted({each for entry in ENTRIES for each in snapshot.lessons(entry.key)})
    if kind not in (None, *STANDINGS):
        raise ValueError(f"unknown kind {kind!r}: choose from {', '.join(STANDINGS)}")
    if lesson not in (None, *lessons):
        raise ValueError(f"lesson {lesson!r} states no number of a paper: choose from {', '.join(lessons)}")
    kept = [
        entry for entry in ENTRIES
        if (lesson is None or lesson in snapshot.lessons(entry.key)) and (kind is None or entry.standing == kind)
    ]  # fmt: skip
    return pandas.DataFrame([row(entry) for entry in kept], columns=list(COLUMNS))


def summary(entries: Sequence[Entry] = ENTRIES) -> str:
    """Return how many numbers there are of each standing, and which of the computed ones differ."""
    count = Counter(entry.standing for entry in entries)
    apart = [entry for entry in entries if entry.standing == "compute" and not agrees(entry)]
    near, far = ([each for each in apart if bool(each.within) is close] for close in (True, False))
    return "\n".join(
        [
            f"{len(entries)} numbers from papers: {count['compute']} computed,"
            f" {count['measure']} with a measured twin, {count['cite']} only cited.",
            f"Of those computed {count['compute'] - len(apart)} agree digit for digit, {len(near)} closely,"
            f" and {len(far)} differ:",
            *(f"  {each.source}: {each.name}: printed {each.printed}, ours {ours(each)}" for each in far),
        ]
    )
