"""The course's widgets on the site: their places on a page, and the scripts that bring them to life without Python."""

import html
import importlib
import inspect
import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import anywidget

from deeplab_lessons.classroom import widgets
from deeplab_lessons.classroom.widgets.shared.page import joined, public_state
from web import HERE

_PACKAGE = f"{widgets.__name__}."
_NOSCRIPT = "This part of the page moves where JavaScript is switched on."


def folders() -> list[str]:
    """Return the names of the folders of all widgets, in alphabetical order."""
    return sorted(path.parent.name for path in Path(widgets.__file__).parent.glob("*/index.js"))


def folder_of(state: dict) -> str:
    """Return the folder of the widget that a notebook stores. Raises ValueError if it is none of the course's."""
    module = state["_anywidget_id"].rpartition(".")[0]
    folder = module.removeprefix(_PACKAGE)
    if folder not in folders():
        raise ValueError(f"a page can show the widgets in {_PACKAGE}*, got {state['_anywidget_id']}")
    return folder


@cache
def class_of(folder: str) -> type[anywidget.AnyWidget]:
    """Return the widget's class: the only one with a module in the folder's `__init__.py`."""
    module = importlib.import_module(_PACKAGE + folder)
    return next(
        kind
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, anywidget.AnyWidget) and kind.__module__ == module.__name__
    )


def mount(state: dict, title: str, *, share: Iterable[str] = ()) -> str:
    """Return the HTML in which a page's script brings a stored widget to life.

    `title` is for readers without JavaScript. `share` names traits that the page's address carries. The widget's
    JavaScript and CSS come from the package, because the notebook may have stored older ones.
    """
    public = json.dumps(public_state(state)).replace("<", "\\u003c")
    shared = f' data-share="{" ".join(share)}"' if share else ""
    return (
        f'<div class="dl-mount" data-module="{folder_of(state)}"{shared}>'
        f'<script type="application/json">{public}</script>'
        f"<noscript><p>{html.escape(title)}</p><p>{_NOSCRIPT}</p></noscript></div>"
    )


def write_modules(static: Path) -> None:
    """Write `widgets.js`, which every page loads, and `w/FOLDER.js` for each widget, into the site's static folder.

    They are classic scripts: a page that is opened from a file may load neither modules nor data.
    """
    (static / "w").mkdir(parents=True, exist_ok=True)
    page = joined(HERE / "scripts" / "mount.js")
    (static / "widgets.js").write_text(f"(() => {{\n{page}}})();\n", encoding="utf-8")
    for folder in folders():
        kind = class_of(folder)
        parts = ", ".join(map(json.dumps, (folder, kind._esm, kind._css)))
        (static / "w" / f"{folder}.js").write_text(f"DeepLabWidgets.define({parts});\n", encoding="utf-8")
