"""What the package keeps of the lessons and of the twins' results."""

import pytest

from deeplab_lessons.classroom.ledger import ENTRIES, snapshot
from deeplab_lessons.classroom.ledger.entry import result
from deeplab_lessons.classroom.ledger.twins import Gain, Twin, spread

MEASURED = [entry for entry in ENTRIES if entry.standing == "measure"]


@pytest.mark.parametrize("entry", MEASURED, ids=lambda entry: entry.key)
def test_what_is_measured_is_in_the_snapshot(entry):
    values = result(entry)
    assert values and all(-100 < value < 100 for value in values)
    assert str(entry.get) and spread(values)


def test_what_is_new_must_be_derived_first():
    with pytest.raises(KeyError, match="run `make ledger`"):
        Twin("10", "nobody")()
    with pytest.raises(KeyError, match="run `make ledger`"):
        snapshot.lessons("v1, table 2: 7, what nobody states")


def test_a_gain_is_taken_seed_by_seed():
    before, after = Twin("08", "alone"), Twin("08", "joint")
    gains = Gain(after, before)()
    assert gains == [a - b for a, b in zip(after(), before(), strict=True)] and len(gains) == 3
    assert str(Gain(after, before)) == "lesson 08: joint against alone"


def test_twins_are_named_by_their_runs():
    assert str(Twin("11", "v3", at="16")) == "lesson 11: v3, at 16"
    assert str(Twin("12", "v3+", band=1)) == "lesson 12: v3+, within 1 px"


def test_the_spread_is_written_as_the_lessons_do():
    assert spread([1.0, 2.0, 3.0]) == "2.0 ± 1.0"
    assert spread([2.0]) == "2.0 (one seed)"
