"""Stored notebooks that get new words without being run."""

import json

import nbformat
import pytest

import notebooks
from deeplab_lessons.classroom.course import jupyterlab
from deeplab_lessons.classroom.widgets import SlidingKernel

HEADER = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

"""
VIEW_STATE = "application/vnd.jupyter.widget-state+json"


@pytest.fixture
def lesson(tmp_path, monkeypatch):
    """A lesson of one cell, and its notebook as it was run: with an output and a widget of an older package."""
    monkeypatch.setattr(notebooks, "NOTEBOOKS", tmp_path)
    monkeypatch.setattr(jupyterlab, "BUILT", tmp_path / "built.json")
    path = tmp_path / "20_words.md"
    path.write_text(HEADER + "Old words.\n\n```{code-cell} ipython3\nprint(1)\n```\n")
    notebook = notebooks.read_lesson(path)
    (code,) = (cell for cell in notebook.cells if cell.cell_type == "code")
    code.outputs, code.execution_count = [nbformat.v4.new_output("stream", text="1\n")], 1
    state = SlidingKernel(position=3).get_state() | {"_esm": "old", "_words": {}, "layout": "IPY_MODEL_1"}
    notebook.metadata["widgets"] = {VIEW_STATE: {"state": {"1": {"model_name": "AnyModel", "state": state}}}}
    nbformat.write(notebook, tmp_path / "20_words.ipynb")
    return path


def stored(lesson):
    return nbformat.read(lesson.with_suffix(".ipynb"), as_version=4)


def test_new_words_and_scripts_come_in_and_what_ran_stays(lesson):
    lesson.write_text(lesson.read_text().replace("Old", "New"))
    notebooks.refresh(lesson)
    words, code = stored(lesson).cells
    assert words.source == "New words." and code.outputs[0].text == "1\n" and code.execution_count == 1
    state = stored(lesson).metadata["widgets"][VIEW_STATE]["state"]["1"]["state"]
    assert state["_esm"] == SlidingKernel._esm and state["position"] == 3
    assert json.loads(jupyterlab.BUILT.read_text()) == {"20_words": jupyterlab.digest(stored(lesson))}


def test_scripts_and_words_of_a_widget_come_in_where_nothing_else_has_changed(lesson):
    notebooks.refresh(lesson)
    state = stored(lesson).metadata["widgets"][VIEW_STATE]["state"]["1"]["state"]
    assert state["_esm"] == SlidingKernel._esm and state["_words"] == SlidingKernel()._words


def test_lines_that_came_in_pieces_are_one_output():
    printed = [
        nbformat.v4.new_output("stream", name=name, text=text)
        for name, text in (("stdout", "1\n"), ("stdout", "2\n"), ("stderr", "3"), ("stdout", "4"))
    ]
    shown = nbformat.v4.new_output("display_data", data={"text/plain": "5"})
    found = notebooks.joined([*printed, shown, printed[0]])
    assert [output.get("text") for output in found] == ["1\n2\n", "3", "4", None, "1\n"]
    assert printed[0].text == "1\n"


def test_what_is_as_it_should_be_is_not_written(lesson):
    notebooks.refresh(lesson)
    before = lesson.with_suffix(".ipynb").stat().st_mtime_ns
    notebooks.refresh(lesson)
    assert lesson.with_suffix(".ipynb").stat().st_mtime_ns == before


def test_a_lesson_whose_code_has_changed_must_run(lesson):
    before = lesson.with_suffix(".ipynb").read_text()
    lesson.write_text(lesson.read_text().replace("print(1)", "print(2)"))
    with pytest.raises(
        SystemExit, match="20_words: its code has changed, so it must run: make notebooks ARGS=20"
    ):
        notebooks.refresh(lesson)
    assert lesson.with_suffix(".ipynb").read_text() == before
