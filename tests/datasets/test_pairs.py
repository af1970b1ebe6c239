"""What is the same for every data set: pairs, what is kept of them, their classes' shares."""

import warnings

import numpy as np
import pytest
import torch
from label_files import save_labels, save_picture
from small_training import bright_squares, run, tiny
from torchvision import tv_tensors

from deeplab_lessons import cli, inference, runtime
from deeplab_lessons.datasets import (
    VOC,
    CamVid,
    Embedded,
    Folder,
    find_voc,
    scenes,
    transforms,
)
from deeplab_lessons.datasets.pairs import check_label_maps


def test_one_pair_is_what_a_network_takes():
    data = Embedded("train", 3, size=64)
    image, mask = data[2]
    assert image.dtype == torch.float32 and image.shape == (3, 64, 64) and image.min() < 0 < image.max()
    assert isinstance(mask, tv_tensors.Mask) and mask.dtype == torch.int64 and mask.shape == (64, 64)
    picture, labels = data.pair(2)
    assert np.array_equal(labels, mask.numpy()) and np.abs(transforms.denormalise(image) - picture).max() == 0
    assert len(data) == 3 and len(data.classes) == 6
    assert torch.equal(transforms.normalise(picture), image)


def test_pairs_are_counted_as_lists_count_them():
    data = Embedded("val", 3, size=32)
    assert np.array_equal(data.pair(-1)[1], data.pair(2)[1])
    assert len(list(data)) == 3
    with pytest.raises(IndexError, match="there is no pair 3: this set has 3"):
        data[3]


def test_a_kept_scene_is_made_once(monkeypatch):
    made = []
    real = scenes.scene
    monkeypatch.setattr(scenes, "scene", lambda *key: made.append(key) or real(*key))
    data = Embedded("train", 2, size=32)
    data[0], data[1], data[0], data[-1]
    assert len(made) == 2


def test_a_transform_that_writes_does_not_spoil_what_is_kept():
    data = Embedded("train", 1, size=32, transforms=lambda image, mask: (image.zero_(), mask.zero_()))
    before = data.pair(0)[0].copy()
    data[0]
    assert np.array_equal(data.pair(0)[0], before) and before.any()


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


@both
def test_masks_of_0_and_255_are_told_the_class_that_never_occurs_and_the_cure(tmp_path, use, said):
    use(folder_of(tmp_path, HALF * 255, HALF * 255))
    (words,) = said()
    on = f"of 2 label maps to {'train' if use is train_once else 'measure'} on, none of the 2 read has a pixel of"
    assert f"{on} class 1 thing, and 50 % of their pixels are void (255)" in words
    assert "ids={0: 0, 255: 1}" in words


@both
def test_the_cure_cures(tmp_path, use, said):
    use(folder_of(tmp_path, HALF * 255, HALF * 255, ids={0: 0, 255: 1}))
    assert said() == []


@both
def test_one_map_of_0_and_255_is_fine_beside_others(tmp_path, use, said):
    use(folder_of(tmp_path, HALF * 255, HALF))
    assert said() == []


@both
def test_masks_of_0_and_255_for_a_single_class_are_told_so(tmp_path, use, said):
    use(folder_of(tmp_path, HALF * 255, HALF * 255, classes=("building",)))
    assert "has a pixel of class 1, and 50 %" in said()[0]


@both
def test_where_no_pixel_is_labelled_nothing_is_trained_or_measured(tmp_path, use):
    data = folder_of(tmp_path, VOID, VOID)
    for pairs in (data, list(data)):
        with pytest.raises(
            ValueError, match=r"of 2 label maps .* any class, and 100 % .*ids=\{0: 0, 255: 1\}"
        ):
            use(pairs)


@both
def test_a_list_of_pairs_is_told_the_same(use, said):
    use([(image, torch.where(mask == 1, 255, mask)) for image, mask in bright_squares(3)])
    (words,) = said()
    assert "none of the 3 read has a pixel of class 1, and" in words


def test_a_validation_that_cannot_be_measured_stops_the_training_before_it_begins(tmp_path):
    validation, model = folder_of(tmp_path, VOID), tiny()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(ValueError, match="to measure on, none of the 1 read has a pixel of any class"):
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
def test_void_looks_like_a_class_beside_one_class_or_on_a_third_of_three_maps(row, maps, told, said):
    check_label_maps(Drawn([(None, np.array([row], np.uint8))] * maps), "train")
    assert bool(said()) == told


class Counted(Folder):
    """A folder that counts the label maps read, and has no picture to read."""

    def labels(self, index):
        self.read_so_far = getattr(self, "read_so_far", 0) + 1
        return super().labels(index)

    def read(self, index):
        raise AssertionError("only label maps are looked at")


def counted(root, *maps):
    folder_of(root, *maps)
    return Counted(root / "images", root / "labels", ("ground", "thing"))


def test_the_look_at_label_maps_ends_with_the_last_class(tmp_path):
    data = counted(tmp_path, *[HALF * 0] * 3, *[HALF] * 20)
    check_label_maps(data, "train")
    assert data.read_so_far == 4


def test_the_look_at_label_maps_is_bounded_and_spread_over_the_set(tmp_path, said):
    data = counted(tmp_path, *[VOID] * 40)
    check_label_maps(data, "train", most=15)
    assert data.read_so_far == 14
    (words,) = said()
    assert "of 40 label maps to train on, none of the 14 read has a pixel of any class" in words
    last = counted(tmp_path / "last", *[HALF * 255] * 38, HALF, HALF)
    check_label_maps(last, "train", most=15)
    assert last.read_so_far == 14 and len(said()) == 1


def test_a_mean_over_some_of_the_classes_says_so():
    confusion = torch.tensor([[5, 0, 0], [0, 5, 5], [0, 0, 0]])
    all_there = torch.tensor([[5, 0], [1, 4]])
    assert str(inference.Scores(torch.tensor([[5, 0], [0, 0]]))).startswith(
        "mIoU 100.0 % over 1 of 2 classes,"
    )
    assert str(inference.Scores(confusion)).startswith("mIoU 50.0 %, ")
    assert str(inference.Scores(all_there)).startswith("mIoU 81.7 %, ")


def test_the_command_line_refuses_a_set_that_is_all_void(tmp_path, capsys):
    folder_of(tmp_path, VOID, VOID)
    for split in ("train", "val"):
        (tmp_path / f"{split}.txt").write_text("000\n001\n")
    arguments = ["--data", "person-part", "--root", str(tmp_path), "--checkpoint", str(tmp_path / "run.pt")]
    small = ["--iterations", "1", "--batch-size", "1", "--crop", "16", "--width", "0.02", "--device", "cpu"]
    assert cli.main(["train", *arguments, *small]) == 1
    assert "none of the 2 read has a pixel of any class, and 100 %" in capsys.readouterr().err
    assert not (tmp_path / "run.pt").exists()


@pytest.mark.parametrize("size", [16, 32, 96])
def test_the_built_in_scenes_are_never_suspected(size, said):
    for split in scenes.SPLITS:
        for count in (1, 2, 5):
            check_label_maps(Embedded(split, count, size=size), "train")
    assert said() == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", [VOC, CamVid])
@pytest.mark.parametrize("split", ["train", "val"])
def test_real_sets_and_their_parts_are_not_suspected(kind, split, said):
    """Every part of one to ten neighbouring pairs, and the whole set."""
    if not (find_voc() if kind is VOC else (runtime.data_dir() / "camvid" / "train.txt").is_file()):
        pytest.skip(f"no {kind.__name__} in the data folder")
    data = kind(split=split)
    drawn = [(None, data.labels(index)) for index in range(min(len(data), 120))]
    for length in (1, 2, 3, 5, 10):
        for first in range(0, len(drawn), length):
            part = Drawn(drawn[first : first + length])
            part.classes = data.classes
            check_label_maps(part, "train")
    check_label_maps(data, "train")
    check_label_maps(data, "measure", most=20)
    assert said() == []
