"""What of a stored notebook's outputs a page shows."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from web.lessons import prepared, view, worth_showing


def html(text):
    return new_output("display_data", data={"text/html": text})


def test_warnings_and_unwritten_answers_are_left_out():
    assert worth_showing(new_output("stream", name="stdout", text="4"))
    assert not worth_showing(new_output("stream", name="stderr", text="4%"))
    assert worth_showing(html("<p>Not yet: its_name</p>")) and not worth_showing(html(""))
    assert not worth_showing(html("<p>Not attempted yet: its_name</p>"))


def test_progress_bars_are_left_out_and_controls_of_ipywidgets_refused():
    models = {
        "bar": {"model_name": "HBoxModel", "state": {"children": ["IPY_MODEL_text", "IPY_MODEL_progress"]}},
        "text": {"model_name": "HTMLModel", "state": {"value": "100%"}},
        "progress": {"model_name": "FloatProgressModel", "state": {"value": 3.0}},
        "list": {"model_name": "DropdownModel", "state": {}},
    }
    models = {name: {"model_module": "@jupyter-widgets/controls", **model} for name, model in models.items()}
    assert view("bar", models, "100%") == ""
    with pytest.raises(ValueError, match="this is a DropdownModel: a list"):
        view("list", models, "a list")


def test_photos_are_figures_with_their_words(tmp_path):
    photo = new_output(
        "display_data", data={"image/jpeg": "AAAA"}, metadata={"image/jpeg": {"alt": "a cat & a dog"}}
    )
    code = new_code_cell("print(1)", outputs=[photo], execution_count=1)
    nbformat.write(new_notebook(cells=[code]), tmp_path / "20_photos.ipynb")
    (cell,) = prepared(tmp_path / "20_photos.ipynb", tmp_path).cells
    assert 'src="../figures/20-000-0.jpeg" alt="a cat &amp; a dog"' in cell.outputs[0].data["text/html"]
    assert (tmp_path / "20-000-0.jpeg").read_bytes() == bytes(3)
