"""`deeplab-lessons lab`: which folder it takes, what it says, and that it needs little to say what is missing."""

import subprocess
import sys
from pathlib import Path

import pytest

from deeplab_lessons import runtime
from deeplab_lessons.classroom import commands
from deeplab_lessons.classroom.course import RECORD, ROOT, delivery, installation, jupyterlab


@pytest.fixture
def lab(monkeypatch, tmp_path):
    """The command in an empty folder, as an installed package runs it; JupyterLab is noted and not started."""
    opened = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(runtime, "checkout", lambda: None)
    monkeypatch.setattr(delivery, "DELIVERED", ("lessons/images/*",))
    monkeypatch.setattr(jupyterlab, "open_lab", lambda folder, *more: opened.append((folder, *more)) or 0)
    monkeypatch.setattr(jupyterlab, "trust_notebooks", lambda folder: None)

    def run(*words):
        opened.clear()
        return commands.main(["lab", *words]), *opened

    return run


def test_the_lessons_come_into_a_new_folder_and_are_opened(lab, tmp_path):
    assert lab() == (0, (Path("deeplab-course"),))
    assert (tmp_path / "deeplab-course/lessons/images/story.png").is_file()
    assert lab("my course") == (0, (Path("my course"),))
    assert (tmp_path / "my course" / RECORD).is_file()


def test_inside_of_the_learner_s_folder_no_other_is_made(lab, tmp_path, monkeypatch):
    lab()
    monkeypatch.chdir(tmp_path / "deeplab-course")
    assert lab() == (0, (Path(),))
    assert not (tmp_path / "deeplab-course" / "deeplab-course").exists()


def test_a_checkout_opens_its_own_notebooks_and_copies_nothing(lab, monkeypatch, tmp_path):
    """`make lab`; a folder that is named gets a copy there too, unless it is the checkout."""
    monkeypatch.setattr(runtime, "checkout", lambda: ROOT)
    assert lab() == (0, (ROOT,)) and lab(str(ROOT)) == (0, (ROOT,))
    assert not (ROOT / RECORD).exists() and not list(tmp_path.iterdir())
    lab("mine")
    assert (tmp_path / "mine" / RECORD).is_file()


def test_options_for_jupyterlab(lab):
    assert lab("x", "--no-browser", "--port", "9000")[1][1:] == ("--no-browser", "--port=9000")
    assert lab("x", "--ip", "0.0.0.0")[1][1:] == ("--ip=0.0.0.0",)
    assert lab("x", "--copy-only") == (0,)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--port", "many"], "--port: must be a whole number from 0 to 65535, got 'many'"),
        (["--port", "70000"], "--port: must be a whole number from 0 to 65535, got '70000'"),
        (["--prot", "9000"], "unrecognized arguments: --prot"),
        (["here", "there"], "unrecognized arguments: there"),
    ],
)
def test_wrong_options_are_one_line_and_exit_code_2(lab, capsys, words, said):
    assert lab(*words) == (2,)
    line = capsys.readouterr().err
    assert line.startswith(f"deeplab-lessons: {said}") and "deeplab-lessons lab --help" in line
    assert len(line.splitlines()) == 1


def test_a_folder_that_cannot_be_used_is_one_line_and_exit_code_1(lab, capsys, tmp_path, monkeypatch):
    (tmp_path / "deeplab-course").write_text("a file")
    assert lab() == (1,)
    assert "deeplab-course is a file, and the lessons need a folder" in capsys.readouterr().err
    assert (tmp_path / "deeplab-course").read_text() == "a file"
    (tmp_path / RECORD).write_text("[]")
    assert lab(".") == (1,)
    assert "move it away, or choose another folder" in capsys.readouterr().err

    def refuse(*_):
        raise PermissionError(13, "Permission denied", "elsewhere")

    monkeypatch.setattr(delivery, "deliver", refuse)
    assert lab("x") == (1,)
    said = capsys.readouterr().err
    assert "elsewhere cannot be written: Permission denied. Choose another folder" in said


def test_what_is_missing_is_said_with_the_command_that_installs_it(lab, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(installation, "faults", lambda: ["jupyterlab missing", "anywidget missing"])
    assert lab() == (1,) and not list(tmp_path.iterdir())
    said = capsys.readouterr().err
    assert (
        "jupyterlab missing, anywidget missing: run " in said and 'pip install "deeplab-lessons[lab]"' in said
    )


def test_check_says_what_is_here_and_what_is_not(lab, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(installation, "not_loaded", lambda: iter(()))
    assert lab("--check") == (0,)
    said = capsys.readouterr().out
    assert "jupyterlab" in said and "Everything is here" in said and not list(tmp_path.iterdir())
    monkeypatch.setattr(
        installation, "not_loaded", lambda: iter(["torch is installed and cannot be loaded: why"])
    )
    assert lab("--check") == (1,)
    said = capsys.readouterr().out
    assert "\ntorch is installed and cannot be loaded: why\n" in said and "pip install" in said


WITHOUT = """
import sys
sys.modules.update(dict.fromkeys(("torch", "numpy", "PIL", "jupyterlab", "nbformat")))
from deeplab_lessons.classroom import commands
sys.exit(commands.main(["lab", "--check"]))
"""


def test_a_broken_installation_can_say_so():
    """Without torch, numpy, Pillow and JupyterLab: the rest of the command line could not even start."""
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True)
    assert done.returncode == 1 and "torch is installed and cannot be loaded" in done.stdout, done.stderr


def test_help_names_the_folder(capsys):
    assert commands.main(["lab", "--help"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "default: deeplab-course" in said and "--check" in said
