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
            elif "image/png" in data:
                name = f"{path.stem[:2]}-{place:03d}-{number}.png"
                (figures / name).write_bytes(base64.b64decode(data["image/png"]))
                alt = output.metadata.get("image/png", {}).get("alt") or f"Figure in the section: {heading}"
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
    """Return a stored widget as HTML: alive if it has JavaScript of its own, else a snapshot; "" if it says nothing."""
    model = models[model_id]
    if model["model_module"] == "anywidget":
        return widgets.mount(model["state"], title)
    parts = "".join(snapshot(model_id, models))
    note = '<p class="dl-note">A snapshot: the controls move in JupyterLab.</p>'
    return f'<div class="dl-snapshot">{parts}{note}</div>' if parts else ""


def snapshot(model_id: str, models: dict) -> list[str]:
    """Return what a stored ipywidget and its children show; a progress bar and its neighbours show nothing."""
    model = models[model_id.removeprefix("IPY_MODEL_")]
    state, children = model["state"], model["state"].get("children", [])
    below = [models[child.removeprefix("IPY_MODEL_")]["model_name"] for child in children]
    if "FloatProgressModel" in below:
        return []
    parts = [part for child in children for part in snapshot(child, models)]
    labels, index = state.get("_options_labels"), state.get("index")
    value = labels[index] if labels and index is not None else state.get("value", "")
    name = html.escape(state.get("description") or "")
    match model["model_name"]:
        case "HTMLModel":
            parts += [f"<div>{value}</div>"]
        case kind if "Slider" in kind or kind in ("DropdownModel", "CheckboxModel", "ToggleButtonsModel"):
            parts += [f"<span>{name} <b>{html.escape(str(value))}</b></span> "]
    return parts
