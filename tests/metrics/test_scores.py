import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from deeplab_lessons import metrics


def counted_by_hand(prediction, labels, num_classes, void=255):
    """Confusion matrix, one pixel at a time."""
    matrix = [[0] * num_classes for _ in range(num_classes)]
    for said, true in zip(np.ravel(prediction).tolist(), np.ravel(labels).tolist(), strict=True):
        if true != void:
            matrix[true][said] += 1
    return matrix


@st.composite
def pairs(draw):
    height, width, classes = draw(st.integers(1, 6)), draw(st.integers(1, 6)), draw(st.integers(2, 5))
    pixels = height * width
    said = draw(st.lists(st.integers(0, classes - 1), min_size=pixels, max_size=pixels))
    label = st.one_of(st.just(255), st.integers(0, classes - 1))
    true = draw(st.lists(label, min_size=pixels, max_size=pixels))
    shape = (height, width)
    return np.array(said, np.uint8).reshape(shape), np.array(true, np.uint8).reshape(shape), classes


@settings(deadline=None)
@given(pairs())
def test_confusion_and_iou_are_those_counted_by_hand(pair):
    prediction, labels, classes = pair
    confusion = metrics.confusion_matrix(prediction, labels, classes)
    by_hand = counted_by_hand(prediction, labels, classes)
    assert confusion.tolist() == by_hand
    for label, got in enumerate(metrics.iou_per_class(confusion).tolist()):
        both = by_hand[label][label]
        union = sum(by_hand[label]) + sum(row[label] for row in by_hand) - both
        want = both / union if union else math.nan
        one = metrics.class_iou(prediction, labels, label)
        assert (math.isnan(want) and math.isnan(got) and math.isnan(one)) or got == pytest.approx(want) == one


def test_a_pair_written_out():
    labels = np.array([[1, 1, 1, 0, 255]])
    prediction = np.array([[1, 1, 0, 1, 1]])
    confusion = metrics.confusion_matrix(prediction, labels, 3)
    assert confusion.tolist() == [[0, 1, 0], [1, 2, 0], [0, 0, 0]]
    iou = metrics.iou_per_class(confusion).tolist()
    assert iou[:2] == [0.0, 0.5] and math.isnan(iou[2])
    assert metrics.mean_iou(confusion) == 0.25  # the absent class 2 is left out


def test_a_class_predicted_but_absent_counts_with_zero():
    confusion = metrics.confusion_matrix(np.array([0, 2]), np.array([0, 0]), 3)
    assert metrics.mean_iou(confusion) == pytest.approx((0.5 + 0) / 2)


def test_what_is_predicted_under_void_does_not_matter():
    labels = np.array([[0, 255], [255, 1]], np.uint8)
    predictions = (np.array([[0, under], [under, 1]], np.uint8) for under in (0, 1, 255))
    assert {metrics.mean_iou(metrics.confusion_matrix(p, labels, 2)) for p in predictions} == {1.0}


def test_nothing_judged_gives_nan():
    confusion = metrics.confusion_matrix(np.array([0]), np.array([255]), 2)
    assert confusion.sum() == 0 and math.isnan(metrics.mean_iou(confusion))


def test_counts_are_summed_over_a_set_before_dividing():
    first = metrics.confusion_matrix(np.array([1, 1, 1, 1]), np.array([1, 1, 1, 1]), 2)
    second = metrics.confusion_matrix(np.array([1]), np.array([0]), 2)
    assert metrics.iou_per_class(first + second)[1] == pytest.approx(4 / 5)  # not the mean of 1 and 0


def test_another_void_number_and_tensors():
    labels, prediction = torch.tensor([0, 11, 1]), torch.tensor([0, 0, 1])
    assert metrics.mean_iou(metrics.confusion_matrix(prediction, labels, 2, ignore_index=11)) == 1.0


@pytest.mark.parametrize(
    ("prediction", "labels", "words"),
    [
        ([0, 1], [0, 1, 1], "differ in shape"),
        ([0, 7], [0, 1], r"prediction holds \[7\]"),
        ([0, 1], [0, 9], r"labels holds \[9\].*ignore_index"),
        ([255, 1], [0, 1], r"prediction holds \[255\]"),
    ],
)
def test_impossible_input_is_named(prediction, labels, words):
    with pytest.raises(ValueError, match=words):
        metrics.confusion_matrix(np.array(prediction), np.array(labels), 2)


def test_each_object_has_its_own_iou():
    labels = np.zeros((40, 40), np.uint8)
    labels[4:12, 4:12] = 1  # 8 pixels a side
    labels[20:36, 20:36] = 1  # 16 pixels a side
    drawn = labels.copy()
    assert metrics.object_ious(drawn, labels, [1, 2]) == [(8, 1.0), (16, 1.0)]
    drawn[4:12, 8:12] = 0  # half of the small one is missed
    drawn[20:36, 16:20] = 1  # the large one is drawn a quarter too wide
    assert metrics.object_ious(drawn, labels, [1]) == [(8, 0.5), (16, 0.8)]
    drawn[:, :3] = 1  # one pixel column of it lies in the small one's box, grown by 2
    assert metrics.object_ious(drawn, labels, [1])[0] == (8, 32 / (64 + 12))
    labels[:, :3] = 255
    assert metrics.object_ious(drawn, labels, [1])[0] == (8, 0.5), "void is not judged"


def test_objects_of_one_class_do_not_count_against_each_other():
    labels = np.zeros((20, 20), np.uint8)
    labels[2:10, 2:10], labels[2:10, 11:19] = 1, 1
    drawn = np.where(np.arange(20) < 10, labels, 0)
    assert metrics.object_ious(drawn, labels, [1]) == [(8, 1.0), (8, 0.0)]
    assert metrics.object_ious(labels, labels, [1]) == [(8, 1.0), (8, 1.0)]
