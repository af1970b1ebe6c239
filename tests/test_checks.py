"""The check that every package shares."""

import pytest

from deeplab_lessons.checks import check_choice


def test_a_choice_is_one_of_the_choices_or_they_are_named():
    check_choice("split", "val", ("train", "val"))
    check_choice("depth", 50, {50: "a", 101: "b"})
    with pytest.raises(ValueError, match=r"unknown depth 18: choose from 50, 101$"):
        check_choice("depth", 18, {50: "a", 101: "b"})
