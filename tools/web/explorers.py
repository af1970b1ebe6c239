"""A page for each explorer of the lessons, wide, with its state in the address."""

import re
from collections.abc import Iterator

import anywidget
import nbformat

from notebooks import lesson_sources, notebook_of
from web import widgets
from web.lessons import STATE, VIEW

# A question belongs into its lesson, and a photograph of the reader's own to a network in Python.
WITHOUT_PAGE = {"prediction", "own_photo"}
_PAGE = """---
hide-toc: true
---
# {title}

{about} It is part of {lessons}.

```{{raw}} html
{mount}
```
"""


def pages() -> dict[str, str]:
    """Return {name: MyST Markdown} of the explorers' pages, in the order in which the lessons show them.

    An explorer begins in the state in which the first of its lessons leaves it: some of them show what a network
    has learned there.
    """
    found: dict[str, tuple[dict, list[str]]] = {}
    for lesson, state in _stored():
        lessons = found.setdefault(widgets.folder_of(state), (state, []))[1]
        lessons += [] if lesson in lessons else [lesson]
    for folder in WITHOUT_PAGE:
        found.pop(folder, None)
    return {_name(folder): _page(folder, *where) for folder, where in found.items()}


def shared(folder: str, state: dict) -> list[str]:
    """Return the traits that an explorer's address carries: all that can be read and set in Python."""
    traits = widgets.class_of(folder).class_traits(sync=True)
    own = sorted(set(traits) - set(anywidget.AnyWidget.class_traits()))
    public = [name for name in own if not name.startswith("_") and not traits[name].read_only]
    return [name for name in public if state[name] is not None]


def _stored() -> Iterator[tuple[str, dict]]:
    """(lesson, state) of every widget with JavaScript that the notebooks show."""
    for lesson in lesson_sources():
        notebook = nbformat.read(notebook_of(lesson), as_version=4)
        models = notebook.metadata.get("widgets", {}).get(STATE, {}).get("state", {})
        for output in (output for cell in notebook.cells for output in cell.get("outputs", [])):
            view = output.get("data", {}).get(VIEW)
            if view and models[view["model_id"]]["model_module"] == "anywidget":
                yield lesson.stem, models[view["model_id"]]["state"]


def _name(folder: str) -> str:
    """The page's name, from the class's: receptive-field for ReceptiveFieldExplorer."""
    name = widgets.class_of(folder).__name__.removesuffix("Explorer")
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()


def _page(folder: str, state: dict, lessons: list[str]) -> str:
    title = state["_words"]["title"]
    return _PAGE.format(
        title=title,
        about=(widgets.class_of(folder).__doc__ or title).partition("\n")[0],
        lessons=" and ".join(f"{{doc}}`../lessons/{lesson}`" for lesson in lessons),
        mount=widgets.mount(state, title, share=shared(folder, state)),
    )
