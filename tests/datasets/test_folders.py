"""Folders of pictures and label maps, and CamVid's layout."""

import numpy as np
import pytest
from label_files import LABELS, open_folder, save_labels, save_picture

from deeplab_lessons import runtime
from deeplab_lessons.datasets import (
    CamVid,
    LabelMapFolder,
    PascalContext,
    PersonPart,
    class_frequencies,
)


def test_a_label_map_of_another_size_is_named_with_both_sizes(folder):
    save_labels(folder / "labels" / "one.png", LABELS[:, :7])
    with pytest.raises(ValueError, match=r"labels.one\.png is 7 x 6 .*images.one\.jpg is 8 x 6"):
        open_folder(folder)[0]


def test_names_choose_the_pairs_and_missing_ones_are_named(folder):
    save_picture(folder / "images" / "two.jpg"), save_labels(folder / "labels" / "two.png")
    assert len(open_folder(folder)) == 2
    (folder / "val.txt").write_text("two\n\n")
    assert [pair[1].name for pair in open_folder(folder, names=folder / "val.txt").files] == ["two.png"]
    with pytest.raises(FileNotFoundError, match=r"labels lacks 1 of 2 files: \['three'\]"):
        open_folder(folder, names=["two", "three"])
    (folder / "images" / "two.jpg").unlink()
    with pytest.raises(FileNotFoundError, match=r"images lacks 1 of 2 files: \['two'\]"):
        open_folder(folder)


@pytest.mark.parametrize(("make", "count"), [(PersonPart, 7), (PascalContext, 60)])
def test_person_part_and_context_are_label_map_folders(folder, make, count):
    (folder / "val.txt").write_text("one\n")
    data = make(folder, "val")
    assert len(data) == 1 and len(data.classes) == len(set(data.classes)) == count
    assert np.array_equal(data.pair(0)[1], LABELS)


def camvid(root, lines="train/a.png trainannot/a.png\n"):
    save_picture(root / "train" / "a.png")
    save_labels(root / "trainannot" / "a.png", np.minimum(LABELS, 11))
    (root / "train.txt").write_text(lines)
    return root


@pytest.mark.parametrize("start", ["", "/SegNet/CamVid/"])
def test_camvids_void_becomes_255_and_other_machines_paths_are_understood(tmp_path, start):
    data = CamVid(camvid(tmp_path, f"{start}train/a.png {start}trainannot/a.png\n"))
    assert np.array_equal(data.pair(0)[1], LABELS) and len(data.classes) == 11
    assert data.palette[3].tolist() == [128, 64, 128]


def test_a_folder_that_lacks_a_part_names_it(tmp_path):
    camvid(tmp_path)
    (tmp_path / "train.txt").unlink()
    with pytest.raises(FileNotFoundError, match=r"Expected the folder .* it lacks train\.txt"):
        CamVid(tmp_path)


def test_a_file_that_the_list_names_and_nobody_has(tmp_path):
    data = CamVid(camvid(tmp_path, "train/b.png trainannot/b.png\n"))
    with pytest.raises(FileNotFoundError, match=r"no .*b\.png, though the data set's list names it"):
        data[0]


@pytest.mark.skipif(
    not (runtime.data_dir() / "camvid" / "train.txt").is_file(), reason="no camvid in the data folder"
)
def test_camvid_as_it_lies_here():
    assert {split: len(CamVid(split=split)) for split in ("train", "val", "test")} == {
        "train": 367,
        "val": 101,
        "test": 233,
    }
    picture, labels = CamVid(split="test").pair(0)
    assert picture.shape == (360, 480, 3) and set(np.unique(labels)) <= {*range(11), 255}
    shares = class_frequencies(CamVid(split="val"), limit=20)
    assert shares["road"] > 0.2 and shares["bicyclist"] < 0.1


@pytest.mark.parametrize("ending", [".tif", ".tiff", ".gif", ".PNG"])
def test_label_maps_and_pictures_of_every_lossless_kind_are_found(folder, ending):
    (folder / "labels" / "one.png").unlink(), (folder / "images" / "one.jpg").unlink()
    save_labels(folder / "labels" / f"one{ending}"), save_picture(folder / "images" / f"one{ending}")
    data = open_folder(folder)
    assert len(data) == 1 and np.array_equal(data.pair(0)[1], LABELS) and (data.pair(0)[0] == 90).all()


def test_two_files_of_one_name_are_named_instead_of_chosen_from(folder):
    save_picture(folder / "images" / "one.png")
    with pytest.raises(ValueError, match=r"images holds both one\.jpg and one\.png: remove one"):
        open_folder(folder)


def test_one_folder_cannot_hold_both_pictures_and_label_maps(folder):
    for same in (folder / "labels", folder / "images" / ".." / "labels"):
        with pytest.raises(ValueError, match="images and labels must be two folders"):
            LabelMapFolder(folder / "labels", same, ("ground", "a", "b"))


@pytest.mark.parametrize("ids", [{0: 0, 1: 300}, {0: 3}, {0: -1}, {-1: 0}, {65536: 0}, {0: 1.5}])
def test_ids_that_lead_out_of_the_classes_or_from_no_number_are_refused(folder, ids):
    number, label = list(ids.items())[-1]
    with pytest.raises(ValueError, match=rf"ids must map 0-65535 to 0-2 or .*got {number}: {label}$"):
        open_folder(folder, ids=ids)


def test_classes_are_a_list_of_names(folder):
    with pytest.raises(ValueError, match=r"classes must be a list of names, got 'thing': pass \['thing'\]"):
        LabelMapFolder(folder / "images", folder / "labels", "thing")
