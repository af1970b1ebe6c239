"""Whole groups of pictures to train on and to measure on."""

import re

import pytest
from label_files import save_labels, save_picture

from deeplab_lessons.datasets import Folder
from deeplab_lessons.datasets.splits import groups, sides


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["street_0012", "street_0013", "park_1"], ["street_", "street_", "park_"]),
        (["IMG_0001", "IMG_0002"], ["IMG_0001", "IMG_0002"]),
        (["20260712_153012", "20260712_160000", "20260713_080000"], ["20260712_"] * 2 + ["20260713_"]),
        (["PXL_20260712_153012345.MP", "PXL_20260713_1.MP"], ["PXL_20260712_", "PXL_20260713_"]),
        (["ulm/a_1", "ulm/b_1", "bonn/a_1"], ["ulm/", "ulm/", "bonn/"]),
        (["ulm/a_1", "ulm/b_1"], ["a_", "b_"]),
        (["clips/one/1", "clips/two/1", "img_1"], ["clips/one/", "clips/two/", "img_"]),
        (["001", "002"], ["001", "002"]),
        (["cat", "coffee"], ["cat", "coffee"]),
    ],
)
def test_what_belongs_together_by_its_name(names, expected):
    assert groups(names) == expected


@pytest.mark.parametrize(
    ("names", "clip"),
    [
        ([f"clip{c}/{side}/{n}" for c in "abc" for side in ("left", "right") for n in range(3)], r"clip."),
        ([f"{side}/clip{c}/{n}" for c in "abc" for side in ("Left", "Right") for n in range(3)], r"clip."),
        ([f"day{day}/cam{c}/{n}" for day in (1, 2) for c in (0, 1) for n in range(3)], r"day\d"),
        ([f"patient{p}/study{s}/{n}" for p in range(3) for s in (1, 2) for n in range(2)], r"patient\d"),
        ([f"{side}/{n:03}" for side in ("left", "right") for n in range(5)], r"\d+"),
        ([f"{side}_{n}" for side in ("left", "right") for n in range(5)], r"\d+"),
        ([f"{n}_{side}" for side in ("left", "right") for n in range(5)], r"\d+"),
        ([f"IMG_{n:04}{made}" for n in range(5) for made in ("", "_flip", "_rot90", "(1)")], r"IMG_\d+"),
        ([f"scene{n}_{x}_{y}" for n in range(3) for x in (0, 256) for y in (0, 256)], r"scene\d"),
        ([f"P{n:04}__1__{x}___{y}" for n in range(3) for x in (0, 256) for y in (0, 256)], r"P\d+"),
    ],
)
def test_cameras_tiles_and_copies_of_one_scene_are_on_one_side(names, clip):
    for share in (0.1, 0.2, 0.5):
        both = {
            (re.search(clip, name)[0], side) for name, side in zip(names, sides(names, share), strict=True)
        }
        assert len(both) == len({scene for scene, _ in both}) > 1 and len({side for _, side in both}) == 2


@pytest.mark.parametrize(
    "names", [["left", "right"], ["a/left", "a/right"], ["left", "right", "cat"], ["right_1"]]
)
def test_words_that_are_all_of_a_name_are_names(names):
    assert len(groups(names)) == len(names) and all(groups(names))


def test_a_group_of_nearly_all_images_is_parted_further():
    assert len(set(groups([*(f"day{n // 10}_{n}" for n in range(50)), "cat"]))) == 6
    assert len(set(groups([*(f"all/day{n // 10}/{n}" for n in range(50)), "more/a/1"]))) == 6


def test_no_group_is_on_both_sides_and_the_fraction_is_met():
    names = [f"clip{clip}_{frame:03}" for clip in "abcdefghij" for frame in range(10)]
    found = sides(names, 0.2)
    both = {side: {name[:5] for name, s in zip(names, found, strict=True) if s == side} for side in found}
    assert both.keys() == {"train", "val"} and not both["train"] & both["val"] and len(both["val"]) == 2
    assert sides(names[::-1], 0.2) == found[::-1]  # by names, not by order


def test_the_same_pictures_are_drawn_on_every_machine():
    names = [f"IMG_{number:04}" for number in range(12)]
    val = [name for name, side in zip(names, sides(names), strict=True) if side == "val"]
    assert val == ["IMG_0000", "IMG_0007"]
    assert sides(["caf\u00e9", "b", "c"]) == sides(["cafe\u0301", "b", "c"])  # as macOS writes it


def test_groups_larger_than_the_fraction_leave_the_smallest():
    names = [f"a_{n}" for n in range(10)] + [f"b_{n}" for n in range(6)]
    assert sides(names, 0.2).count("val") == 6


def test_one_group_more_is_taken_where_that_is_nearer_to_the_fraction():
    names = [
        f"{year}_{n}" for year, count in (("a", 100), ("b", 60), ("c", 5), ("d", 85)) for n in range(count)
    ]
    assert sides(names, 0.2).count("val") == 65  # 50 are wanted, and 5 is the only group that fits


def test_pictures_sorted_into_train_and_val_stay_there():
    names = ["train/a", "valid/b", "train/c", "test/d"]
    assert sides(names) == ["train", "val", "train", "test"]
    assert set(sides(["train/a", "other/b", "val/c"])) == {"train", "val"}


@pytest.mark.parametrize("share", [0, 1, -0.1, 20, float("nan")])
def test_a_fraction_that_is_none_is_refused(share):
    with pytest.raises(ValueError, match="val_share must be between 0 and 1, got"):
        sides(["a", "b"], share)


def test_one_picture_cannot_be_split():
    with pytest.raises(ValueError, match=r"1 image cannot be split .*: add more"):
        sides(["a"])


def test_a_folder_is_split(tmp_path):
    for name in ("ulm/a", "ulm/b", "bonn/c", "jena/d"):
        save_picture(tmp_path / "images" / f"{name}.jpg"), save_labels(tmp_path / "labels" / f"{name}.png")
    train, val, whole = (
        Folder(tmp_path / "images", tmp_path / "labels", ("x", "y", "z"), split=split, val_share=0.25)
        for split in ("train", "val", None)
    )
    assert sorted(train.names() + val.names()) == whole.names() == ["bonn/c", "jena/d", "ulm/a", "ulm/b"]
    assert len(val) == 1 and len(train) == 3
    with pytest.raises(ValueError, match="in the split 'test': put some into a folder called test"):
        Folder(tmp_path / "images", tmp_path / "labels", ("x", "y", "z"), split="test")
    with pytest.raises(ValueError, match="unknown split 'dev': choose from train, val, test, None"):
        Folder(tmp_path / "images", tmp_path / "labels", ("x", "y", "z"), split="dev")
    save_picture(tmp_path / "images" / "test/e.jpg"), save_labels(tmp_path / "labels" / "test/e.png")
    test = Folder(tmp_path / "images", tmp_path / "labels", ("x", "y", "z"), split="test")
    assert test.names() == ["test/e"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["training/a", "validation/b", "testing/c"], ["train", "val", "test"]),
        (["train/a", "train/b", "val/c", "stray"], ["train", "train", "val", "train"]),
        (["images/train/ulm/a", "images/val/ulm/b"], ["train", "val"]),
        (["train2017/a", "train2017/b", "val2017/c"], ["train", "train", "val"]),
        ([*(f"train/{n}" for n in "abcd"), "test/e"], None),
    ],
)
def test_folders_that_are_a_split_are_kept_and_test_is_never_trained_on(names, expected):
    found = sides(names)
    assert found == expected or (found[-1] == "test" and {*found[:-1]} == {"train", "val"})


@pytest.mark.parametrize(
    "names",
    [
        [
            f"{town}_{clip:06}_{frame:06}_leftImg8bit"
            for town, clip in (("ulm", 0), ("bonn", 1))
            for frame in range(3)
        ],
        [f"{walk}_{frame:04}_1920x1080" for walk in ("park", "shore") for frame in range(3)],
        [f"{photo}_jpg.rf.{number:032x}" for photo in ("cup", "spoon") for number in range(3)],
    ],
)
def test_numbers_that_are_no_frame_do_not_part_a_clip(names):
    assert len(set(groups(names)[:3])) == 1 and len(set(groups(names))) == 2


def test_a_copy_stays_with_its_original_and_numbers_in_brackets_may_be_all_there_is():
    found = groups(["IMG_1", "IMG_2", "IMG_3", "IMG_3 (1)"])
    assert found[2] == found[3] and len(set(found)) == 3
    assert len(set(groups([f"photo ({n})" for n in range(1, 4)]))) == 3


@pytest.mark.parametrize("count", [2, 4])
def test_a_large_fraction_leaves_something_to_train_on(count):
    assert "train" in sides([f"IMG_{n}" for n in range(count)], 0.9)
