import itertools
from importlib import metadata

import numpy as np
import pytest
from PIL import Image

from deeplab_lessons import datasets, runtime
from deeplab_lessons.datasets import scenes, voc_colours
from deeplab_lessons.datasets.real import read_labels


@pytest.mark.parametrize("name", datasets.photograph_names())
def test_photographs_are_colour_pictures(name):
    picture = datasets.photograph(name)
    assert picture.dtype == np.uint8 and picture.ndim == 3 and picture.shape[2] == 3
    assert min(picture.shape[:2]) >= 288  # the textures of the scenes need that much
    assert picture.std() > 5


@pytest.mark.parametrize("name", datasets.photograph_names())
def test_photographs_lie_inside_the_wheel(name):
    """A picture that scikit-image would have to download is no use in a room without a network."""
    inside = {file.stem for file in metadata.files("scikit-image") if file.parent.name == "data"}
    needed = ("motorcycle_left", "motorcycle_right", "motorcycle_disp") if name == "motorcycle" else (name,)
    assert inside.issuperset(needed)


def test_an_unknown_photograph_lists_the_names():
    with pytest.raises(ValueError, match=r"'dog'.*astronaut.*chelsea"):
        datasets.photograph("dog")


def test_a_scene_has_a_picture_and_labels():
    picture, labels = datasets.scene(0)
    assert picture.shape == (128, 128, 3) and picture.dtype == np.uint8
    assert labels.shape == (128, 128) and labels.dtype == np.uint8
    assert set(np.unique(labels)) <= {*range(len(datasets.CLASSES)), datasets.IGNORE_INDEX}


def test_scenes_are_the_same_every_time_and_differ_from_each_other():
    for index in (0, 7, 10**9):
        for first, again in zip(datasets.scene(index), datasets.scene(index), strict=True):
            assert np.array_equal(first, again)
    seen = {datasets.scene(i, 64, split)[1].tobytes() for i in range(20) for split in scenes.SPLITS}
    assert len(seen) == 60


def test_a_returned_scene_may_be_changed():
    picture, _ = datasets.scene(5)
    before = picture.copy()
    picture[:] = 0
    assert np.array_equal(datasets.scene(5)[0], before)


def test_a_scene_is_the_same_at_every_size():
    small, large = datasets.scene(3, 64)[1], datasets.scene(3, 192)[1]
    centres = large[1::3, 1::3]  # the pixel of the large map in the middle of each small pixel
    assert (small == centres).mean() == 1.0


def test_classes_shares_and_void_of_the_set():
    counts = np.zeros(256, dtype=np.int64)
    for index in range(150):
        counts += np.bincount(datasets.scene(index)[1].ravel(), minlength=256)
    shares = counts / counts.sum()
    assert 0.65 < shares[0] < 0.85
    assert all(shares[label] > 0.01 for label in range(1, len(datasets.CLASSES)))
    assert 0.03 < shares[datasets.IGNORE_INDEX] < 0.09


def test_objects_range_over_eight_to_one():
    assert scenes.LARGEST / scenes.SMALLEST == 8
    drawn = []
    for index in range(300):
        rng = np.random.default_rng([0, index])
        for label, outline, _ in scenes._shapes(rng):
            if label == datasets.CLASSES.index("disc"):
                x, y = np.meshgrid(np.arange(-1, 2, 0.02), np.arange(-1, 2, 0.02))
                drawn.append(2 * np.sqrt((outline(x, y) <= 0).mean() * 9 / np.pi))  # diameter from the area
    assert min(drawn) < 1 / 12 and max(drawn) > 0.4


def test_every_shape_has_void_around_it_and_poles_and_wires_are_thin():
    for index in range(20):
        _, labels = datasets.scene(index, 256)
        for a, b in ((labels[1:], labels[:-1]), (labels[:, 1:], labels[:, :-1])):
            meets = (a != b) & (a != 255) & (b != 255)
            assert not meets.any()  # two classes never touch
        wire = labels == datasets.CLASSES.index("wire")
        longest = max(
            (len(list(run)) for column in wire.T for on, run in itertools.groupby(column) if on), default=0
        )
        assert longest <= 20


@pytest.mark.parametrize(
    ("arguments", "words"),
    [((0, 128, "training"), "train, val, test"), ((-1,), "from 0"), ((0, 8), "16 pixels")],
)
def test_impossible_scenes_are_named(arguments, words):
    with pytest.raises(ValueError, match=words):
        datasets.scene(*arguments)


# ---------------------------------------------------------------- real sets


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
    assert datasets.find_voc() == datasets.voc_root() == tmp_path / between
    read = list(datasets.real_label_maps(limit=2))
    assert len(read) == 2
    assert all(np.array_equal(got, want) for got, want in zip(read, maps.values(), strict=False))


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
        datasets.voc_root()
    with pytest.raises(FileNotFoundError):
        datasets.real_label_maps()


def test_a_coloured_label_picture_is_refused(tmp_path):
    Image.fromarray(np.zeros((2, 2, 3), np.uint8)).save(tmp_path / "colours.png")
    with pytest.raises(ValueError, match=r"RGB colours.*class index"):
        read_labels(tmp_path / "colours.png")


def test_real_voc_maps_hold_classes_and_void():
    if datasets.find_voc() is None:
        pytest.skip(f"no PASCAL VOC 2012 under {runtime.data_dir()}")
    maps = list(datasets.real_label_maps(limit=25))
    assert maps and all(labels.ndim == 2 and labels.dtype == np.uint8 for labels in maps)
    values = set(np.unique(np.concatenate([labels.ravel() for labels in maps])).tolist())
    assert values <= {*range(21), 255} and {0, 255} <= values
