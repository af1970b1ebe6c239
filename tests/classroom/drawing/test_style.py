import base64
import io

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from PIL import Image

from deeplab_lessons import datasets
from deeplab_lessons.classroom import built_in, drawing


def test_built_in_classes_have_distinct_colours_and_void_is_white():
    palette = built_in.Embedded.palette
    used = palette[[*range(len(built_in.CLASSES)), 255]]
    assert len(np.unique(used, axis=0)) == len(built_in.CLASSES) + 1
    assert palette[255].tolist() == [255, 255, 255]


def test_figures_use_the_classes_colours():
    """One class, one colour: in lines and in label maps."""
    for label, colour in enumerate(drawing.CLASS_COLOURS):
        red, green, blue = built_in.Embedded.palette[label]
        assert matplotlib.colors.to_rgb(colour) == pytest.approx((red / 255, green / 255, blue / 255))


def test_line_colours_are_distinct():
    assert len(set(drawing.COLOURS)) == 8


def test_style_is_opaque_and_legible():
    drawing.use_style()
    assert plt.rcParams["figure.facecolor"] == "white"
    assert plt.rcParams["font.size"] >= 10
    assert plt.rcParams["figure.figsize"][0] == 8


def test_show_labels_draws_the_colours_of_the_palette():
    labels = np.array([[0, 1], [5, 255]], dtype=np.uint8)
    shown = drawing.show_labels(plt.figure().add_subplot(), labels, "title")
    assert np.array_equal(shown.get_array(), built_in.Embedded.palette[labels])
    assert shown.axes.get_title() == "title" and len(shown.axes.get_xticks()) == 0
    voc = drawing.show_labels(plt.figure().add_subplot(), labels, palette=datasets.voc_colours())
    assert np.array_equal(voc.get_array(), datasets.voc_colours()[labels])


def test_show_image_takes_grey_and_colour():
    grey = drawing.show_image(plt.figure().add_subplot(), np.arange(12).reshape(3, 4))
    assert grey.get_cmap().name == "gray"
    colour = np.zeros((3, 4, 3), np.uint8)
    assert drawing.show_image(plt.figure().add_subplot(), colour).get_array().shape == (3, 4, 3)


def test_panels_are_what_they_hold_and_have_titles_above_and_names_at_the_left():
    """Integers are labels, other numbers are maps, and these have one look."""
    labels, image = torch.tensor([[0, 1, 1], [5, 255, 1]], dtype=torch.uint8), np.full((2, 2, 3), 7, np.uint8)
    row = {"labels": labels, "image": image, "map": torch.ones(2, 2)}
    drawing.show_panels(row, row, names=("disc", "box"), words="two toys", clim=(-8, 8))
    axes = plt.gcf().axes
    assert [ax.get_title() for ax in axes] == ["labels", "image", "map", "", "", ""]
    assert [ax.get_ylabel() for ax in axes] == ["disc", "", "", "box", "", ""]
    first, second, third = (ax.images[0] for ax in axes[3:])
    assert (first.get_array() == drawing.colour_labels(labels)).all() and (second.get_array() == image).all()
    assert third.get_clim() == (-8, 8) and drawing.describe(plt.gcf()).startswith(
        "Two toys. Disc, labels: label map"
    )


def test_panels_have_their_palette_and_a_height_that_fits():
    drawing.show_panels({"voc": np.full((30, 40), 8)}, palette=datasets.voc_colours())
    figure = plt.gcf()
    assert figure.axes[0].images[0].get_array()[0, 0].tolist() == datasets.voc_colours()[8].tolist()
    assert figure.get_size_inches().tolist() == [8, pytest.approx(6.35)]


def test_a_photo_is_shown_as_jpeg_no_wider_than_a_page_and_with_its_words():
    """Photos of half a megabyte as PNG; what is smaller than the page keeps its size, so that letters stay sharp."""
    noise = np.random.default_rng(0).integers(0, 256, (300, 1000, 3), np.uint8)
    InteractiveShell.instance()
    try:
        with capture_output() as captured:
            drawing.show_photo(noise, "noise", width=500)
            drawing.show_photo(noise[:, :400], "less noise")
    finally:
        InteractiveShell.clear_instance()
    for shown, size, words in zip(
        captured.outputs, ((500, 150), (400, 300)), ("noise", "less noise"), strict=True
    ):
        assert shown.data["text/plain"] == words and shown.metadata == {"image/jpeg": {"alt": words}}
        image = Image.open(io.BytesIO(base64.b64decode(shown.data["image/jpeg"])))
        assert (image.format, image.size) == ("JPEG", size)


def test_rows_of_different_lengths_are_refused():
    with pytest.raises(ValueError):
        drawing.show_panels({"one": np.zeros((4, 4))}, {"one": np.zeros((4, 4)), "two": np.zeros((4, 4))})


def test_a_single_line_needs_no_legend_and_may_lie_over_words(ax):
    drawing.show_lines(ax, {"F": (["1", "4"], [3, 2])}, "t", "x", "y")
    assert ax.get_legend() is None and [tick.get_text() for tick in ax.get_xticklabels()] == ["1", "4"]


def test_lines_have_their_data_their_style_and_a_name_in_the_legend(ax):
    drawing.show_lines(
        ax, {"a": ([1, 2], [3, 4]), "b": ([0, 5], [1, 1])}, "t", "x", "y", ("-", "--"), ("red",)
    )
    first, second = ax.lines
    assert first.get_xydata().tolist() == [[1, 3], [2, 4]] and second.get_xydata().tolist() == [
        [0, 1],
        [5, 1],
    ]
    assert (first.get_linestyle(), second.get_linestyle()) == ("-", "--")
    assert first.get_color() == second.get_color() == "red"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b"]
    assert (ax.get_title(), ax.get_xlabel(), ax.get_ylabel()) == ("t", "x", "y")
