"""What the ledger must know of the lessons, which an installed package does not have: `make ledger` derives it.

`snapshot.json` holds "lessons", entry -> the lessons that state it, and "twins", twin -> mIoU in per cent for each
seed. A test compares it with the lessons and with `lessons/results/`.
"""

import json
from functools import cache
from pathlib import Path

PATH = Path(__file__).with_name("snapshot.json")


@cache
def load() -> dict[str, dict]:
    """Read the snapshot, once."""
    return json.loads(PATH.read_text(encoding="utf-8"))


def lessons(entry: str) -> list[str]:
    """Return the lessons that state the entry of this key, in order. Raises KeyError for an entry that is new."""
    stated = _find("lessons", entry)
    return stated.split(", ") if stated else []


def mean_ious(twin: str) -> list[float]:
    """Return mIoU in per cent of a twin, one number for each seed. Raises KeyError for a twin that is new."""
    return _find("twins", twin)


def _find(part: str, key: str):
    if key not in load()[part]:
        raise KeyError(f"{key!r} is not in {PATH.name}: run `make ledger`")
    return load()[part][key]
