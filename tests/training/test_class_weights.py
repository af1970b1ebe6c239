"""Weights of the classes: counted as the source says, and what they do to each loss."""

import numpy as np
import pytest
import torch
from small_training import GRID, VOID, bright_squares, run, same_weights, tiny
from torch.nn import functional as F

from deeplab_lessons import training
from deeplab_lessons.classroom.built_in import Embedded
from deeplab_lessons.datasets import transforms
from deeplab_lessons.grid import Grid
from deeplab_lessons.training.class_weights import median_frequency
from deeplab_lessons.training.losses import LOSSES


def maps(*rows):
    """A data set of label maps of one row each; the images are empty."""
    return [(torch.zeros(3, 1, len(row)), torch.tensor([row])) for row in rows]


def test_median_frequency_by_hand():
    """Class 0: 5 of 12 pixels; class 1: 3 of 8; class 2: 4 of 8. The second map lacks 1, the third lacks 2."""
    data = maps([0, 0, 1, 2], [0, 2, 2, 2], [0, 0, 1, 1])
    weights = median_frequency(data)
    frequencies = torch.tensor([5 / 12, 3 / 8, 4 / 8])
    torch.testing.assert_close(weights, frequencies.median() / frequencies)


def test_void_pixels_are_no_pixels():
    torch.testing.assert_close(
        median_frequency(maps([0, 0, 1, VOID, VOID, VOID])), torch.tensor([0.5 * 1.5, 0.5 * 3])
    )


def test_a_class_that_never_occurs_has_the_weight_1_and_changes_no_other():
    class Named(list):
        classes = ("a", "b", "c", "d")

    weights = median_frequency(Named(maps([0, 0, 0, 2])))
    assert weights[[1, 3]].tolist() == [1, 1] and weights.isfinite().all()
    torch.testing.assert_close(weights[[0, 2]], median_frequency(maps([0, 0, 0, 1])))


def test_a_rare_class_is_weighed_at_most_ten_times():
    assert median_frequency(maps([0] * 999 + [1] + [2] * 1000))[1] == 10


def test_label_maps_are_counted_whole_and_not_as_they_are_cut_for_training():
    cut, whole = (Embedded("train", 5, 48, change) for change in (transforms.train(16), None))
    assert torch.equal(median_frequency(cut), median_frequency(whole))
    part = torch.utils.data.Subset(torch.utils.data.Subset(cut, [0, 2, 4]), [1, 2])
    expected = median_frequency([whole[2], whole[4]])
    assert torch.equal(median_frequency(part)[: len(expected)], expected) and len(median_frequency(part)) == 6


def test_without_a_labelled_pixel_there_are_no_frequencies():
    with pytest.raises(ValueError, match=r"no pixel is labelled.*class_weights=None"):
        median_frequency(maps([VOID, VOID]))


def batch(seed=0):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, 3, (2, 32, 32), generator=generator)
    labels[torch.rand(labels.shape, generator=generator) < 0.3] = VOID
    return torch.randn(2, 3, 4, 4, generator=generator, requires_grad=True), labels


WEIGHTS = torch.tensor([0.2, 3.0, 0.0])


def by_torch(name, logits, labels):
    """The same by torch's own weighted mean; for areas a mean over every pixel of the cells."""
    if name == "subsample":
        labels = labels[:, 4::8, 4::8]
    if name == "upsampled":
        logits = F.interpolate(logits, (32, 32), mode="bilinear")
    if name == "area":
        # a cell's class shares count as one, however many of its pixels are labelled
        logits = logits.repeat_interleave(8, 2).repeat_interleave(8, 3)
        judged = F.avg_pool2d((labels != VOID).float()[:, None], 8)[:, 0]
        each = F.cross_entropy(logits, labels, WEIGHTS, ignore_index=VOID, reduction="none")
        mass = WEIGHTS[labels.where(labels != VOID, 2)]
        mean = [F.avg_pool2d(part[:, None], 8)[:, 0] / judged for part in (each, mass)]
        return mean[0].sum() / mean[1].sum()
    return F.cross_entropy(logits, labels, WEIGHTS, ignore_index=VOID)


@pytest.mark.parametrize("name", LOSSES)
def test_loss_and_gradient_are_those_of_torch(name):
    logits, labels = batch()
    found, expected = LOSSES[name](logits, labels, GRID, WEIGHTS), by_torch(name, logits, labels)
    torch.testing.assert_close(found, expected)
    ours, theirs = (torch.autograd.grad(loss, logits, retain_graph=True)[0] for loss in (found, expected))
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("name", LOSSES)
def test_equal_weights_change_nothing_and_weights_of_nothing_are_no_nan(name):
    logits, labels = batch(1)
    plain, equal = (LOSSES[name](logits, labels, Grid(8, None), w) for w in (None, torch.full((3,), 0.25)))
    torch.testing.assert_close(plain, equal)
    only = labels.where(labels == VOID, 2)
    assert LOSSES[name](logits, only, GRID, WEIGHTS) == 0, "a class of weight 0 alone"


def test_training_with_numbers_is_training_on_the_weighted_loss():
    data, model, plain = bright_squares(4), tiny(), tiny()
    for layer in (model.body[3], plain.body[3]):
        layer.p = 0.0
    run(model, data, iterations=1, class_weights=np.array([0.5, 2]))
    images, labels = (torch.stack(part) for part in zip(*data, strict=True))
    sgd = torch.optim.SGD(plain.parameter_groups(0.01), momentum=0.9, weight_decay=5e-4)
    training.subsample_loss(plain(images), labels, GRID, torch.tensor([0.5, 2.0])).backward()
    sgd.step()
    assert all(map(torch.allclose, model.parameters(), plain.parameters()))


def test_median_frequency_is_counted_once_and_noted(tmp_path, monkeypatch):
    data, path, model, whole = bright_squares(), tmp_path / "run.pt", tiny(), tiny()
    given = {"checkpoint": path, "save_every": 3, "class_weights": "median-frequency"}

    def stop(done, model):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tiny(), data, validate_every=6, watch=stop, **given)
    noted = training.load_checkpoint(path)["about"]["class_weights"]
    assert noted == median_frequency(data).tolist()
    monkeypatch.setattr(training.class_weights, "median_frequency", lambda data: pytest.fail("counted again"))
    run(model, data, **given)
    run(whole, data, class_weights=noted)
    assert same_weights(model, whole)


@pytest.mark.parametrize(
    "wrong", ["inverse", [1, -1], [0, 0], [1, float("nan")], [1, float("inf")], ["a", "b"], 3.0, []]
)
def test_wrong_weights_are_refused_with_what_is_right(wrong):
    with pytest.raises(ValueError, match='class_weights must be None, "median-frequency" or a number from 0'):
        run(tiny(), class_weights=wrong)


def test_a_weight_too_few_is_refused():
    with pytest.raises(ValueError, match="must be 2 numbers, one for each class, got 3"):
        run(tiny(), class_weights=[1, 2, 3])


def test_a_class_that_no_pair_of_a_list_shows_has_the_weight_1():
    """The model has one class more than the pairs show, and nothing names it."""
    history = run(tiny(classes=3), bright_squares(), iterations=1, class_weights="median-frequency")
    assert np.isfinite(history.loss[0])
