"""The tools that `make` calls: what is chosen from tests and notebooks, and what JupyterLab is started with."""

import json
import shutil
import subprocess
from types import SimpleNamespace

import lab
import nbformat
import pytest
import run_tests
from nbformat.sign import NotebookNotary
from nbformat.v4 import new_code_cell, new_notebook, new_output


def paths_of(command):
    """Whether pytest would run this, and on which paths."""
    return command and [word for word in command[3:] if word.startswith(("tests", "notebooks"))]


@pytest.mark.parametrize(
    ("words", "tests", "notebooks"),
    [
        ([], ["tests"], ["notebooks"]),
        (["-k", "crf"], ["tests"], ["notebooks"]),
        (["tests/crf", "-x"], ["tests/crf"], None),
        (["tests/test_cli.py::test_train"], ["tests/test_cli.py::test_train"], None),
        (["notebooks/02.ipynb"], None, ["notebooks/02.ipynb"]),
        (["tests/crf", "notebooks/07.ipynb"], ["tests/crf"], ["notebooks/07.ipynb"]),
        (["--lf"], ["tests"], None),
    ],
)
def test_words_choose_tests_and_notebooks(words, tests, notebooks):
    for command, paths in zip(run_tests.commands(words), (notebooks, tests), strict=True):
        assert paths_of(command) == paths
        options = {word for word in words if not word.startswith(("tests", "notebooks"))}
        assert not command or options <= set(command), "an option was lost"


def test_a_notebook_is_run_in_one_process():
    """Its cells share a kernel, whatever number of workers the tests were given."""
    notebooks, _ = run_tests.commands(["-n", "4", "--dist", "load"])
    assert notebooks[-2:] == ["--dist", "loadfile"]


@pytest.mark.parametrize(
    ("words", "statuses", "status", "runs"),
    [
        (["-k", "nothing"], [0, 0], 0, 2),
        (["-k", "nothing"], [5, 0], 0, 2),
        (["-k", "nothing"], [0, 5], 0, 2),
        (["-k", "nothing"], [5, 5], 5, 2),
        (["-k", "nothing"], [1, 0], 1, 1),
        (["-k", "nothing"], [0, 1], 1, 2),
        (["-k", "nothing"], [0, -9], -9, 2),
        ([], [0, 5], 5, 2),
        ([], [5], 5, 1),
        (["-x"], [0, 5], 5, 2),
        (["tests/crf", "notebooks/07.ipynb"], [0, 5], 5, 2),
        (["tests/crf"], [5], 5, 1),
    ],
)
def test_the_exit_status(monkeypatch, words, statuses, status, runs):
    """A failure ends the run. pytest's 5, no tests ran, is one too, unless an option chose and left some elsewhere."""
    done = []
    monkeypatch.setattr(
        subprocess,
        "run",
        lambda *_, **__: done.append(0) or SimpleNamespace(returncode=statuses[len(done) - 1]),
    )
    assert run_tests.main(words) == status and len(done) == runs


def test_a_choice_of_nothing_is_told_so(monkeypatch, capsys):
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: SimpleNamespace(returncode=5))
    assert run_tests.main(["-k", "nothing"]) == 5
    assert "No test and no notebook is chosen by: -k nothing" in capsys.readouterr().err


def test_kernels_start_with_threads_that_do_not_spin(monkeypatch):
    monkeypatch.delenv("GOMP_SPINCOUNT", raising=False)
    assert lab.lab_environment()["GOMP_SPINCOUNT"] == "1000"
    monkeypatch.setenv("GOMP_SPINCOUNT", "7")
    assert lab.lab_environment()["GOMP_SPINCOUNT"] == "7", "the reader's own choice"


SCRIPT = new_output("display_data", data={"text/html": "<script>alert(1)</script>"})


@pytest.fixture
def trusted(monkeypatch, tmp_path):
    """Whether a notebook is trusted after `make lab` has looked at its folder, which holds lesson 00 already."""
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    folder = tmp_path / "notebooks"
    folder.mkdir()
    shutil.copy(lab.ROOT / "notebooks" / "00_start_here.ipynb", folder)

    def look(change=lambda notebook: notebook, name="00_start_here"):
        path = folder / f"{name}.ipynb"
        notebook = change(nbformat.read(folder / "00_start_here.ipynb", as_version=4))
        nbformat.write(notebook, path)
        assert not NotebookNotary().check_signature(nbformat.read(path, as_version=4))
        lab.trust_notebooks(folder)
        return NotebookNotary().check_signature(nbformat.read(path, as_version=4))

    return look


def test_make_lab_trusts_the_course_s_notebooks(trusted):
    """A signed notebook shows its widgets alive before its first cell is run; a copy with other words does too."""

    def other_words(notebook):
        notebook.cells[0].source = "# Mine"
        return notebook

    assert trusted() and trusted(other_words, "copy")


def test_make_lab_does_not_trust_a_notebook_from_elsewhere(trusted):
    foreign = new_notebook(cells=[new_code_cell("print(1)", outputs=[SCRIPT])])
    assert not trusted(lambda _: foreign, "foreign")
    assert not trusted(lambda _: foreign, "00_start_here"), "whatever its name"


def put_script(notebook):
    notebook.cells[-1] = new_code_cell("", outputs=[SCRIPT])


def put_script_into_an_output(notebook):
    next(cell for cell in notebook.cells if cell.get("outputs")).outputs.append(SCRIPT)


def put_script_into_a_widget(notebook):
    states = notebook.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"]
    next(each for each in states.values() if "_esm" in each["state"])["state"]["_esm"] += "alert(1);"


@pytest.mark.parametrize("tamper", [put_script, put_script_into_an_output, put_script_into_a_widget])
def test_make_lab_does_not_trust_a_lesson_with_somebody_else_s_output(trusted, tamper):
    assert not trusted(lambda notebook: tamper(notebook) or notebook)


@pytest.mark.parametrize("text", ["", "[]", "{}", "<html>", json.dumps({"cells": [{}], "nbformat": 4})])
def test_a_file_that_is_no_notebook_does_not_keep_the_course_shut(monkeypatch, tmp_path, capsys, text):
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path))
    (tmp_path / "page.ipynb").write_text(text)
    lab.trust_notebooks(tmp_path)
    assert "page.ipynb is not a notebook" in capsys.readouterr().out or text == "{}"
