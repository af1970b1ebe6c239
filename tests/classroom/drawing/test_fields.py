"""What the figures of receptive fields must show, read back from the figures' own data."""

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgba

from deeplab_lessons import arithmetic
from deeplab_lessons.arithmetic import Layer
from deeplab_lessons.classroom import drawing, stacks
from deeplab_lessons.classroom.gradient_fields import EffectiveField


def test_a_box_is_drawn_around_its_pixels_not_through_them():
    _, ax = plt.subplots()
    drawing.show_box(ax, (2, 3, 4, 8), "red")
    for line in ax.lines:
        x, y = line.get_data()
        assert (min(x), max(x), min(y), max(y)) == (2.5, 8.5, 1.5, 4.5)


def test_every_view_is_the_part_of_the_picture_under_its_box():
    image = np.arange(20 * 30 * 3, dtype=np.uint8).reshape(20, 30, 3)
    boxes = {"small": (2, 3, 6, 9), "leaves the picture": (-4, -5, 40, 12)}
    fig = plt.figure()
    drawing.show_views(fig, image, boxes)
    photo, *views = [ax for part in fig.subfigs for ax in part.axes if ax.images]
    assert photo.get_xlim() == (-0.5, 29.5)
    assert [ax.get_title() for ax in views] == ["small: 5 px", "leaves the picture: 45 px"]
    np.testing.assert_array_equal(views[0].images[0].get_array(), image[2:7, 3:10])
    np.testing.assert_array_equal(views[1].images[0].get_array(), image[:20, :13])


def filled(ax, level):
    """Places of the coloured cells drawn in row `level`."""
    orange = to_rgba(drawing.COLOURS[4])
    found = set()
    for dots in ax.collections:
        colours = dots.get_facecolors()
        colours = np.repeat(colours, len(dots.get_offsets()) // len(colours), axis=0)
        pairs = zip(dots.get_offsets(), colours, strict=True)
        found |= {float(x) for (x, y), colour in pairs if y == level and tuple(colour) == orange}
    return found


@pytest.mark.parametrize(
    "layers",
    [
        stacks.plain(3),
        stacks.dilated(2, 2),
        [Layer(3, stride=2, padding=1), Layer(3)],
        [Layer(2, stride=2), Layer(3, dilation=2)],
    ],
)
@pytest.mark.parametrize("unit", [0, 1])
def test_a_drawn_stack_fills_exactly_the_pixels_that_paths_reach(layers, unit):
    _, ax = plt.subplots()
    drawing.show_stack(ax, layers, unit, 16)
    counts = stacks.path_counts(layers, unit, input_size=16)
    assert filled(ax, 0) == {float(pixel) for pixel, count in enumerate(counts) if count}
    top = arithmetic.receptive_fields(layers)[-1]
    assert filled(ax, len(layers)) == {top.start + unit * top.jump}


def test_counts_of_zero_are_hidden_and_the_others_are_shown():
    _, ax = plt.subplots()
    counts = stacks.path_counts(stacks.dilated(2, 2), 4, input_size=9)
    shown = drawing.show_counts(ax, np.outer(counts, counts)).get_array()
    assert shown.count() == 25
    assert shown.max() == 9


def test_units_are_dotted_at_the_centres_of_their_fields_and_one_field_is_outlined():
    _, ax = plt.subplots()
    image = np.zeros((224, 224, 3), dtype=np.uint8)
    field = arithmetic.receptive_fields(stacks.vgg16()[:-1], 224)[-1]
    drawing.show_units(ax, image, field, "title")
    dots, middle = (dots.get_offsets() for dots in ax.collections)
    assert {tuple(dot) for dot in dots} == {
        (15.5 + 32 * x, 15.5 + 32 * y) for x in range(7) for y in range(7)
    }
    np.testing.assert_array_equal(middle, [[111.5, 111.5]])
    assert (min(ax.lines[0].get_xdata()), max(ax.lines[0].get_xdata())) == (5.5, 217.5)  # 212 pixels
    drawing.show_units(ax, image, field, "title", unit=1)
    np.testing.assert_array_equal(ax.collections[-1].get_offsets(), [[47.5, 47.5]])


def test_what_is_not_reached_is_grey_and_what_is_reached_is_left_alone():
    _, ax = plt.subplots()
    reached = np.zeros((5, 6), dtype=bool)
    reached[1:3, 2:5] = True
    drawing.show_reached(ax, np.full((5, 6, 3), 80, dtype=np.uint8), reached, (1, 2, 2, 4), "pool4")
    shown = ax.images[0].get_array()
    assert ax.get_title() == "pool4"
    np.testing.assert_array_equal(shown[..., 0] == 80, reached)


def test_heat_keeps_its_place_when_averaged_over_blocks():
    _, ax = plt.subplots()
    heat = np.zeros((10, 9))
    heat[5, 6] = 1.0
    drawing.show_heat(ax, heat, {"can see": (1, 2, 7, 8)}, block=4)
    shown = ax.images[0]
    assert shown.get_array().shape == (2, 2)
    assert shown.get_array()[1, 1] == pytest.approx(0.25)
    assert list(shown.get_extent()) == [-0.5, 7.5, 7.5, -0.5]
    assert [text.get_text() for text in ax.texts] == ["can see"]


def test_a_profile_sums_the_energy_of_each_column_in_per_cent():
    _, ax = plt.subplots()
    bell = np.exp(-0.5 * ((np.arange(21) - 10) / 3) ** 2)
    found = EffectiveField(np.outer(bell, bell) / bell.sum() ** 2, "layer", (0, 0), 1)
    drawing.show_profiles(ax, [found, found], (0, 0, 20, 20))
    first, second, gaussian = (line.get_ydata() for line in ax.lines)
    assert first.sum() == second.sum() == pytest.approx(100)
    np.testing.assert_allclose(gaussian, first, atol=0.3)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["can see", "2 networks", "Gaussian"]


def test_what_one_unit_uses_is_shown_as_heat_and_as_columns():
    bell = np.exp(-0.5 * ((np.arange(21) - 10) / 3) ** 2)
    found = EffectiveField(np.outer(bell, bell) / bell.sum() ** 2, "layer", (0, 0), 1)
    fig = plt.figure()
    drawing.show_effective(fig, [found, found], (0, 0, 20, 20))
    heat, columns = fig.axes
    assert [text.get_text() for text in heat.texts] == ["can see", "95 % of the energy"]
    assert heat.get_title() and columns.get_title() and len(columns.lines) == 3


def test_a_field_without_edges_is_as_wide_as_the_image():
    _, ax = plt.subplots()
    drawing.show_widths(ax, {"1×1": 971, "dilation 12": 1163, "pooling": None}, 513, "How wide?")
    assert [bar.get_width() for bar in ax.patches] == [971, 1163, 513]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["1×1", "dilation 12", "pooling"]
    assert ax.texts[0].get_text().endswith(": 513") and ax.yaxis_inverted()


@pytest.mark.parametrize(
    ("layers", "factors"),
    [
        (
            stacks.vgg16(),
            {"conv1_1": "2 · 1 · 1", "conv5_1": "2 · 1 · 16", "pool5": "1 · 1 · 16", "fc6": "6 · 1 · 32"},
        ),
        (
            stacks.deeplab_v1(),
            {"conv1_1": "2 · 1 · 1", "conv5_1": "2 · 2 · 8", "pool5": "1 · 2 · 8", "fc6": "6 · 4 · 8"},
        ),
    ],
)
def test_growth_shows_every_field_and_the_factors_of_what_a_layer_adds(ax, layers, factors):
    drawing.show_growth(ax, layers, "VGG16")
    fields = arithmetic.receptive_fields(layers)
    bars = ax.patches  # of each layer first its field, then the pale part that the layer below saw
    assert [bar.get_width() for bar in bars[::2]] == [field.size for field in fields[1:]]
    assert [bar.get_width() for bar in bars[1::2]] == [field.size for field in fields[:-1]]
    assert all(bar.get_x() == -bar.get_width() / 2 for bar in bars)
    names = [label.get_text() for label in ax.get_yticklabels()]
    shown = dict(zip(names, [text.get_text() for text in ax.texts], strict=True))
    assert factors.items() <= shown.items()
    for name, text in shown.items():
        steps, dilation, jump = map(int, text.split(" · "))
        level = names.index(name) + 1
        assert steps * dilation * jump == fields[level].size - fields[level - 1].size
    colours = {text.get_text().split(" · ")[2]: text.get_color() for text in ax.texts}
    assert len(set(colours.values())) == len(colours), "a colour for each jump"


@pytest.mark.parametrize(("dilations", "holes"), [((2, 2, 2), 6), ((1, 2, 5), 0), ((4,), 6)])
def test_bars_are_the_paths_of_the_whole_window(dilations, holes):
    _, ax = plt.subplots()
    layers = stacks.dilated(*dilations)
    drawing.show_paths(ax, layers, "A stack")
    heights = [bar.get_height() for bar in ax.patches]
    window = arithmetic.receptive_fields(layers)[-1].size
    assert len(heights) == window and sum(heights) == 3 ** len(dilations)
    assert heights.count(0) == holes
    assert ax.get_title() == f"A stack:\n{window} pixels wide, {holes} holes"
    assert ax.patches[window // 2].get_x() + ax.patches[window // 2].get_width() / 2 == pytest.approx(0)
