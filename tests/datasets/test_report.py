"""The look at a data set before it is trained or measured on."""

import re
import warnings

import numpy as np
import pytest
import torch
from label_files import GREY, open_folder, save_labels, save_picture
from PIL import Image
from small_training import bright_squares, run, tiny

from deeplab_lessons import inference, runtime
from deeplab_lessons.classroom import built_in, commands
from deeplab_lessons.classroom.built_in import Embedded
from deeplab_lessons.datasets import VOC, CamVid, Folder, check, find_voc, reading

HALF = np.zeros((16, 16), np.uint8)
HALF[:, 8:] = 1
VOID = np.full((16, 16), 255, np.uint8)


def folder_of(root, *maps, classes=("ground", "thing"), **more):
    """A label-map folder of these maps, each with a grey picture."""
    for number, labels in enumerate(maps):
        save_picture(root / "images" / f"{number:03}.png", np.full((*labels.shape, 3), 90, np.uint8))
        save_labels(root / "labels" / f"{number:03}.png", labels)
    return Folder(root / "images", root / "labels", classes, **more)


def train_once(data, validation=None):
    return run(tiny(), data, validation=validation, iterations=1, batch_size=1)


def measure(data):
    return inference.evaluate(tiny(), data)


both = pytest.mark.parametrize("use", [train_once, measure])


@pytest.fixture
def said():
    """The warnings of a test, in words."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield lambda: [str(each.message) for each in caught if issubclass(each.category, UserWarning)]


NONE = r"none of the 2 label maps read has a pixel of class 1( thing)?, and 50 % of their pixels are void \(255\)"


@pytest.mark.parametrize("classes", [("ground", "thing"), ("building",)])
def test_masks_of_0_and_255_are_told_the_class_that_never_occurs_and_the_cure(tmp_path, classes, said):
    data = folder_of(tmp_path, HALF * 255, HALF * 255, classes=classes)
    with pytest.raises(ValueError, match=NONE + r".*ids=\{0: 0, 255: 1\}"):
        train_once(data)
    measure(data)
    (words,) = said()
    assert re.search(NONE, words) and "ids={0: 0, 255: 1}" in words


@both
def test_the_cure_cures(tmp_path, use, said):
    use(folder_of(tmp_path, HALF * 255, HALF * 255, ids={0: 0, 255: 1}))
    assert said() == []


@both
def test_one_map_of_0_and_255_is_fine_beside_others(tmp_path, use, said):
    use(folder_of(tmp_path, HALF * 255, HALF))
    assert said() == []


@both
def test_where_no_pixel_is_labelled_nothing_is_trained_or_measured(tmp_path, use):
    data = folder_of(tmp_path, VOID, VOID)
    for pairs in (data, list(data)):
        with pytest.raises(ValueError, match=r"2 label maps .* any class, and 100 % .*ids=\{0: 0, 255: 1\}"):
            use(pairs)


@both
def test_a_list_of_pairs_is_told_the_same(use, said):
    use([(image, torch.where(mask == 1, 255, mask)) for image, mask in bright_squares(3)])
    (words,) = said()
    assert "none of the 3 label maps read has a pixel of class 1, and" in words


def test_a_validation_that_cannot_be_measured_stops_the_training_before_it_begins(tmp_path):
    validation, model = folder_of(tmp_path, VOID), tiny()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(ValueError, match="none of the 1 label maps read has a pixel of any class"):
        run(model, validation=validation, iterations=20, checkpoint=tmp_path / "run.pt")
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert not (tmp_path / "run.pt").exists()


@both
def test_void_on_more_than_a_third_of_several_maps_is_told_where_a_class_is_missing(tmp_path, use, said):
    """Masks of 0, 1 and 255 of three classes."""
    labels = np.repeat(np.array([0, 1, 255], np.uint8), 100).reshape(15, 20)
    three = ("ground", "a", "b")
    mostly = np.where(labels == 1, 255, labels)
    mostly[0] = 1
    model = tiny(classes=3)
    data = folder_of(tmp_path, *[mostly] * 3, classes=three)
    run(model, data, iterations=1, batch_size=1) if use is train_once else inference.evaluate(model, data)
    (words,) = said()
    assert "class 2 b" in words and "66.7 %" in words


class Drawn(list):
    """Label maps that are no files, as pairs without pictures."""

    classes = ("ground", "a", "b")


@pytest.mark.parametrize(
    ("row", "maps", "told"),
    [
        ([0] * 9 + [255], 1, True),
        ([1] * 99 + [255], 1, True),
        ([0] * 9, 5, False),
        ([0] * 5 + [1] * 5 + [255] * 9, 2, False),
        ([0] * 5 + [1] * 5 + [255] * 9, 3, True),
        ([0] * 5 + [1] * 5 + [255] * 5, 3, False),
        ([0] * 5 + [1] * 5 + [2] + [255] * 99, 3, False),
        ([], 0, False),
    ],
)
def test_void_looks_like_a_class_beside_one_class_or_on_a_third_of_three_maps(row, maps, told):
    report = check(Drawn([(None, np.array([row], np.uint8))] * maps))
    assert bool(report.errors or report.doubts) == told


class Counted(Drawn):
    """Label maps that are counted as they are read."""

    def __getitem__(self, index):
        self.read_so_far = getattr(self, "read_so_far", 0) + 1
        return super().__getitem__(index)


def test_the_look_at_what_is_no_file_ends_with_the_last_class():
    data = Counted([(None, HALF * 0)] * 3 + [(None, HALF + HALF.T)] * 20)
    check(data)
    assert data.read_so_far == 4


def test_the_look_is_bounded_and_spread_over_the_set(tmp_path):
    data = Counted([(None, VOID)] * 40)
    report = check(data, most=15)
    assert data.read_so_far == 14 and not report.errors
    (words,) = report.doubts
    assert "none of the 14 label maps read has a pixel of any class" in words
    last = Counted([(None, HALF * 255)] * 38 + [(None, HALF)] * 2)
    last.classes = ("ground", "thing")
    assert check(last, most=15).doubts == () and last.read_so_far == 14
    report = check(folder_of(tmp_path, *[HALF] * 5, HALF * 2), most=3)
    assert "6 pairs, 3 label maps read" in str(report) and report.errors == ()


def test_without_pixels_a_training_looks_at_headers_only(tmp_path, monkeypatch):
    data = folder_of(tmp_path, HALF, HALF)
    monkeypatch.setattr(data, "read", None)
    monkeypatch.setattr(reading, "as_picture", None)
    assert "2 PNG RGB 16 x 16" in str(check(data, pictures=False))


def test_a_report_says_what_is_there(tmp_path):
    data = folder_of(tmp_path, HALF, HALF * 255, classes=("ground", "thing", "spoon"))
    save_picture(tmp_path / "images" / "lonely.png")
    (tmp_path / "images" / "notes.txt").write_text("…")
    said = str(check(Folder(tmp_path / "images", tmp_path / "labels", data.classes)))
    for words in (
        "2 pairs, 2 label maps read", "images: 2 PNG RGB 16 x 16", "label maps: 2 PNG L",
        "left out: 1 without a label map, lonely.png", "not read: 1 .txt in", "50.00 %  0 ground", "25.00 %  1 thing",
        "255  25.00 %  void", "never           2 spoon", "DOUBT: class 2 spoon never occurs",
        "split: 1 to train on, 1 to measure on",
    ):  # fmt: skip
        assert words in said, said


def test_a_report_of_many_faults_is_short_and_raises_the_first(tmp_path):
    """One file with each of 300 sizes and numbers, and a palette of colours that nobody gave."""
    for number in range(300):
        save_picture(
            tmp_path / "images" / f"{number}.png", np.full((8, 8 + number % 90, 3), number % 256, np.uint8)
        )
        save_labels(
            tmp_path / "labels" / f"{number}.png", np.full((8, 8 + number % 7), number % 256, np.uint8)
        )
    report = check(Folder(tmp_path / "images", tmp_path / "labels", ("a", "b")))
    assert str(report).count("\n") < 40 and "more like it" in str(report) and repr(report) == str(report)
    with pytest.raises(ValueError, match=r"0\.png|1\.png") as told:
        report.raise_errors()
    assert "check shows them" in str(told.value) and "\n" not in str(told.value)


def test_numbers_that_are_no_class_stop_a_list_of_pairs():
    report = check(Drawn([(None, HALF * 7)]))
    assert report.errors == ("the label maps hold 7, but there are 3 classes",)


def test_pictures_on_both_sides_of_one_clip_are_told_unless_they_are_grouped(tmp_path):
    still = np.random.default_rng(0).integers(0, 250, (16, 16, 3), dtype=np.uint8)
    still = still.repeat(4, 0).repeat(4, 1)
    for clip in "ab":
        for number in range(6):
            frame = np.roll(still, "ab".index(clip) * 32, 0)
            frame[number] = 250
            save_picture(tmp_path / "images" / f"{clip}_{number}.png", frame)
            save_labels(tmp_path / "labels" / f"{clip}_{number}.png", np.repeat(np.repeat(HALF, 4, 0), 4, 1))
    assert check(Folder(tmp_path / "images", tmp_path / "labels", ("a", "b"))).doubts == ()
    for part in ("images", "labels"):
        for number, path in enumerate(sorted((tmp_path / part).iterdir())):
            path.rename(path.with_name(f"img{number}.png"))
    (doubt,) = check(Folder(tmp_path / "images", tmp_path / "labels", ("a", "b"))).doubts
    assert "looks like" in doubt and "subfolder" in doubt


def test_a_mean_over_some_of_the_classes_says_so():
    confusion = torch.tensor([[5, 0, 0], [0, 5, 5], [0, 0, 0]])
    all_there = torch.tensor([[5, 0], [1, 4]])
    assert str(inference.Scores(torch.tensor([[5, 0], [0, 0]]))).startswith(
        "mIoU 100.0 % over 1 of 2 classes (without 1),"
    )
    assert str(inference.Scores(confusion)).startswith("mIoU 50.0 %, ")
    assert str(inference.Scores(all_there)).startswith("mIoU 81.7 %, ")


def test_the_command_line_refuses_a_set_that_is_all_void(tmp_path, capsys):
    folder_of(tmp_path, VOID, VOID)
    for split in ("train", "val"):
        (tmp_path / f"{split}.txt").write_text("000\n001\n")
    arguments = ["--data", "person-part", "--root", str(tmp_path), "--checkpoint", str(tmp_path / "run.pt")]
    small = ["--iterations", "1", "--batch-size", "1", "--crop", "16", "--width", "0.02", "--device", "cpu"]
    assert commands.main(["train", *arguments, *small]) == 1
    assert "none of the 2 label maps read has a pixel of any class, and 100 %" in capsys.readouterr().err
    assert not (tmp_path / "run.pt").exists()


@pytest.mark.parametrize("size", [16, 32, 96])
def test_the_built_in_scenes_are_never_suspected(size):
    for split in built_in.SPLITS:
        for count in (1, 2, 5):
            report = check(Embedded(split, count, size=size))
            assert report.errors == report.doubts == ()


@pytest.mark.slow
@pytest.mark.parametrize("kind", [VOC, CamVid])
@pytest.mark.parametrize("split", ["train", "val"])
def test_real_sets_and_their_parts_are_not_suspected(kind, split):
    """Every part of one to ten neighbouring pairs, and the whole set."""
    if not (find_voc() if kind is VOC else (runtime.data_dir() / "camvid" / "train.txt").is_file()):
        pytest.skip(f"no {kind.__name__} in the data folder")
    data = kind(split=split)
    drawn = [(None, data.labels(index)) for index in range(min(len(data), 120))]
    for length in (1, 2, 3, 5, 10):
        for first in range(0, len(drawn), length):
            part = Drawn(drawn[first : first + length])
            part.classes = data.classes
            report = check(part)
            assert report.errors == report.doubts == ()
    for report in (check(data, most=100), check(data, most=20, pictures=False)):
        assert report.errors == report.doubts == ()


def test_photographs_that_the_camera_held_otherwise_are_named(tmp_path):
    """Upside down they keep their size, so that nothing but the eye tells whether their labels were turned too."""
    exif = Image.Exif()
    exif[0x0112] = 3
    save_picture(tmp_path / "images" / "one.jpg"), save_labels(tmp_path / "labels" / "one.png")
    Image.fromarray(GREY).save(tmp_path / "images" / "two.jpg", exif=exif)
    save_labels(tmp_path / "labels" / "two.png")
    assert "1 JPEG RGB 8 x 6, 1 JPEG RGB turned by EXIF 8 x 6" in str(check(open_folder(tmp_path)))
