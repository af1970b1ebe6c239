"""Build notebooks/ from lessons/: convert, run, store the outputs. Only lessons whose pair differs are run.

`--all` runs every lesson; names (`02` or `02_dilated_convolution`) run those; `--check` only says what differs.
`--refresh` runs nothing: stored notebooks get the lessons' words and the widgets' scripts and words as they are now.
"""

import argparse
import copy
import importlib
import json
import os
import sys
import time
from pathlib import Path

import jupytext
import nbformat
from jupytext.compare import NotebookDifference, compare_notebooks

from deeplab_lessons.classroom.course import jupyterlab

ROOT = Path(__file__).resolve().parent.parent
LESSONS, NOTEBOOKS = ROOT / "lessons", ROOT / "notebooks"
CELL_SECONDS = 900


def lesson_sources():
    return sorted(LESSONS.glob("[0-9][0-9]_*.md"))


def chosen(names):
    """The lessons whose names begin so; all of them where there are no names."""
    lessons = [path for path in lesson_sources() if not names or path.stem.startswith(tuple(names))]
    return lessons or sys.exit(f"no lesson is called {' or '.join(names)}")


def notebook_of(lesson):
    return NOTEBOOKS / f"{lesson.stem}.ipynb"


def read_lesson(lesson):
    """The lesson as a notebook without outputs; cell ids follow from the cells' places."""
    notebook = jupytext.read(lesson)
    for place, cell in enumerate(notebook.cells):
        cell["id"] = f"{lesson.stem[:2]}-{place:03d}"
    return notebook


def differs(lesson):
    """What separates a lesson from its notebook, in words; empty where they are a pair."""
    path = notebook_of(lesson)
    if not path.is_file():
        return f"{path.name} is missing"
    try:
        compare_notebooks(nbformat.read(path, as_version=4), read_lesson(lesson), fmt="md:myst")
    except NotebookDifference as difference:
        return str(difference)
    return ""


def execute(notebook, folder):
    """Run a notebook's cells in a folder; it then holds outputs and widget state."""
    from nbclient import NotebookClient

    os.environ.setdefault("DEEPLAB_LESSONS_DEVICE", "cpu")
    os.environ["DEEPLAB_LESSONS_PROGRESS"] = "off"  # what is stored is nobody's own
    where = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, timeout=CELL_SECONDS, kernel_name="python3", resources=where).execute()
    tidy(notebook)


def run(lesson):
    """Execute a lesson in notebooks/ and store it with outputs and widget state."""
    notebook, started = read_lesson(lesson), time.monotonic()
    execute(notebook, NOTEBOOKS)
    nbformat.write(notebook, notebook_of(lesson))
    remember([lesson])
    size = notebook_of(lesson).stat().st_size // 1024
    print(f"{lesson.stem}: {time.monotonic() - started:.0f} s, {size} KB", flush=True)


def refresh(lesson):
    """Put the words of a lesson and its widgets, and their scripts, into its notebook; the code must be the same."""
    stored, fresh = nbformat.read(notebook_of(lesson), as_version=4), read_lesson(lesson)
    ran, code = ([cell for cell in each.cells if cell.cell_type == "code"] for each in (stored, fresh))
    if [cell.source for cell in ran] != [cell.source for cell in code]:
        sys.exit(
            f"{lesson.stem}: its code has changed, so it must run: make notebooks ARGS={lesson.stem[:2]}"
        )
    for old, new in zip(ran, code, strict=True):
        new.outputs, new.execution_count = joined(old.outputs), old.execution_count
    fresh.metadata = copy.deepcopy(stored.metadata)
    for model in widget_models(fresh):
        if "_anywidget_id" in model["state"]:
            module, _, name = model["state"]["_anywidget_id"].rpartition(".")
            kind = getattr(importlib.import_module(module), name)
            words = kind.class_traits()["_words"].default()
            model["state"] |= {"_esm": kind._esm, "_css": kind._css, "_words": words}
    if fresh != stored:
        nbformat.write(fresh, notebook_of(lesson))
        print(f"{lesson.stem}: refreshed")
    remember([lesson])  # also what was merged line by line


def joined(outputs):
    """A cell's outputs, with lines printed one after the other as one: a busy kernel sends them in pieces."""
    found = []
    for output in outputs:
        if output.output_type == "stream" and found and found[-1].get("name") == output.name:
            found[-1].text += output.text
        else:
            found.append(copy.deepcopy(output))
    return found


def widget_models(notebook):
    """What a notebook stores of its widgets."""
    stored = notebook.metadata.get("widgets", {}).get("application/vnd.jupyter.widget-state+json", {})
    return stored.get("state", {}).values()


def remember(lessons):
    """Note what is stored for these lessons as the course's own: `make lab` trusts it, and nothing else."""
    built = json.loads(jupyterlab.BUILT.read_text()) if jupyterlab.BUILT.is_file() else {}
    built |= {
        lesson.stem: jupyterlab.digest(nbformat.read(notebook_of(lesson), as_version=4)) for lesson in lessons
    }
    jupyterlab.BUILT.write_text(json.dumps(built, indent=2, sort_keys=True) + "\n")


def tidy(notebook):
    """Drop what changes with every run (time stamps, Python's version), what would pair the files, and empty layouts.

    A notebook that names its pair would be written back to lessons/ by a JupyterLab that has jupytext. The layout of a
    widget is a kilobyte of empty entries.
    """
    for name in ("jupytext", "language_info"):
        notebook.metadata.pop(name, None)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = joined(cell.outputs)
    for model in widget_models(notebook):
        if model["model_name"] == "LayoutModel":
            model["state"] = {name: value for name, value in model["state"].items() if value is not None}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--refresh", action="store_true")
    options = parser.parse_args()
    lessons = chosen(options.names)
    if options.refresh:
        for lesson in lessons:
            refresh(lesson)
        return
    found = {lesson: differs(lesson) for lesson in lessons}
    if options.check:
        for lesson, words in found.items():
            print(f"{lesson.stem}: {words or 'a pair'}")
        sys.exit(any(found.values()))
    for lesson, words in found.items():
        if options.all or options.names or words:
            run(lesson)
        else:
            print(f"{lesson.stem}: unchanged")


if __name__ == "__main__":
    main()
