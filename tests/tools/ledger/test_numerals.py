"""Numbers are found in prose and code, as they are written."""

import pytest
from ledger.numerals import claims, literals, numerals_in
from ledger.statements import Statement


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("77.69 and 79.7 % of 10,582 at 2.5e-4", ["77.69", "79.7", "10,582", "2.5e-4"]),
        ("16 384 labels, 30K steps, 134.3M, 81.02·10⁹", ["16 384", "30K", "134.3", "81.02"]),
        ("513 × 513 pixels, a 3 × 3 and 7x7 on ResNet-101 in fc6 (2016)", ["513", "513"]),
        ("lesson 10, tables 1, 2 and 7, section 4.1.2: 5", ["5"]),
    ],
)
def test_numbers_in_prose(text, numbers):
    assert [each.written for each in numerals_in(text)] == numbers


def test_numbers_in_code_are_literals():
    assert [each.written for each in literals("a = [1_000, 2.5e-4, 'v1: 3', True]")] == ["1000", "2.5e-4"]


def test_prose_without_a_paper_answers_for_results_only():
    statement = Statement("10", 1, "77.69 of 1000 in 2 runs, 3.4 % and 0.75")
    assert [each.written for each in claims(statement)] == ["77.69", "3.4"]
