"""A sheet of overlays: what one looks at before a training."""

import numpy as np
import pytest
from label_files import save_labels, save_picture

from deeplab_lessons import overlays
from deeplab_lessons.datasets import Embedded, Folder, sheet

HALF = np.repeat(np.array([[0, 1]], np.uint8), 20, 1).repeat(30, 0)


def folder_of(root, count):
    for number in range(count):
        save_picture(root / "images" / f"{number:02}.png", np.full((30, 40, 3), 90, np.uint8))
        save_labels(root / "labels" / f"{number:02}.png", HALF)
    return Folder(root / "images", root / "labels", ("background", "thing"))


def test_a_sheet_shows_pictures_in_colour_their_names_and_a_legend(tmp_path):
    data = folder_of(tmp_path, 3)
    found, colour = sheet(data), overlays.bright(data.palette)[1]
    assert found.dtype == np.uint8 and found.shape[2] == 3
    left, right = found[200, 80], found[200, 240]  # background as it was, and the class over it
    assert left.tolist() == [90, 90, 90]
    assert np.abs(right - (0.4 * 90 + 0.6 * colour)).max() < 2
    assert (found == colour).all(-1).any()  # in the legend
    assert (found[322:340, :60] < 128).any()  # a name
    assert len(sheet(data)) > len(sheet(data, count=1))


def test_the_pairs_are_spread_over_the_set(tmp_path, monkeypatch):
    data, asked = folder_of(tmp_path, 9), []
    real = data.pair
    monkeypatch.setattr(data, "pair", lambda index: asked.append(index) or real(index))
    sheet(data, count=3)
    assert asked == [0, 4, 8]


def test_a_pair_that_cannot_be_read_is_on_the_sheet(tmp_path):
    data = folder_of(tmp_path, 2)
    whole = sheet(data)
    for path in (tmp_path / "labels").iterdir():
        path.write_bytes(b"")
    found = sheet(data)
    assert (
        not (found[:320, 160] == 90).any()
        and (found[322:340] < 128).any()
        and not np.array_equal(found, whole)
    )


def test_scenes_have_a_sheet_and_an_empty_set_has_none():
    assert sheet(Embedded("train", 5, size=32)).shape[1] == 3 * 328
    with pytest.raises(ValueError, match="a sheet shows at least 1 pair, got 0 pairs and count=12"):
        sheet(Embedded("train", 0))
