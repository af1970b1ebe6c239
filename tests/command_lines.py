"""Command lines of tiny trainings, and what they say."""

import re

SMALL = ["--count", "4", "--scene-size", "32", "--crop", "32", "--width", "0.02", "--batch-size", "2"]
SMALL += ["--device", "cpu"]


def typed(text, **paths):
    """The words of a command line; SMALL are the options of a tiny training."""
    words = [str(paths.get(word, word)) for word in text.split()]
    return [each for word in words for each in (SMALL if word == "SMALL" else [word])]


def the_only_line(capsys):
    """What stands on stderr, without the bars of progress: one line, which names no argument of Python's."""
    _, lines = said(capsys)
    assert len(lines) == 1 and lines[0].startswith("deeplab-lessons: "), lines
    assert not re.search(r"Traceback|\b[a-z_]+=|(?<![\w/])[a-z]+_[a-z]+\b(?![/.])", lines[0]), lines[0]
    return lines[0]


def said(capsys):
    """What stands on stdout, and the lines on stderr without the bars of progress."""
    out, err = capsys.readouterr()
    return out, [line for line in re.split("[\r\n]+", err) if "%|" not in line and line.strip()]
