"""Single objects: their sizes, and how well each is drawn, by hand."""

import numpy as np
import pytest

from deeplab_lessons.classroom import objects
from deeplab_lessons.classroom.built_in import CLASSES, Embedded


def test_each_object_has_its_own_iou():
    labels = np.zeros((40, 40), np.uint8)
    labels[4:12, 4:12] = 1  # 8 pixels per side
    labels[20:36, 20:36] = 1  # 16 pixels per side
    drawn = labels.copy()
    assert objects.object_ious(drawn, labels, [1, 2]) == [(8, 1.0), (16, 1.0)]
    drawn[4:12, 8:12] = 0  # half of the small one is missed
    drawn[20:36, 16:20] = 1  # the large one is drawn a quarter too wide
    assert objects.object_ious(drawn, labels, [1]) == [(8, 0.5), (16, 0.8)]
    drawn[:, :3] = 1  # one pixel column of it lies in the small one's box, grown by 2
    assert objects.object_ious(drawn, labels, [1])[0] == (8, 32 / (64 + 12))
    labels[:, :3] = 255
    assert objects.object_ious(drawn, labels, [1])[0] == (8, 0.5), "void does not count"


def test_objects_of_one_class_do_not_count_against_each_other():
    labels = np.zeros((20, 20), np.uint8)
    labels[2:10, 2:10], labels[2:10, 11:19] = 1, 1
    drawn = np.where(np.arange(20) < 10, labels, 0)
    assert objects.object_ious(drawn, labels, [1]) == [(8, 1.0), (8, 0.0)]
    assert objects.object_ious(labels, labels, [1]) == [(8, 1.0), (8, 1.0)]


def test_objects_are_measured_by_their_visible_part():
    labels = np.zeros((20, 30), np.uint8)
    labels[2:10, 3:8], labels[2:10, 8:12], labels[15, 20:30], labels[0, 0] = 1, 2, 4, 255
    sides = objects.object_sides(labels)
    assert (sides[2:10, 3:12] == 8).all() and (sides > 0).sum() == 8 * 9
    assert objects.object_sides(labels, classes=(4,)).max() == 10


@pytest.mark.slow
def test_class_frequencies_are_stated_and_every_class_is_there_to_learn():
    shares = objects.class_frequencies(Embedded("train", 200, size=64))
    void = shares.pop("void")
    assert list(shares) == list(CLASSES) and sum(shares.values()) == pytest.approx(1)
    assert 0.02 < void < 0.12
    assert min(shares.values()) > 0.01 and 0.7 < shares["background"] < 0.9
