import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from deeplab_lessons import metrics
from deeplab_lessons.classroom import objects


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


@pytest.mark.slow
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
        one = objects.class_iou(prediction, labels, label)
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


def test_nothing_labelled_gives_nan():
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
        ([0, 7], [0, 1], r"prediction must be classes 0 to 1, got \[7\]"),
        ([0, 1], [0, 9], r"labels must be classes 0 to 1 or void \(255\), got \[9\].*ignore_index"),
        ([255, 1], [0, 1], r"prediction must be classes 0 to 1, got \[255\]"),
    ],
)
def test_impossible_input_is_named(prediction, labels, words):
    with pytest.raises(ValueError, match=words):
        metrics.confusion_matrix(np.array(prediction), np.array(labels), 2)


# Near boundaries

VOID = 255


def random_maps(seed, height=9, width=11, classes=3, void=0.2):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, (height, width)).astype(np.uint8)
    labels[rng.random((height, width)) < void] = VOID
    return rng.integers(0, classes, (height, width)).astype(np.uint8), labels


def count_by_hand(prediction, labels, classes, where=None):
    """Confusion, IoU and accuracy with nothing but loops."""
    confusion = np.zeros((classes, classes), int)
    for row in range(labels.shape[0]):
        for column in range(labels.shape[1]):
            if labels[row, column] != VOID and (where is None or where[row, column]):
                confusion[labels[row, column], prediction[row, column]] += 1
    return confusion


@pytest.mark.parametrize("seed", range(5))
def test_numbers_agree_with_a_count_by_hand(seed):
    prediction, labels = random_maps(seed)
    by_hand = count_by_hand(prediction, labels, 3)
    confusion = metrics.confusion_matrix(prediction, labels, 3)
    assert confusion.tolist() == by_hand.tolist()
    labelled = labels != VOID
    assert metrics.pixel_accuracy(confusion) == pytest.approx((prediction == labels)[labelled].mean())
    for label in range(3):
        both = by_hand[label, label]
        union = by_hand[label].sum() + by_hand[:, label].sum() - both
        assert metrics.iou_per_class(confusion)[label].item() == pytest.approx(both / union)


def test_accuracy_of_nothing_is_no_number():
    assert np.isnan(metrics.pixel_accuracy(torch.zeros(2, 2, dtype=torch.int64)))


def nearest_other(labels, void_only):
    """Distance to the nearest pixel with another label (or void), pixel by pixel."""
    places = np.argwhere(np.ones_like(labels))
    distance = np.full(labels.shape, np.inf)
    for row, column in places:
        for r, c in places:
            other = labels[r, c] == VOID if void_only else labels[r, c] != labels[row, column]
            if other and not (void_only and labels[row, column] == VOID):
                distance[row, column] = min(distance[row, column], np.hypot(r - row, c - column))
    return distance


@pytest.mark.parametrize("around", ["labels", "void"])
@pytest.mark.parametrize("seed", range(3))
def test_boundary_distance_agrees_with_a_search(seed, around):
    rng = np.random.default_rng(seed)
    labels = np.kron(rng.integers(0, 3, (2, 3)), np.ones((4, 3), int)).astype(np.uint8)
    labels[rng.random(labels.shape) < 0.05] = VOID
    labels[0, 0] = VOID
    found = metrics.boundary_distance(labels, around)
    np.testing.assert_allclose(found, nearest_other(labels, around == "void"))


def test_a_step_has_a_band_on_both_sides():
    labels = np.zeros((4, 10), np.uint8)
    labels[:, 5:] = 1
    for width in (1, 2, 3):
        assert np.flatnonzero(metrics.trimap(labels, width)[0]).tolist() == list(range(5 - width, 5 + width))
    assert not metrics.trimap(labels, 3, around="void").any(), "there is no void here"


def test_void_is_in_no_band_but_makes_one():
    labels = np.zeros((3, 9), np.uint8)
    labels[:, 4] = VOID
    for around in ("labels", "void"):
        assert np.flatnonzero(metrics.trimap(labels, 1, around)[0]).tolist() == [3, 5]


def test_one_class_alone_has_no_boundary():
    assert not metrics.trimap(np.zeros((5, 5), np.uint8), 40).any()


def test_bands_grow_to_the_whole_picture():
    prediction, labels = random_maps(1)
    bands = metrics.trimap_confusions(prediction, labels, 3, (1, 5, 40))
    totals = [bands[width].sum().item() for width in (1, 5, 40)]
    assert totals == sorted(totals) and totals[0] > 0
    assert bands[40].tolist() == metrics.confusion_matrix(prediction, labels, 3).tolist()
    inside = metrics.trimap(labels, 1)
    assert bands[1].tolist() == count_by_hand(prediction, labels, 3, inside).tolist()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: metrics.trimap(np.zeros((4, 4)), 0), "width must be at least 1 pixel, got 0"),
        (lambda: metrics.trimap_confusions(np.zeros((4, 4)), np.zeros((4, 4)), 2, [0]), "at least 1 pixel"),
        (lambda: metrics.trimap(np.zeros((1, 4, 4)), 1), r"\[H, W\], got \[1, 4, 4\]"),
        (
            lambda: metrics.trimap(np.zeros((4, 4)), 1, around="edges"),
            "around 'edges': choose from labels, void",
        ),
    ],
)
def test_wrong_bands_are_explained(call, words):
    with pytest.raises(ValueError, match=words):
        call()
