"""The tools that `make` calls: what is chosen from tests and notebooks."""

import subprocess
from types import SimpleNamespace

import pytest
import run_tests


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
