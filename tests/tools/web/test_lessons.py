"""What of a stored notebook's outputs a page shows."""

from nbformat.v4 import new_output
from web.lessons import snapshot, worth_showing


def html(text):
    return new_output("display_data", data={"text/html": text})


def test_warnings_and_unwritten_answers_are_left_out():
    assert worth_showing(new_output("stream", name="stdout", text="4"))
    assert not worth_showing(new_output("stream", name="stderr", text="4%"))
    assert worth_showing(html("<p>Not yet: its_name</p>")) and not worth_showing(html(""))
    assert not worth_showing(html("<p>Not attempted yet: its_name</p>"))


def test_a_snapshot_says_what_controls_were_set_to_and_leaves_progress_bars_out():
    def model(kind, **state):
        return {"model_name": f"{kind}Model", "state": state}

    models = {
        "box": model("VBox", children=["IPY_MODEL_choice", "IPY_MODEL_bar"]),
        "choice": model("Dropdown", description="image <1>", index=1, _options_labels=["cat", "dog & cat"]),
        "bar": model("HBox", children=["IPY_MODEL_text", "IPY_MODEL_progress"]),
        "text": model("HTML", value="100%"),
        "progress": model("FloatProgress", value=3.0),
    }
    assert snapshot("box", models) == ["<span>image &lt;1&gt; <b>dog &amp; cat</b></span> "]
    assert snapshot("bar", models) == [] and snapshot("text", models) == ["<div>100%</div>"]
