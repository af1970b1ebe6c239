"""The order of the data: a function of the seed and the iteration only."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_training import bright_squares, tiny

from deeplab_lessons import training

few = settings(max_examples=40, deadline=None)


@few
@given(st.integers(0, 99), st.integers(1, 9), st.integers(1, 30))
def test_every_sample_comes_once_before_any_comes_again(seed, batch_size, count):
    iterations = -(-3 * count // batch_size)
    order = [i for k in range(iterations) for i in training.data_order(seed, k, batch_size, count)]
    for epoch in range(3):
        assert sorted(order[epoch * count : (epoch + 1) * count]) == list(range(count))


def test_epochs_and_seeds_have_orders_of_their_own():
    first, second = training.data_order(0, 0, 50, 50), training.data_order(0, 1, 50, 50)
    assert first != second and first != training.data_order(1, 0, 50, 50)


def test_random_changes_of_any_generator_depend_on_the_iteration_alone():
    import random

    class Noisy(list):
        def __getitem__(self, index):
            image, mask = super().__getitem__(index)
            return image + torch.randn(()) + np.random.randn() + random.random(), mask

    batches = training.Batches(Noisy(bright_squares(4)), 2, seed=0)
    later = batches[7][0]
    batches[3]
    assert torch.equal(batches[7][0], later) and not torch.equal(batches[8][0], later)


IMAGE, MASK = torch.zeros(3, 16, 16), torch.zeros(16, 16, dtype=torch.int64)


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        (
            [(np.zeros((16, 16, 3), np.uint8), MASK)],
            r"must be float \[3, H, W\] and normalised, got torch.uint8",
        ),
        ([(IMAGE, MASK[:8])], r"label map of \[8, 16\]"),
        ([(IMAGE, MASK.float())], "whole numbers, got torch.float32. Was it interpolated"),
        ([(IMAGE, MASK), (IMAGE[:, :8], MASK[:8])], r"differ in size: \(8, 16\) and \(16, 16\)"),
        ([(IMAGE, MASK + 6)], r"labels must be classes 0 to 1 or void \(255\), got \[6\]: check num_classes"),
        ([], "the data set is empty"),
    ],
)
def test_wrong_data_is_explained(pairs, words):
    with pytest.raises(ValueError, match=words):
        training.train(tiny(), pairs, iterations=2, batch_size=4, lr=0.1, device="cpu", progress=False)
