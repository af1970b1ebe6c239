"""One number from a paper: what it is, where it is printed, and whether the course computes it or has a twin of it."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cache

from deeplab_lessons.classroom.ledger import snapshot
from deeplab_lessons.classroom.ledger.twins import spread

#: What the three standings mean.
STANDINGS = {
    "compute": "we compute it, and the last columns say what we get",
    "measure": "a small twin was measured: another network on other images, so compare directions, not digits",
    "cite": "we only cite it",
}
#: Titles of a row's cells.
COLUMNS = ("what", "printed", "where", "lessons", "standing", "ours", "remark")
_SCALE = {"K": 1e3, "M": 1e6, "B": 1e9}
_PRINTED = re.compile(r"(\d+(?:[,\d]*\d)?(?:\.\d+)?(?:e-\d+)?)\s?([KMB]?)(?![a-z])")


@dataclass(frozen=True)
class Entry:
    """A number (or a few that belong together) that a paper prints.

    `source`: paper and position, "v2, table 4". `printed`: as it is printed there, "134.3M". `name`: what it is.
    `standing`: "compute", "measure" or "cite". `get`: for "compute", returns our number or numbers; for "measure",
    returns the twin's values, one for each seed. Where what we compute is not the print, digit for digit, `why` has
    the reason in a sentence, and either `ours` what we get or `within` how close it is, as a fraction. `near`: a
    regular expression; the entry is only about sentences in which it is found. Small numbers need it. `also`: other
    ways in which lessons write the number.
    """

    source: str
    printed: str
    name: str
    standing: str = "cite"
    get: Callable[[], float | Sequence[float]] | None = None
    ours: str = ""
    within: float = 0.0
    why: str = ""
    near: str = ""
    also: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Source, print and name, which no two entries share."""
        return f"{self.source}: {self.printed}, {self.name}"


def cite(source: str, printed: str, name: str, near: str = "", also: Sequence[str] = ()) -> Entry:
    """Return an entry for a number that the course only cites."""
    return Entry(source, printed, name, "cite", near=near, also=tuple(also))


def compute(source: str, printed: str, name: str, get: Callable, near: str = "", also=(), **apart) -> Entry:
    """Return an entry for a number that the course computes; `ours` or `within`, and `why`, where it differs."""
    return Entry(source, printed, name, "compute", get, near=near, also=tuple(also), **apart)


def measure(
    source: str, printed: str, name: str, get: Callable, near: str = "", also: Sequence[str] = ()
) -> Entry:
    """Return an entry for a number of which a small twin was measured: `get` is a `Twin` or a `Gain`."""
    return Entry(source, printed, name, "measure", get, near=near, also=tuple(also))


def difference(source: str, printed: str, name: str, more: str, less: str, **options) -> Entry:
    """Return an entry for a gain that a paper prints in its text, the difference of two numbers that it prints too."""
    return compute(source, printed, name, lambda: float(Decimal(more) - Decimal(less)), **options)


@cache
def result(entry: Entry) -> tuple[float, ...]:
    """Return what the entry's function gives, as a tuple. Raises ValueError where it has none."""
    if entry.get is None:
        raise ValueError(f"entry must be computed or measured, got {entry.key!r}, which is only cited")
    got = entry.get()
    return tuple(float(each) for each in got) if isinstance(got, Sequence) else (float(got),)


def at_precision(got: Sequence[float], printed: str) -> str:
    """Return our numbers written as `printed` is, digit for digit: the same text where they agree.

    A single number is written in the position of each printed one. Raises ValueError where the numbers are neither
    one nor as many as the printed ones.
    """
    positions, turn = list(_PRINTED.finditer(printed)), iter(range(10**6))
    if len(got) not in (1, len(positions)):
        raise ValueError(f"got must have 1 or {len(positions)} numbers, like {printed!r}, got {len(got)}")

    def written(match: re.Match) -> str:
        position = next(turn)
        value = Decimal(str(got[position if len(got) > 1 else 0])) / Decimal(_SCALE.get(match[2], 1))
        digits = len(match[1].partition(".")[2]) if "e" not in match[1] else 0
        rounded = value.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
        return match[0].replace(match[1], f"{rounded:,}" if "," in match[1] else f"{rounded}")

    return _PRINTED.sub(written, printed)


def agrees(entry: Entry) -> bool:
    """Return whether what we compute is what is printed, at the printed precision."""
    return at_precision(result(entry), entry.printed) == entry.printed


def as_declared(entry: Entry) -> bool:
    """Return whether what we compute is what the entry declares: the print, `ours`, or as close as `within`."""
    if agrees(entry):
        return not entry.why
    if entry.within:
        (got,), (printed, scale) = result(entry), _PRINTED.match(entry.printed).groups()
        return bool(entry.why) and abs(got / (float(printed) * _SCALE.get(scale, 1)) - 1) <= entry.within
    return bool(entry.why) and at_precision(result(entry), entry.printed) == entry.ours


def row(entry: Entry) -> tuple[str, ...]:
    """Return the cells of an entry's row, all of them text: see `COLUMNS`."""
    lessons = ", ".join(snapshot.lessons(entry.key))
    return (entry.name, entry.printed, entry.source, lessons, entry.standing, ours(entry), remark(entry))


def ours(entry: Entry) -> str:
    """Return what the course has: a computed number written as the print is, or a twin's mean and spread."""
    if entry.standing == "cite":
        return ""
    got = result(entry)
    return at_precision(got, entry.printed) if entry.standing == "compute" else spread(got)


def remark(entry: Entry) -> str:
    """Return whether what we compute agrees and, if not, why; or which twin was measured."""
    if entry.standing == "measure":
        return f"twin, {entry.get}"
    if entry.standing == "cite":
        return ""
    if agrees(entry):
        return "agrees"
    return (f"within {100 * entry.within:g} %. " if entry.within else "differs. ") + entry.why
