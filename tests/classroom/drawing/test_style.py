import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest

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
