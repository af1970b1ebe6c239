"""Lesson 13's set: whole files, outlines inside their photographs, and no word about a licence missing."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deeplab_lessons.classroom import own_set
from deeplab_lessons.datasets import LabelMapFolder
from deeplab_lessons.datasets.polygons import read_labelme
from deeplab_lessons.metrics.label_maps import IGNORE_INDEX


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return own_set.write(tmp_path_factory.mktemp("own") / "my_photos")


@pytest.fixture(scope="module")
def pairs(folders):
    """By name: photograph and labels, as the library reads them."""
    images, labels = folders
    dataset = LabelMapFolder(images, labels, own_set.CLASSES)
    names = [path.relative_to(images).with_suffix("").as_posix() for path, _ in dataset.files]
    return {name: dataset.pair(index) for index, name in enumerate(names)}


def shapes(name):
    path = Path(own_set.__file__).parent / f"{Path(name).name}.json"
    return json.loads(path.read_text())["shapes"]


def test_every_photograph_is_read_with_its_labels(pairs):
    assert set(pairs) == set(own_set.PHOTOGRAPHS)
    for name, (picture, labels) in pairs.items():
        assert picture.shape[:2] == labels.shape and picture.std() > 10, name
        assert set(np.unique(labels)) <= {*range(len(own_set.CLASSES)), IGNORE_INDEX}, name


def test_no_outline_leaves_its_photograph_or_is_a_line(pairs):
    for name, (picture, _) in pairs.items():
        height, width = picture.shape[:2]
        for shape in shapes(name):
            points = np.array(shape["points"])
            assert (points >= 0).all() and (points <= (width - 1, height - 1)).all(), name
            assert len(points) >= 3 and (np.ptp(points, axis=0) >= 2).all(), name


def test_each_class_is_trained_on_and_measured_in_other_files(pairs):
    for split in ("train", "val"):
        seen = {int(c) for name in pairs if name.startswith(split) for c in np.unique(pairs[name][1])}
        assert set(range(len(own_set.CLASSES))) <= seen, split
    assert all(not shapes(name) for name in ("train/coffee", "train/rocket", "test/cat"))


def test_coins_lie_bright_on_dark(pairs):
    for name in (name for name in pairs if "coins" in name):
        picture, labels = pairs[name]
        assert len(shapes(name)) in (6, 7), name
        assert picture[labels == 2].mean() > picture[labels == 0].mean() + 40, name


def test_outlines_lie_on_edges(pairs):
    """The colours on both sides of an outline differ more than those of an outline moved by 8 pixels."""

    def contrast(picture, labels, shift):
        moved = np.roll(labels, shift, axis=1)[:, 16:-16]
        colours = picture[:, 16:-16].astype(float)
        step = np.abs(colours[:, 2:] - colours[:, :-2]).sum(2)
        edge = (moved[:, 1:] != moved[:, :-1])[:, :-1]
        return step[edge].mean()

    for name, (picture, labels) in pairs.items():
        if shapes(name):
            at_edge = contrast(picture, labels, 0)
            assert all(at_edge > 1.2 * contrast(picture, labels, shift) for shift in (-8, 8)), name


def test_motorcycles_keep_the_gap_between_their_forks(pairs):
    for name in ("train/motorcycle_1", "val/motorcycle_2"):
        words = [shape["label"] for shape in shapes(name)]
        assert words == ["motorcycle", "background"], name


def test_void_is_rare(pairs):
    void = {name: np.mean(labels == IGNORE_INDEX) for name, (_, labels) in pairs.items()}
    assert 0 < void["train/cameraman"] < 0.01 and sum(void.values()) == void["train/cameraman"]


def test_what_is_kept_apart_is_a_split_of_its_own(pairs):
    assert set(own_set.UNSEEN) == {name for name in pairs if name.startswith("test/")}
    assert all(not name.startswith("test/") for name in pairs if name not in own_set.UNSEEN)


def test_no_pixel_of_the_coins_is_in_two_photographs():
    taken = np.zeros((303, 384), int)
    for left, top, right, bottom in (p.part for p in own_set.PHOTOGRAPHS.values() if p.part):
        taken[top:bottom, left:right] += 1
    assert taken.max() == 1 and taken.mean() > 0.9


def test_every_photograph_says_whose_it_is():
    assert all(p.rights for p in own_set.PHOTOGRAPHS.values())


def test_files_are_those_of_the_packages_and_small(folders):
    images, labels = folders
    import skimage

    shipped = Path(skimage.__file__).parent / "data" / "rocket.jpg"
    assert (images / "train" / "rocket.jpg").read_bytes() == shipped.read_bytes()
    assert sum(path.stat().st_size for path in images.rglob("*.*")) < 4e6
    own = Path(own_set.__file__).parent.glob("*.json")
    assert sum(path.stat().st_size for path in own) < 60_000 and len(list(labels.rglob("*.json"))) == 12


def test_labelme_finds_the_photograph_of_each_file(folders):
    _, labels = folders
    for path in labels.rglob("*.json"):
        content = json.loads(path.read_text())
        with Image.open(path.parent / content["imagePath"]) as picture:
            assert picture.size == (content["imageWidth"], content["imageHeight"])
        assert read_labelme(path, own_set.CLASSES).shape[::-1] == picture.size


def test_it_is_written_once_and_says_so(tmp_path, capsys):
    own_set.write(tmp_path)
    assert "files written: 24\n" in capsys.readouterr().out
    (tmp_path / "images" / "val" / "officer.jpg").unlink()
    own_set.write(tmp_path)
    assert "files written: 1, 23 were there" in capsys.readouterr().out


@pytest.mark.parametrize("image", [True, False])
@pytest.mark.parametrize("other", ["labels/train/coffee.json", "images/train/coins_1.png"])
def test_what_is_somebody_elses_stays(tmp_path, other, image):
    path = tmp_path / other
    path.parent.mkdir(parents=True)
    path.write_bytes(b"mine")
    if image:
        Image.new("L", (3, 3)).save(path, "PNG")
    before = path.read_bytes()
    with pytest.raises(FileExistsError, match=r"nothing was written.*another folder"):
        own_set.write(tmp_path)
    assert path.read_bytes() == before and len([*tmp_path.rglob("*.*")]) == 1
