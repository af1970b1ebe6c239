"""Entries of the ledger: what is computed is what they declare, and it is written as the print is."""

import pytest

from deeplab_lessons.classroom.ledger import ENTRIES
from deeplab_lessons.classroom.ledger.entry import (
    STANDINGS,
    Entry,
    agrees,
    as_declared,
    at_precision,
    cite,
    compute,
    remark,
    result,
)

COMPUTED = [entry for entry in ENTRIES if entry.standing == "compute"]


@pytest.mark.slow
@pytest.mark.parametrize("entry", COMPUTED, ids=lambda entry: entry.key)
def test_what_is_computed_is_what_the_ledger_says(entry):
    ours = at_precision(result(entry), entry.printed)
    assert as_declared(entry), (
        f"printed {entry.printed}, we get {ours}, and the entry says {entry.ours or 'it agrees'}"
    )


@pytest.mark.slow
def test_some_agree_and_some_do_not():
    """The page is worth reading only if both happen; these are known."""
    known = {entry.key: agrees(entry) for entry in COMPUTED}
    assert known["v1, table 2; v2, table 1: 134.3M, parameters of 7x7"]
    window = next(entry for entry in COMPUTED if entry.printed == "224")
    assert window.ours == "404" and not agrees(window)
    (odd,) = (entry for entry in COMPUTED if entry.printed == "101.28B")
    assert odd.ours == "102.59B" and not agrees(odd)


def test_entries_differ_in_their_keys():
    assert len({entry.key for entry in ENTRIES}) == len(ENTRIES)
    assert {entry.standing for entry in ENTRIES} == set(STANDINGS)


@pytest.mark.parametrize(
    ("got", "printed", "ours"),
    [
        ([134_346_581], "134.3M", "134.3M"),
        ([404], "224 × 224", "404 × 404"),
        ([2, 4, 8], "(2, 4, 8)", "(2, 4, 8)"),
        ([10582], "10,582", "10,582"),
        ([1.176], "1.17", "1.18"),
    ],
)
def test_ours_is_written_as_the_print_is(got, printed, ours):
    assert at_precision(got, printed) == ours


def test_too_many_or_too_few_numbers_are_refused():
    with pytest.raises(ValueError, match=r"1 or 3 numbers, like '\(2, 4, 8\)', got 2"):
        at_precision([2, 4], "(2, 4, 8)")


def test_a_wrong_count_is_noticed():
    right, wrong = (compute("v1", "20.5M", "parameters", lambda n=n: n) for n in (20_505_429, 20_605_429))
    assert as_declared(right) and not as_declared(wrong)
    excused = compute("v1", "20.5M", "parameters", lambda: 20_605_429, ours="20.6M", why="for the test")
    assert as_declared(excused)
    assert not as_declared(compute("v1", "20.5M", "x", lambda: 7e6, ours="20.6M", why="so"))
    close, far = (
        compute("v1", "81.02B", "adds", lambda n=n: n, within=0.004, why="so") for n in (80.9e9, 80e9)
    )
    assert as_declared(close) and not as_declared(far)
    needless = compute("v1", "20.5M", "parameters", lambda: 20_505_429, ours="20.6M", why="needless")
    assert not as_declared(needless)


def test_what_is_only_cited_has_no_result():
    entry = cite("v2, table 4", "77.69", "mIoU (%)")
    assert remark(entry) == ""
    with pytest.raises(ValueError, match=r"only cited"):
        result(entry)


def test_entry_is_hashable():
    assert len({Entry("v1", "77.69", "x"), Entry("v1", "77.69", "x")}) == 1
