"""Folders of pictures and label maps, and CamVid's layout."""

import json

import numpy as np
import pytest
from label_files import LABELS, open_folder, save_labels, save_picture

from deeplab_lessons import runtime
from deeplab_lessons.datasets import CamVid, Folder


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


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfone\ntwo\n",
        b"one\r\n\r\ntwo\r\n",
        b"one.jpg\ntwo.png",
        b"images/one.jpg\nlabels/two.png\n",
        b"/data/set/images/one.jpg\n  two \n",
        b"C:\\sets\\images\\one.jpg\r\nimages\\two\r\n",
        "one\r\ntwo\r\n".encode("utf-16"),
    ],
)
def test_lists_of_any_system_are_read(folder, content):
    save_picture(folder / "images" / "two.jpg"), save_labels(folder / "labels" / "two.png")
    (folder / "val.txt").write_bytes(content)
    files = open_folder(folder, names=folder / "val.txt").files
    assert [pair[1].name for pair in files] == ["one.png", "two.png"]


def test_a_name_with_spaces_and_dots_is_one_name(folder):
    save_picture(folder / "images" / "my photo.v2.jpg"), save_labels(folder / "labels" / "my photo.v2.png")
    (folder / "val.txt").write_text("my photo.v2\n")
    assert open_folder(folder, names=folder / "val.txt").files[0][0].name == "my photo.v2.jpg"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"one\nthree\n", r"labels lacks 1 of 2 files: \['three'\] … \(the first: .*val\.txt, line 2\)"),
        (b"one\n\n# two\n", r"val\.txt, line 3"),
        (b"one 0 1\n", r"labels lacks .*'one 0 1'.*val\.txt, line 1"),
        (b"images/one.jpg labels/one.png 1\n", r"labels lacks .*val\.txt, line 1"),
        (b"images/one.jpg labels/two.png\n", r"labels lacks .*val\.txt, line 1"),
        (
            b"images/one.jpg labels/one.png\none\n",
            r"val\.txt, line 2: 'one' is in .*val\.txt, line 1 already",
        ),
        (b"one\none.jpg\n", r"val\.txt, line 2: 'one' is in .*val\.txt, line 1 already: name it once"),
        (b"one\nzw\xf6lf\n", r"val\.txt, line 2: not UTF-8: save the list as UTF-8"),
        (b"\n \r\n", r"val\.txt is empty: write one name on each line"),
    ],
)
def test_lists_that_cannot_be_read_are_refused_with_their_line(folder, content, words):
    (folder / "val.txt").write_bytes(content)
    with pytest.raises((ValueError, FileNotFoundError), match=words):
        open_folder(folder, names=folder / "val.txt")


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


@pytest.mark.parametrize(
    "line", ["\ufefftrain/a.png trainannot/a.png\r\n\r\n", "C:\\x\\train\\a.png\ttrainannot\\a.png"]
)
def test_camvids_list_is_read_as_any_system_writes_it(tmp_path, line):
    assert np.array_equal(CamVid(camvid(tmp_path, line)).pair(0)[1], LABELS)


@pytest.mark.parametrize(
    "line",
    [
        "train/a.png trainannot/a.png 1",
        "train/a b.png trainannot/a b.png",
        "train/b.png trainannot/b.png",
        "train/a.png trainannot/b.png",
    ],
)
def test_a_line_of_camvids_list_that_is_no_pair_is_named(tmp_path, line):
    with pytest.raises(FileNotFoundError, match=rf"lacks 1 of 1 files: \['{line}'\].*train\.txt, line 2"):
        CamVid(camvid(tmp_path, f"\n{line}\n"))


def test_a_line_of_camvids_list_may_name_the_picture_only(tmp_path):
    assert np.array_equal(CamVid(camvid(tmp_path, "train/a.png\n")).pair(0)[1], LABELS)


def test_a_folder_that_lacks_a_part_names_it(tmp_path):
    camvid(tmp_path)
    (tmp_path / "train.txt").unlink()
    with pytest.raises(FileNotFoundError, match=r"Expected the folder .* it lacks train\.txt"):
        CamVid(tmp_path)


def test_a_file_that_is_gone_is_named(tmp_path):
    data = CamVid(camvid(tmp_path))
    (tmp_path / "trainannot" / "a.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"no .*a\.png, though the data set's list names it"):
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
    val = CamVid(split="val")
    first = np.stack([val.labels(index) for index in range(20)])
    assert (first == val.classes.index("road")).mean() > 0.2
    assert (first == val.classes.index("bicyclist")).mean() < 0.1


@pytest.mark.parametrize("ending", [".tif", ".tiff", ".gif", ".PNG"])
def test_label_maps_and_pictures_of_every_lossless_kind_are_found(folder, ending):
    (folder / "labels" / "one.png").unlink(), (folder / "images" / "one.jpg").unlink()
    save_labels(folder / "labels" / f"one{ending}"), save_picture(folder / "images" / f"one{ending}")
    data = open_folder(folder)
    assert len(data) == 1 and np.array_equal(data.pair(0)[1], LABELS) and (data.pair(0)[0] == 90).all()


def test_two_files_of_one_name_are_named_instead_of_chosen_from(folder):
    save_picture(folder / "images" / "one.png")
    with pytest.raises(ValueError, match=r"images holds both one\.jpg and one\.png: keep one elsewhere"):
        open_folder(folder)


def test_one_folder_cannot_hold_both_pictures_and_label_maps(folder):
    for same in (folder / "labels", folder / "images" / ".." / "labels"):
        with pytest.raises(ValueError, match="images and labels must be two folders"):
            Folder(folder / "labels", same, ("ground", "a", "b"))


@pytest.mark.parametrize("ids", [{0: 0, 1: 300}, {0: 3}, {0: -1}, {-1: 0}, {65536: 0}, {0: 1.5}])
def test_ids_that_lead_out_of_the_classes_or_from_no_number_are_refused(folder, ids):
    number, label = list(ids.items())[-1]
    with pytest.raises(ValueError, match=rf"ids must map 0-65535 to 0-2 or .*got {number}: {label}$"):
        open_folder(folder, ids=ids)


def test_classes_are_a_list_of_names(folder):
    with pytest.raises(ValueError, match=r"classes must be a list of names, got 'thing': pass \['thing'\]"):
        Folder(folder / "images", folder / "labels", "thing")


def test_files_that_begin_with_a_dot_are_no_pictures(tmp_path):
    save_picture(tmp_path / "images" / "one.png", np.zeros((4, 4, 3), np.uint8))
    save_labels(tmp_path / "labels" / "one.png", np.zeros((4, 4), np.uint8))
    (tmp_path / "labels" / "._one.png").write_bytes(b"what macOS notes")
    assert len(Folder(tmp_path / "images", tmp_path / "labels", ("a", "b"))) == 1


def test_labelmes_files_lie_beside_the_photographs(tmp_path):
    save_picture(tmp_path / "one.jpg")
    shapes = [{"label": "a", "points": [[0, 0], [3, 0], [3, 5], [0, 5]], "shape_type": "polygon"}]
    content = {"imageWidth": 8, "imageHeight": 6, "shapes": shapes}
    (tmp_path / "one.json").write_text(json.dumps(content))
    data = Folder(tmp_path, tmp_path, ("background", "a"))
    assert [path.name for path in data.files[0]] == ["one.jpg", "one.json"] and data.pair(0)[1].sum() == 24


def test_one_folder_may_be_inside_the_other(folder):
    (folder / "labels").rename(folder / "images" / "labels")
    data = Folder(folder / "images", folder / "images" / "labels", ("ground", "a", "b"))
    assert len(data) == 1 and data.left_out == []


def test_a_class_is_named_once(folder):
    with pytest.raises(
        ValueError, match="classes must be distinct, got 'a' more than once: name each class once"
    ):
        Folder(folder / "images", folder / "labels", ("ground", "a", "a"))


def test_an_indexed_file_with_other_rows_is_read_by_its_colours(tmp_path):
    """As pngquant or GIMP write it: the same colours as the palette's, in an order of their own."""
    save_picture(tmp_path / "i" / "a.png", np.zeros((4, 6, 3), np.uint8))
    labels = np.repeat(np.arange(3, dtype=np.uint8), 8).reshape(4, 6)
    own = np.array([[0, 0, 0], [0, 0, 255], [255, 0, 0]], np.uint8)
    save_labels(tmp_path / "l" / "a.png", labels, own)
    classes, palette = ("none", "red", "blue"), [[0, 0, 0], [255, 0, 0], [0, 0, 255]]
    found = Folder(tmp_path / "i", tmp_path / "l", classes, palette=palette).pair(0)[1]
    assert np.array_equal(found, np.array([0, 2, 1], np.uint8)[labels])
    assert np.array_equal(Folder(tmp_path / "i", tmp_path / "l", classes).pair(0)[1], labels)


def test_a_class_has_the_colour_of_its_number(tmp_path):
    save_picture(tmp_path / "i" / "a.png", np.zeros((4, 6, 3), np.uint8))
    save_labels(tmp_path / "l" / "a.png", np.zeros((4, 6), np.uint8))
    palette, ids = [[0, 0, 0], [255, 0, 0], [0, 0, 255]], {0: 255, 1: 0, 2: 1}
    found = Folder(tmp_path / "i", tmp_path / "l", ("cup", "spoon"), ids=ids, palette=palette)
    assert found.palette[:3].tolist() == [[255, 0, 0], [0, 0, 255], [255, 255, 255]]


@pytest.mark.parametrize("count", [0, 256, 300])
def test_as_many_classes_as_a_byte_holds_beside_void(count, tmp_path):
    save_picture(tmp_path / "i" / "a.png", np.zeros((4, 6, 3), np.uint8))
    save_labels(tmp_path / "l" / "a.png", np.zeros((4, 6), np.uint8))
    with pytest.raises(ValueError, match=f"classes must be 1 to 255 names, got {count}: 255 means void"):
        Folder(tmp_path / "i", tmp_path / "l", [f"class {n}" for n in range(count)])


def test_another_longest_side_is_another_size(tmp_path):
    save_picture(tmp_path / "i" / "a.png", np.zeros((40, 60, 3), np.uint8))
    save_labels(tmp_path / "l" / "a.png", np.zeros((40, 60), np.uint8))
    data, sides = Folder(tmp_path / "i", tmp_path / "l", ("a", "b")), []
    for data.longest_side in (30, 15, None):
        sides.append(max(data.pair(0)[1].shape))
    assert sides == [30, 15, 60]
