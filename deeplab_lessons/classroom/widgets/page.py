"""A widget as one HTML page that lives on its own: no kernel, no network, one file."""

import base64
import html
import io
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

_FOLDER = Path(__file__).parent
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
<div id="widget"></div>
<script type="application/json" id="parts">{parts}</script>
<script type="module">
{shim}
</script>
</body>
</html>
"""


def read(*names: str) -> str:
    """The named files of this folder, one after the other: a widget's module cannot import its neighbours."""
    return "\n".join((_FOLDER / name).read_text(encoding="utf-8") for name in names)


def module(*names: str) -> str:
    """The named JavaScript files as one ES module with the default export that anywidget expects."""
    return read(*names) + "\nexport default { render };\n"


def public_state(state: Mapping) -> dict:
    """The part of a widget's state that its JavaScript reads."""
    return {k: v for k, v in state.items() if k not in _NOT_STATE and not k.startswith(("_model_", "_view_"))}


def standalone_html(
    esm: str, css: str, state: Mapping, title: str = "widget", scheme: str = "light dark"
) -> str:
    """One page that shows a widget from its module, style sheet and state.

    `scheme` is a CSS colour scheme: "light dark" follows the reader's system, "light" or "dark" is fixed.
    """
    parts = json.dumps({"esm": esm, "css": css, "state": public_state(state)}).replace("<", "\\u003c")
    return _PAGE.format(title=html.escape(title), scheme=scheme, parts=parts, shim=read("standalone.js"))


class SavesHtml:
    """Gives an anywidget `save_html`."""

    def save_html(self, path: str | Path) -> Path:
        """Write the widget as one HTML file that works without kernel and network; returns its path."""
        page = standalone_html(self._esm, self._css, self.get_state(), title=repr(self))
        path = Path(path)
        path.write_text(page, encoding="utf-8")
        return path


def data_url(image: np.ndarray | Image.Image, kind: str, **options) -> str:
    """An image inside its own address: it lives in a stored notebook and on a page without a server.

    `image` is uint8 [H, W, 3] or [H, W], or a PIL image; `kind` is "jpeg" or "png", `options` PIL's own.
    """
    file = io.BytesIO()
    image = Image.fromarray(image) if isinstance(image, np.ndarray) else image
    image.save(file, kind, **options)
    return f"data:image/{kind};base64," + base64.b64encode(file.getvalue()).decode()
