"""Figures in words: what is said of them, what is read off, and that a notebook gets it with the image."""

import inspect
import re
from pathlib import Path

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from matplotlib import pyplot as plt

from deeplab_lessons import datasets
from deeplab_lessons.classroom import drawing
from deeplab_lessons.classroom.drawing import describe, say, words

PHOTO = np.random.default_rng(0).integers(0, 255, (8, 8, 3), dtype=np.uint8)


def test_what_is_said_of_axes_follows_their_title_and_the_figure_s_words_come_first(ax):
    ax.set_title("Who is right?")
    say(ax, "nobody\n is")
    assert describe(ax.figure) == "Who is right? Nobody is."
    ax.set_title("Two lines:\n13 below $x_1$")
    say(ax.figure, "a cat")
    assert describe(ax.figure) == "A cat. Two lines, 13 below x_1: nobody is."


def test_a_panel_without_a_title_has_that_of_the_panel_above():
    """The second row of panels is drawn without titles; read aloud, each panel still says what it is."""
    maps = {"before": np.full((2, 2), 1), "after": np.full((2, 2), 2)}
    below = {"before": np.full((2, 2), 3), "after": np.full((2, 2), 4)}
    drawing.show_panels(maps, below, names=("one", "two"))
    assert describe(plt.gcf()) == (
        "One, before: label map with disc 100%. After: label map with box 100%. "
        "Two, before: label map with triangle 100%. After: label map with pole 100%."
    )


def test_lines_have_their_names_their_ends_and_what_is_highest_between(ax):
    lines = {
        "v1": ([1, 2, 4], [10, 30, 20]),
        "v2": ([1, 2, 4], [40, 40, 40]),
        "v3": ([1, 2, 4], [3, -2000, 4]),
    }
    drawing.show_lines(ax, lines, "How good?", "width (px)", "mIoU (%)")
    assert describe(ax.figure) == (
        "How good? mIoU (%) over width (px): v1 from 10 at 1 to 20 at 4, highest 30 at 2; v2 at 40; "
        "v3 from 3 at 1 to 4 at 4, lowest −2,000 at 2."
    )


def test_places_have_the_words_of_their_ticks(ax):
    ax.errorbar([-0.06, 0.94], [1, 2], [0.1, 0.1], label="v1")
    ax.bar([0, 1], [5, 4], label="bars")
    ax.set_xticks([0, 1], ["small", 100])
    assert describe(ax.figure) == "Values: v1 from 1 at small to 2 at 100; bars from 5 at small to 4 at 100."


def test_many_lines_are_told_by_their_names_and_range(ax):
    for number in range(9):
        ax.plot([0, 1], [number, 10], label=f"line {number}")
    assert "line 6 and line 7, from 0 to 10" in describe(ax.figure)


def test_only_what_has_the_colours_of_a_palette_is_a_label_map():
    figure, axes = plt.subplots(1, 4)
    drawing.show_labels(axes[0], [[1, 1], [1, 255]], "built-in")
    drawing.show_labels(axes[1], [[8, 0], [8, 8]], "VOC", datasets.voc_colours())
    drawing.show_image(axes[2], PHOTO, "left")
    drawing.show_image(axes[3], PHOTO, "right")
    assert describe(figure) == (
        "Built-in: label map with disc 75% and void 25%. VOC: label map with cat 75% and background 25%. "
        "Images: left; right."
    )


def test_maps_have_their_size_and_range_and_a_name_at_the_left(ax):
    drawing.show_image(ax, np.array([[0, 0.00012]]), "score")
    ax.set_ylabel("pole")
    assert describe(ax.figure) == "Pole, score: 1 × 2 values, from 0 to 0.00012."


def test_no_description_is_too_long_to_be_listened_to():
    figure, axes = plt.subplots(1, 30)
    for number, ax in enumerate(axes):
        say(ax, f"panel {number} of many, with much to say")
    text = describe(figure)
    assert len(text) <= words.LONGEST and text.endswith("…") and "Panel 13" in text


@pytest.mark.parametrize(
    "kind", ["empty", "polar", "3d", "pie", "dates", "hist", "masked", "words", "points", "invisible"]
)
def test_a_reader_s_own_figure_is_no_trouble(kind):
    figure = plt.figure()
    ax = figure.add_subplot(projection=kind if kind in ("polar", "3d") else None)
    if kind in ("polar", "3d"):
        ax.plot([0, 1, 2], [0, 1, 4])
    elif kind == "pie":
        ax.pie([1, 2], labels=["a", "b"])
    elif kind == "dates":
        ax.plot(np.array(["2020-01-01", "2021-01-01"], "datetime64[D]"), [1, np.nan])
    elif kind == "hist":
        ax.hist([1, 2, 2])
    elif kind == "masked":
        ax.imshow(np.ma.masked_all((2, 2)))
    elif kind == "words":
        ax.bar(["cat", "dog"], [1, 2])
        assert describe(figure) == "Values: from 1 at cat to 2 at dog."
    elif kind == "points":
        ax.scatter([1, 2, 3], [1, 2, 3])
        assert describe(figure) == "3 points."
    elif kind == "invisible":
        ax.set_visible(False)
    assert isinstance(describe(figure), str)
    plt.close(figure)


@pytest.fixture
def shell():
    """IPython as in a notebook's kernel."""
    yield InteractiveShell.instance()
    InteractiveShell.clear_instance()


def test_a_notebook_gets_the_words_with_the_image_and_the_image_as_before(shell, ax):
    from IPython.core.pylabtools import select_figure_formats

    ax.plot([0, 1], [2, 3])
    select_figure_formats(shell, {"png"})
    image, nothing = shell.display_formatter.format(ax.figure)
    drawing.use_style()
    drawing.use_style()
    select_figure_formats(shell, {"png"})  # as the inline backend does when it starts, which may be later
    again, told = shell.display_formatter.format(ax.figure)
    assert (again, nothing) == (image, {})
    assert told == {"image/png": {"alt": "Values: from 2 at 0 to 3 at 1."}}


def test_a_figure_that_cannot_be_told_is_shown_without_words(shell, ax, monkeypatch, capsys):
    drawing.use_style()
    ax.plot([0, 1], [2, 3])
    with monkeypatch.context() as patch:
        patch.setattr(words, "_panel", None)
        data, told = shell.display_formatter.format(ax.figure)
    assert "text/plain" in data and told == {} and capsys.readouterr() == ("", "")


def test_every_drawing_function_is_called_by_the_tests_of_this_folder():
    """After each of them, the fixture in conftest.py asks what its figure says."""
    tests = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    public = [getattr(drawing, name) for name in drawing.__all__]
    members = [
        (module, each) for module in filter(inspect.ismodule, public) for each in vars(module).values()
    ]
    public += [each for module, each in members if getattr(each, "__module__", "") == module.__name__]
    for function in filter(inspect.isfunction, public):
        takes_axes = {"ax", "axes", "fig"} & set(inspect.signature(function).parameters)
        if not function.__name__.startswith("_") and (takes_axes or "plt." in inspect.getsource(function)):
            assert re.search(rf"\b{function.__name__}\(", tests), f"{function.__module__}.{function.__name__}"
