"""Stored notebooks as a static site shows them: figures as files, widgets mounted, exercises folded. Nothing is run."""

import base64
import html
import re
from pathlib import Path

import nbformat
from instructors_guide import spoken
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from deeplab_lessons.classroom.exercises.words import SAY
from deeplab_lessons.classroom.grading.lessons import exercises_of
from web import widgets

STATE = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"
MODULE = re.compile(r"exercises import (lesson\d\d) as ex")
ASKED = re.compile(r"^# ex\.(\w+)\.(?:hint|solution)\(\)$", re.M)
UNWRITTEN = SAY["not attempted"].format(name="")
HEADING = re.compile(r"^#{1,6} (.+)$", re.M)


def prepared(path: Path, figures: Path) -> nbformat.NotebookNode:
    """Return a stored lesson as the site shows it; its figures are written into the folder `figures`."""
    notebook = nbformat.read(path, as_version=4)
    models = notebook.metadata.pop("widgets", {}).get(STATE, {}).get("state", {})
    source = "\n".join(cell.source for cell in notebook.cells)
    exercises = exercises_of(found[1]) if (found := MODULE.search(source)) else {}
    heading = ""
    for place, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            cell.source = cell.source.replace("../lessons/images/", "../images/")
            heading = (HEADING.findall(cell.source) or [heading])[-1]
            continue
        for number, output in enumerate(cell.outputs):
            data = output.get("data", {})
            if VIEW in data:
                output.data = {"text/html": view(data[VIEW]["model_id"], models, data.get("text/plain", ""))}
            elif image := next((kind for kind in ("png", "jpeg") if f"image/{kind}" in data), ""):
                name = f"{path.stem[:2]}-{place:03d}-{number}.{image}"
                (figures / name).write_bytes(base64.b64decode(data[f"image/{image}"]))
                told = output.metadata.get(f"image/{image}", {}).get("alt")
                alt = told or f"Figure in the section: {heading}"
                output.data = {"text/html": figure(f"../figures/{name}", alt)}
        cell.outputs = [output for output in cell.outputs if worth_showing(output)]
        if names := dict.fromkeys(ASKED.findall(cell.source)):
            cards = "".join(card(exercises[name]) for name in names)
            cell.metadata["tags"] = [*cell.metadata.get("tags", []), "remove-input"]
            cell.outputs = [nbformat.v4.new_output("display_data", data={"text/html": cards})]
    return notebook


def worth_showing(output: nbformat.NotebookNode) -> bool:
    """Whether an output says something to a reader: no warnings, no progress bars, no check of an unwritten answer."""
    text = output.get("data", {}).get("text/html", "said otherwise")
    return output.get("name") != "stderr" and text != "" and UNWRITTEN not in text


def figure(address: str, alt: str) -> str:
    """Return a figure as HTML; it is loaded when the reader comes near."""
    return f'<img class="dl-figure" src="{address}" alt="{html.escape(alt)}" loading="lazy">'


def card(exercise) -> str:
    """Return an exercise's hints and solution, each folded, and where its check runs."""
    count = len(exercise.hints)
    folded = [
        f"<details><summary>Hint {number} of {count}</summary><p>{spoken(hint)}</p></details>"
        for number, hint in enumerate(exercise.hints, 1)
    ]
    solution = highlight(exercise.solution().code, PythonLexer(), HtmlFormatter())
    folded += [f"<details><summary>Solution</summary>{solution}</details>"]
    where = '<a href="../index.html#in-jupyterlab">run this lesson in JupyterLab</a>'
    return (
        f'<div class="dl-exercise"><p>To have your answer to <code>{exercise.name}</code> checked, {where}.</p>'
        f"{''.join(folded)}</div>"
    )


# ---------------------------------------------------------------- widgets


def view(model_id: str, models: dict, title: str) -> str:
    """Return a stored widget as HTML, and "" for a progress bar.

    Raises ValueError for any other: without JavaScript of its own it would be dead on a page.
    """
    model = models[model_id]
    if model["model_module"] == "anywidget":
        return widgets.mount(model["state"], title)
    children = (models[child.removeprefix("IPY_MODEL_")] for child in model["state"].get("children", []))
    if any(child["model_name"] == "FloatProgressModel" for child in children):
        return ""
    raise ValueError(f"a page can show the course's widgets, but this is a {model['model_name']}: {title}")
