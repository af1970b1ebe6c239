"""COCO's JSON, drawn by pycocotools where it is installed."""

import importlib.util
import json
import textwrap
from pathlib import Path

import numpy as np
import pytest
from label_files import save_picture
from PIL import Image

from deeplab_lessons.datasets import Coco, Folder, check

needed = pytest.mark.skipif(
    not importlib.util.find_spec("pycocotools"), reason="needs pycocotools: the extra coco"
)
CUP, SPOON = 3, 7
LEFT, TOP = [0, 0, 4, 0, 4, 6, 0, 6], [0, 0, 8, 0, 8, 3, 0, 3]


def annotations(root, *shapes):
    """One picture of 8 x 6 pixels; a shape is (category, polygon) or (category, uncompressed mask)."""
    save_picture(root / "images" / "one.jpg")
    drawn = [
        {"id": number, "image_id": 5, "category_id": category, "iscrowd": int(isinstance(shape, dict)), "area": 1,
         "segmentation": shape if isinstance(shape, dict) else [shape]}
        for number, (category, shape) in enumerate(shapes, start=1)
    ]  # fmt: skip
    content = {
        "images": [{"id": 5, "file_name": "one.jpg", "width": 8, "height": 6}],
        "categories": [{"id": SPOON, "name": "spoon"}, {"id": CUP, "name": "cup"}],
        "annotations": drawn,
    }
    (root / "coco.json").write_text(json.dumps(content))
    return root / "images", root / "coco.json"


@needed
def test_later_shapes_are_over_earlier_ones(tmp_path):
    data = Coco(*annotations(tmp_path, (CUP, LEFT), (SPOON, TOP)))
    assert data.classes == ("background", "cup", "spoon")
    expected = np.zeros((6, 8), np.uint8)
    expected[:, :4], expected[:3] = 1, 2
    assert np.array_equal(data.pair(0)[1], expected)
    report = check(data)
    assert not report.errors and "1 cup" in str(report) and "no class" not in str(report)


@needed
def test_label_maps_are_written_as_its_help_shows(tmp_path):
    coco = Coco(*annotations(tmp_path, (CUP, LEFT), (SPOON, TOP)))
    (labels := tmp_path / "labels").mkdir()
    loop = textwrap.dedent("    " + Coco.__doc__.partition("pass these classes:")[2].strip())
    exec(loop, {"coco": coco, "Image": Image, "Path": Path, "labels": labels})
    folder = Folder(tmp_path / "images", labels, coco.classes)
    assert np.array_equal(folder.pair(0)[1], coco.pair(0)[1]) and not check(folder).errors


@needed
def test_crowds_are_void(tmp_path):
    crowd = {"counts": [12, 36], "size": [6, 8]}  # by columns: two without, six with
    labels = Coco(*annotations(tmp_path, (CUP, crowd))).pair(0)[1]
    assert (labels[:, :2] == 0).all() and (labels[:, 2:] == 255).all()


@needed
def test_other_categories_are_what_is_asked_for(tmp_path):
    files = annotations(tmp_path, (CUP, LEFT), (SPOON, TOP))
    assert set(np.unique(Coco(*files, classes=("background", "cup")).pair(0)[1])) == {0, 1, 255}
    assert set(np.unique(Coco(*files, classes=("background", "cup"), others=0).pair(0)[1])) == {0, 1}
    assert set(np.unique(Coco(*files, classes=("cup",)).pair(0)[1])) == {0, 255}
    with pytest.raises(ValueError, match="unknown class 'fork': choose from cup, spoon"):
        Coco(*files, classes=("background", "fork"))


@pytest.mark.skipif(bool(importlib.util.find_spec("pycocotools")), reason="pycocotools is installed")
def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(ImportError, match=r"pip install 'deeplab-lessons\[coco\]'"):
        Coco(*annotations(tmp_path))
