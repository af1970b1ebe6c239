"""The numbers in a statement, as they stand there and as values."""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from deeplab_lessons.classroom.ledger.reading import Statement

#: What holds digits and is no number of a paper: names, places in papers and in the course, years, kernels.
_NOT_NUMBERS = [
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
class Number:
    """A number as it is written, its value, and the few characters behind it."""

    written: str
    value: Decimal
    behind: str = ""

    @property
    def decimals(self) -> int:
        """Digits behind the point."""
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
    def telling(self) -> bool:
        """Whether it looks like a result even where no paper is named.

        So look 77.69, 79.7 % and 134.3 million, not 12, 0.5 or 2000.
        """
        with_unit = _UNIT.match(self.behind) is not None
        return self.decimals >= 1 and (with_unit or (self.decimals == 2 and 10 <= self.value < 1000))

    def is_among(self, others: "Iterable[Number]") -> bool:
        """Whether one of `others` is this number, rounded to its digits."""
        digits = Decimal(1).scaleb(-self.decimals)
        return any(each.value.quantize(digits, ROUND_HALF_UP) == self.value for each in others)


def value_of(written: str) -> Decimal:
    """The value of "10,582", "10 582" or "20K"; of "134.3M" it is 134.3, for lessons write 134.3 million."""
    bare = re.sub(r"[,\s]", "", written)
    return Decimal(bare[:-1]) * 1000 if bare.endswith("K") else Decimal(bare.rstrip("MB%"))


def numbers_in(text: str) -> list[Number]:
    """All numbers of a piece of prose, without those that only name a thing, a year or a place in a paper."""
    for pattern in _NOT_NUMBERS:
        text = re.sub(pattern, " ; ", text)
    found = []
    for match in _NUMBER.finditer(text):
        behind = text[match.end() : match.end() + 12]
        written = match[0] + ("K" if behind[:1] == "K" and not behind[1:2].isalpha() else "")
        found.append(Number(written, value_of(written), behind))
    return found


def figures(statement: Statement) -> list[Number]:
    """The numbers of a statement that have to be accounted for.

    In prose that points to a paper, all of them; elsewhere those that are `telling`. In code, all numbers of a
    statement that gives a value to a name like `paper` or `table_9`; elsewhere those with two decimals from 10 on.
    """
    every = list(literals(statement.text)) if statement.kind == "code" else numbers_in(statement.text)
    return [each for each in every if statement.cites or each.telling]


def literals(source: str) -> Iterator[Number]:
    """The numbers that a piece of code holds, as they are typed."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            written = (ast.get_source_segment(source, node) or "").replace("_", "")
            if re.fullmatch(r"\d+(\.\d*)?(e-?\d+)?", written):
                yield Number(written, value_of(written.rstrip(".")))
