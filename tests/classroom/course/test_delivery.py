"""Lessons in a learner's folder: what is copied, what is brought up to date, and that nothing of theirs is replaced."""

import json
from pathlib import Path, PureWindowsPath

import pytest

from deeplab_lessons.classroom.course import RECORD, ROOT, delivery

LESSON = "notebooks/02_dilated.ipynb"
NEWER = "notebooks/02_dilated.new-9.9.ipynb"
PICTURE = "lessons/images/story.png"


def write(path, source, output=""):
    """A notebook of two cells, as JupyterLab writes it."""
    outputs = [{"output_type": "stream", "name": "stdout", "text": [output]}] if output else []
    code = {"cell_type": "code", "source": source.splitlines(True), "outputs": outputs, "metadata": {}}
    text = {"cell_type": "markdown", "source": ["# Dilated"], "metadata": {}}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"cells": [text, code], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))


@pytest.fixture
def course(monkeypatch, tmp_path):
    """A small course, and a function that makes its next edition."""
    root = tmp_path / "installed"

    def edition(version, source, output="1"):
        monkeypatch.setattr(delivery, "__version__", version)
        write(root / LESSON, source, output)

    monkeypatch.setattr(delivery, "ROOT", root)
    edition("0.1", "x = ...")
    (root / PICTURE).parent.mkdir(parents=True)
    (root / PICTURE).write_bytes(b"picture")
    return edition


@pytest.fixture
def folder(tmp_path, course):
    """A learner's folder with the first edition in it."""
    folder = tmp_path / "Mein Kurs, März"
    assert delivery.deliver(folder).copied == [PICTURE, LESSON]
    return folder


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_second_start_changes_nothing(folder):
    write(folder / LESSON, "x = 3", "3")
    before = contents(folder)
    assert delivery.deliver(folder) == delivery.Delivery() and contents(folder) == before
    assert delivery.deliver(folder).in_words(folder) == ""


def test_what_was_only_run_is_replaced_by_a_newer_edition(folder, course):
    write(folder / LESSON, "x = ...", "run by the learner")
    course("9.9", "x = ...  # newer")
    done = delivery.deliver(folder)
    assert done == delivery.Delivery(updated=[LESSON])
    assert (folder / LESSON).read_bytes() == (delivery.ROOT / LESSON).read_bytes()
    assert f"Updated 1 lesson in {folder}" in done.in_words(folder)
    assert delivery.deliver(folder) == delivery.Delivery()


def test_an_edition_that_differs_in_outputs_replaces_none_of_the_learner_s(folder, course):
    """A lesson that was never run gets them; one that was keeps what the learner computed."""
    course("9.9", "x = ...", "2")
    assert delivery.deliver(folder).updated == [LESSON] and b'"2"' in (folder / LESSON).read_bytes()
    write(folder / LESSON, "x = ...", "run by the learner")
    course("9.9", "x = ...", "3")
    assert delivery.deliver(folder) == delivery.Delivery()
    assert b"run by the learner" in (folder / LESSON).read_bytes()


def test_an_answer_stays_and_the_newer_edition_is_put_next_to_it(folder, course):
    write(folder / LESSON, "x = 3")
    answer = (folder / LESSON).read_bytes()
    course("9.9", "x = ...  # newer")
    done = delivery.deliver(folder)
    assert done == delivery.Delivery(beside={LESSON: NEWER}) and (folder / LESSON).read_bytes() == answer
    assert (folder / NEWER).read_bytes() == (delivery.ROOT / LESSON).read_bytes()
    assert f"{LESSON} has your changes and stays; the newer edition is {NEWER}" in done.in_words(folder)
    assert delivery.deliver(folder) == delivery.Delivery(), "it is said once"


def test_the_next_edition_replaces_neither_answer(folder, course):
    """An answer in the old lesson, one in the newer edition next to it, and another edition of the same version."""
    write(folder / LESSON, "x = 3")
    course("9.9", "x = ...  # newer")
    delivery.deliver(folder)
    write(folder / NEWER, "x = 4")
    before = contents(folder)
    course("9.9", "x = ...  # newer still")
    again = NEWER.replace("9.9", "9.9-2")
    assert delivery.deliver(folder).beside == {LESSON: again}
    assert all(path.read_bytes() == old for path, old in before.items() if path.name != RECORD)
    assert (folder / again).read_bytes() == (delivery.ROOT / LESSON).read_bytes()


def test_an_answer_taken_back_counts_as_none(folder, course):
    write(folder / LESSON, "x = 3")
    course("9.9", "x = ...  # newer")
    delivery.deliver(folder)
    write(folder / LESSON, "x = ...")
    course("10", "x = ...  # newest")
    assert delivery.deliver(folder).updated == [LESSON]


def test_a_lesson_that_was_moved_away_comes_afresh(folder):
    (folder / LESSON).rename(folder / "notebooks/mine.ipynb")
    assert delivery.deliver(folder).copied == [LESSON]


def test_without_its_record_only_what_is_the_same_is_the_course_s(folder, course):
    (folder / RECORD).unlink()
    assert delivery.deliver(folder) == delivery.Delivery()
    (folder / RECORD).unlink()
    course("9.9", "x = ...  # newer")
    assert delivery.deliver(folder).beside == {LESSON: NEWER}


@pytest.mark.parametrize("theirs", [b"", b"[]", b'{"cells": 3}', b'{"cells": [{}]}', b"\xff\xfe", None])
def test_what_cannot_be_read_as_a_notebook_is_the_learner_s(folder, course, theirs):
    (folder / LESSON).unlink()
    (folder / LESSON).mkdir() if theirs is None else (folder / LESSON).write_bytes(theirs)
    course("9.9", "x = ...  # newer")
    assert delivery.deliver(folder).beside == {LESSON: NEWER}
    assert (folder / LESSON).is_dir() if theirs is None else (folder / LESSON).read_bytes() == theirs


def test_other_files_in_the_folder_are_not_touched(course, tmp_path):
    """Files of others, one of them under a lesson's name."""
    (tmp_path / "notebooks").mkdir()
    write(tmp_path / LESSON, "somebody else's")
    (tmp_path / "thesis.tex").write_text("years of work")
    before = contents(tmp_path)
    assert delivery.deliver(tmp_path) == delivery.Delivery(
        [PICTURE], [], {LESSON: NEWER.replace("9.9", "0.1")}
    )
    assert all(path.read_bytes() == old for path, old in before.items())


@pytest.mark.parametrize("place", ["", "notebooks", "lessons"])
def test_a_file_in_the_place_of_a_folder_is_named(course, tmp_path, place):
    folder = tmp_path / "course"
    (folder / place).parent.mkdir(exist_ok=True)
    (folder / place).write_text("a file")
    before = contents(tmp_path)
    with pytest.raises(NotADirectoryError, match=r"is a file, and the lessons need a folder of that name"):
        delivery.deliver(folder)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"course": "cooking", "files": {}}', '{"files": [1]}'])
def test_a_record_of_something_else_is_not_replaced(course, tmp_path, text):
    (tmp_path / RECORD).write_text(text)
    before = contents(tmp_path)
    with pytest.raises(ValueError, match=f"{RECORD} cannot be read as this course's record: move it away"):
        delivery.deliver(tmp_path)
    assert contents(tmp_path) == before


def test_what_was_copied_before_an_error_is_remembered(course, tmp_path, monkeypatch):
    """A full disk at the second file: the next start continues."""
    copy, folder = delivery._copy, tmp_path / "course"

    def full(source, path):
        if path.suffix == ".ipynb":
            raise OSError(28, "No space left on device", str(path))
        copy(source, path)

    monkeypatch.setattr(delivery, "_copy", full)
    with pytest.raises(OSError, match="No space left"):
        delivery.deliver(folder)
    assert list(json.loads((folder / RECORD).read_text())["files"]) == [PICTURE]
    monkeypatch.setattr(delivery, "_copy", copy)
    assert delivery.deliver(folder).copied == [LESSON]


def delivered():
    return sorted(path.relative_to(ROOT) for pattern in delivery.DELIVERED for path in ROOT.glob(pattern))


def test_every_picture_of_the_lessons_is_delivered():
    """By the path that the lesson names, from the folder of the notebooks."""
    names = {path.as_posix() for path in delivered()}
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            for part in "".join(cell["source"]).split("](../")[1:]:
                assert part.partition(")")[0] in names, f"{path.name}: {part[:60]}"


@pytest.mark.parametrize("path", delivered(), ids=str)
def test_names_are_allowed_on_windows(path, monkeypatch):
    """No reserved name or character; 260 characters are enough below a folder of 150, also while it is written."""
    monkeypatch.setattr(delivery, "__version__", "10.10.10")
    beside = delivery._free_name(Path("nowhere") / path, None).relative_to("nowhere")
    for name in (path, beside):
        windows = PureWindowsPath(name)
        assert windows.as_posix() == name.as_posix() and not windows.is_reserved() and not windows.drive
        assert not set('<>:"|?*') & set(str(windows)) and not str(windows).endswith((".", " "))
        assert len(str(windows.with_name(f".{name.name}.12345678.part"))) <= 260 - 150


def test_the_record_can_be_read_and_names_files_in_the_same_way_on_every_system(folder):
    known = json.loads((folder / RECORD).read_text())
    assert known["course"] == "deeplab_lessons" and known["version"] == "0.1"
    assert list(known["files"]) == [PICTURE, LESSON]
