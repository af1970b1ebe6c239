"""A stored notebook as one HTML page in which the course's widgets still work, with no kernel or network."""

import html
import re
from pathlib import Path

from deeplab_lessons.classroom.widgets.shared.page import standalone_html

_STATE = "application/vnd.jupyter.widget-state+json"
_VIEW = "application/vnd.jupyter.widget-view+json"
_FRAME = (
    '<iframe class="dl-frame" title="{title}" srcdoc="{page}" loading="eager" '
    'style="width: 100%; height: 720px; border: 0; color-scheme: {scheme}"></iframe>'
)
_OUTSIDE = re.compile(r"""<(script|link)\b[^>]*\b(?:src|href)=["'](?:https?:)?//[^>]*>(?:\s*</script>)?""")
_MODULES = re.compile(r"""<script type="module">(?:(?!</script>).)*?https?://.*?</script>""", re.DOTALL)


def export_html(notebook_path: str | Path, html_path: str | Path, theme: str = "light") -> Path:
    """Write an executed notebook as a page whose anywidgets are alive; returns `html_path`.

    `theme`: "light" or "dark". The page asks the network for nothing; formulas stay as TeX text, for the
    script that would set them lives on a server. Raises ValueError for a notebook without stored widgets'
    state, and ImportError where nbconvert is missing.
    """
    nbconvert, nbformat = _tools()
    notebook = nbformat.read(notebook_path, as_version=4)
    count = put_frames(notebook, theme)
    if any(_VIEW in output.get("data", {}) for output in _outputs(notebook)):
        raise ValueError(
            f"{Path(notebook_path).name} shows widgets whose state is not stored ({count} others are). "
            "Run the notebook from top to bottom, save it with widget state, and export again."
        )
    exporter = nbconvert.HTMLExporter(template_name="lab", theme=theme)
    page, _ = exporter.from_notebook_node(notebook)
    html_path = Path(html_path)
    html_path.write_text(without_network(page), encoding="utf-8")
    return html_path


def _tools():
    try:
        import nbconvert
        import nbformat
    except ImportError:
        raise ImportError(
            'exporting a notebook needs nbconvert: install the test tools with pip install "deeplab-lessons[test]"'
        ) from None
    return nbconvert, nbformat


def _outputs(notebook) -> list:
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def put_frames(notebook, theme: str = "light") -> int:
    """Replace every stored anywidget view by a frame with its living page; returns how many there were."""
    stored = notebook.metadata.get("widgets", {}).get(_STATE, {}).get("state", {})
    count = 0
    for output in _outputs(notebook):
        view = output.get("data", {}).get(_VIEW)
        model = stored.get(view["model_id"]) if view else None
        if model is None:
            continue
        if model.get("model_module") == "anywidget":
            title = output["data"].get("text/plain", "widget")
            output["data"] = {"text/html": frame(model["state"], title, theme)}
            count += 1
        else:
            del output["data"][_VIEW]
    notebook.metadata.pop("widgets", None)
    return count


def frame(state: dict, title: str, theme: str = "light") -> str:
    """An iframe that holds the whole page of a widget, given the state that a notebook stores."""
    page = standalone_html(state["_esm"], state.get("_css", ""), state, title, scheme=theme)
    return _FRAME.format(title=html.escape(title), page=html.escape(page), scheme=theme)


def without_network(page: str) -> str:
    """The page without the scripts and style sheets that nbconvert would load from servers."""
    return _OUTSIDE.sub("", _MODULES.sub("", page))
