"""How an entry of the ledger is recognised in what the lessons state."""

import re
from functools import cache

from deeplab_lessons.classroom.ledger import Entry
from ledger.numerals import Numeral, numerals_in
from ledger.statements import Statement

_VERSION = re.compile(r"\bv[123](?:\+|plus)?(?![\w+])")


class Matcher:
    """An entry with the numerals in its `printed` and in each of the other ways, `also`, to write them.

    Raises ValueError for an entry without a number, and for a small number that would be found in many sentences
    because the entry has no `near`.
    """

    def __init__(self, entry: Entry):
        self.entry = entry
        self.written = [numerals_in(each) for each in (entry.printed, *entry.also)]
        numerals = [each for way in self.written for each in way]
        small = [each.written for each in numerals if len(each.digits) < 3]
        if not numerals:
            raise ValueError(f"{entry.key} holds no number: write its number in `printed`")
        if small and not entry.near:
            raise ValueError(f"{entry.key}: {small[0]} is found in many sentences: pass `near`")
        self.values = {each.value for each in numerals}
        self._plain = {each.plain for each in numerals}
        self._ways = [{each.plain for each in way} for way in self.written]
        #: Whether its number, where a lesson states it, can barely mean anything else.
        self.is_distinctive = not entry.near and any(each.decimals for each in self.written[0])

    def speaks_of(self, statement: Statement) -> bool:
        """Return whether a statement can be about the entry at all."""
        near = self.entry.near
        return not near or re.search(near, statement.text, re.IGNORECASE) is not None

    def covers(self, numeral: Numeral, statement: Statement) -> bool:
        """Return whether the entry answers for `numeral`, digit for digit; code has no words that could be `near`."""
        return numeral.plain in self._plain and (statement.kind == "code" or self.speaks_of(statement))

    def may_be_in(self, statement: Statement, numbers: set[str]) -> bool:
        """Return whether a statement with these `numbers` may state the entry: all its numbers, digit for digit.

        What a cell prints counts for numbers that barely any other sentence would hold.
        """
        if statement.kind == "output" and not self.is_distinctive:
            return False
        return any(way and way <= numbers for way in self._ways) and self.speaks_of(statement)

    def is_certainly_in(self, statement: Statement) -> bool:
        """Return whether a statement that may state the entry certainly does.

        It does where the number can barely be anything else, or where a paper is cited and, if versions of DeepLab
        are named, the entry's is among them.
        """
        if statement.kind == "output":
            return all(len(each.digits) > 3 for each in self.written[0])
        named = set(_VERSION.findall(statement.text))
        same_version = not named or bool(named & set(_VERSION.findall(self.entry.source)))
        return self.is_distinctive or (bool(statement.cites) and same_version)


@cache
def matcher(entry: Entry) -> Matcher:
    """Return the entry's matcher, made once."""
    return Matcher(entry)
