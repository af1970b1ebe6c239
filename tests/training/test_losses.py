"""Losses on the coarse map, against loops and against torch."""

import math

import numpy as np
import pytest
import torch
from small_training import GRID, VOID, bright_squares, tiny
from torch.nn import functional as F

from deeplab_lessons import training
from deeplab_lessons.classroom import redrawing
from deeplab_lessons.grid import Grid


def test_subsampled_labels_are_those_that_lesson_01_keeps():
    labels = np.random.default_rng(0).integers(0, 5, (48, 64)).astype(np.int64)
    small = training.subsample_labels(torch.tensor(labels)[None], (6, 8), GRID)[0]
    assert small.tolist() == redrawing.subsample(labels, 8).tolist()


def test_odd_sizes_take_every_eighth_pixel():
    labels = torch.arange(321 * 321).view(1, 321, 321)
    assert torch.equal(training.subsample_labels(labels, (41, 41), GRID), labels[:, ::8, ::8])


def test_a_start_of_its_own_moves_the_samples():
    labels = torch.arange(64).expand(1, 64, 64)
    assert training.subsample_labels(labels, (8, 8), Grid(8, 7.5))[0, 0].tolist() == [
        8,
        16,
        24,
        32,
        40,
        48,
        56,
        63,
    ]


def by_hand(logits, labels):
    """Mean cross-entropy over cells that are not void, with loops and logarithms."""
    costs = []
    for n, row, column in np.ndindex(*labels.shape):
        label = int(labels[n, row, column])
        if label != VOID:
            scores = [math.exp(v) for v in logits[n, :, row, column].tolist()]
            costs.append(-math.log(scores[label] / sum(scores)))
    return sum(costs) / len(costs)


def random_batch(seed=0, size=32, cells=4, classes=3, void=0.3):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, classes, (2, size, size), generator=generator)
    labels[torch.rand(labels.shape, generator=generator) < void] = VOID
    return torch.randn(2, classes, cells, cells, generator=generator), labels


@pytest.mark.parametrize("seed", range(3))
def test_subsample_loss_by_hand(seed):
    logits, labels = random_batch(seed)
    expected = by_hand(logits, labels[:, 4::8, 4::8])
    assert training.subsample_loss(logits, labels, GRID).item() == pytest.approx(expected, rel=1e-5)


def test_area_shares_are_those_of_lesson_01():
    _, labels = random_batch(5, size=40)
    shares = training.cell_shares(labels, (5, 5), 3, GRID)
    for picture, wanted in zip(shares, labels.numpy().astype(np.uint8), strict=True):
        np.testing.assert_allclose(picture, redrawing.class_shares(wanted, 8, 3), atol=1e-6)


def test_area_shares_on_odd_sizes_belong_to_the_nearest_centre():
    labels = torch.zeros(1, 17, 17, dtype=torch.int64)
    labels[0, :, 4:12] = 1  # the eight columns nearest to the centre of the middle cell, column 8
    shares = training.cell_shares(labels, (3, 3), 2, GRID)
    assert shares[0, 1].tolist() == [[0, 1, 0]] * 3


def test_area_loss_is_the_mean_over_each_cells_pixels():
    """Cross-entropy is linear in the labels: the loss of a cell is the mean of its pixels' losses."""
    logits, labels = random_batch(7)
    every_pixel = F.cross_entropy(
        logits.repeat_interleave(8, 2).repeat_interleave(8, 3), labels, ignore_index=VOID, reduction="none"
    )
    judged = (labels != VOID).float()
    cells = F.avg_pool2d(every_pixel[:, None], 8) / F.avg_pool2d(judged[:, None], 8)
    assert training.area_loss(logits, labels, GRID).item() == pytest.approx(cells.mean().item(), rel=1e-5)


def test_upsampled_loss_is_cross_entropy_of_the_enlarged_scores():
    logits, labels = random_batch(9)
    large = F.interpolate(logits, (32, 32), mode="bilinear")
    expected = F.cross_entropy(large, labels, ignore_index=VOID)
    assert training.upsampled_loss(logits, labels, GRID).item() == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize("loss", [training.subsample_loss, training.area_loss, training.upsampled_loss])
def test_where_nobody_judged_nothing_is_learned(loss):
    logits = torch.randn(1, 3, 4, 4, requires_grad=True)
    cost = loss(logits, torch.full((1, 32, 32), VOID), GRID)
    cost.backward()
    assert cost == 0 and not logits.grad.any()


@pytest.mark.parametrize("loss", [training.subsample_loss, training.area_loss, training.upsampled_loss])
def test_all_three_losses_agree_on_a_picture_of_one_class(loss):
    labels = torch.ones(1, 32, 32, dtype=torch.int64)
    logits = torch.tensor([0.3, 1.2]).view(1, 2, 1, 1).expand(1, 2, 4, 4)
    assert loss(logits, labels, GRID).item() == pytest.approx(math.log(1 + math.exp(-0.9)), rel=1e-5)


def test_a_step_on_the_sum_is_a_step_on_the_mean_at_another_rate():
    """Sum, lr / n, weight decay n l: the same weights as mean, lr, weight decay l."""
    images, labels = (torch.stack(part) for part in zip(*bright_squares(4), strict=True))
    judged = (training.subsample_labels(labels, (4, 4), GRID) != VOID).sum().item()
    models = tiny(), tiny()
    for model, lr, decay, factor in zip(
        models, (0.1, 0.1 / judged), (5e-4, 5e-4 * judged), (1, judged), strict=True
    ):
        sgd = torch.optim.SGD(model.parameters(), lr, momentum=0.9, weight_decay=decay)
        for _ in range(3):
            torch.manual_seed(0)
            sgd.zero_grad()
            (factor * training.subsample_loss(model(images), labels, GRID)).backward()
            sgd.step()
    for one, other in zip(models[0].parameters(), models[1].parameters(), strict=True):
        torch.testing.assert_close(one, other)
