"""Accuracy, bands around boundaries, and the whole measuring of a model, against counts by hand."""

import numpy as np
import pytest
import torch

from deeplab_lessons import inference, metrics

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
    judged = labels != VOID
    assert metrics.pixel_accuracy(confusion) == pytest.approx((prediction == labels)[judged].mean())
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
        (lambda: metrics.trimap(np.zeros((4, 4)), 0), "at least 1 pixel wide, got 0"),
        (lambda: metrics.trimap_confusions(np.zeros((4, 4)), np.zeros((4, 4)), 2, [0]), "at least 1 pixel"),
        (lambda: metrics.trimap(np.zeros((1, 4, 4)), 1), r"\[H, W\], got shape \[1, 4, 4\]"),
        (lambda: metrics.trimap(np.zeros((4, 4)), 1, around="edges"), '"labels" or "void", got \'edges\''),
    ],
)
def test_wrong_bands_are_explained(call, words):
    with pytest.raises(ValueError, match=words):
        call()


# ---------------------------------------------------------------- a whole data set


def knows(labels):
    """A model that gives the true labels at stride 1, whatever it sees."""
    clean = torch.as_tensor(np.where(labels == VOID, 0, labels)).long()

    def model(images):
        return torch.nn.functional.one_hot(clean, 3).permute(2, 0, 1)[None].float()

    model.output_stride = 1
    return model


def test_the_truth_scores_full_marks_and_void_does_not_count():
    _, labels = random_maps(4)
    pair = (torch.zeros(3, *labels.shape), torch.as_tensor(labels).long())
    scores = inference.evaluate(knows(labels), [pair, pair], trimap=(1, 3))
    assert scores.mean_iou == scores.pixel_accuracy == 1
    assert scores.trimap_mean_iou == {1: 1.0, 3: 1.0}
    assert scores.confusion.sum() == 2 * (labels != VOID).sum()


def test_always_background_scores_its_share():
    labels = torch.zeros(16, 16, dtype=torch.int64)
    labels[:4] = 1

    def background(images):
        return torch.tensor([1.0, 0.0]).view(1, 2, 1, 1)

    scores = inference.evaluate(background, [(torch.zeros(3, 16, 16), labels)])
    assert scores.iou == {"0": 0.75, "1": 0.0}
    assert scores.pixel_accuracy == 0.75 and "37.5 %" in repr(scores)


def test_pictures_are_summed_before_dividing():
    """PASCAL VOC's way: a picture with few pixels of a class counts for little."""
    few, many = torch.zeros(8, 8, dtype=torch.int64), torch.ones(8, 8, dtype=torch.int64)
    few[0, 0] = 1

    def ones(images):
        return torch.tensor([0.0, 1.0]).view(1, 2, 1, 1)

    scores = inference.evaluate(ones, [(torch.zeros(3, 8, 8), mask) for mask in (few, many)])
    assert scores.iou["1"] == pytest.approx(65 / 128)


def test_an_empty_set_and_strange_labels_are_explained():
    with pytest.raises(ValueError, match="the data set is empty"):
        inference.evaluate(knows(np.zeros((4, 4))), [])
    labels = torch.full((4, 4), 7)
    with pytest.raises(ValueError, match=r"labels holds \[7\], but there are classes 0 to 2"):
        inference.evaluate(knows(np.zeros((4, 4))), [(torch.zeros(3, 4, 4), labels)])
