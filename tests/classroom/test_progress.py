"""Progress: one small file, only from a notebook, never in the way of a lesson."""

import importlib
import json
import os
import subprocess
import sys

import pytest

from deeplab_lessons.classroom import progress
from deeplab_lessons.classroom.exercises import framework as exercises

DONE = '{"course": "deeplab_lessons", "version": 9, "lessons": {"lesson02": {"exercises": {"gone": true}}}}'
FOREIGN = [
    *("", "{", "[]", "3", '{"lessons": {}}', "[" * 100_000, '{"course": "deeplab_lessons"}', "\ud800"),
    '{"course": "another", "lessons": {}}',
    '{"course": "deeplab_lessons", "lessons": []}',
    '{"course": "deeplab_lessons", "lessons": {"lesson02": 3}}',
    '{"course": "deeplab_lessons", "lessons": {"lesson02": {"exercises": ["output_size"]}}}',
    '{"course": "deeplab_lessons", "lessons": {"lesson02": {"predictions": {"a": 3}}}}',
]


@pytest.fixture
def file(tmp_path, monkeypatch):
    """The file of a notebook in an empty folder."""
    monkeypatch.setattr(progress, "FILE", tmp_path / "deeplab_progress.json")
    monkeypatch.setattr(progress, "_in_a_notebook", lambda: True)
    monkeypatch.setattr(progress, "_refused", False)
    monkeypatch.setattr(progress, "declared", lambda kind, lesson: ["one", "two"])
    return progress.FILE


def said(capsys):
    progress.line("02")
    return capsys.readouterr().out


def test_a_line_counts_what_was_done(file, capsys):
    assert said(capsys) == "Lesson 02: 0 of 2 exercises done, 0 of 2 predictions committed.\n"
    assert not file.exists(), "looking writes nothing"
    progress.exercise_done("lesson02", "one")
    progress.exercise_done("lesson02", "one")
    progress.prediction_committed("lesson02", "one", 3, True)
    progress.prediction_committed("lesson02", "two", "both", False)
    progress.prediction_committed("lesson03", "two", ["a", "b"], True)
    assert said(capsys) == (
        "Lesson 02: 1 of 2 exercises done, 2 of 2 predictions committed, 1 of those right.\n"
    )
    assert progress.committed("lesson02", "one") == 3 and progress.committed("lesson02", "none") is None
    assert progress.committed("lesson03", "two") == ["a", "b"]
    table = progress.page()
    assert list(table.loc["02"]) == ["1 of 2", "2 of 2", "1 of 2"]
    assert list(table.loc["01"]) == ["0 of 2", "0 of 2", ""]
    assert [path.name for path in file.parent.iterdir()] == [file.name], "nothing else lies there"
    file.unlink()
    assert "0 of 2 exercises" in said(capsys) and progress.committed("lesson02", "one") is None


def test_names_of_another_course_version_are_kept_and_not_counted(file, capsys):
    file.write_text(DONE)
    progress.exercise_done("lesson02", "two")
    stored = json.loads(file.read_text())
    assert stored["version"] == 9 and stored["lessons"]["lesson02"]["exercises"] == {
        "gone": True,
        "two": True,
    }
    assert said(capsys).startswith("Lesson 02: 1 of 2 exercises done, 0 of 2")


@pytest.mark.parametrize("text", FOREIGN, ids=range(len(FOREIGN)))
def test_a_damaged_or_foreign_file_stays_as_it_is(file, capsys, text):
    held = text.encode("utf-8", "surrogatepass")
    file.write_bytes(held)
    progress.exercise_done("lesson02", "one")
    progress.prediction_committed("lesson02", "one", 3, True)
    assert file.read_bytes() == held and progress.committed("lesson02", "one") is None
    assert "so it stays as it is and nothing is remembered" in said(capsys)
    assert list(progress.page().loc["02"]) == ["0 of 2", "0 of 2", ""]


def test_a_folder_that_cannot_be_written_to_is_no_error(file, capsys, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "read-only")

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", refuse)
        progress.exercise_done("lesson02", "one")
    assert not list(file.parent.iterdir())
    assert f"Nothing is remembered: {file.parent} cannot be written to." in said(capsys)
    progress.exercise_done("lesson02", "one")
    assert "remembered" not in said(capsys)
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert "Nothing is remembered" in said(capsys), "it is said before anything is lost"


def test_what_another_notebook_wrote_meanwhile_is_kept(file):
    """Four processes write at the same time, and all that they wrote is there."""
    code = (
        "import sys; from pathlib import Path; from deeplab_lessons.classroom import progress as p\n"
        "p._in_a_notebook = lambda: True; p.FILE = Path(sys.argv[1])\n"
        "for i in range(25): p.exercise_done('lesson02', f'{sys.argv[2]}-{i}')"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code, file, str(number)]) for number in range(4)]
    assert [writer.wait(60) for writer in writers] == [0] * 4
    assert len(json.loads(file.read_text())["lessons"]["lesson02"]["exercises"]) == 100


def test_outside_a_notebook_nothing_is_written_or_read(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(progress, "FILE", tmp_path / "deeplab_progress.json")
    progress.exercise_done("lesson02", "output_size")
    assert not list(tmp_path.iterdir())
    progress.FILE.write_text("damaged")
    progress.line("02")
    assert capsys.readouterr().out.count("\n") == 1, "and nothing is said of the damaged file"


@pytest.mark.slow
@pytest.mark.parametrize(("setting", "written"), [("", True), ("off", False)])
def test_in_a_kernel_it_is_written_beside_the_notebook(tmp_path, setting, written):
    import nbformat
    from nbclient import NotebookClient

    code = (
        f"import os; os.environ['DEEPLAB_LESSONS_PROGRESS'] = {setting!r}\n"
        "from deeplab_lessons.classroom import progress\n"
        "progress.prediction_committed('lesson02', 'x', 3, True); print(progress.committed('lesson02', 'x'))"
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    where = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, kernel_name="python3", timeout=60, resources=where).execute()
    assert notebook.cells[0].outputs[0].text == ("3\n" if written else "None\n")
    assert (tmp_path / "deeplab_progress.json").exists() == written


def test_a_lesson_that_is_none_is_named():
    with pytest.raises(ValueError, match=r"unknown lesson '3': choose from .*01, 02, "):
        progress.line("3")


@pytest.mark.slow
@pytest.mark.parametrize("lesson", progress._lessons())
def test_what_counts_is_what_the_lesson_declares(lesson):
    """The names are read from the source; importing it says the same."""
    for kind, base in (("exercises", exercises.Exercise), ("predictions", None)):
        try:
            module = importlib.import_module(f"deeplab_lessons.classroom.{kind}.{lesson}")
        except ModuleNotFoundError:
            assert progress.declared(kind, lesson) == []
            continue
        if base is None:
            from deeplab_lessons.classroom.predictions.framework import Prediction as base
        there = [name for name, value in vars(module).items() if isinstance(value, base)]
        assert sorted(progress.declared(kind, lesson)) == sorted(there)
