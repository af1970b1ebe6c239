"""The ledger: every number from the papers that the course states, and what the course has of its own beside it.

- `ENTRIES`: the numbers, in one file for each paper (`entries_v1.py`, …).
- `table`: the ledger as a pandas table, whole or for one lesson or standing; `summary`: in a few lines.
- `python -m deeplab_lessons.classroom.ledger build/ledger.html` writes it as a page.
- `scan` holds the lessons against it; `own` declares what is the course's own.
"""

from deeplab_lessons.classroom.ledger.entry import Entry
from deeplab_lessons.classroom.ledger.every import ENTRIES
from deeplab_lessons.classroom.ledger.page import summary, table

__all__ = ["ENTRIES", "Entry", "summary", "table"]
