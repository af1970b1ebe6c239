"""Write the solved edition to build/solved/: every lesson with the solutions instead of its stubs, every check tried.

Names (`02` or `02_dilated_convolution`) choose lessons. `--run` also runs each notebook from top to bottom and stores
its outputs, which takes as long as the lessons do.
"""

import argparse
import ast
import os
import re
import sys

import nbformat

import notebooks
from deeplab_lessons.classroom.grading import grader
from deeplab_lessons.classroom.grading.lessons import LESSONS, exercises_of

FOLDER = notebooks.ROOT / "build/solved"


def solved(lesson):
    """A lesson as a notebook without outputs, its stubs replaced by the solutions."""
    os.environ.pop("DEEPLAB_LESSONS_SOLUTIONS", None)  # off for learners, not for who runs this
    notebook = notebooks.read_lesson(lesson)
    module = f"lesson{lesson.stem[:2]}"
    for name, exercise in exercises_of(module).items() if module in LESSONS else ():
        fill(notebook, name, exercise.solution().code)
    for cell in notebook.cells:
        cell.source = cell.source.replace(
            "../lessons/", "../../lessons/"
        )  # one folder deeper than notebooks/
    return notebook


def fill(notebook, name, solution):
    """Put a solution where its stub is: the function of the exercise's name, or what its check is given."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    check = next(place for place, cell in enumerate(code) if f"ex.{name}.check(" in cell.source)
    for cell in reversed(code[: check + 1]):
        if re.search(rf"^def {name}\(", cell.source, re.MULTILINE):
            cell.source = solution
            return
        given = re.search(rf"ex\.{name}\.check\((\w+)\)", code[check].source)
        for node in parsed(cell.source):
            if given and is_stub(node, given[1]):
                cell.source = cell.source.replace(
                    ast.get_source_segment(cell.source, node), f"{given[1]} = {solution}"
                )
                return
    raise LookupError(f"no cell before its check is the stub of {name}")


def parsed(source):
    """The statements of a cell; none where it holds IPython's own lines."""
    try:
        return ast.parse(source).body
    except SyntaxError:
        return []


def is_stub(node, name):
    """Whether a statement is `name = ...`."""
    return (
        isinstance(node, ast.Assign)
        and [getattr(target, "id", None) for target in node.targets] == [name]
        and isinstance(node.value, ast.Constant)
        and node.value.value is ...
    )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*")
    parser.add_argument("--run", action="store_true")
    options = parser.parse_args()
    lessons = notebooks.chosen(options.names)
    FOLDER.mkdir(parents=True, exist_ok=True)
    paths = [FOLDER / f"{lesson.stem}.ipynb" for lesson in lessons]
    for lesson, path in zip(lessons, paths, strict=True):
        notebook = solved(lesson)
        if options.run:
            notebooks.execute(notebook, FOLDER)
        nbformat.write(notebook, path)
    graded = [path for path in paths if f"lesson{path.stem[:2]}" in LESSONS]
    rows = grader.grade(graded, FOLDER / "grades.csv", seed=0)
    print(FOLDER)
    for row in rows:
        if row.state != "correct":
            print(f"{row.learner}, {row.exercise}: {row.state}. {row.note}", file=sys.stderr)
    sys.exit(any(row.state != "correct" for row in rows))


if __name__ == "__main__":
    main()
