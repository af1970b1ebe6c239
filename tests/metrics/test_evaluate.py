"""`inference.evaluate`: the whole measuring of a model, against what can be said beforehand."""

import numpy as np
import pytest
import torch

from deeplab_lessons import inference
from deeplab_lessons.grid import PIXELS

VOID = 255


def random_labels(seed, height=9, width=11, classes=3, void=0.2):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, (height, width)).astype(np.uint8)
    labels[rng.random((height, width)) < void] = VOID
    return labels


def knows(labels):
    """A model that gives the true labels at stride 1, whatever it sees."""
    clean = torch.as_tensor(np.where(labels == VOID, 0, labels)).long()

    def model(images):
        return torch.nn.functional.one_hot(clean, 3).permute(2, 0, 1)[None].float()

    model.grid = PIXELS
    return model


def test_the_truth_scores_full_marks_and_void_does_not_count():
    labels = random_labels(4)
    pair = (torch.zeros(3, *labels.shape), torch.as_tensor(labels).long())
    scores = inference.evaluate(knows(labels), [pair, pair], trimap=(1, 3))
    assert scores.mean_iou == scores.pixel_accuracy == 1
    assert scores.trimap_mean_iou == {1: 1.0, 3: 1.0}
    assert scores.confusion.sum() == 2 * (labels != VOID).sum()


def test_always_background_scores_its_share():
    labels = torch.zeros(16, 16, dtype=torch.int64)
    labels[:4] = 1

    def background(images):
        return torch.tensor([1.0, 0.0]).view(1, 2, 1, 1).expand(1, 2, 16, 16)

    scores = inference.evaluate(background, [(torch.zeros(3, 16, 16), labels)], grid=PIXELS)
    assert scores.iou == {"0": 0.75, "1": 0.0}
    assert scores.pixel_accuracy == 0.75 and "37.5 %" in repr(scores)


def test_pictures_are_summed_before_dividing():
    """PASCAL VOC's way: a picture with few pixels of a class counts for little."""
    few, many = torch.zeros(8, 8, dtype=torch.int64), torch.ones(8, 8, dtype=torch.int64)
    few[0, 0] = 1

    def ones(images):
        return torch.tensor([0.0, 1.0]).view(1, 2, 1, 1).expand(1, 2, 8, 8)

    scores = inference.evaluate(ones, [(torch.zeros(3, 8, 8), mask) for mask in (few, many)], grid=PIXELS)
    assert scores.iou["1"] == pytest.approx(65 / 128)


def test_an_empty_set_and_strange_labels_are_explained():
    with pytest.raises(ValueError, match="the data set is empty"):
        inference.evaluate(knows(np.zeros((4, 4))), [])
    labels = torch.full((4, 4), 7)
    with pytest.raises(ValueError, match=r"labels must be classes 0 to 2 or void \(255\), got \[7\]"):
        inference.evaluate(knows(np.zeros((4, 4))), [(torch.zeros(3, 4, 4), labels)])
