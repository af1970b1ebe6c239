"""`deeplab-lessons` with the command for instructors."""

import csv

import pytest
from handed_in import RIGHT, answered, hand_in

from deeplab_lessons import cli_options
from deeplab_lessons.classroom import commands


@pytest.fixture(autouse=True)
def tables(monkeypatch):
    """Other tests see the library's own commands."""
    monkeypatch.setattr(cli_options, "COMMANDS", dict(cli_options.COMMANDS))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    hand_in(tmp_path, "anna.ipynb", b"")
    return tmp_path


def test_help_lists_all_commands(capsys):
    with pytest.raises(SystemExit):
        commands.main(["--help"])
    said = capsys.readouterr().out
    assert all(
        f"\n    {name} " in said for name in ("train", "evaluate", "segment", "experiments", "grade", "lab")
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["anna.ipynb"], "the following arguments are required: --output"),
        (["--output", "a.csv"], "required: notebooks"),
        (["*.nb", "b.ipynb", "--output", "a.csv"], "notebooks must be files that exist, and none does"),
        (["anna.ipynb", "--output", "."], "--output must be a file, and this is a folder: add a name"),
        (
            ["anna.ipynb", "--output", "anna.ipynb", "--overwrite"],
            "--output must be a table, and this is a notebook",
        ),
        (["anna.ipynb", "--output", "old.csv"], "--output is there already: add --overwrite"),
        (
            ["anna.ipynb", "--output", "a.csv", "--seconds", "0"],
            "--seconds: must be a number from 1 to 86400",
        ),
        (["anna.ipynb", "--output", "a.csv", "--memory", "much"], "--memory: must be a number from 1 to"),
        (["anna.ipynb", "--output", "a.csv", "--seed", "-1"], "--seed: must be a whole number from 0"),
    ],
)
def test_what_does_not_fit_is_said_before_anything_is_graded(folder, arguments, words, capsys):
    (folder / "old.csv").write_text("old")
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert commands.main(["grade", *arguments]) == 2
    said = capsys.readouterr().err
    assert words in said and len(said.splitlines()) == 1
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_a_notebook_that_cannot_be_graded_is_said_by_the_exit_code(folder, capsys):
    (folder / "old.csv").write_text("old")
    assert commands.main(["grade", "anna.ipynb", "--output", "old.csv", "--overwrite"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "anna: 1 not graded (this file is not a notebook: its text is not JSON)",
        "1 notebook: 1 not graded",
        "old.csv",
    ]
    with open("old.csv", newline="", encoding="utf-8-sig") as file:
        (row,) = csv.DictReader(file)
    assert (row["learner"], row["state"]) == ("anna", "not graded")


def test_a_pattern_that_no_shell_has_expanded_means_its_files(folder, capsys):
    hand_in(folder, "bert [1].ipynb", b"")
    arguments = ["*.ipynb", "bert [1].ipynb", "gone.ipynb", "--output", "a.csv"]
    assert commands.main(["grade", *arguments]) == 1
    said = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in said[:-1]] == ["anna", "bert [1]", "gone", "3 notebooks"]


@pytest.mark.slow
def test_a_class_is_graded(folder, capsys):
    hand_in(folder, "bert.ipynb", answered(**RIGHT))
    assert commands.main(["grade", "bert.ipynb", "--output", "new/grades.csv", "--seed", "3"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("bert: 4 correct") and said[1].startswith("1 notebook: 4 correct")
    with open("new/grades.csv", newline="", encoding="utf-8-sig") as file:
        states = {row["exercise"]: row["state"] for row in csv.DictReader(file)}
    assert {states[name] for name in RIGHT} == {"correct"}


def test_ctrl_c_ends_it_with_its_exit_code(folder, monkeypatch, capsys):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("deeplab_lessons.classroom.grading.grader._learners", stop)
    assert commands.main(["grade", "anna.ipynb", "--output", "a.csv"]) == 130
    assert (folder / "a.csv").read_text(encoding="utf-8-sig").startswith("learner,lesson,exercise,")
