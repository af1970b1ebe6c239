"""No lesson states a paper's number that the ledger lacks; nothing in the ledger or the exemptions is stale."""

import shutil

import pytest
from ledger import scan
from ledger.exemptions import DIFFERENCES, EXEMPT
from ledger.matching import matcher
from ledger.numerals import numerals_in
from ledger.statements import Statement, lesson_files, outputs, unbuilt

from deeplab_lessons.classroom.ledger import ENTRIES

pytestmark = pytest.mark.slow  # each test reads whole lessons, and most of them all lessons


def lesson(start):
    (path,) = (path for path in lesson_files() if path.name.startswith(start))
    return path


@pytest.mark.parametrize("path", lesson_files(), ids=lambda path: path.stem)
def test_every_number_of_a_paper_that_a_lesson_states_is_in_the_ledger(path):
    if path.stem in unbuilt():
        pytest.skip("its notebook is not built, so nobody knows which numbers its cells print")
    found = scan.missing(path, ENTRIES)
    assert not found, "\n".join(map(str, found))


def test_no_entry_is_stale():
    """The page says "every number that the course states"; an entry that no lesson states makes that untrue."""
    if unbuilt():
        pytest.skip(f"not built yet: {', '.join(unbuilt())}")
    stale = [entry.key for entry, lessons in scan.stated_in(ENTRIES).items() if not lessons]
    assert not stale, "no lesson states these; take them out of the ledger:\n" + "\n".join(stale)


# the scanner catches what it should: each of these is written into a copy of a lesson


def added(tmp_path, text, entries=ENTRIES, name="10_deeplab_v2_on_resnet101.md"):
    """What the scanner finds in a lesson to which `text` was added, and not without it."""
    copy = tmp_path / name
    shutil.copy(lesson(name), copy)
    before = {(each.numeral.written, each.statement.text) for each in scan.missing(copy, entries)}
    lines = copy.read_text().split("\n")
    at = next(place for place, line in enumerate(lines) if line.startswith("## "))
    copy.write_text("\n".join([*lines[:at], text, "", *lines[at:]]))
    found = scan.missing(copy, entries)
    return [
        each.numeral.written for each in found if (each.numeral.written, each.statement.text) not in before
    ]


CODE = "```{{code-cell}} ipython3\n{}\n```"


@pytest.mark.parametrize(
    ("text", "caught"),
    [
        ("DeepLab v2 reports 71.23 % (table 4).", ["71.23"]),
        ("With ASPP it has 76.35 %, and with a CRF 77.96 %.", ["77.96"]),
        ("The paper trains with batches of 11, for 23,000 iterations.", ["11", "23,000"]),
        ("It has 134.8 million parameters (v1, table 2).", ["134.8"]),
        ("The test set: 79.9 (table 5).", ["79.9"]),
        ("In section 4.1.2 the network sees 418 pixels.", ["418"]),
        ("- *Figure 4*: at dilation 17 one share is printed as 0.177.", ["17", "0.177"]),
        ("| network | mIoU, table 4 |\n|---|---|\n| MSC | 71.72 |", ["71.72"]),
        ("| network | mIoU |\n|---|---|\n| MSC | 71.72 |", ["71.72"]),
        (CODE.format("table_9 = {4: 64.34}"), ["64.34"]),
        (CODE.format("printed = dict(zip((19, 4), (134.3, 65.2)))"), ["65.2"]),
        (CODE.format("rows = {'MSC': 71.72}"), ["71.72"]),
        (CODE.format("x = 3  # table 4 has 71.72 there"), ["71.72"]),
    ],
)
def test_a_made_up_number_is_caught(tmp_path, text, caught):
    assert added(tmp_path, text) == caught


@pytest.mark.parametrize(
    "text",
    [
        "DeepLab v2 reports 71.27 % (table 4), with 20,000 iterations of 10 pictures.",
        "The paper's section 4.1 and figures 4, 7 and 8 are from 2017 (CVPR 2016; VOC 2012).",
        "Lessons 03 and 09 take a 3 × 3 on ResNet-101, with block4 and conv5_1, as in table 6.",
        "It took 12 minutes on 2 cores; 0.75 of them were lost.",
        CODE.format("table_9 = {4: 64.43}"),
        CODE.format("lr, momentum, rows = 0.0125, 0.95, 17"),
    ],
)
def test_what_is_right_or_not_a_papers_number_passes(tmp_path, text):
    assert added(tmp_path, text) == []


@pytest.mark.parametrize("value", ["65.88", "77.69", "10,582", "2.5e-4", "1,449"])
def test_without_its_entry_a_number_is_missed(value):
    number = numerals_in(value)[0].value
    kept = [entry for entry in ENTRIES if number not in matcher(entry).values]
    found = scan.missing(lesson("10"), kept)
    assert number in {each.numeral.value for each in found}


def test_the_message_says_what_to_add_and_where():
    path, statement = lesson("11"), Statement("11", 7, "v3 has 77.21 % there (table 5).", cites="place")
    message = str(scan.Missing(path, statement, numerals_in("77.21")[0]))
    assert message.startswith("11_deeplab_v3.md:7 states 77.21")
    assert "entries_v3.py" in message and 'cite("v3, table 5", "77.21", "what it is")' in message
    assert "tools/ledger/exemptions.py" in message and '"11": {"why it is ours": "77.21"}' in message
    hint = scan._hint(numerals_in("48")[0], ENTRIES)
    small = str(scan.Missing(path, statement, numerals_in("5")[0], hint))
    assert 'near="a word next to it"' in small and "The ledger has it for: channels of the early map" in small


@pytest.mark.parametrize("number", EXEMPT)
def test_every_exemption_is_needed(number):
    """An exemption excuses its number in the whole lesson, so none may outlive its sentence."""
    path = lesson(number)
    if path.stem in unbuilt():
        pytest.skip("not built yet")
    found = {each.numeral.value for each in scan.missing(path, ENTRIES, exempt={})}
    declared = [each for numbers in EXEMPT[number].values() for each in numbers.split()]
    idle = [each for each in declared if numerals_in(each)[0].value not in found]
    assert not idle, f"lesson {number} no longer needs {idle}"


def test_differences_are_between_printed_numbers():
    assert scan.unknown_differences(ENTRIES) == []
    assert scan.unknown_differences(ENTRIES, {"10": ["71.27 - 68.27"]}) == ["10: 71.27 - 68.27"]
    assert DIFFERENCES


def test_lessons_are_found_by_reading_them():
    stated = scan.stated_in(ENTRIES)
    (best,) = (entry for entry in ENTRIES if entry.printed == "77.69")
    assert {"07", "08", "10"} <= set(stated[best]) and "02" not in stated[best]
    assert any(each.kind == "output" for each in outputs("10"))
