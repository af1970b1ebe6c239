"""Polygons of labelme as label maps."""

import json

import numpy as np
import pytest
from label_files import save_picture

from deeplab_lessons.datasets import Folder
from deeplab_lessons.datasets.polygons import read_labelme

SQUARE = [[1, 1], [3, 1], [3, 3], [1, 3]]


@pytest.fixture
def drawn(tmp_path):
    """Write shapes (word, kind, points) as labelme does, for a picture of 8 x 6 pixels, and return the file."""

    def write(*shapes, **more):
        content = {"imageWidth": 8, "imageHeight": 6, "imagePath": "one.jpg", "imageData": None}
        content["shapes"] = [{"label": w, "shape_type": k, "points": p} for w, k, p in shapes]
        path = tmp_path / "labels" / "one.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content | more))
        return path

    return write


def test_what_no_polygon_covers_is_background_or_void(drawn):
    path = drawn(("cup", "polygon", SQUARE))
    labels = read_labelme(path, ("background", "cup"))
    assert labels.shape == (6, 8) and labels.dtype == np.uint8
    assert (labels == 1).sum() == 9 and (labels[1:4, 1:4] == 1).all() and (labels == 0).sum() == 39
    assert (read_labelme(path, ("Background", "cup")) == labels).all()
    assert (read_labelme(path, ("cup", "spoon"))[0] == 255).all()


def test_later_shapes_are_drawn_over_earlier_ones(drawn):
    path = drawn(
        ("cup", "polygon", SQUARE),
        ("_background_", "rectangle", [[3, 3], [2, 2]]),
        ("__ignore__", "circle", [[6, 4], [7, 4]]),
    )
    labels = read_labelme(path, ("background", "cup"))
    assert labels[2, 2] == 0 and labels[1, 1] == 1 and labels[4, 6] == 255 and labels[0, 0] == 0


@pytest.mark.parametrize(
    ("shapes", "more", "words"),
    [
        (
            [("mug", "polygon", SQUARE)],
            {},
            r"one\.json has shapes called mug, but the classes are background, cup",
        ),
        (
            [("cup", "line", SQUARE[:2])],
            {},
            r"one\.json has a line of 2 points, which covers no pixels: draw a polygon",
        ),
        ([("cup", "polygon", SQUARE[:2])], {}, r"a polygon of 2 points"),
        ([], {"shapes": None}, r"one\.json is not a file of labelme \(TypeError"),
        ([], {"imageWidth": None}, r"one\.json is not a file of labelme \(TypeError"),
    ],
)
def test_shapes_that_cannot_be_labels_are_refused_with_their_file(drawn, shapes, more, words):
    with pytest.raises(ValueError, match=words):
        read_labelme(drawn(*shapes, **more), ("background", "cup"))


def test_a_json_file_of_another_program_is_named(drawn):
    path = drawn()
    for content in (b"{}", b"[1]", b"not json", b"\xff"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"one\.json is not a file of labelme"):
            read_labelme(path, ("background", "cup"))


def test_a_folder_of_polygons_is_a_data_set(drawn, tmp_path):
    drawn(("a", "polygon", SQUARE), ("b", "polygon", [[5, 0], [7, 0], [7, 2]]))
    save_picture(tmp_path / "images" / "one.jpg")
    data = Folder(tmp_path / "images", tmp_path / "labels", ("background", "a", "b"))
    picture, labels = data.pair(0)
    assert picture.shape == (6, 8, 3) and set(np.unique(labels)) == {0, 1, 2}
    with pytest.raises(ValueError, match="shapes called a, b"):
        Folder(tmp_path / "images", tmp_path / "labels", ("background", "x")).pair(0)
