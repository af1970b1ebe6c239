"""The ledger: no lesson states a paper's number that it lacks, what it computes holds, and nothing in it is stale."""

import json
import shutil

import pytest

from deeplab_lessons.classroom.ledger import ENTRIES, page, scan, table
from deeplab_lessons.classroom.ledger.__main__ import main
from deeplab_lessons.classroom.ledger.entry import Entry, agrees, as_told, at_precision, cite, compute, result
from deeplab_lessons.classroom.ledger.figures import figures, numbers_in
from deeplab_lessons.classroom.ledger.own import DIFFERENCES, OWN
from deeplab_lessons.classroom.ledger.reading import (
    Statement,
    cites,
    lesson_files,
    outputs,
    sentences,
    statements,
)
from deeplab_lessons.classroom.ledger.twins import spread

COMPUTED = [entry for entry in ENTRIES if entry.standing == "compute"]
MEASURED = [entry for entry in ENTRIES if entry.standing == "measure"]


def lessons():
    return [pytest.param(path, id=path.stem) for path in lesson_files()]


def named(entry):
    return f"{entry.source}: {entry.printed}, {entry.name}"


@pytest.mark.parametrize("path", lessons())
def test_every_number_of_a_paper_that_a_lesson_states_is_in_the_ledger(path):
    if path.stem in scan.unbuilt():
        pytest.skip("its notebook is not built, so nobody knows which numbers its cells print")
    found = scan.missing(path, ENTRIES)
    assert not found, "\n".join(map(str, found))


def test_no_entry_is_stale():
    """The page says "every number that the course states"; an entry that no lesson states makes that untrue."""
    if scan.unbuilt():
        pytest.skip(f"not built yet: {', '.join(scan.unbuilt())}")
    stale = [named(entry) for entry, where in scan.stated(ENTRIES).items() if not where]
    assert not stale, "no lesson states these; take them out of the ledger:\n" + "\n".join(stale)


@pytest.mark.parametrize("entry", COMPUTED, ids=named)
def test_what_is_computed_is_what_the_ledger_says(entry):
    ours = at_precision(result(entry), entry.printed)
    assert as_told(entry), (
        f"printed {entry.printed}, we get {ours}, and the entry says {entry.ours or 'it agrees'}"
    )


@pytest.mark.parametrize("entry", MEASURED, ids=named)
def test_what_is_measured_stands_in_the_results(entry):
    values = result(entry)
    assert values and all(-100 < value < 100 for value in values)
    assert str(entry.get) and spread(values)


def test_some_agree_and_some_do_not():
    """The page is worth reading only if both happen; these are known."""
    told = {named(entry): agrees(entry) for entry in COMPUTED}
    assert told["v1, table 2; v2, table 1: 134.3M, parameters of 7x7"]
    window = next(entry for entry in COMPUTED if entry.printed == "224")
    assert window.ours == "404" and not agrees(window)
    (odd,) = (entry for entry in COMPUTED if entry.printed == "101.28B")
    assert odd.ours == "102.59B" and not agrees(odd)


def test_entries_are_told_apart():
    assert len(set(map(named, ENTRIES))) == len(ENTRIES)
    assert {entry.standing for entry in ENTRIES} == {"compute", "measure", "cite"}


# the scanner catches what it should: each of these is written into a copy of a lesson


def added(tmp_path, text, entries=ENTRIES, name="10_deeplab_v2_on_resnet101.md"):
    """What the scanner finds in a lesson to which `text` was added, and not without it."""
    (path,) = (each for each in lesson_files() if each.name == name)
    copy = tmp_path / name
    shutil.copy(path, copy)
    before = {(each.number.written, each.statement.text) for each in scan.missing(copy, entries)}
    lines = copy.read_text().split("\n")
    at = next(place for place, line in enumerate(lines) if line.startswith("## "))
    copy.write_text("\n".join([*lines[:at], text, "", *lines[at:]]))
    found = scan.missing(copy, entries)
    return [each.number.written for each in found if (each.number.written, each.statement.text) not in before]


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
    (path,) = (path for path in lesson_files() if path.name.startswith("10"))
    number = numbers_in(value)[0].value
    kept = [entry for entry in ENTRIES if number not in entry.values]
    found = scan.missing(path, kept)
    assert number in {each.number.value for each in found}


def test_the_message_says_what_to_add_and_where():
    (path,) = (path for path in lesson_files() if path.name.startswith("11"))
    statement = Statement("11", 7, "v3 has 77.21 % there (table 5).", cites="place")
    told = str(scan.Missing(path, statement, numbers_in("77.21")[0]))
    assert told.startswith("11_deeplab_v3.md:7 states 77.21")
    assert "entries_v3.py" in told and 'cite("v3, table 5", "77.21", "what it is")' in told
    assert '"11": {"why it is ours": "77.21"}' in told
    small = str(scan.Missing(path, statement, numbers_in("5")[0], scan._hint(numbers_in("48")[0], ENTRIES)))
    assert 'near="a word beside it"' in small and "The ledger has it for: channels of the early map" in small


@pytest.mark.parametrize("lesson", OWN)
def test_every_number_declared_our_own_is_needed(lesson):
    """A declaration excuses its number in the whole lesson, so none may stay behind its sentence."""
    (path,) = (path for path in lesson_files() if path.name.startswith(lesson))
    if path.stem in scan.unbuilt():
        pytest.skip("not built yet")
    found = {each.number.value for each in scan.missing(path, ENTRIES, own={})}
    idle = [
        each
        for told in OWN[lesson].values()
        for each in told.split()
        if numbers_in(each)[0].value not in found
    ]
    assert not idle, f"lesson {lesson} no longer needs {idle}"


def test_differences_are_between_printed_numbers():
    assert scan.unknown_differences(ENTRIES) == []
    assert scan.unknown_differences(ENTRIES, {"10": ["71.27 - 68.27"]}) == ["10: 71.27 - 68.27"]
    assert DIFFERENCES


# the parts


def test_statements_know_their_lines_and_their_papers(tmp_path):
    path = tmp_path / "04_a_lesson.md"
    path.write_text(
        "---\nx: 1\n---\n\n# 04\n\nOne thing. The paper has\n64.38 there.\n\n$$\n12.34\n$$\n\n"
        "| a (table 2) |\n|---|\n| 5 |\n\n```{code-cell} ipython3\n:tags: [x]\n\npaper = 6\nb = 7\n```\n\n"
        "```\nshell 77.77\n```\n\n## References\n\n- table 9: 88.88\n"
    )
    found = [(each.line, each.kind, each.cites, each.text) for each in statements(path)]
    assert found == [
        (7, "prose", "", "One thing."),
        (7, "prose", "place", "The paper has 64.38 there."),
        (14, "row", "place", "| a (table 2) |"),
        (16, "row", "place", "| 5 |"),
        (21, "code", "place", "paper = 6"),
        (22, "code", "", "b = 7"),
    ]


def test_sentences_and_what_they_cite():
    assert sentences("It has 1.5 of it. See Fig. 4 (v1). Done? \"Yes.\" 16 more.") == [
        "It has 1.5 of it.", "See Fig. 4 (v1).", "Done?", "\"Yes.\"", "16 more.",
    ]  # fmt: skip
    assert cites("as table 3 says") == cites("the paper") == "place"
    assert cites("DeepLab v2 does") == cites("v3+ has") == "name"
    assert cites("the last table answers it, `printed`") == ""


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
    assert [each.written for each in numbers_in(text)] == numbers


def test_prose_without_a_paper_answers_for_results_only():
    told = figures(Statement("10", 1, "77.69 of 1000 in 2 runs, 3.4 % and 0.75"))
    assert [each.written for each in told] == ["77.69", "3.4"]


def test_a_small_number_must_say_where_it_counts():
    with pytest.raises(ValueError, match="give `near`"):
        cite("v2, table 2", "30", "pictures in a batch")
    with pytest.raises(ValueError, match="holds no number"):
        cite("v2", "3 × 3", "kernel")


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


def test_a_wrong_count_is_noticed():
    right, wrong = (compute("v1", "20.5M", "parameters", lambda n=n: n) for n in (20_505_429, 20_605_429))
    assert as_told(right) and not as_told(wrong)
    excused = compute("v1", "20.5M", "parameters", lambda: 20_605_429, ours="20.6M", why="for the test")
    assert as_told(excused) and not as_told(compute("v1", "20.5M", "x", lambda: 7e6, ours="20.6M", why="so"))
    close = compute("v1", "81.02B", "adds", lambda: 80.9e9, within=0.004, why="so")
    assert as_told(close) and not as_told(
        compute("v1", "81.02B", "adds", lambda: 80e9, within=0.004, why="so")
    )
    assert not as_told(compute("v1", "20.5M", "parameters", lambda: 20_505_429, ours="20.6M", why="needless"))


def test_lessons_are_found_by_reading_them():
    where = scan.stated(ENTRIES)
    (best,) = (entry for entry in ENTRIES if entry.printed == "77.69")
    assert {"07", "08", "10"} <= set(where[best]) and "02" not in where[best]
    assert any(each.kind == "output" for each in outputs("10"))


def test_a_cell_that_shows_the_ledger_proves_nothing(tmp_path):
    """Else lesson 13, which shows it, would state every entry and excuse every number."""
    cells = [
        {"source": ["ledger.table()"], "outputs": [{"data": {"text/plain": ["11.11"]}}]},
        {"source": ["print(x)"], "outputs": [{"text": ["22.22\n", "33.33"]}]},
        {"source": ["33.33"]},
    ]
    (tmp_path / "13_x.ipynb").write_text(json.dumps({"cells": cells}))
    assert [each.text for each in outputs("13", tmp_path)] == ["22.22", "33.33"]
    assert outputs("12", tmp_path) == []


def test_the_table():
    whole, ten = table(), table(lesson="10")
    assert len(whole) == len(ENTRIES) > len(ten) > 20
    assert set(table(kind="measure").standing) == {"measure"}
    assert all("10" in told.split(", ") for told in ten.lessons)
    assert set(whole[whole.printed == "224"].ours) == {"404"}
    with pytest.raises(ValueError, match="compute, measure, cite"):
        table(kind="guess")


def test_the_page_stands_alone(tmp_path, capsys):
    path = tmp_path / "build" / "ledger.html"
    assert main([str(path)]) == 0
    text = path.read_text()
    assert text.count("<tr class=") == len(ENTRIES)
    assert all(each not in text for each in ("<script", "<link", "http"))
    assert "differs. The paper" in text and "±" in text
    assert f"{len(ENTRIES)} numbers from papers" in capsys.readouterr().out
    assert main(["--help"]) == 2
    assert page.summary(MEASURED[:2]).startswith("2 numbers from papers: 0 computed, 2 with a measured twin")


def test_entry_is_hashable():
    assert len({Entry("v1", "77.69", "x"), Entry("v1", "77.69", "x")}) == 1
