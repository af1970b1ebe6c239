"""The numerals in a statement: numbers as they are written, and their values."""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Self

from ledger.statements import Statement

#: What holds digits and is no number of a paper: names, places in papers and in the course, years, kernels.
_NO_NUMERALS = [
    r"\[\d\d [^\]]*\]\([^)]*\)|\]\([^)]*\)|https?://\S+|`[^`]*`|\$[^$]*\$",  # links, code, formulas
    r"\barXiv \S+",
    r"(?i)\b(lessons?|tables?|figures?|fig\.|sections?|equations?|exercises?|appendix|rows?|steps?|seeds?"
    r"|python|version)\s\(?\d[\d.]*(?:(?:,| and| or| to|–|-| bis)* ?\d[\d.]*\b(?! ?[%x×·/]))*",
    r"\b(VOC|PASCAL|CVPR|ICCV|ECCV|ICLR|ICML|NIPS|TPAMI|IJCV|WACV|JMLR|Distill|Eurographics)(?:'s)? \d{4}",
    r"\(\d{4}[a-z]?(?:, (?=\D)|\))|\b(?:19|20)\d\d(?=[,)]| (?:and|found|name|report|stack)\b)",
    r"\b(in|of|since|from|January|February|March) (?:19[5-9]|20[0-3])\d\b",
    r"(?<![\w.])[A-Za-zσθμΣλη][\w'’]*[-_.–]?\d[\w.]*(?:-\d+)*",  # fc6, ResNet-101, block4, v3, w1
    r"[σθμw][₀-₉αβγ]+",
    r"\b\d+x\d+\b|(?<![\d.,])\d ?[×·] ?\d(?!\d|[.,]\d)",  # 7x7, 3 × 3
    r"^\| \d\d |not 0\b|\*\*1\*\*",  # a lesson's name; "dilation **1**, not 0"
    r"\b\d+(?:st|nd|rd|th)\b|\b\d+-(?=[a-z])",
    r"·? ?10(?=[⁰¹²³⁴-⁹⁻])",  # powers of ten
]
_NUMBER = re.compile(
    r"(?<![\w.])\d{1,3}(?:[,   ]\d{3})+(?![\d.]\d)(?!\d)|(?<![\w.])\d+(?:\.\d+)?(?:e-?\d+)?(?=[KMB%]|\b|[^\w])"
)
_UNIT = re.compile(r"\s?(?:%|per cent\b|points?\b|[MBK]\b|million|·\s?10|thousand)")


@dataclass(frozen=True)
class Numeral:
    """A number as it is written, its value, and the few characters after it."""

    written: str
    value: Decimal
    after: str = ""

    @property
    def decimals(self) -> int:
        """Digits after the point."""
        return max(0, -int(self.value.as_tuple().exponent))

    @property
    def plain(self) -> str:
        """Its value in digits, with the zeros at the end that are written: "61.30" is not "61.3"."""
        return f"{self.value:f}"

    @property
    def digits(self) -> str:
        """The digits of its value, from the first that is not 0: "20000" for 20K, "1" for 0.001."""
        return self.plain.replace(".", "").lstrip("0")

    @property
    def is_distinctive(self) -> bool:
        """Whether it looks like a result even where no paper is named: 77.69, 79.7 % and 134.3 million; not 2000."""
        with_unit = _UNIT.match(self.after) is not None
        return self.decimals >= 1 and (with_unit or (self.decimals == 2 and 10 <= self.value < 1000))

    def is_among(self, others: Iterable[Self]) -> bool:
        """Whether one of `others` is this number, rounded to its digits."""
        digits = Decimal(1).scaleb(-self.decimals)
        return any(each.value.quantize(digits, ROUND_HALF_UP) == self.value for each in others)


def value_of(written: str) -> Decimal:
    """Return the value of "10,582", "10 582" or "20K"; "134.3M" gives 134.3, because lessons write 134.3 million."""
    bare = re.sub(r"[,\s]", "", written)
    return Decimal(bare[:-1]) * 1000 if bare.endswith("K") else Decimal(bare.rstrip("MB%"))


def numerals_in(text: str) -> list[Numeral]:
    """Return all numerals in a piece of prose, without those that only name a thing, a year or a place in a paper."""
    for pattern in _NO_NUMERALS:
        text = re.sub(pattern, " ; ", text)
    numerals = []
    for match in _NUMBER.finditer(text):
        after = text[match.end() : match.end() + 12]
        written = match[0] + ("K" if after[:1] == "K" and not after[1:2].isalpha() else "")
        numerals.append(Numeral(written, value_of(written), after))
    return numerals


def claims(statement: Statement) -> list[Numeral]:
    """Return the numerals in a statement that must be accounted for.

    In prose that points to a paper, all of them; elsewhere those that are distinctive. In code, all numerals in a
    statement that gives a value to a name like `paper` or `table_9`; elsewhere those with two decimals from 10 on.
    """
    return [each for each in numerals_of(statement) if statement.cites or each.is_distinctive]


def numerals_of(statement: Statement) -> list[Numeral]:
    """Return all numerals in a statement."""
    return list(literals(statement.text)) if statement.kind == "code" else numerals_in(statement.text)


def literals(source: str) -> Iterator[Numeral]:
    """Yield the numbers in a piece of code, as they are typed."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            written = (ast.get_source_segment(source, node) or "").replace("_", "")
            if re.fullmatch(r"\d+(\.\d*)?(e-?\d+)?", written):
                yield Numeral(written, value_of(written.rstrip(".")))
