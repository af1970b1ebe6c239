"""A widget's JavaScript and CSS, and the widget as one HTML page: no kernel, no network, one file."""

import html
import json
import re
from collections.abc import Mapping
from pathlib import Path

_SHARED = Path(__file__).parent
_IMPORT = re.compile(r'^import \{[^}]*\} from "(\.[^"]*)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?!default\b)", re.MULTILINE)
_NOT_STATE = ("_anywidget_id", "_css", "_dom_classes", "_esm", "layout", "tabbable", "tooltip")

_PAGE = """<!doctype html>
<html lang="en" style="color-scheme: {scheme}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>body {{ margin: 8px; background: Canvas; color: CanvasText; }}</style>
</head>
<body>
<main id="widget"></main>
<script type="application/json" id="parts">{parts}</script>
<script type="module">
{shim}
</script>
</body>
</html>
"""


def scripts(path: Path) -> list[Path]:
    """Return the scripts that `path` imports, and those that they import, each once and before its importer."""
    found: list[Path] = []
    for name in _IMPORT.findall(path.read_text(encoding="utf-8")):
        found += [script for script in scripts((path.parent / name).resolve()) if script not in found]
    return [*found, path.resolve()]


def joined(path: Path) -> str:
    """Return a script and all it imports as one text in one scope: `import { … }` and `export` are gone.

    A widget's module cannot import its neighbours, because it travels to the browser as text (`_esm`).
    Raises ValueError if an import has another form than `import { a, b } from "./file.js";`.
    """
    text = "\n".join(_IMPORT.sub("", script.read_text(encoding="utf-8")) for script in scripts(path))
    if other := re.search(r"^import\b.*", text, re.MULTILINE):
        raise ValueError(
            f'imports must be `import {{ a, b }} from "./file.js";`, got {other.group()!r} in {path.name}'
        )
    return _EXPORT.sub("", text)


def compact(source: str) -> str:
    """Return a script or style sheet without indentation and lines of comment: every notebook stores it again."""
    return re.sub(r"^\s*(//.*)?\n?", "", source, flags=re.MULTILINE)


def module(widget_file: str) -> str:
    """Return the ES module of the widget whose `__init__.py` is `widget_file`: its index.js, joined and compact."""
    return compact(joined(Path(widget_file).parent / "index.js"))


def style(widget_file: str) -> str:
    """Return the widgets' common style sheet, and after it the widget's own style.css if there is one."""
    sheets = _SHARED / "widgets.css", Path(widget_file).parent / "style.css"
    return compact("\n".join(sheet.read_text(encoding="utf-8") for sheet in sheets if sheet.exists()))


def public_state(state: Mapping) -> dict:
    """The part of a widget's state that its JavaScript reads."""
    return {k: v for k, v in state.items() if k not in _NOT_STATE and not k.startswith(("_model_", "_view_"))}


def standalone_html(
    esm: str, css: str, state: Mapping, title: str = "widget", scheme: str = "light dark"
) -> str:
    """One page that shows a widget from its module, style sheet and state.

    `scheme` is a CSS colour scheme: "light dark" follows the reader's system, "light" or "dark" is fixed.
    """
    shim = joined(_SHARED / "standalone.js")
    parts = json.dumps({"esm": esm, "css": css, "state": public_state(state)}).replace("<", "\\u003c")
    return _PAGE.format(title=html.escape(title), scheme=scheme, parts=parts, shim=shim)


class SavesHtml:
    """Gives an anywidget `save_html`."""

    def save_html(self, path: str | Path) -> Path:
        """Write the widget as one HTML file that works without kernel and network; returns its path."""
        page = standalone_html(self._esm, self._css, self.get_state(), title=repr(self))
        path = Path(path)
        path.write_text(page, encoding="utf-8")
        return path
