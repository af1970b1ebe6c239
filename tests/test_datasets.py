"""The sets by their names, and what each says where it is missing."""

import re

import pytest
from label_files import save_labels, save_picture

import deeplab_lessons.classroom.built_in  # noqa: F401 - a set of the classroom's
from deeplab_lessons.classroom.papers_sets import SBD, Cityscapes, PascalContext, PersonPart
from deeplab_lessons.datasets import SETS, VOC, CamVid, named

FOLDERS = {
    CamVid: "camvid",
    VOC: "VOCdevkit",
    SBD: "sbd",
    Cityscapes: "cityscapes",
    PersonPart: "person-part",
    PascalContext: "pascal-context",
}


@pytest.mark.parametrize(
    ("make", "name"), FOLDERS.items(), ids=lambda value: getattr(value, "__name__", value)
)
def test_a_set_that_is_not_there_names_the_folder_and_asks_no_network(make, name, tmp_path, monkeypatch):
    monkeypatch.setenv("DEEPLAB_LESSONS_DATA", str(tmp_path / "nowhere"))
    monkeypatch.setattr("urllib.request.urlopen", None)
    with pytest.raises(FileNotFoundError) as told:
        make()
    assert str(tmp_path / "nowhere" / name) in str(told.value)
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("make", [CamVid, VOC, SBD, Cityscapes])
def test_an_unknown_split_of_a_real_set_is_answered_with_the_known_ones(make):
    with pytest.raises(ValueError, match="unknown split 'dev': choose from train, val"):
        make(split="dev")


@pytest.mark.parametrize("name", sorted(SETS.keys() - {"folder"}))
def test_every_set_is_found_by_its_name_or_says_where_it_looked(name, tmp_path, monkeypatch):
    monkeypatch.setenv("DEEPLAB_LESSONS_DATA", str(tmp_path))
    if name == "embedded":
        assert len(named(name, "train", count=3, size=32)) == 3
        assert named(name, count=3, size=32).split == "val"
    else:
        for split in ("train", None):
            with pytest.raises(FileNotFoundError, match=re.escape(str(tmp_path))):
                named(name, split)


def test_sbd_is_measured_on_vocs_val(monkeypatch):
    """SBD's own val holds pictures of trainaug."""
    asked = []
    monkeypatch.setitem(SETS, "sbd", (*SETS["sbd"][:3], lambda **options: asked.append(options) or []))
    assert named("sbd", root="somewhere") == [] and named("sbd", "val") == []
    assert [(options["root"], options["split"]) for options in asked] == [(None, "val")] * 2


def test_an_unknown_name_gets_the_list():
    with pytest.raises(ValueError, match="unknown data set 'kitti': choose from camvid, voc"):
        named("kitti")


@pytest.mark.parametrize("count", [0, -3])
def test_a_count_of_no_pairs_is_not_taken_for_all(count):
    with pytest.raises(ValueError, match=f"count must be at least 1, got {count}: pass None for all pairs"):
        named("embedded", count=count)


def test_a_folder_is_named_with_what_it_needs(tmp_path):
    for name in ("img_1", "img_2", "img_3", "img_4", "img_5"):
        save_picture(tmp_path / "images" / f"{name}.jpg"), save_labels(tmp_path / "labels" / f"{name}.png")
    what = {"images": tmp_path / "images", "labels": tmp_path / "labels", "classes": ("ground", "a", "b")}
    assert [len(named("folder", split, folder=what)) for split in ("train", "val", None, "all")] == [
        4,
        1,
        1,
        5,
    ]
    assert len(named("folder", "train", folder=what | {"val_share": 0.6}, count=3)) == 2
    for name, folder in (("folder", None), ("camvid", what)):
        with pytest.raises(ValueError, match=r"folder=\{'images'"):
            named(name, folder=folder)
