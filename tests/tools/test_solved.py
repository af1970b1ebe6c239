"""The solved edition: every stub filled, every check green."""

import pytest
import solved

import notebooks
from deeplab_lessons.classroom.grading import grader
from deeplab_lessons.classroom.grading.lessons import LESSONS, exercises_of
from deeplab_lessons.classroom.grading.notebooks import read

WITH_EXERCISES = [path for path in notebooks.lesson_sources() if f"lesson{path.stem[:2]}" in LESSONS]


@pytest.fixture(scope="module")
def edition(tmp_path_factory):
    """Paths of the solved notebooks, and what the grader says of each exercise."""
    folder = tmp_path_factory.mktemp("solved")
    paths = [folder / f"{lesson.stem}.ipynb" for lesson in WITH_EXERCISES]
    for lesson, path in zip(WITH_EXERCISES, paths, strict=True):
        notebooks.nbformat.write(solved.solved(lesson), path)
    rows = grader.grade(paths, folder / "grades.csv", seed=7, say=str)
    return paths, {(row.lesson, row.exercise): row for row in rows}


@pytest.mark.slow
@pytest.mark.parametrize("lesson", LESSONS)
def test_every_solution_is_graded_correct_also_on_further_cases(lesson, edition):
    _, rows = edition
    for name in exercises_of(lesson):
        assert rows[lesson, name].state == "correct", rows[lesson, name]


@pytest.mark.slow
def test_only_the_stubs_and_the_way_to_the_results_differ(edition):
    paths, _ = edition
    for lesson, path in zip(WITH_EXERCISES, paths, strict=True):
        before, after = notebooks.read_lesson(lesson).cells, read(path)
        cells = notebooks.nbformat.read(path, as_version=4).cells
        changed = [
            new
            for old, new in zip(before, cells, strict=True)
            if old.source.replace("../l", "../../l") != new.source
        ]
        assert len(changed) == len(exercises_of(f"lesson{lesson.stem[:2]}")) and not after.broken


@pytest.mark.slow
def test_a_solved_lesson_runs_through_with_every_check_green(tmp_path):
    (lesson,) = notebooks.chosen(["02"])
    notebook = solved.solved(lesson)
    notebooks.execute(notebook, tmp_path)
    checks = [cell for cell in notebook.cells if ".check(" in cell.source and cell.cell_type == "code"]
    assert len(checks) == len(exercises_of("lesson02"))
    for cell in checks:
        assert cell.outputs[-1]["data"]["text/plain"].startswith("Correct: "), cell.outputs


def test_a_stub_that_is_missing_is_named():
    notebook = notebooks.nbformat.v4.new_notebook(
        cells=[notebooks.nbformat.v4.new_code_cell("ex.field.check(layers)")]
    )
    with pytest.raises(LookupError, match="stub of field"):
        solved.fill(notebook, "field", "[1]")
    notebook.cells.insert(0, notebooks.nbformat.v4.new_code_cell("layers = ...  # your design\nlayers"))
    solved.fill(notebook, "field", "[1]")
    assert notebook.cells[0].source == "layers = [1]  # your design\nlayers"
