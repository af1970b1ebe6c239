"""The course in JupyterLab: what it is started with, and whose notebooks are trusted."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.sign import NotebookNotary
from nbformat.v4 import new_code_cell, new_notebook, new_output

from deeplab_lessons.classroom.course import ROOT, jupyterlab


def test_a_folder_is_opened_on_the_start_page_on_this_machine_alone(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    words = jupyterlab.lab_command(Path("my course, März"), "--no-browser")
    assert words[1:3] == ["-m", "jupyterlab"] and words[-1] == "--no-browser"
    assert f"--ServerApp.root_dir={tmp_path / 'my course, März'}" in words and "--ip=127.0.0.1" in words
    assert "--LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb" in words


def test_jupyterlab_shows_no_news_and_looks_for_no_updates():
    (folder,) = (word for word in jupyterlab.lab_command(ROOT) if "app_settings_dir" in word)
    settings = json.loads(Path(folder.partition("=")[2], "overrides.json").read_text())
    news = settings["@jupyterlab/apputils-extension:notification"]
    assert news == {"fetchNews": "false", "checkForUpdates": False}


LAB = """
import signal, sys, time
signal.signal(signal.SIGINT, lambda *_: (time.sleep(0.5), sys.exit(7)))
print('up', flush=True)
time.sleep(60)
"""
OPEN = """
import os, sys
from pathlib import Path
from deeplab_lessons.classroom.course import jupyterlab

jupyterlab.lab_command = lambda *_: [sys.executable, "-c", sys.argv[1]]
here, os.name = Path(), "nt"
sys.exit(jupyterlab.open_lab(here))
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="sends Ctrl-C as POSIX does")
def test_on_windows_ctrl_c_waits_until_jupyterlab_has_ended_its_kernels():
    """There it is a child, and has half a second's work to do after Ctrl-C."""
    command = [sys.executable, "-c", OPEN, LAB]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert "up\n" in iter(process.stdout.readline, "")
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(20) == 7


def test_kernels_start_with_threads_that_do_not_spin(monkeypatch):
    monkeypatch.delenv("GOMP_SPINCOUNT", raising=False)
    assert jupyterlab.lab_environment()["GOMP_SPINCOUNT"] == "1000"
    monkeypatch.setenv("GOMP_SPINCOUNT", "7")
    assert jupyterlab.lab_environment()["GOMP_SPINCOUNT"] == "7", "the reader's own choice"


SCRIPT = new_output("display_data", data={"text/html": "<script>alert(1)</script>"})


@pytest.fixture
def trusted(monkeypatch, tmp_path):
    """Whether a notebook is trusted after `make lab` has looked at its folder, which holds lesson 00 already."""
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    folder = tmp_path / "notebooks"
    folder.mkdir()
    shutil.copy(ROOT / "notebooks" / "00_start_here.ipynb", folder)

    def look(change=lambda notebook: notebook, name="00_start_here"):
        path = folder / f"{name}.ipynb"
        notebook = change(nbformat.read(folder / "00_start_here.ipynb", as_version=4))
        nbformat.write(notebook, path)
        assert not NotebookNotary().check_signature(nbformat.read(path, as_version=4))
        jupyterlab.trust_notebooks(folder)
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
    jupyterlab.trust_notebooks(tmp_path)
    assert "page.ipynb is not a notebook" in capsys.readouterr().out or text == "{}"


@pytest.mark.parametrize("place", ["a file/data", "not writable"])
def test_where_jupyter_cannot_write_it_says_so_once(monkeypatch, tmp_path, capsys, place):
    (tmp_path / "a file").write_text("")
    (tmp_path / "not writable").mkdir()
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / place))
    monkeypatch.setattr(NotebookNotary, "_write_secret_file", refused)
    for number in ("00", "02"):
        (path,) = (ROOT / "notebooks").glob(f"{number}_*.ipynb")
        shutil.copy(path, tmp_path)
    jupyterlab.trust_notebooks(tmp_path)
    (said,) = capsys.readouterr().out.splitlines()
    assert said.startswith(str(tmp_path / place)) and "set JUPYTER_DATA_DIR to a folder" in said


def refused(self, secret):
    """As the system does for everyone but its administrator, who may run these tests."""
    raise PermissionError(13, "Permission denied", self.secret_file)
