"""`deeplab-lessons`: the library's commands, and `grade` for instructors."""

import argparse
import sys
from collections.abc import Sequence

from deeplab_lessons import cli, cli_options


def grade(options: argparse.Namespace) -> int:
    """`deeplab-lessons grade`: a notebook that cannot be graded does not stop the others."""
    from deeplab_lessons.classroom.grading import grader

    rows = grader.grade(options.notebooks, options.output, options.seed, options.seconds, options.memory)
    print(grader.summary(rows))
    print(options.output)
    return int(any(row.state == "not graded" for row in rows))


# fmt: off
_PATH = cli_options.PATH
_GRADE = ("grade handed-in notebooks: a table with a row for each learner and exercise", [
    ("notebooks", None, "notebooks, named after their learners", _PATH | {"nargs": "+"}),
    ("--output", None, "CSV file to write", _PATH | {"required": True},
     (lambda o: not o.output.is_dir(), "must be a file, and this is a folder: add a name"),
     (lambda o: o.output.suffix != ".ipynb", "must be a table, and this is a notebook: pass a name that ends in .csv"),
     (lambda o: o.overwrite or not o.output.exists(), "is there already: add --overwrite, or pass another name")),
    ("--overwrite", False, "replace an older file of this name, but never a notebook", {"action": "store_true"}),
    ("--seed", 1, "draws the random cases; 0 draws those of the lesson's own checks",
     cli_options.number(int, 0, 10**9)),
    ("--seconds", 60.0, "seconds for a notebook, divided equally between its exercises",
     cli_options.number(float, 1, 86400)),
    ("--memory", 4.0, "memory for a notebook, in GiB", cli_options.number(float, 1, 1024)),
])
# fmt: on


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command, the library's or `grade`; return its exit code, as `cli.main` does."""
    cli_options.COMMANDS["grade"] = _GRADE
    return cli.main(arguments, grade=grade)


if __name__ == "__main__":
    sys.exit(main())
