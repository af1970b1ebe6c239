"""Data sets to train on: the embedded set's make-up, real sets behind one interface, joint transforms, faults."""

import errno
import os
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy import ndimage
from torch.utils.data import DataLoader
from torchvision import tv_tensors

from deeplab_lessons import datasets, runtime
from deeplab_lessons.datasets import (
    SBD,
    VOC,
    CamVid,
    Cityscapes,
    Embedded,
    LabelMapFolder,
    OxfordPet,
    PascalContext,
    PersonPart,
    class_shares,
    colours_to_indices,
    indices_to_colours,
    scenes,
    transforms,
    voc_colours,
)
from deeplab_lessons.datasets.named import SETS as NAMES
from deeplab_lessons.datasets.named import named

GREY = np.full((6, 8, 3), 90, np.uint8)
LABELS = np.array([[0, 1, 2, 255] * 2] * 6, np.uint8)


def save_labels(path, labels=LABELS, palette=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    file = Image.fromarray(labels)
    if palette is not None:
        file.putpalette(palette.tobytes())
    file.save(path)
    return path


def save_picture(path, picture=GREY):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path)
    return path


@pytest.fixture
def folder(tmp_path):
    """A label-map folder with one pair, classes 0 to 2 and void."""
    save_picture(tmp_path / "images" / "one.jpg")
    save_labels(tmp_path / "labels" / "one.png")
    return tmp_path


def open_folder(root, **more):
    return LabelMapFolder(root / "images", root / "labels", ("ground", "a", "b"), **more)


# The embedded set


def test_one_pair_is_what_a_network_takes():
    data = Embedded("train", 3, size=64)
    image, mask = data[2]
    assert image.dtype == torch.float32 and image.shape == (3, 64, 64) and image.min() < 0 < image.max()
    assert isinstance(mask, tv_tensors.Mask) and mask.dtype == torch.int64 and mask.shape == (64, 64)
    picture, labels = data.pair(2)
    assert np.array_equal(labels, mask.numpy()) and np.abs(transforms.denormalise(image) - picture).max() == 0
    assert len(data) == 3 and len(data.classes) == 6 and data.ignore_index == 255
    assert torch.equal(transforms.normalise(picture), image)


def test_pairs_are_counted_as_lists_count_them():
    data = Embedded("val", 3, size=32)
    assert np.array_equal(data.pair(-1)[1], data.pair(2)[1])
    assert len(list(data)) == 3
    with pytest.raises(IndexError, match="there is no pair 3: this set has 3"):
        data[3]


def test_splits_share_no_scene():
    seen = {Embedded(split, 20, size=32).pair(i)[0].tobytes() for split in scenes.SPLITS for i in range(20)}
    assert len(seen) == 60


def test_an_unknown_split_or_cache_is_answered_with_the_known_ones():
    with pytest.raises(ValueError, match="no split named 'dev'; there are: train, val, test"):
        Embedded("dev")
    with pytest.raises(ValueError, match="cache is None"):
        Embedded("train", cache="ram")


def test_a_kept_scene_is_made_once(monkeypatch):
    made = []
    real = scenes.scene
    monkeypatch.setattr(scenes, "scene", lambda *key: made.append(key) or real(*key))
    kept, afresh = Embedded("train", 2, size=32), Embedded("train", 2, size=32, cache=None)
    for data in (kept.fill(), kept, afresh, afresh):
        data[0], data[1]
    assert len(made) == 2 + 4
    with pytest.raises(ValueError, match="keeps nothing"):
        afresh.fill()


def test_a_transform_that_writes_does_not_spoil_what_is_kept():
    data = Embedded("train", 1, size=32, transforms=lambda image, mask: (image.zero_(), mask.zero_()))
    before = data.pair(0)[0].copy()
    data[0]
    assert np.array_equal(data.pair(0)[0], before) and before.any()


def test_on_disk_the_set_is_the_same_and_is_read_next_time(tmp_path, monkeypatch):
    plain = Embedded("val", 4, size=32)
    Embedded("val", 4, size=32, cache="disk", folder=tmp_path)
    monkeypatch.setattr(scenes, "scene", None)  # calling it again would fail
    stored = Embedded("val", 4, size=32, cache="disk", folder=tmp_path)
    monkeypatch.undo()
    for i in range(4):
        assert all(np.array_equal(a, b) for a, b in zip(stored.pair(i), plain.pair(i), strict=True))
    assert [path.suffix for path in tmp_path.iterdir()] == [".npy"]


def test_a_file_of_scenes_cut_off_is_made_again(tmp_path):
    Embedded("val", 2, size=32, cache="disk", folder=tmp_path)
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    Embedded("val", 2, size=32, cache="disk", folder=tmp_path)
    assert path.read_bytes() == whole


@pytest.mark.parametrize(
    ("code", "words"),
    [(errno.ENOSPC, "disk is full"), (errno.EACCES, "not allowed"), (errno.EROFS, "read-only")],
)
def test_a_disk_that_takes_no_more_scenes_is_explained(tmp_path, monkeypatch, code, words):
    def refuse(*args, **kwargs):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(OSError, match=rf"could not write .*val-1x32.*{words}.*DEEPLAB_LESSONS_DATA"):
        Embedded("val", 1, size=32, cache="disk", folder=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_data_folder_that_cannot_be_made_is_explained(tmp_path):
    (tmp_path / "data").write_text("a file")
    with pytest.raises(OSError, match="could not make the folder"):
        Embedded("val", 1, size=32, cache="disk", folder=tmp_path / "data" / "embedded")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_data_folder_without_rights_is_explained(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(OSError, match="not allowed"):
            Embedded("val", 1, size=32, cache="disk", folder=tmp_path / "embedded")
    finally:
        tmp_path.chmod(0o700)


def test_class_shares_are_stated_and_every_class_is_there_to_learn():
    shares = class_shares(Embedded("train", 200, size=64))
    void = shares.pop("void")
    assert list(shares) == list(scenes.CLASSES) and sum(shares.values()) == pytest.approx(1)
    assert 0.02 < void < 0.12
    assert min(shares.values()) > 0.01 and 0.7 < shares["background"] < 0.9


def signs(count, size=128):
    """Colour, class and distance to the outline (pixels) of each sign that is seen whole enough."""
    for index in range(count):
        picture, labels = datasets.scene(index, size)
        for label in (1, 2, 3):
            parts, many = ndimage.label(labels == label)
            for part in range(1, many + 1):
                inside = parts == part
                depth = ndimage.distance_transform_edt(np.pad(inside, 1))[1:-1, 1:-1]
                if depth.max() >= 6:
                    yield label, picture, inside, depth


def test_the_rim_tells_the_class_and_the_inside_does_not():
    surface = np.random.default_rng(0).integers(0, 256, (100, 3), dtype=np.uint8)
    at_rim = np.arange(100) < 30
    painted = [scenes._painted(surface.copy(), label, at_rim) for label in (1, 2, 3)]
    assert all((signs[30:] == surface[30:]).all() for signs in painted)
    assert len({signs[:30].mean(0).round().tobytes() for signs in painted}) == 3


def test_the_rims_of_real_scenes_are_in_the_colour_of_their_class():
    told = []
    for label, picture, inside, depth in signs(60):
        rim = picture[inside & (depth <= 1)].mean(0)
        alike = {k: rim @ colour / np.linalg.norm(colour) for k, colour in scenes.RIM_COLOURS.items()}
        told.append(max(alike, key=alike.get) == label)
    assert np.mean(told) > 0.95  # where a sign covers another, what is seen of the outline is not all rim


def test_the_middle_of_large_signs_needs_a_large_window():
    """At class size, a window of 17 pixels around a sign's pixel often shows neither rim nor outline."""
    blind = total = 0
    for _, _, inside, depth in signs(60):
        blind += (depth > 2 * scenes.RIM * depth.max() + 8).sum()
        total += inside.sum()
    assert 0.05 < blind / total < 0.6


def test_only_signs_are_coloured_poles_are_pale_and_wires_dark():
    for index in range(20):
        picture, labels = datasets.scene(index, 128)
        for label in (0, 4, 5):
            assert (np.ptp(picture[labels == label], axis=-1) == 0).all()
        assert picture[labels == 4].min() >= 190 and picture[labels == 5].max() < 60


def test_objects_are_measured_by_their_visible_part():
    labels = np.zeros((20, 30), np.uint8)
    labels[2:10, 3:8], labels[2:10, 8:12], labels[15, 20:30], labels[0, 0] = 1, 2, 4, 255
    sides = datasets.object_sides(labels)
    assert (sides[2:10, 3:12] == 8).all() and (sides > 0).sum() == 8 * 9
    assert datasets.object_sides(labels, classes=(4,)).max() == 10


def test_objects_of_every_octave_are_seen_and_thin_things_are_thin():
    """At class size: longer sides from under 12 to over 60 pixels, poles of some 4 pixels, wires of some 2."""
    sides, poles, wires = set(), [], []
    for index in range(60):
        labels = datasets.scene(index, 128)[1]
        sides |= set(datasets.object_sides(labels).ravel().tolist()) - {0}
        poles += [row.sum() for row in labels == 4 if row.any()]
        wires += [column.sum() for column in (labels == 5).T if column.any()]
    assert max(sides) > 60 and {side // 8 for side in sides} >= set(range(8))
    assert np.median(poles) < 10 and np.median(wires) < 6, "pixels a row or column, of one or two of them"


# Transforms


def striped():
    """A pair whose label is its picture's grey, with neighbouring labels 3, 100 and 251, and void."""
    labels = np.array([3, 100, 251, 255], np.uint8)[(np.arange(40)[:, None] // 10 + np.arange(60) // 12) % 4]
    image = torch.from_numpy(np.repeat(labels[None], 3, axis=0))
    return tv_tensors.Image(image), tv_tensors.Mask(torch.from_numpy(labels))


@pytest.mark.parametrize("seed", range(12))
def test_labels_are_never_interpolated_and_stay_on_their_pixels(seed):
    torch.manual_seed(seed)
    image, mask = transforms.train(48)(*striped())
    assert image.shape == (3, 48, 48) and mask.shape == (48, 48) and mask.dtype == torch.int64
    assert set(mask.unique().tolist()) <= {3, 100, 251, 255}
    grey = transforms.denormalise(image)[..., 0].astype(int)
    inside = mask.numpy() != 255
    assert np.median(np.abs(grey - mask.numpy())[inside]) < 20, "picture and labels moved differently"


def test_pictures_are_interpolated():
    image, mask = transforms.RandomScale((1.4, 1.4))(*striped())
    assert image.shape[1:] == mask.shape == (56, 84)
    assert len(image.unique()) > 10 and len(mask.unique()) == 4


@pytest.mark.parametrize("factor", [0.63, 0.8, 1.3, 1.47])
def test_labels_are_not_shifted_against_their_picture(factor):
    shifts = []
    for edge in range(20, 40):
        labels = torch.zeros(97, 97, dtype=torch.uint8)
        labels[edge : edge + 31, edge + 5 : edge + 23] = 200
        pair = tv_tensors.Image(labels.repeat(3, 1, 1)), tv_tensors.Mask(labels)
        image, mask = transforms.RandomScale((factor, factor))(*pair)
        places = torch.arange(len(mask))
        centres = [(x.float().sum(0) * places).sum() / x.sum() for x in (image[0], mask)]
        shifts.append(float(centres[0] - centres[1]))
    assert abs(np.mean(shifts)) < 0.15, "in pixels; torch's older nearest neighbour gives 0.5"


def test_scales_are_drawn_evenly_between_the_limits():
    torch.manual_seed(0)
    scale, pair = transforms.RandomScale((0.5, 1.5)), striped()
    drawn = np.array([scale(*pair)[1].shape[1] / 60 for _ in range(300)])
    assert 0.5 <= drawn.min() < 0.55 and 1.45 < drawn.max() <= 1.5 and abs(drawn.mean() - 1) < 0.06


@pytest.mark.parametrize("seed", range(5))
def test_what_a_crop_lacks_is_mean_colour_and_void(seed):
    torch.manual_seed(seed)
    pair = (
        tv_tensors.Image(torch.full((3, 40, 60), 200).byte()),
        tv_tensors.Mask(torch.full((40, 60), 7).byte()),
    )
    image, mask = transforms.train(80, scale=None)(*pair)
    assert (mask == 7).sum() == 40 * 60, "nothing is lost"
    assert (mask[mask != 7] == 255).all() and image[:, mask == 255].abs().max() < 0.01
    assert (transforms.denormalise(image)[mask == 7] == 200).all()


def test_half_of_the_samples_are_mirrored():
    pair = (
        tv_tensors.Image(torch.arange(8.0).repeat(3, 8, 1).byte()),
        tv_tensors.Mask(torch.arange(8).repeat(8, 1)),
    )
    torch.manual_seed(0)
    change = transforms.train(8, scale=None)
    firsts = [int(change(*pair)[1][0, 0]) for _ in range(200)]
    assert set(firsts) == {0, 7} and 70 < firsts.count(7) < 130
    assert {int(transforms.train(8, None, flip=0)(*pair)[1][0, 0]) for _ in range(20)} == {0}


def test_evaluation_changes_nothing_but_the_numbers():
    pair = striped()
    (image, mask), (again, _) = transforms.evaluate()(*pair), transforms.evaluate()(*pair)
    assert torch.equal(image, again) and torch.equal(mask, pair[1].long())
    expected = (pair[0] / 255 - torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)) / torch.tensor(
        [0.229, 0.224, 0.225]
    ).view(3, 1, 1)
    assert torch.allclose(image, expected, atol=1e-6)


class Seeded(torch.utils.data.Dataset):
    """Seeds torch before each sample, as the training loop does."""

    def __init__(self, data):
        self.data = data

    def __len__(self):
        return len(self.data)

    def __getitem__(self, index):
        torch.manual_seed(index)
        return self.data[index]


def test_a_sample_depends_on_torchs_seed_alone_and_not_on_the_workers():
    data = Embedded("train", 6, size=32, transforms=transforms.train(24))
    np.random.seed(5)
    alone = list(DataLoader(Seeded(data), batch_size=2))
    np.random.seed(6)
    shared = list(DataLoader(Seeded(data), batch_size=2, num_workers=2))
    for (images, masks), (others, labels) in zip(alone, shared, strict=True):
        assert torch.equal(images, others) and torch.equal(masks, labels)
    torch.manual_seed(3), data[0]
    torch.manual_seed(3)
    assert torch.equal(data[3][0], alone[1][0][1]), "what came before does not matter"


@pytest.mark.parametrize("scale", [(0, 1), (1.5, 0.5), (-1, 1)])
def test_impossible_scales_are_refused(scale):
    with pytest.raises(ValueError, match="0 < smallest <= largest"):
        transforms.train(32, scale)


# Palettes


def test_voc_colours_are_those_of_its_kit():
    colours = voc_colours()
    assert colours[[0, 1, 15, 20, 255]].tolist() == [
        [0, 0, 0],
        [128, 0, 0],
        [192, 128, 128],
        [0, 64, 128],
        [224, 224, 192],
    ]
    assert len(np.unique(colours, axis=0)) == 256


@given(st.lists(st.lists(st.integers(0, 255), min_size=3, max_size=3), min_size=1, max_size=5))
def test_colours_and_indices_go_both_ways(rows):
    labels = np.array(rows, np.uint8)
    assert np.array_equal(
        colours_to_indices(indices_to_colours(labels, voc_colours()), voc_colours()), labels
    )


def test_colours_that_nobody_knows_are_named():
    colours = indices_to_colours(LABELS, voc_colours())
    colours[2, 3] = (1, 2, 3)
    with pytest.raises(ValueError, match=r"colours \(1, 2, 3\) are not in the palette"):
        colours_to_indices(colours, voc_colours())
    with pytest.raises(ValueError, match=r"got shape \[6, 8\]"):
        colours_to_indices(LABELS, voc_colours())
    with pytest.raises(ValueError, match="labels 255 have no colour"):
        indices_to_colours(LABELS, voc_colours()[:21])


# Folders, and files with faults


@pytest.mark.parametrize("kind", ["grey", "palette", "colours", "16 bits"])
def test_label_maps_of_every_kind_say_the_same(folder, kind):
    path = folder / "labels" / "one.png"
    if kind == "palette":
        save_labels(path, palette=voc_colours())
        assert Image.open(path).mode == "P"
    elif kind == "colours":
        save_labels(path, indices_to_colours(LABELS, voc_colours()))
    elif kind == "16 bits":
        save_labels(path, LABELS.astype(np.uint16))
    picture, labels = open_folder(folder).pair(0)
    assert np.array_equal(labels, LABELS) and labels.dtype == np.uint8 and picture.shape == (6, 8, 3)


def test_grey_and_palette_pictures_become_colours(folder):
    (folder / "images" / "one.jpg").unlink()
    save_picture(folder / "images" / "one.png", np.full((6, 8), 77, np.uint8))
    assert (open_folder(folder).pair(0)[0] == 77).all()


def test_unknown_class_numbers_are_named_with_their_file(folder):
    save_labels(folder / "labels" / "one.png", np.where(LABELS == 2, 37, LABELS))
    with pytest.raises(ValueError, match=r"one\.png holds the class numbers \[37\].* knows 0-2, 255"):
        open_folder(folder)[0]


def test_a_palette_map_saved_as_grey_is_recognised(folder):
    path = save_labels(folder / "labels" / "one.png", palette=voc_colours())
    Image.open(path).convert("L").save(path)
    with pytest.raises(ValueError, match=r'\[38, 75, 220\].*convert\("L"\)'):
        open_folder(folder)[0]


def test_unknown_colours_are_named_with_their_file(folder):
    colours = indices_to_colours(LABELS, voc_colours())
    colours[0, 0] = 9
    save_labels(folder / "labels" / "one.png", colours)
    with pytest.raises(ValueError, match=r"one\.png: colours \(9, 9, 9\)"):
        open_folder(folder)[0]


def test_numbers_can_mean_other_classes(folder):
    labels = open_folder(folder, ids={0: 1, 1: 0, 2: 255, 255: 2}).pair(0)[1]
    assert labels[0, :4].tolist() == [1, 0, 255, 2]


def test_a_label_map_of_another_size_is_named_with_both_sizes(folder):
    save_labels(folder / "labels" / "one.png", LABELS[:, :7])
    with pytest.raises(ValueError, match=r"labels.one\.png is 7 x 6 .*images.one\.jpg is 8 x 6"):
        open_folder(folder)[0]


@pytest.mark.parametrize("name", ["images/one.jpg", "labels/one.png"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_file_cut_off_is_named(folder, name, share):
    path = folder / name
    noise = np.random.default_rng(0).integers(0, 3, (60, 80), np.uint8)
    if path.suffix == ".jpg":
        save_picture(path, np.repeat(100 * noise[..., None], 3, axis=2))
    else:
        save_labels(path, noise)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match=rf"{path.name} is (cut off or damaged|no picture)"):
        open_folder(folder)[0]


def test_an_empty_file_and_a_web_page_are_no_pictures(folder):
    for content in (b"", b"<!doctype html><title>Sign in</title>"):
        (folder / "images" / "one.jpg").write_bytes(content)
        with pytest.raises(ValueError, match=r"one\.jpg is no picture"):
            open_folder(folder)[0]


def test_a_fault_in_a_worker_process_still_names_the_file(folder):
    save_labels(folder / "labels" / "one.png", LABELS + 7)
    with pytest.raises(ValueError, match=r"one\.png holds the class numbers"):
        list(DataLoader(open_folder(folder), num_workers=1))


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


SETS = {
    CamVid: "camvid",
    VOC: "VOCdevkit",
    SBD: "sbd",
    Cityscapes: "cityscapes",
    OxfordPet: "oxford-iiit-pet",
    PersonPart: "person-part",
    PascalContext: "pascal-context",
}


@pytest.mark.parametrize(("make", "name"), SETS.items(), ids=lambda value: getattr(value, "__name__", value))
def test_a_set_that_is_not_there_names_the_folder_and_asks_no_network(make, name, tmp_path, monkeypatch):
    monkeypatch.setenv("DEEPLAB_LESSONS_DATA", str(tmp_path / "nowhere"))
    monkeypatch.setattr("urllib.request.urlopen", None)
    with pytest.raises(FileNotFoundError) as told:
        make()
    assert str(tmp_path / "nowhere" / name) in str(told.value)
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("make", [CamVid, VOC, SBD, Cityscapes])
def test_an_unknown_split_of_a_real_set_is_answered_with_the_known_ones(make):
    with pytest.raises(ValueError, match="no split named 'dev'; there are: train, val"):
        make(split="dev")


# Real sets, in the layout of their makers


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
    with pytest.raises(FileNotFoundError, match=r"b\.png is not there"):
        data[0]


def voc(root, train=("a", "b"), val=("v",)):
    base = root / "VOCdevkit" / "VOC2012"
    for name in (*train, *val):
        save_picture(base / "JPEGImages" / f"{name}.jpg")
        save_labels(base / "SegmentationClass" / f"{name}.png", palette=voc_colours())
    lists = base / "ImageSets" / "Segmentation"
    lists.mkdir(parents=True)
    for split, members in {"train": train, "val": val, "trainval": train + val}.items():
        (lists / f"{split}.txt").write_text("\n".join(members) + "\n")
    return root


def sbd(root, train, val):
    from scipy.io import savemat

    for name in (*train, *val):
        save_picture(root / "img" / f"{name}.jpg")
        (root / "cls").mkdir(exist_ok=True)
        record = np.zeros((1, 1), dtype=[("Segmentation", object)])
        record[0, 0]["Segmentation"] = np.full((6, 8), 7, np.uint8)
        savemat(root / "cls" / f"{name}.mat", {"GTcls": record})
    (root / "train.txt").write_text("\n".join(train) + "\n")
    (root / "val.txt").write_text("\n".join(val) + "\n")
    return root


def test_voc_is_found_and_read(tmp_path, monkeypatch):
    monkeypatch.setenv("DEEPLAB_LESSONS_DATA", str(voc(tmp_path)))
    assert [len(VOC(split=split)) for split in ("train", "val", "trainval")] == [2, 1, 3]
    data = VOC(tmp_path, "val")
    assert (
        np.array_equal(data.pair(0)[1], LABELS) and data.classes[15] == "person" and len(data.classes) == 21
    )


def test_trainaug_is_vocs_train_and_what_sbd_adds_but_nothing_of_val(tmp_path):
    voc(tmp_path / "voc"), sbd(tmp_path / "sbd", train=("a", "c", "v"), val=("d", "b"))
    data = SBD(tmp_path / "sbd", "trainaug", voc=tmp_path / "voc")
    assert [image.stem for image, _ in data.files] == ["a", "b", "c", "d"]
    assert np.array_equal(data.pair(0)[1], LABELS), "VOC's own labels are preferred"
    assert (data.pair(2)[1] == 7).all()
    assert len(SBD(tmp_path / "sbd", "train")) == 3


def test_an_sbd_file_cut_off_is_named(tmp_path):
    data = SBD(sbd(tmp_path, ("a",), ("b",)), "train")
    path = tmp_path / "cls" / "a.mat"
    path.write_bytes(path.read_bytes()[:150])
    with pytest.raises(ValueError, match=r"a\.mat is cut off or damaged"):
        data[0]
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r"a\.mat is not there"):
        data[0]


def test_pets_are_told_from_background_and_their_border_is_void(tmp_path):
    base = tmp_path / "oxford-iiit-pet"
    save_picture(base / "images" / "Bengal_1.jpg")
    save_labels(base / "annotations" / "trimaps" / "Bengal_1.png", np.array([[1, 2, 3, 2] * 2] * 6, np.uint8))
    (base / "annotations" / "trainval.txt").write_text("Bengal_1 1 1 1\n")
    data = OxfordPet(tmp_path)
    assert data.pair(0)[1][0, :4].tolist() == [1, 0, 255, 0] and data.classes == ("background", "pet")


def test_cityscapes_keeps_the_19_scored_classes(tmp_path):
    save_picture(tmp_path / "leftImg8bit" / "val" / "ulm" / "ulm_1_leftImg8bit.png")
    numbers = np.array([[7, 26, 3, 33, 15, 0, 11, 8]] * 6, np.uint8)
    save_labels(tmp_path / "gtFine" / "val" / "ulm" / "ulm_1_gtFine_labelIds.png", numbers)
    data = Cityscapes(tmp_path, "val")
    assert data.pair(0)[1][0].tolist() == [0, 13, 255, 18, 255, 255, 2, 1]
    assert len(data.classes) == 19 and data.classes[13] == "car"
    save_labels(tmp_path / "gtFine" / "val" / "ulm" / "ulm_1_gtFine_labelIds.png", numbers + 20)
    with pytest.raises(ValueError, match=r"\[35, 46, 53\].* knows 0-33"):
        data[0]


def test_download_fetches_torchvisions_archive_once_and_unpacks_it(tmp_path, monkeypatch):
    import shutil

    from torchvision.datasets.voc import DATASET_YEAR_DICT

    voc(tmp_path / "made")
    archive = shutil.make_archive(tmp_path / "kit", "tar", tmp_path / "made")
    asked = []

    def fetch(url, path, **more):
        asked.append((url, Path(path).name, more))
        shutil.copy(archive, path)
        return path

    monkeypatch.setattr("deeplab_lessons.datasets.torchvision_sets.fetch", fetch)
    monkeypatch.setenv("DEEPLAB_LESSONS_DATA", str(tmp_path / "data"))
    (tmp_path / "data").mkdir()
    for _ in range(2):
        assert len(VOC(split="train", download=True)) == 2
    source = DATASET_YEAR_DICT["2012"]
    assert asked == [(source["url"], source["filename"], {"md5": source["md5"]})]


# The sets that lie on this machine, where they do


def here(*parts):
    path = runtime.data_dir().joinpath(*parts)
    return pytest.mark.skipif(not path.exists(), reason=f"no {parts[0]} in the data folder")


@here("camvid", "train.txt")
def test_camvid_as_it_lies_here():
    assert {split: len(CamVid(split=split)) for split in ("train", "val", "test")} == {
        "train": 367,
        "val": 101,
        "test": 233,
    }
    picture, labels = CamVid(split="test").pair(0)
    assert picture.shape == (360, 480, 3) and set(np.unique(labels)) <= {*range(11), 255}
    shares = class_shares(CamVid(split="val"), limit=20)
    assert shares["road"] > 0.2 and shares["bicyclist"] < 0.1


@pytest.mark.skipif(datasets.find_voc() is None, reason="no PASCAL VOC in the data folder")
def test_voc_as_it_lies_here():
    data = VOC(split="val", transforms=transforms.train(65))
    image, mask = data[0]
    assert image.shape == (3, 65, 65) and set(mask.unique().tolist()) <= {*range(21), 255}


@pytest.mark.parametrize("name", NAMES)
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
    monkeypatch.setattr("deeplab_lessons.datasets.named.VOC", lambda **options: asked.append(options) or [])
    assert named("sbd", root="somewhere") == [] and named("sbd", "val") == []
    assert [(options["root"], options["split"]) for options in asked] == [(None, "val")] * 2


def test_an_unknown_name_gets_the_list():
    with pytest.raises(ValueError, match="no data set named 'kitti'; there are: embedded, camvid"):
        named("kitti")
