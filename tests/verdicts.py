"""What a learner reads of a check, for the tests of exercises, and one small exercise."""

from deeplab_lessons.classroom.exercises.framework import Function


def said(verdict):
    """All that a verdict says, in one line; the notebook's form must say the same."""
    text = repr(verdict)
    assert verdict.title in verdict._repr_html_() and " at 0x" not in text
    return " ".join(text.split())


def some_cells(rng):
    yield from ((count,) for count in range(1, 30))


def double(count):
    return 2 * count


twice = Function(double, some_cells)
