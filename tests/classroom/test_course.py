"""The course's own files: results of long runs, found in a checkout and in an installed package alike."""

import json

import pytest

from deeplab_lessons.classroom.course import ROOT, stored_results


def test_the_results_of_every_long_run_are_found():
    files = sorted((ROOT / "lessons" / "results").glob("*.json"))
    assert len(files) > 10
    for path in files:
        assert stored_results(path.stem) == json.loads(path.read_text(encoding="utf-8"))


def test_each_reader_has_results_of_its_own():
    stored_results("lesson05").clear()
    assert stored_results("lesson05")


@pytest.mark.parametrize("name", ["lesson5", "", "lesson05.json", "runs"])
def test_unknown_results_are_refused_with_those_that_there_are(name):
    with pytest.raises(
        ValueError, match=rf"unknown results '{name}': choose from camvid, lesson04, lesson05, "
    ):
        stored_results(name)


def test_lessons_read_results_in_no_other_way():
    """A path relative to the notebook would lead nowhere in a learner's folder."""
    for path in (ROOT / "lessons").glob("*.md"):
        assert "../lessons/results" not in path.read_text(encoding="utf-8"), path.name
