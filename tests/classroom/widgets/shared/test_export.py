"""A stored notebook as one page whose widgets are alive: no kernel, no network, no silent gaps."""

import json

import nbformat
import pytest
from pages import FRAME

from deeplab_lessons.classroom.widgets.shared.export import export_html, put_frames

pytestmark = pytest.mark.slow  # a notebook is executed first


@pytest.fixture(scope="module")
def stored_notebook(tmp_path_factory):
    """A small notebook with both widgets, executed, as a lesson is stored."""
    from nbclient import NotebookClient

    cell = nbformat.v4.new_code_cell
    cells = [
        nbformat.v4.new_markdown_cell("# Alive\n\n$k' = k$"),
        cell(
            "from deeplab_lessons.classroom.widgets import ReceptiveFieldExplorer, SlidingKernel\n"
            "explorer = ReceptiveFieldExplorer('gridding-2-2-2')\nexplorer"
        ),
        cell("explorer.unit = [2, 3]"),
        cell("SlidingKernel(stride=2)"),
        cell("import ipywidgets\nipywidgets.IntSlider()"),
    ]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, kernel_name="python3", timeout=120).execute()
    path = tmp_path_factory.mktemp("exported") / "lesson.ipynb"
    nbformat.write(notebook, path)
    return path


@pytest.mark.browser
def test_an_exported_notebook_is_alive_without_kernel_and_network(show, stored_notebook):
    page = show(export_html(stored_notebook, stored_notebook.with_suffix(".html")))
    frames = page.locator("iframe.dl-frame")
    assert frames.count() == 2
    first = page.frame_locator("iframe.dl-frame >> nth=0")
    row, column = first.locator(".dl-unit-row"), first.locator(".dl-unit-column")
    first.locator("[data-fact=field]").get_by_text("13 × 13 px").wait_for()
    assert (row.input_value(), column.input_value()) == ("2", "3")  # the state that the notebook stored
    first.locator("canvas.dl-output").press("ArrowDown")
    page.evaluate(FRAME)
    assert row.input_value() == "3"
    first.get_by_label("dilation of conv3").fill("1")
    first.locator("[data-fact=field]").get_by_text("11 × 11 px").wait_for()
    heights = frames.evaluate_all(
        "(all) => all.map((f) => [f.clientHeight, f.contentDocument.body.scrollHeight])"
    )
    assert all(abs(shown - needed) < 40 for shown, needed in heights)  # no scroll bars inside


def test_a_notebook_without_stored_state_is_not_exported_silently(stored_notebook, tmp_path):
    notebook = nbformat.read(stored_notebook, as_version=4)
    del notebook.metadata["widgets"]
    nbformat.write(notebook, tmp_path / "bare.ipynb")
    with pytest.raises(ValueError, match=r"bare.ipynb shows widgets whose state is not stored"):
        export_html(tmp_path / "bare.ipynb", tmp_path / "bare.html")


def test_stored_outputs_have_a_stable_text(stored_notebook):
    notebook = nbformat.read(stored_notebook, as_version=4)
    texts = [
        o["data"]["text/plain"] for cell in notebook.cells for o in cell.get("outputs", []) if "data" in o
    ]
    assert texts[0] == "ReceptiveFieldExplorer(3 layers, unit [10, 10])"
    assert texts[1].startswith("SlidingKernel(input_size=12, kernel_size=3, stride=2")
    assert put_frames(notebook) == 2
    assert "widget-view" not in json.dumps(notebook)
