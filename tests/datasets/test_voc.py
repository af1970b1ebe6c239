"""PASCAL VOC in the layout of its makers, and where it is looked for."""

import numpy as np
import pytest
from label_files import LABELS, save_labels, save_picture, save_voc
from PIL import Image

from deeplab_lessons import datasets, runtime
from deeplab_lessons.datasets import VOC, Folder, transforms, voc_colours


def test_voc_is_found_and_read(tmp_path, monkeypatch):
    monkeypatch.setenv("DEEPLAB_LESSONS_DATA", str(save_voc(tmp_path)))
    assert [len(VOC(split=split)) for split in ("train", "val", "trainval")] == [2, 1, 3]
    data = VOC(tmp_path, "val")
    assert (
        np.array_equal(data.pair(0)[1], LABELS) and data.classes[15] == "person" and len(data.classes) == 21
    )


def test_a_set_that_has_no_name_here_is_a_folder(tmp_path):
    """Oxford-IIIT Pet as torchvision unpacks it: its lines in data/README.md."""
    save_picture(tmp_path / "images" / "Bengal_1.jpg")
    save_labels(
        tmp_path / "annotations" / "trimaps" / "Bengal_1.png", np.array([[1, 2, 3, 2] * 2] * 6, np.uint8)
    )
    (tmp_path / "annotations" / "trimaps" / "._Bengal_1.png").write_bytes(b"macOS")
    images, trimaps = tmp_path / "images", tmp_path / "annotations" / "trimaps"
    data = Folder(images, trimaps, ("background", "pet"), ids={1: 1, 2: 0, 3: 255})
    assert len(data) == 1 and data.pair(0)[1][0, :4].tolist() == [1, 0, 255, 0]


def make_voc(root, maps):
    folder = root / "VOCdevkit" / "VOC2012"
    for part in ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation"):
        (folder / part).mkdir(parents=True)
    for name, labels in maps.items():
        Image.fromarray(np.zeros((*labels.shape, 3), np.uint8)).save(folder / "JPEGImages" / f"{name}.jpg")
        coloured = Image.fromarray(labels).convert("P")
        coloured.frombytes(labels.tobytes())
        coloured.putpalette(voc_colours().ravel().tolist())
        coloured.save(folder / "SegmentationClass" / f"{name}.png")
    (folder / "ImageSets/Segmentation/val.txt").write_text("\n".join(maps) + "\n")


@pytest.mark.parametrize("between", ["", "my-voc"])
def test_voc_is_found_and_read_as_indices(tmp_path, monkeypatch, between):
    monkeypatch.setenv("DEEPLAB_LESSONS_DATA", str(tmp_path))
    maps = {f"2007_{i}": np.array([[0, 20, 255], [15, i, 1]], np.uint8) for i in range(3)}
    make_voc(tmp_path / between, maps)
    assert datasets.find_voc() == tmp_path / between
    voc = datasets.VOC(split="val")
    assert len(voc) == 3
    assert all(np.array_equal(voc.labels(i), want) for i, want in enumerate(maps.values()))


@pytest.mark.parametrize("there", ["nothing", "an empty folder", "half of it"])
def test_missing_voc_names_the_folder(tmp_path, monkeypatch, there):
    home = tmp_path / "data"
    monkeypatch.setenv("DEEPLAB_LESSONS_DATA", str(home))
    if there != "nothing":
        home.mkdir()
    if there == "half of it":
        (home / "VOCdevkit" / "VOC2012" / "JPEGImages").mkdir(parents=True)
    assert datasets.find_voc() is None
    with pytest.raises(FileNotFoundError, match=r"VOC2012.*SegmentationClass.*DEEPLAB_LESSONS_DATA"):
        datasets.VOC(split="val")


def test_real_voc_maps_hold_classes_and_void():
    if datasets.find_voc() is None:
        pytest.skip(f"no PASCAL VOC 2012 under {runtime.data_dir()}")
    voc = datasets.VOC(split="val")
    maps = [voc.labels(index) for index in range(min(25, len(voc)))]
    assert maps and all(labels.ndim == 2 and labels.dtype == np.uint8 for labels in maps)
    values = set(np.unique(np.concatenate([labels.ravel() for labels in maps])).tolist())
    assert values <= {*range(21), 255} and {0, 255} <= values


@pytest.mark.skipif(datasets.find_voc() is None, reason="no PASCAL VOC in the data folder")
def test_voc_as_it_lies_here():
    data = VOC(split="val", transforms=transforms.train(65))
    image, mask = data[0]
    assert image.shape == (3, 65, 65) and set(mask.unique().tolist()) <= {*range(21), 255}
