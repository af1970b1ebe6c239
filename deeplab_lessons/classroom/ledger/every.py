"""All entries of the ledger, paper by paper."""

from deeplab_lessons.classroom.ledger import (
    entries_crf,
    entries_others,
    entries_v1,
    entries_v2,
    entries_v3,
    entries_v3plus,
)
from deeplab_lessons.classroom.ledger.entry import Entry

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
