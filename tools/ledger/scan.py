"""The lessons held against the ledger: what they state of papers that no entry has, and entries that none states.

Every number of a sentence, table row or statement of code that points to a paper must have an entry for its value, or
a line in `exemptions`. Where a paper is only named, or not even that, it is enough that the lesson prints the number.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path

from deeplab_lessons.classroom.ledger import Entry
from ledger.exemptions import DIFFERENCES, EXEMPT
from ledger.matching import matcher
from ledger.numerals import Numeral, claims, literals, numerals_in, numerals_of, value_of
from ledger.statements import LESSONS, NOTEBOOKS, Statement, lesson_files, outputs, statements

#: In which file an entry belongs, by words of the statement; the first that fits.
_FILES = [
    ("crf", r"CRF-as-RNN|mean.field|Krähenbühl|σ"), ("v3plus", r"\bv3\+"), ("v3", r"\bv3\b"), ("v2", r"\bv2\b"),
    ("v1", r"\bv1\b"), ("others", r"\b[A-Z]\w+ (and others|\(\d{4}\))|FCN"),
]  # fmt: skip
_HOME = {"04": "v1", "05": "v1", "06": "crf", "07": "crf", "08": "crf", "09": "v2", "10": "v2", "11": "v3"}


@dataclass(frozen=True)
class Missing:
    """A number that a lesson states and nothing accounts for; `hint` names entries that have it elsewhere."""

    path: Path
    statement: Statement
    numeral: Numeral
    hint: str = ""

    def __str__(self) -> str:
        text, written = " ".join(self.statement.text.split()), self.numeral.written
        at, lesson = max(0, text.find(written) - 70), self.statement.lesson
        home = next((name for name, words in _FILES if re.search(words, text)), _HOME.get(lesson, "others"))
        place = re.search(r"(?i)\b(table|figure|section|appendix) [\dA-Z][\d.]*\b", text)
        source = f"{home.replace('plus', '+')}, {place[0].lower() if place else 'table …'}"
        near = ', near="a word next to it"' if len(self.numeral.digits) < 3 else ""
        return (
            f"{self.path.name}:{self.statement.line} states {written} (… {text[at : at + 140]} …)\n"
            f"    A paper's number? Add to deeplab_lessons/classroom/ledger/entries_{home}.py:\n"
            f'        cite("{source}", "{written}", "what it is"{near}),\n'
            f"    The course's own? Add to tools/ledger/exemptions.py, EXEMPT:\n"
            f'        "{lesson}": {{"why it is ours": "{written}"}},{self.hint}'
        )


def missing(
    path: Path, entries: Sequence[Entry], notebooks: Path = NOTEBOOKS, exempt: Mapping[str, Mapping] = EXEMPT
) -> list[Missing]:
    """Return the numbers that the lesson in `path` states of papers and that no entry and no exemption covers."""
    stated, matchers, found = statements(path), [matcher(entry) for entry in entries], []
    printed = [numeral for each in outputs(path.name[:2], notebooks) for numeral in numerals_in(each.text)]
    typed = _typed(stated)
    for statement in stated:
        strict = statement.cites == "place" or statement.kind == "code"
        for numeral in claims(statement):
            ours = not strict and (numeral.value in typed or numeral.is_among(printed))
            if ours or _is_exempt(numeral, statement.lesson, exempt):
                continue
            if not any(each.covers(numeral, statement) for each in matchers):
                found.append(Missing(path, statement, numeral, _hint(numeral, entries)))
    return found


def _hint(numeral: Numeral, entries: Sequence[Entry]) -> str:
    """Entries that have the number, but only near words that the statement lacks."""
    known = [f"{each.name} (near {each.near})" for each in entries if numeral.value in matcher(each).values]
    return f"\n    The ledger has it for: {'; '.join(known[:3])}" if known else ""


def _typed(stated: Sequence[Statement]) -> set[Decimal]:
    """Sizes, rates and the like that a lesson sets in its code; nothing that looks like a result."""
    numerals = (literals(each.text) for each in stated if each.kind == "code" and not each.cites)
    return {numeral.value for each in numerals for numeral in each if not numeral.is_distinctive}


def stated_in(
    entries: Iterable[Entry], lessons: Path = LESSONS, notebooks: Path = NOTEBOOKS
) -> dict[Entry, list[str]]:
    """Return for each entry the lessons that state it, in prose, in code or in what a cell prints; [] for none.

    Where no statement certainly means the entry, those that may mean it count.
    """
    every = [each for path in lesson_files(lessons) for each in _all(path, notebooks)]
    numbered = [(each, {numeral.plain for numeral in numerals_of(each)}) for each in every]
    found = {}
    for entry in entries:
        each = matcher(entry)
        possible = [statement for statement, numbers in numbered if each.may_be_in(statement, numbers)]
        certain = [statement for statement in possible if each.is_certainly_in(statement)]
        found[entry] = sorted({statement.lesson for statement in certain or possible})
    return found


def _all(path: Path, notebooks: Path) -> list[Statement]:
    return [*statements(path), *outputs(path.name[:2], notebooks)]


def _is_exempt(numeral: Numeral, lesson: str, exempt: Mapping[str, Mapping]) -> bool:
    """Whether `exempt` declares the number for this lesson, or it is a difference of two printed ones."""
    declared = " ".join(exempt.get(lesson, {}).values()).split()
    if numeral.value in map(value_of, declared):
        return True
    digits, gaps = Decimal(1).scaleb(-numeral.decimals), _differences(lesson) if numeral.decimals else ()
    return any(gap.quantize(digits, ROUND_HALF_UP) == numeral.value for gap in gaps)


@cache
def _differences(lesson: str) -> list[Decimal]:
    pairs = (pair.split(" - ") for pair in DIFFERENCES.get(lesson, ()))
    return [abs(Decimal(more) - Decimal(less)) for more, less in pairs]


def unknown_differences(
    entries: Sequence[Entry], declared: Mapping[str, Sequence[str]] = DIFFERENCES
) -> list[str]:
    """Return the declared differences of which a number is in no entry."""
    known = {value for entry in entries for value in matcher(entry).values}
    return [
        f"{lesson}: {pair}"
        for lesson, pairs in declared.items()
        for pair in pairs
        if not {Decimal(each) for each in pair.split(" - ")} <= known
    ]
