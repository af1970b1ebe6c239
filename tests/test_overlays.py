"""Overlays: what stays as it was, colours that can be told apart, outlines that show, a legend with every name."""

import numpy as np
import pytest
from skimage.color import rgb2lab

from deeplab_lessons import datasets, overlays
from deeplab_lessons.overlays import bright, legend_of, overlay, with_legend

BLACK_AND_WHITE = [[0, 0, 0], [255, 255, 255]]
# Deuteranopia in linear RGB. Source: Machado, Oliveira and Fernandes, IEEE TVCG 2009, table 1 (severity 1).
DEUTERANOPIA = np.array(
    [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ]
)


def seen_without_green(colours):
    """What a deuteranope sees of sRGB colours in 0 ... 255."""
    part = colours / 255
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ DEUTERANOPIA.T, 0, 1)
    return 255 * np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055)


def least_distance(colours):
    """Between any two colours, in CIE Lab."""
    lab = rgb2lab(np.asarray(colours, float)[None] / 255)[0]
    apart = np.linalg.norm(lab[:, None] - lab, axis=-1)
    return apart[~np.eye(len(lab), dtype=bool)].min()


def a_square(size=60, label=1):
    """A grey photo, and labels that are 0 but for a square in the middle."""
    labels = np.zeros((size, size), np.uint8)
    labels[size // 4 : size // 2, size // 4 : size // 2] = label
    return np.full((size, size, 3), 90, np.uint8), labels


def test_the_first_colours_are_told_apart_also_without_green():
    drawn = bright(np.zeros((9, 3)))[1:]
    assert least_distance(drawn) > 45 and least_distance(seen_without_green(drawn)) > 20


@pytest.mark.parametrize(
    ("palette", "count", "apart"),
    [
        (datasets.voc_colours(), 21, 12),
        (datasets.CamVid.palette, 11, 18),
        (datasets.voc_colours(), 60, 8),
        (np.zeros((60, 3)), 60, 8),
    ],
)
def test_dark_and_grey_classes_become_bright_and_distinct(palette, count, apart):
    drawn = bright(palette)[:count]
    assert (drawn[1:].max(1) >= 200).all() and (np.ptp(drawn[1:].astype(int), axis=1) >= 80).all()
    assert least_distance(drawn) > apart


def test_bright_colours_and_what_is_no_class_stay():
    mine = np.array([[90, 90, 90], [255, 0, 0], [60, 0, 0], [0, 120, 255]])
    drawn = bright(mine)
    assert drawn.shape == (4, 3) and (drawn[[0, 1, 3]] == mine[[0, 1, 3]]).all()
    assert least_distance(drawn[1:]) > 30, "a new colour is unlike those that stay"
    assert (bright(datasets.CamVid.palette)[11:] == 0).all(), "void stays black"
    assert (bright(datasets.voc_colours())[[0, 255]] == [[0, 0, 0], [224, 224, 192]]).all()
    full = overlays.padded(BLACK_AND_WHITE)
    assert (bright(full)[:2] == bright(BLACK_AND_WHITE)).all() and (bright(full)[2:] == 255).all()
    assert np.ptp(bright(BLACK_AND_WHITE)[1].astype(int)) >= 80, "a white class would look like fog"


def test_a_replacement_keeps_the_hue():
    dark = np.array([[0, 0, 0], [120, 0, 0], [0, 100, 0], [0, 0, 128]])
    assert bright(dark)[1:].argmax(1).tolist() == [0, 1, 2]


def test_the_background_stays_as_it_was_and_void_has_its_colour():
    picture, labels = a_square()
    labels[-6:] = 255
    drawn = overlay(picture, labels, [[0, 0, 0], [255, 0, 0]], background=0, outlines=False)
    assert (drawn[labels == 0] == 90).all() and (drawn[labels == 255] == 36 + 153).all()
    assert (drawn[labels == 1] == [36 + 153, 36, 36]).all()
    darker = overlay(picture, labels, [[0, 0, 0], [255, 0, 0]], outlines=False)
    assert (darker[labels == 0] == 36).all()


@pytest.mark.parametrize("opacity", np.linspace(0, 1, 41))
def test_opacity_mixes_without_overflow(opacity):
    levels = np.arange(256, dtype=np.uint8)
    picture, labels = np.repeat(levels[:, None, None], 256, 1).repeat(3, 2), np.repeat(levels[None], 256, 0)
    palette = levels[:, None].repeat(3, 1)
    drawn = overlay(picture, labels, palette, opacity, outlines=False, bright=False).astype(float)
    exact = (1 - opacity) * picture + opacity * palette[labels]
    assert np.abs(drawn - exact).max() <= 1.5
    if opacity in (0, 1):
        assert (drawn == exact).all()


def test_without_opacity_the_picture_comes_back():
    picture, labels = a_square()
    drawn = overlay(picture, labels, BLACK_AND_WHITE, 0)
    assert (drawn == picture).all() and not np.shares_memory(drawn, picture)


@pytest.mark.parametrize(("size", "width"), [(16, 1), (512, 1), (1600, 2), (4000, 4)])
def test_outlines_are_dark_and_bright_and_grow_with_the_picture(size, width):
    picture, labels = a_square(size)
    drawn = overlay(picture, labels, [[0, 0, 0], [255, 0, 0]], background=0)
    row = drawn[size * 3 // 8]
    assert ((row == 0).all(1)).sum() == 2 * width, "a dark line at each side of the square"
    full = (row == [255, 0, 0]).all(1)
    assert full.sum() == 3 * width
    assert not (full & (labels[size * 3 // 8] == 0)).any(), "the rim is inside, the background free"


def test_a_picture_of_one_class_or_one_pixel_has_no_outline():
    for shape in ((1, 1), (1, 7), (9, 9)):
        picture = np.full((*shape, 3), 90, np.uint8)
        assert (overlay(picture, np.zeros(shape, np.uint8), BLACK_AND_WHITE, background=0) == picture).all()


def test_wrong_sizes_and_opacities_are_named():
    picture, labels = a_square()
    with pytest.raises(ValueError, match=r"labels must be \[60, 60\], as the picture, got \[60, 59\]"):
        overlay(picture, labels[:, 1:], BLACK_AND_WHITE)
    with pytest.raises(ValueError, match=r"opacity must be from 0 .* got 1\.5"):
        overlay(picture, labels, BLACK_AND_WHITE, 1.5)


def test_the_background_is_known_by_its_name():
    assert overlays.background_of(("Background", "cup")) == overlays.background_of(["unlabelled"]) == 0
    assert overlays.background_of(("sky", "background")) is overlays.background_of(()) is None


def test_the_legend_names_what_is_there_with_its_fraction():
    labels = np.zeros((100, 100), np.uint8)
    labels[:30], labels[-1, :50], labels[-1, 50:53] = 2, 1, 255
    colours = bright([[0, 0, 0], [255, 0, 0], [0, 0, 255]])
    (first, none), (second, blue), (third, red), (void, white) = legend_of(
        labels, ("background", "cup", "spoon"), colours, background=0
    )
    assert [text.split() for text in (first, second, third, void)] == [
        ["background", "69%"],
        ["spoon", "30%"],
        ["cup", "0.5%"],
        ["void", "<0.1%"],
    ]
    assert (
        none is None and list(blue) == [0, 0, 255] and list(red) == [255, 0, 0] and list(white) == [255] * 3
    )


@pytest.mark.parametrize("size", [8, 64, 500, 3000])
def test_the_legend_is_under_the_picture_and_complete(size):
    picture, red = np.full((size, size, 3), 90, np.uint8), (255, 0, 0)
    names = [("pottedplant 12%", red), ("a class with a long name 3%", (0, 0, 255)), ("x", None)]
    page = with_legend(picture, names)
    assert (page[:size, :size] == picture).all() and page.shape[0] > size and page.shape[1] >= size
    assert (page[:, -2:][size:] == 255).all(), "no letter reaches the border"
    below = page[size:]
    for colour in (red, (0, 0, 255)):
        assert (below == colour).all(2).sum() >= 81
    assert with_legend(picture, []) is picture


def test_letters_of_other_languages_are_drawn_or_named():
    picture = np.zeros((50, 400, 3), np.uint8)
    plain, other = (with_legend(picture, [(name, (255, 0, 0))]) for name in ("Loffel", "Löffel"))
    assert plain.shape != other.shape or (plain != other).any()
    with pytest.warns(UserWarning, match="no font here has \ue123: the legend lacks them"):
        with_legend(picture, [("cup \ue123", (255, 0, 0))])
