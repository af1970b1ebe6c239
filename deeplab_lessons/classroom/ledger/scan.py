"""The lessons held against the ledger: what they state of papers that no entry has, and entries nobody states.

Every number of a sentence, table row or statement of code that points to a paper must have an entry for its value, or
a line in `own`. Where a paper is only named, or not even that, it is enough that the lesson prints the number.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path

from deeplab_lessons.classroom.ledger.entry import Entry
from deeplab_lessons.classroom.ledger.figures import Number, figures, literals, numbers_in, value_of
from deeplab_lessons.classroom.ledger.own import DIFFERENCES, OWN
from deeplab_lessons.classroom.ledger.reading import (
    LESSONS,
    NOTEBOOKS,
    Statement,
    lesson_files,
    outputs,
    statements,
)

#: In which file an entry belongs, by words of the statement; the first that fits.
_FILES = [
    ("crf", r"CRF-as-RNN|mean.field|Krähenbühl|σ"), ("v3plus", r"\bv3\+"), ("v3", r"\bv3\b"), ("v2", r"\bv2\b"),
    ("v1", r"\bv1\b"), ("others", r"\b[A-Z]\w+ (and others|\(\d{4}\))|FCN"),
]  # fmt: skip
_HOME = {"04": "v1", "05": "v1", "06": "crf", "07": "crf", "08": "crf", "09": "v2", "10": "v2", "11": "v3"}


@dataclass(frozen=True)
class Missing:
    """A number that a lesson states and nobody answers for; `hint` names entries that have it elsewhere."""

    path: Path
    statement: Statement
    number: Number
    hint: str = ""

    def __str__(self) -> str:
        """Where it stands, and the line that would answer for it."""
        text, written = " ".join(self.statement.text.split()), self.number.written
        at, lesson = max(0, text.find(written) - 70), self.statement.lesson
        home = next((name for name, words in _FILES if re.search(words, text)), _HOME.get(lesson, "others"))
        place = re.search(r"(?i)\b(table|figure|section|appendix) [\dA-Z][\d.]*\b", text)
        source = f"{home.replace('plus', '+')}, {place[0].lower() if place else 'table …'}"
        near = ', near="a word beside it"' if len(self.number.digits) < 3 else ""
        return (
            f"{self.path.name}:{self.statement.line} states {written} (… {text[at : at + 140]} …)\n"
            f"    A paper's number? Add to deeplab_lessons/classroom/ledger/entries_{home}.py:\n"
            f'        cite("{source}", "{written}", "what it is"{near}),\n'
            f"    The course's own? Add to deeplab_lessons/classroom/ledger/own.py, OWN:\n"
            f'        "{lesson}": {{"why it is ours": "{written}"}},{self.hint}'
        )


def missing(
    path: Path, entries: Sequence[Entry], notebooks: Path = NOTEBOOKS, own: Mapping[str, Mapping] = OWN
) -> list[Missing]:
    """The numbers that the lesson in `path` states of papers and that neither an entry nor `own` answers for."""
    told, found = statements(path), []
    printed = [number for each in outputs(path.name[:2], notebooks) for number in numbers_in(each.text)]
    typed = _typed(told)
    for statement in told:
        checked = statement.cites == "place" or statement.kind == "code"
        for number in figures(statement):
            ours = not checked and (number.value in typed or number.is_among(printed))
            if ours or _is_own(number, statement.lesson, own):
                continue
            if not any(entry.covers(number, statement) for entry in entries):
                found.append(Missing(path, statement, number, _hint(number, entries)))
    return found


def _hint(number: Number, entries: Sequence[Entry]) -> str:
    """Entries that have the number, but only near words that the statement lacks."""
    known = [f"{each.name} (near {each.near})" for each in entries if number.value in each.values]
    return f"\n    The ledger has it for: {'; '.join(known[:3])}" if known else ""


def _typed(told: Sequence[Statement]) -> set[Decimal]:
    """Sizes, rates and the like that a lesson sets in its code; nothing that looks like a result."""
    read = (literals(each.text) for each in told if each.kind == "code" and not each.cites)
    return {number.value for numbers in read for number in numbers if not number.telling}


def stated(
    entries: Iterable[Entry], lessons: Path = LESSONS, notebooks: Path = NOTEBOOKS
) -> dict[Entry, list[str]]:
    """For each entry the lessons that state it, in prose, in code or in what a cell prints; [] for none.

    Where no statement surely means the entry, those count that may.
    """
    read = [(each, _numbers(each)) for path in lesson_files(lessons) for each in _all(path, notebooks)]
    found = {}
    for entry in entries:
        may = [each for each, numbers in read if entry.stated_in(each, numbers)]
        sure = [each for each in may if entry.surely_in(each)]
        found[entry] = sorted({each.lesson for each in sure or may})
    return found


def unbuilt(lessons: Path = LESSONS, notebooks: Path = NOTEBOOKS) -> list[str]:
    """Lessons whose notebook is not built yet, so that nobody knows what they print."""
    return [path.stem for path in lesson_files(lessons) if not (notebooks / f"{path.stem}.ipynb").is_file()]


def _all(path: Path, notebooks: Path) -> list[Statement]:
    return [*statements(path), *outputs(path.name[:2], notebooks)]


def _numbers(statement: Statement) -> set[str]:
    """All numbers of a statement, in digits."""
    read = literals(statement.text) if statement.kind == "code" else numbers_in(statement.text)
    return {number.plain for number in read}


def _is_own(number: Number, lesson: str, own: Mapping[str, Mapping]) -> bool:
    """Whether `own` declares the number for this lesson, as such or as a difference of two printed ones."""
    declared = " ".join(own.get(lesson, {}).values()).split()
    if number.value in map(value_of, declared):
        return True
    digits, gaps = Decimal(1).scaleb(-number.decimals), _differences(lesson) if number.decimals else ()
    return any(gap.quantize(digits, ROUND_HALF_UP) == number.value for gap in gaps)


@cache
def _differences(lesson: str) -> list[Decimal]:
    pairs = (pair.split(" - ") for pair in DIFFERENCES.get(lesson, ()))
    return [abs(Decimal(more) - Decimal(less)) for more, less in pairs]


def unknown_differences(
    entries: Sequence[Entry], declared: Mapping[str, Sequence[str]] = DIFFERENCES
) -> list[str]:
    """Declared differences of which a number stands in no entry."""
    known = {value for entry in entries for value in entry.values}
    return [
        f"{lesson}: {pair}"
        for lesson, pairs in declared.items()
        for pair in pairs
        if not {Decimal(each) for each in pair.split(" - ")} <= known
    ]
