"""The instructor's guide holds every exercise and prediction, and names nothing that the course does not have."""

import ast
import html
import importlib
import itertools
import pkgutil
import re
import sys
import types
from pathlib import Path

import instructors_guide
import pytest
from answers import all_exercises
from pasted import handed_out
from verdicts import said

from deeplab_lessons.classroom import commands, predictions
from deeplab_lessons.classroom.exercises import lesson02
from deeplab_lessons.classroom.grading import grader
from deeplab_lessons.classroom.predictions.framework import Prediction

ROOT = Path(__file__).resolve().parents[2]
LESSONS = sorted((ROOT / "lessons").glob("[0-9][0-9]_*.md"))
NUMBERS = [lesson.stem[:2] for lesson in LESSONS]
PAGES = sorted((ROOT / "lessons/instructors").glob("*.md"))


@pytest.fixture(scope="module")
def page():
    return instructors_guide.guide()


@pytest.fixture(scope="module")
def sections(page):
    """{number of a lesson: its part of the page}; what follows the last lesson is cut off."""
    parts = re.split(r"<h2 id='(?:lesson-(\d\d)|\w+)'>", page)
    return {number: text for number, text in zip(parts[1::2], parts[2::2], strict=True) if number}


def minutes_of(number):
    """A lesson's minutes, read in another way than the guide reads them."""
    (line,) = [each for each in (ROOT / "lessons").glob(f"{number}_*.md")]
    return int(re.search(r"\d+", line.read_text().split("**Time")[1])[0])


@pytest.mark.slow
@pytest.mark.parametrize(("module", "name", "exercise"), list(all_exercises()))
def test_every_exercise_is_there_with_hints_solution_and_wrong_answers(module, name, exercise, sections):
    text = html.unescape(sections[module.removeprefix("lesson")])
    assert f"<code>{name}</code>" in text and exercise.solution().code in text
    text = re.sub("</?code>", "`", text)
    known = [mistake.message for mistake in getattr(exercise, "misconceptions", ())]
    wanted = [each.text for each in getattr(exercise, "properties", ())]
    reasons = getattr(exercise, "why", {}).values()
    assert any((known, wanted, reasons))
    for words in (*exercise.hints, *known, *wanted, *reasons):
        assert words in text


def all_predictions():
    for module in (
        each.name for each in pkgutil.iter_modules(predictions.__path__) if each.name != "framework"
    ):
        found = vars(importlib.import_module(f"{predictions.__name__}.{module}"))
        yield from ((module, name, each) for name, each in found.items() if isinstance(each, Prediction))


@pytest.mark.slow
@pytest.mark.parametrize(("module", "name", "prediction"), list(all_predictions()))
def test_every_prediction_is_there_with_its_answer_and_slips(module, name, prediction, sections):
    text = html.unescape(sections[module.removeprefix("lesson")])
    after = text.split(f"<h4>{prediction.question}</h4>")[1].split("<h4>")[0]
    answer = instructors_guide.in_words(prediction, prediction.answer.value)
    assert f"Answer: {answer}" in after and f"±{prediction.tolerance:g} " in after + "±0 "
    after = re.sub("</?code>", "`", after)
    assert all(each in after for each in (*prediction.options, *prediction.slips.values()))


def test_an_answer_is_worded_as_a_reader_gives_it():
    asked = Prediction("How many?", lambda: 3, "number", unit="cells")
    assert [instructors_guide.in_words(asked, value) for value in (3, 3.0, 0.25)] == [
        "3 cells",
        "3 cells",
        "0.25 cells",
    ]
    assert instructors_guide.in_words(asked, 16384) == "16,384 cells"
    sorted_ = Prediction("Which first?", lambda: ("a", "b"), "order")
    assert instructors_guide.in_words(sorted_, ("a", "b")) == "a, then b"
    assert instructors_guide.in_words(sorted_, "both") == "both"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "name"), [(m, n) for m, n, each in all_exercises() if each.kind == "repair"]
)
def test_a_repair_is_there_as_it_is_handed_out(module, name, sections):
    text = html.unescape(sections[module.removeprefix("lesson")])
    found = re.findall(rf"<pre>(def {name}\(.*?)</pre>", text, re.S)
    assert len(found) == 2, "broken and repaired"
    about = text.split(f"<h4><code>{name}</code>")[1].split("<h4>")[0]
    assert about.count("As it is handed out:<br>") == 1
    assert ast.dump(ast.parse(found[0])) == ast.dump(ast.parse(ast.unparse(handed_out(module, name))))


@pytest.mark.slow
def test_every_task_is_in_the_guide_as_the_lesson_words_it(sections):
    text = sections["02"]
    assert "Return the padding at stride 1, on each side." in text and "Write the function" in text
    assert "In each exercise, replace the dots" not in text, "how to use exercises is no task"
    order = sections["04"].split("<code>surgery</code>")[1].split("<h4>")[0]
    assert "Six steps lead" in order and "Several orders are right" in order, (
        "also what comes before the steps"
    )
    assert all("<h4>" in text for number, text in sections.items() if number != "00")


@pytest.mark.slow
@pytest.mark.parametrize("number", NUMBERS)
def test_every_lesson_has_a_goal_its_minutes_and_questions_to_ask_aloud(number, sections):
    text = sections[number]
    assert "<strong>Goal.</strong>" in text and f">{minutes_of(number)} minutes" in text
    questions = re.findall(r"<li><strong>[^<]*(?:<(?:em|code)>[^<]*</\w+>[^<]*)*</strong>", text)
    assert len([each for each in questions if "?" in each]) >= 3


@pytest.mark.parametrize("number", NUMBERS)
def test_sections_that_may_be_skipped_are_in_the_lesson(number):
    short = instructors_guide.sections()[number].split("**Short of time.**")[1]
    (lesson,) = (ROOT / "lessons").glob(f"{number}_*.md")
    headings = re.findall(r"^#+ (.*)$", lesson.read_text(), re.M)
    named = [" ".join(name.split()) for name in re.findall(r"(?<!\*)\*([^*]+)\*(?!\*)", short)]
    assert number == "00" or named
    assert set(named) <= set(headings)


# ---------------------------------------------------------------- the plans


def tables():
    """The rows of each plan, as lists of cells."""
    text = instructors_guide.planned((ROOT / "lessons/instructors/plans.md").read_text())
    plans = re.split(r"^### ", text, flags=re.M)[1:]
    return [
        [[cell.strip() for cell in line.split("|")[1:-1]] for line in plan.splitlines() if line[:1] == "|"][
            2:
        ]
        for plan in plans
    ]


def lessons_in(cell):
    return re.findall(r"#lesson-(\d\d)", cell)


def test_the_minutes_of_the_plans_are_sums_of_the_lessons_minutes():
    day, weeks = tables()
    summed = [(row[1], row[2].partition(" + ")[0]) for row in day]
    summed += [pair for row in weeks for pair in ((row[1], row[2]), (row[3], row[4]))]
    summed = [(lessons_in(cell), total) for cell, total in summed if lessons_in(cell) and total]
    assert len(summed) >= 13
    for numbers, total in summed:
        assert int(total) == sum(map(minutes_of, numbers))
    assert "{" not in str(day) + str(weeks), "nothing is left to be computed"


def test_the_hours_of_the_day_follow_from_the_minutes():
    day, _ = tables()
    times = [int(row[0].split(":")[0]) * 60 + int(row[0].split(":")[1]) for row in day]
    lengths = [eval(row[2] or "0") for row in day]
    assert times[0] == 9 * 60
    assert [later - earlier for earlier, later in itertools.pairwise(times)] == lengths[:-1]
    assert times[-1] <= 17 * 60, "a day of class ends before five"


def test_six_weeks_hold_every_lesson_once():
    _, weeks = tables()
    once = [number for row in weeks for number in lessons_in(row[1]) * bool(row[2]) + lessons_in(row[3])]
    assert len(weeks) == 6 and sorted(once) == NUMBERS


# ---------------------------------------------------------------- a page alone, and the names in it


@pytest.mark.slow
def test_the_page_needs_no_other_file_and_its_links_lead_somewhere(page):
    assert all(each not in page for each in ("<script", "<link", "http:", "https:", "src="))
    ids = re.findall(r"\bid=['\"]([^'\"]+)", page)
    assert len(ids) == len(set(ids))
    for link in re.findall(r"href=['\"]([^'\"]+)", page):
        assert link[1:] in ids if link[0] == "#" else (ROOT / "build" / link).resolve().is_file(), link


@pytest.mark.slow
def test_it_is_written_where_it_is_asked_for_with_its_solutions(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("DEEPLAB_LESSONS_SOLUTIONS", "off")
    path = tmp_path / "build" / "instructors.html"
    monkeypatch.setattr(sys, "argv", ["instructors_guide.py", str(path)])
    instructors_guide.main()
    assert lesson02.same_padding.reference.__name__ in path.read_text(encoding="utf-8")
    assert "return (kernel_size - 1) * dilation // 2" in path.read_text(encoding="utf-8")
    assert capsys.readouterr().out == f"{path}\n"


def test_another_argument_is_refused(monkeypatch):
    for given in ([], ["--help"], ["a.html", "b.html"]):
        monkeypatch.setattr(sys, "argv", ["instructors_guide.py", *given])
        with pytest.raises(SystemExit, match="usage: "):
            instructors_guide.main()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_commands_variables_and_exercises_that_it_names_exist(path):
    text = path.read_text(encoding="utf-8")
    targets = re.findall(r"^([\w-]+(?: [\w-]+)*):", (ROOT / "Makefile").read_text(), re.M)
    assert set(re.findall(r"`make ([\w-]+)", text)) <= set(" ".join(targets).split())
    code = "".join(each.read_text(encoding="utf-8") for each in (ROOT / "deeplab_lessons").rglob("*.py"))
    for variable in re.findall(r"\bDEEPLAB_LESSONS_\w+|\bGOMP_SPINCOUNT\b", text):
        assert variable in code, variable
    for name in re.findall(r"\bex\.(\w+)\.", text):
        assert hasattr(lesson02, name)


def blocks(name):
    """The Python blocks of a page, without their indentation in a list."""
    text = (ROOT / f"lessons/instructors/{name}.md").read_text(encoding="utf-8")
    found = re.findall(r"^( *)```python\n(.*?)```", text, re.M | re.S)
    return [re.sub(rf"^{indent}", "", code, flags=re.M) for indent, code in found]


def right(input_size, kernel_size, stride=1, padding=0, dilation=1):
    return (input_size + 2 * padding - (kernel_size - 1) * dilation - 1) // stride + 1


def test_the_test_file_for_otter_passes_the_right_answer_and_no_other(monkeypatch):
    fake = types.ModuleType("otter.test_files")
    fake.test_case = lambda: lambda function: function
    monkeypatch.setitem(sys.modules, "otter", types.ModuleType("otter"))
    monkeypatch.setitem(sys.modules, "otter.test_files", fake)
    names = {}
    (code,) = blocks("otter")
    exec(code, names)
    assert names["OK_FORMAT"] is False
    names["test_output_size"](output_size=right)
    for answer in (lambda *args: 3, None):
        with pytest.raises(AssertionError, match="output_size"):
            names["test_output_size"](output_size=answer)


def test_the_cells_for_nbgrader_agree_with_the_check():
    answer, test = blocks("nbgrader")
    names = {"ex": lesson02}
    exec(answer, names)
    exec(test, names)
    assert names["verdict"].state == "correct", said(names["verdict"])
    names["effective_kernel_size"] = lambda k, d=1: k
    with pytest.raises(AssertionError, match="effective_kernel_size"):
        exec(test, names)


def test_options_of_the_grader_that_the_guide_names_exist(capsys):
    with pytest.raises(SystemExit, match="0"):
        commands.main(["grade", "--help"])
    text = (ROOT / "lessons/instructors/grading.md").read_text(encoding="utf-8")
    options = set(re.findall(r"--[a-z]+", text))
    assert options >= {"--output", "--seed"} and options <= set(
        re.findall(r"--[a-z]+", capsys.readouterr().out)
    )
    states = re.findall(r"^\| ([\w' ]+) \|", text, re.M)[1:]
    assert tuple(states) == grader.STATES


class Own:
    """Wrong answers as an exercise declares them."""

    def twice(x):
        return 2 * x

    def off(x):
        return Own.twice(x) + 1

    def hidden(x):
        return Own.off(x) + 1

    def longer(x):
        y = x
        return y


def test_a_wrong_answer_is_known_by_what_it_returns_in_words_of_the_lesson():
    answers = (Own.twice, Own.off, Own.hidden, Own.longer)
    shown = [instructors_guide.recognised(each, "twice") for each in answers]
    assert shown == ["<code>2 * x</code><br>", "<code>twice(x) + 1</code><br>", "", ""]


@pytest.mark.parametrize("lesson", LESSONS, ids=NUMBERS)
def test_every_exercise_has_its_task(lesson):
    found = instructors_guide.tasks(lesson)
    names = {name for module, name, _ in all_exercises() if module == f"lesson{lesson.stem[:2]}"}
    assert names <= found.keys() and all(len(found[name]) > 40 for name in names)
