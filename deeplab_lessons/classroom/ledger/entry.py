"""One number from a paper: what it is, where it is printed, and whether the course computes it or has a twin of it."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cache, cached_property

from deeplab_lessons.classroom.ledger.figures import Number, numbers_in
from deeplab_lessons.classroom.ledger.reading import Statement

_VERSION = re.compile(r"\bv[123](?:\+|plus)?(?![\w+])")
_SCALE = {"K": 1e3, "M": 1e6, "B": 1e9}
_PRINTED = re.compile(r"(\d+(?:[,\d]*\d)?(?:\.\d+)?(?:e-\d+)?)\s?([KMB]?)(?![a-z])")


@dataclass(frozen=True)
class Entry:
    """A number (or a few that belong together) that a paper prints.

    `source`: paper and place, "v2, table 4". `printed`: as it stands there, "134.3M". `name`: what it is.
    `standing`: "compute", "measure" or "cite". `get`: for "compute", gives our number or numbers; for "measure",
    gives the twin's values, one for each seed. Where what we compute is not the print, digit for digit, `why` has
    the reason in a sentence, and either `ours` what we get or `within` how close it is, as a share. `near`: a
    regular expression; the entry speaks only of sentences in which it is found. Small numbers need it. `also`: other
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

    def __post_init__(self):
        """A number that many sentences hold must say which of them are meant."""
        every = [number for way in self.written for number in way]
        small = [number.written for number in every if len(number.digits) < 3]
        if not every or (small and not self.near):
            told = f"{small[0]} stands in many sentences: give `near`" if small else "it holds no number"
            raise ValueError(f"{self.printed!r} ({self.name}): {told}")

    @cached_property
    def written(self) -> tuple[tuple[Number, ...], ...]:
        """The numbers of `printed`, and of each other way to write them."""
        return tuple(tuple(numbers_in(each)) for each in (self.printed, *self.also))

    @cached_property
    def values(self) -> set[Decimal]:
        """All values for which the entry answers."""
        return {number.value for way in self.written for number in way}

    @cached_property
    def _digits(self) -> set[str]:
        return {number.plain for way in self.written for number in way}

    @cached_property
    def _ways(self) -> tuple[set[str], ...]:
        return tuple({number.plain for number in way} for way in self.written)

    def speaks_of(self, statement: Statement) -> bool:
        """Whether a statement can be about this entry at all."""
        return not self.near or re.search(self.near, statement.text, re.IGNORECASE) is not None

    def covers(self, number: Number, statement: Statement) -> bool:
        """Whether the entry answers for `number`, digit for digit; code has no words that could be `near`."""
        return number.plain in self._digits and (statement.kind == "code" or self.speaks_of(statement))

    def stated_in(self, statement: Statement, numbers: set[str]) -> bool:
        """Whether a statement with these `numbers` may state the entry: all its numbers together, digit for digit.

        What a cell prints counts for numbers that hardly any other sentence would hold.
        """
        if statement.kind == "output" and not self.telling:
            return False
        return any(way and way <= numbers for way in self._ways) and self.speaks_of(statement)

    def surely_in(self, statement: Statement) -> bool:
        """Whether a statement that may state the entry surely does.

        It does where the number can hardly be anything else, or where a paper is cited, and where versions of
        DeepLab are named, if the entry's is among them.
        """
        if statement.kind == "output":
            return all(len(number.digits) > 3 for number in self.written[0])
        named = set(_VERSION.findall(statement.text))
        its_own = not named or bool(named & set(_VERSION.findall(self.source)))
        return self.telling or (bool(statement.cites) and its_own)

    @property
    def telling(self) -> bool:
        """Whether its number, if it stands in a lesson, can hardly mean anything else."""
        return not self.near and any(number.decimals for number in self.written[0])


def cite(source: str, printed: str, name: str, near: str = "", also: Sequence[str] = ()) -> Entry:
    """A number that the course only cites."""
    return Entry(source, printed, name, "cite", near=near, also=tuple(also))


def compute(source: str, printed: str, name: str, get: Callable, near: str = "", also=(), **apart) -> Entry:
    """A number that the course computes; `ours` or `within`, and `why`, where it does not get what is printed."""
    return Entry(source, printed, name, "compute", get, near=near, also=tuple(also), **apart)


def measure(
    source: str, printed: str, name: str, get: Callable, near: str = "", also: Sequence[str] = ()
) -> Entry:
    """A number of which the course has measured a small twin: `get` gives the twin's values, one for each seed."""
    return Entry(source, printed, name, "measure", get, near=near, also=tuple(also))


def difference(source: str, printed: str, name: str, more: str, less: str, **options) -> Entry:
    """A gain that a paper prints in its text, as the difference of two numbers that it prints as well."""
    return compute(source, printed, name, lambda: float(Decimal(more) - Decimal(less)), **options)


@cache
def result(entry: Entry) -> tuple[float, ...]:
    """What the entry's function gives, as a tuple. Raises ValueError where it has none."""
    if entry.get is None:
        raise ValueError(f"{entry.name} is cited, not computed")
    got = entry.get()
    return tuple(float(each) for each in got) if isinstance(got, Sequence) else (float(got),)


def at_precision(got: Sequence[float], printed: str) -> str:
    """Our numbers written as `printed` is, digit for digit: the same text where they agree.

    A single number is written in the place of each printed one.
    """
    places, turn = list(_PRINTED.finditer(printed)), iter(range(10**6))
    if len(got) not in (1, len(places)):
        raise ValueError(f"{len(got)} numbers cannot take the places of {len(places)} in {printed!r}")

    def ours(match: re.Match) -> str:
        place = next(turn)
        value = Decimal(str(got[place if len(got) > 1 else 0])) / Decimal(_SCALE.get(match[2], 1))
        digits = len(match[1].partition(".")[2]) if "e" not in match[1] else 0
        rounded = value.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
        told = f"{rounded:,}" if "," in match[1] else f"{rounded}"
        return match[0].replace(match[1], told)

    return _PRINTED.sub(ours, printed)


def agrees(entry: Entry) -> bool:
    """Whether what we compute is what is printed, at the printed precision."""
    return at_precision(result(entry), entry.printed) == entry.printed


def as_told(entry: Entry) -> bool:
    """Whether what we compute is what the entry says: the print, or `ours`, or as close as `within`."""
    if agrees(entry):
        return not entry.why
    if entry.within:
        (got,), (printed, scale) = result(entry), _PRINTED.match(entry.printed).groups()
        return bool(entry.why) and abs(got / (float(printed) * _SCALE.get(scale, 1)) - 1) <= entry.within
    return bool(entry.why) and at_precision(result(entry), entry.printed) == entry.ours
