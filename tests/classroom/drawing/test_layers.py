"""Drawings of networks say what the networks are."""

import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex

from deeplab_lessons import backbones, models
from deeplab_lessons.classroom import drawing


def test_taps_and_holes(ax):
    drawing.show_taps(ax, [(3, 1), (3, 4)])
    blue = to_hex(drawing.COLOURS[0])
    dark = [(bar.get_x(), bar.get_y()) for bar in ax.patches if to_hex(bar.get_facecolor()) == blue]
    assert [(int(x), round(y + 0.4)) for x, y in dark] == [(0, 0), (1, 0), (2, 0), (0, 1), (4, 1), (8, 1)]
    assert len(ax.patches) == 3 + 9


@pytest.mark.parametrize("covers, step", [(9, 1), (12, 1), (13, 2), (25, 4)])
def test_cells_are_numbered_as_far_apart_as_numbers_need(ax, covers, step):
    """25 numbers next to each other read as one."""
    drawing.show_taps(ax, [(covers, 1)])
    assert [tick.get_text() for tick in ax.get_xticklabels()] == [
        str(cell) for cell in range(0, covers, step)
    ]
    assert ax.get_xticks().tolist() == [cell + 0.5 for cell in range(0, covers, step)]


def test_bars_are_the_maps_of_the_real_model(ax):
    with torch.device("meta"):
        model = models.deeplab_v1()
    drawing.draw_layers(ax, model, 320, "LargeFOV")
    heights = [bar.get_height() for bar in ax.patches]
    assert heights == [320] * 2 + [160] * 3 + [80] * 4 + [40] * 12
    names = [label.get_text() for label in ax.get_xticklabels()]
    assert (names[0], names[17], names[-1]) == ("conv1_1", "pool5", "fc8")
    written = [text.get_text() for text in ax.texts if text.get_text().startswith("d ")]
    assert written == ["d 2", "d 2", "d 2", "d 2", "d 12"]
    dilated = {
        n for n, bar in zip(names, ax.patches, strict=True) if to_hex(bar.get_facecolor()) == "#d55e00"
    }
    assert dilated == {"conv5_1", "conv5_2", "conv5_3", "pool5", "fc6"}
    assert [text.get_text() for text in ax.get_legend().get_texts()][-1] == "dilated"


def test_an_unedited_network_has_no_dilated_bar(ax):
    with torch.device("meta"):
        model = backbones.fully_convolutional(backbones.vgg16())
    drawing.draw_layers(ax, model, 224)
    assert [bar.get_height() for bar in ax.patches][-5:] == [14, 7, 1, 1, 1]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["convolution", "pool"]


def test_every_fourth_cell_is_framed(ax):
    drawing.show_every_fourth(ax, torch.rand(9, 8), 4, "map")
    corners = {(frame.get_x() + 0.5, frame.get_y() + 0.5) for frame in ax.patches}
    assert corners == {(x, y) for x in (0, 4) for y in (0, 4, 8)}


def test_a_map_over_an_image_has_its_first_and_last_tile_on_the_corner_pixels(ax):
    image = np.full((9, 17, 3), (200, 100, 60), np.uint8)
    shares = np.zeros((2, 3))
    shares[0, 0] = shares[1, 2] = 1
    drawing.show_over(ax, image, shares, "cat")
    shown = ax.images[0].get_array()
    tinted = (shown[..., 0] != shown[..., 2]).astype(int)  # elsewhere the image is grey
    assert shown.shape == image.shape and ax.get_title() == "cat"
    wanted = np.zeros((9, 17), int)
    wanted[:5, :5] = wanted[5:, 12:] = 1
    np.testing.assert_array_equal(tinted, wanted)
