"""The built-in scenes: what is in them, and that they stay what they are."""

import hashlib
import itertools
import sys
from importlib import metadata

import numpy as np
import pytest
from scipy import ndimage

from deeplab_lessons import datasets
from deeplab_lessons.classroom import built_in, objects


def test_a_scene_has_a_picture_and_labels():
    picture, labels = built_in.scene(0)
    assert picture.shape == (128, 128, 3) and picture.dtype == np.uint8
    assert labels.shape == (128, 128) and labels.dtype == np.uint8
    assert set(np.unique(labels)) <= {*range(len(built_in.CLASSES)), datasets.IGNORE_INDEX}


def test_scenes_are_the_same_every_time_and_differ_from_each_other():
    for index in (0, 7, 10**9):
        for first, again in zip(built_in.scene(index), built_in.scene(index), strict=True):
            assert np.array_equal(first, again)
    seen = {built_in.scene(i, 64, split)[1].tobytes() for i in range(20) for split in built_in.SPLITS}
    assert len(seen) == 60


def test_a_returned_scene_may_be_changed():
    picture, _ = built_in.scene(5)
    before = picture.copy()
    picture[:] = 0
    assert np.array_equal(built_in.scene(5)[0], before)


def test_a_scene_is_the_same_at_every_size():
    small, large = built_in.scene(3, 64)[1], built_in.scene(3, 192)[1]
    centres = large[1::3, 1::3]  # the pixel of the large map in the middle of each small pixel
    assert (small == centres).mean() == 1.0


@pytest.mark.slow
def test_classes_shares_and_void_of_the_set():
    counts = np.zeros(256, dtype=np.int64)
    for index in range(150):
        counts += np.bincount(built_in.scene(index)[1].ravel(), minlength=256)
    shares = counts / counts.sum()
    assert 0.65 < shares[0] < 0.85
    assert all(shares[label] > 0.01 for label in range(1, len(built_in.CLASSES)))
    assert 0.03 < shares[datasets.IGNORE_INDEX] < 0.09


@pytest.mark.slow
def test_objects_range_over_eight_to_one():
    assert built_in.LARGEST / built_in.SMALLEST == 8
    drawn = []
    for index in range(300):
        rng = np.random.default_rng([0, index])
        for label, outline, _ in built_in._shapes(rng):
            if label == built_in.CLASSES.index("disc"):
                x, y = np.meshgrid(np.arange(-1, 2, 0.02), np.arange(-1, 2, 0.02))
                drawn.append(2 * np.sqrt((outline(x, y) <= 0).mean() * 9 / np.pi))  # diameter from the area
    assert min(drawn) < 1 / 12 and max(drawn) > 0.4


@pytest.mark.slow
def test_every_shape_has_void_around_it_and_poles_and_wires_are_thin():
    for index in range(20):
        _, labels = built_in.scene(index, 256)
        for a, b in ((labels[1:], labels[:-1]), (labels[:, 1:], labels[:, :-1])):
            meets = (a != b) & (a != 255) & (b != 255)
            assert not meets.any()  # two classes never touch
        wire = labels == built_in.CLASSES.index("wire")
        longest = max(
            (len(list(run)) for column in wire.T for on, run in itertools.groupby(column) if on), default=0
        )
        assert longest <= 20


@pytest.mark.parametrize(
    ("arguments", "words"),
    [((0, 128, "training"), "train, val, test"), ((-1,), "at least 0.*got -1"), ((0, 8), "16 pixels")],
)
def test_impossible_scenes_are_named(arguments, words):
    with pytest.raises(ValueError, match=words):
        built_in.scene(*arguments)


def signs(count, size=128):
    """Colour, class and distance to the outline (pixels) of each sign that is seen whole enough."""
    for index in range(count):
        picture, labels = built_in.scene(index, size)
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
    painted = [built_in._painted(surface.copy(), label, at_rim) for label in (1, 2, 3)]
    assert all((signs[30:] == surface[30:]).all() for signs in painted)
    assert len({signs[:30].mean(0).round().tobytes() for signs in painted}) == 3


@pytest.mark.slow
def test_the_rims_of_real_scenes_are_in_the_colour_of_their_class():
    told = []
    for label, picture, inside, depth in signs(60):
        rim = picture[inside & (depth <= 1)].mean(0)
        alike = {k: rim @ colour / np.linalg.norm(colour) for k, colour in built_in.RIM_COLOURS.items()}
        told.append(max(alike, key=alike.get) == label)
    assert np.mean(told) > 0.95  # where a sign covers another, what is seen of the outline is not all rim


@pytest.mark.slow
def test_the_middle_of_large_signs_needs_a_large_window():
    """At class size, a window of 17 pixels around a sign's pixel often shows neither rim nor outline."""
    blind = total = 0
    for _, _, inside, depth in signs(60):
        blind += (depth > 2 * built_in.RIM * depth.max() + 8).sum()
        total += inside.sum()
    assert 0.05 < blind / total < 0.6


def test_only_signs_are_coloured_poles_are_pale_and_wires_dark():
    for index in range(20):
        picture, labels = built_in.scene(index, 128)
        for label in (0, 4, 5):
            assert (np.ptp(picture[labels == label], axis=-1) == 0).all()
        assert picture[labels == 4].min() >= 190 and picture[labels == 5].max() < 60


@pytest.mark.slow
def test_objects_of_every_octave_are_seen_and_thin_things_are_thin():
    """At class size: longer sides from under 12 to over 60 pixels, poles of some 4 pixels, wires of some 2."""
    sides, poles, wires = set(), [], []
    for index in range(60):
        labels = built_in.scene(index, 128)[1]
        sides |= set(objects.object_sides(labels).ravel().tolist()) - {0}
        poles += [row.sum() for row in labels == 4 if row.any()]
        wires += [column.sum() for column in (labels == 5).T if column.any()]
    assert max(sides) > 60 and {side // 8 for side in sides} >= set(range(8))
    assert np.median(poles) < 10 and np.median(wires) < 6, "pixels a row or column, of one or two of them"


@pytest.mark.parametrize("name", built_in.PHOTOGRAPHS)
def test_photographs_are_colour_pictures(name):
    picture = built_in.photograph(name)
    assert picture.dtype == np.uint8 and picture.ndim == 3 and picture.shape[2] == 3
    assert min(picture.shape[:2]) >= 288  # the textures of the scenes need that much
    assert picture.std() > 5


@pytest.mark.parametrize("name", built_in.PHOTOGRAPHS)
def test_photographs_lie_inside_the_wheel(name):
    """A picture that scikit-image would have to download is no use in a room without a network."""
    inside = {file.stem for file in metadata.files("scikit-image") if file.parent.name == "data"}
    needed = ("motorcycle_left", "motorcycle_right", "motorcycle_disp") if name == "motorcycle" else (name,)
    assert inside.issuperset(needed)


def test_an_unknown_photograph_lists_the_names():
    with pytest.raises(ValueError, match=r"'dog'.*astronaut.*chelsea"):
        built_in.photograph("dog")


def test_without_scikit_image_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage", None)
    with pytest.raises(ImportError, match=r"deeplab-lessons\[lab\]"):
        built_in.photograph("chelsea")


@pytest.mark.slow
def test_splits_share_no_scene():
    seen = {
        built_in.Embedded(split, 20, size=32).pair(i)[0].tobytes()
        for split in built_in.SPLITS
        for i in range(20)
    }
    assert len(seen) == 60


def test_an_unknown_split_is_answered_with_the_known_ones():
    with pytest.raises(ValueError, match="unknown split 'dev': choose from train, val, test"):
        built_in.Embedded("dev")


def test_the_edition_is_raised_when_scenes_change():
    """The digest is of edition 1. Where it differs, raise `built_in.EDITION`, and write the new digest here."""
    digest = hashlib.sha256()
    for index, split in enumerate(built_in.SPLITS):
        digest.update(np.dstack(built_in.scene(index, 64, split)).tobytes())
    assert (built_in.EDITION, digest.hexdigest()[:16]) == (1, "d4ff0f1e9bbeba78")
