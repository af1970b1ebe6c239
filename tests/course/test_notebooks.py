"""The notebooks' health: pairs of their lessons, really run, without errors, small, in the shape of a lesson."""

import json
import re
from pathlib import Path

import instructors_guide
import nbformat
import pytest

import notebooks as builder
from deeplab_lessons.classroom import drawing
from deeplab_lessons.classroom.course import jupyterlab

ROOT = Path(__file__).resolve().parents[2]

LESSONS = builder.lesson_sources()
SECTIONS = ["You will learn", "You need", "Time", "Recap", "Next", "References"]


@pytest.fixture(params=LESSONS, ids=lambda path: path.stem)
def lesson(request):
    return request.param


@pytest.fixture
def notebook(lesson):
    return nbformat.read(builder.notebook_of(lesson), as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


def prose(lesson):
    return "\n".join(
        cell.source for cell in builder.read_lesson(lesson).cells if cell.cell_type == "markdown"
    )


def core_path(lesson):
    """Words and code cells before "Go deeper", and among the cells the predictions and up to two exercises."""
    core = lesson.read_text(encoding="utf-8").split("\n---\n", 1)[1].split("\n## Go deeper")[0]
    cells = re.findall(r"^```\{code-cell\}.*?\n(.*?)^```", core, re.S | re.M)
    words = len(re.sub(r"^```.*?^```", "", core, flags=re.S | re.M).split())
    asked = sum(bool(re.search(r"^predict\.", cell, re.M)) for cell in cells)
    return words, len(cells), asked, min(2, len(re.findall(r"^# ex\.\w+\.solution\(\)", core, re.M)))


def test_there_are_lessons_and_no_stray_notebooks():
    assert LESSONS
    assert {path.stem for path in builder.NOTEBOOKS.glob("*.ipynb")} == {path.stem for path in LESSONS}


def test_notebook_is_the_pair_of_its_lesson(lesson):
    assert builder.differs(lesson) == "", f"run `make notebooks`: {builder.differs(lesson)}"


def test_a_changed_lesson_is_noticed(lesson, tmp_path):
    """The guard above can fail: one more word in the source, and the two are no pair."""
    changed = tmp_path / lesson.name
    changed.write_text(lesson.read_text() + "\nOne more sentence.\n")
    assert builder.differs(changed)


def test_every_cell_was_run_in_order(notebook):
    counts = [cell.execution_count for cell in code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1))


def test_no_stored_errors_or_warnings(notebook):
    for cell in code_cells(notebook):
        for output in cell.outputs:
            assert output.output_type != "error", cell.source
            assert output.get("name") != "stderr", f"{cell.source}\n{output.get('text')}"


def test_every_image_has_words_of_its_own_for_those_who_cannot_see_it(notebook):
    outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
    images = [(each, kind) for each in outputs for kind in each.get("data", {}) if kind.startswith("image/")]
    told = [image.metadata.get(kind, {}).get("alt", "") for image, kind in images]
    vague = [text for text in told if not 40 <= len(text) <= drawing.words.LONGEST]
    assert not vague, "say(figure, …) in the lesson, or in the function that draws"
    assert len(told) == len(set(told)), "two images with the same words"
    assert not [each for each in outputs if "<img" in each.get("data", {}).get("text/html", "")]


def test_small(lesson):
    assert builder.notebook_of(lesson).stat().st_size < 1_000_000


def test_cells_are_short(notebook):
    lengths = sorted(len(cell.source.splitlines()) for cell in code_cells(notebook))
    assert lengths[len(lengths) // 2] <= 6, f"median {lengths[len(lengths) // 2]} lines"
    assert lengths[-1] <= 20


def test_the_shape_of_a_lesson(lesson):
    text = prose(lesson)
    for section in SECTIONS:
        assert re.search(rf"(^#+ |\*\*|\*){section}", text, re.M), f"no {section!r} in {lesson.name}"
    if lesson.stem != "00_start_here":
        assert "Against the papers" in text
        asked = re.findall(r"^predict\.\w+$", lesson.read_text(), re.M)
        assert text.count("*Predict") + len(asked) >= 3, "a question before the cell, often"


def test_the_core_path_can_be_walked(lesson):
    words, cells, _, _ = core_path(lesson)
    assert words <= 2500, f"{words} words before Go deeper: shorten, or move a section there"
    assert cells <= 40, f"{cells} code cells before Go deeper"


def test_the_time_is_the_sum_of_its_parts(lesson):
    """100 words of technical text take a minute, a prediction takes one and an exercise seven; two exercises count."""
    words, _, asked, exercises = core_path(lesson)
    minutes = words / 100 + asked + 7 * exercises
    assert abs(instructors_guide.minutes(lesson) - minutes) <= 3, f"the sum is {minutes:.0f} minutes"


def test_prose_keeps_the_tone(lesson):
    found = re.findall(r"\b(simply|obviously|trivial(?:ly)?|just)\b", prose(lesson), re.I)
    assert not found, found


def test_its_outputs_are_noted_as_the_course_s_own(lesson, notebook):
    """By what `make notebooks` notes, `make lab` knows which notebooks it may trust."""
    noted = json.loads(jupyterlab.BUILT.read_text())
    assert noted[lesson.stem] == jupyterlab.digest(notebook), (
        f"build it again: make notebooks ARGS={lesson.stem[:2]}"
    )
    assert set(noted) == {lesson.stem for lesson in LESSONS}


def test_code_has_prose_around_it(lesson):
    """Never three code cells in a row: a lesson is read, not scrolled."""
    kinds = "".join(cell.cell_type[0] for cell in builder.read_lesson(lesson).cells)
    assert "cccc" not in kinds
