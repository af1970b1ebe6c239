"""`deeplab-lessons`: the library's commands with the papers' experiments, `lab` for all, `grade` for instructors.

What loads torch is imported in functions: `lab` starts without it, also where it is broken.
"""

import argparse
import glob
import sys
from collections.abc import Sequence
from pathlib import Path

from deeplab_lessons.classroom.course import command


def experiments(options: argparse.Namespace) -> int:
    """`deeplab-lessons experiments`."""
    from deeplab_lessons.classroom.experiments import table

    rows = [{"name": name, **row} for name, row in table().items()]
    cells = [list(rows[0])]
    cells += [["–" if value in (None, "") else str(value) for value in row.values()] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    return 0


def grade(options: argparse.Namespace) -> int:
    """`deeplab-lessons grade`: a notebook that cannot be graded does not stop the others."""
    from deeplab_lessons.classroom.grading import grader

    notebooks = [path for each in options.notebooks for path in _matching(each)]
    rows = grader.grade(notebooks, options.output, options.seed, options.seconds, options.memory)
    print(grader.summary(rows))
    print(options.output)
    return int(any(row.state == "not graded" for row in rows))


def _matching(pattern: Path) -> list[Path]:
    """The files that a pattern matches, because Windows shells do not expand one; any other path is one file."""
    found = [] if pattern.exists() else sorted(map(Path, glob.glob(str(pattern))))
    return found or [pattern]


def _tables() -> dict[str, tuple[str, list]]:
    """Our commands, as `cli_options.COMMANDS` has the library's; `lab` has options of its own."""
    from deeplab_lessons.cli_values import PATH, number

    # fmt: off
    return {
        "lab": (command.ABOUT, []),
        "grade": ("grade handed-in notebooks: a table with a row for each learner and exercise", [
            ("notebooks", None, "notebooks, named after their learners", PATH | {"nargs": "+"},
             (lambda o: any(found.exists() for each in o.notebooks for found in _matching(each)),
              "must be files that exist, and none does: check the folder and the ending")),
            ("--output", None, "CSV file to write", PATH | {"required": True},
             (lambda o: not o.output.is_dir(), "must be a file, and this is a folder: add a name"),
             (lambda o: o.output.suffix != ".ipynb",
              "must be a table, and this is a notebook: pass a name that ends in .csv"),
             (lambda o: o.overwrite or not o.output.exists(),
              "is there already: add --overwrite, or pass another name")),
            ("--overwrite", False, "replace an older file of this name, but never a notebook",
             {"action": "store_true"}),
            ("--seed", 1, "draws the random cases; 0 draws those of the lesson's own checks", number(int, 0, 10**9)),
            ("--seconds", 60.0, "seconds for a notebook, divided equally between its exercises",
             number(float, 1, 86400)),
            ("--memory", 4.0, "memory for a notebook, in GiB", number(float, 1, 1024)),
        ]),
        "experiments": ("list the papers' experiments that train knows by name", []),
    }
    # fmt: on


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command, the library's or ours; return its exit code, as `cli.main` does."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["lab"]:
        return command.main(words[1:])
    import deeplab_lessons.classroom.experiments  # noqa: F401 - it tells the command line of them
    from deeplab_lessons import cli, cli_options

    cli_options.COMMANDS |= _tables()
    cli_options.ALIASES["experiments"] = ["configurations"]  # as they were called before
    return cli.main(words, grade=grade, experiments=experiments, configurations=experiments)


if __name__ == "__main__":
    sys.exit(main())
