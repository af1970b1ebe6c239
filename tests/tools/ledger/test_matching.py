"""How entries are recognised in statements."""

import pytest
from ledger.matching import Matcher, matcher
from ledger.numerals import numerals_in
from ledger.statements import Statement

from deeplab_lessons.classroom.ledger import ENTRIES
from deeplab_lessons.classroom.ledger.entry import cite


def test_a_small_number_must_say_where_it_counts():
    with pytest.raises(ValueError, match="pass `near`"):
        Matcher(cite("v2, table 2", "30", "pictures in a batch"))
    with pytest.raises(ValueError, match="holds no number"):
        Matcher(cite("v2", "3 × 3", "kernel"))


def test_every_entry_can_be_recognised():
    assert all(matcher(entry).values for entry in ENTRIES)


def test_an_entry_answers_for_its_digits_near_its_word():
    batch = Matcher(cite("v2, table 2", "30", "pictures in a batch", near="batch"))
    (number,) = numerals_in("30")
    assert batch.covers(number, Statement("10", 1, "a batch of 30")) and not batch.is_distinctive
    assert not batch.covers(number, Statement("10", 1, "30 epochs"))
    assert batch.covers(number, Statement("10", 1, "size = 30", kind="code"))
    assert not batch.covers(numerals_in("30.0")[0], Statement("10", 1, "a batch of 30.0"))


def test_a_version_that_is_named_must_be_the_entrys():
    entry = Matcher(cite("v2, table 2", "20K", "iterations"))
    assert not entry.is_certainly_in(Statement("11", 1, "v3 needs 20K", cites="name"))
    assert entry.is_certainly_in(Statement("11", 1, "v2 needs 20K", cites="name"))
    assert not entry.is_certainly_in(Statement("11", 1, "20K"))
