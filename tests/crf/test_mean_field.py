"""Mean field against loops, and what must not change it or make its free energy rise."""

import itertools
import math

import pytest
import torch
from crf_cases import (
    SETTING,
    C,
    exact_filters,
    kernel_by_hand,
    matrices,
    random_costs,
    scene,
    seeds,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from deeplab_lessons import crf
from deeplab_lessons.classroom import tiny_crf


def normalise_by_hand(kernel, normalisation):
    sums = [sum(row) for row in kernel]
    over = {
        "none": lambda i, j: 1,
        "row": lambda i, j: sums[i],
        "symmetric": lambda i, j: math.sqrt(sums[i] * sums[j]),
    }[normalisation]
    return [[value / over(i, j) for j, value in enumerate(row)] for i, row in enumerate(kernel)]


def mean_field_by_hand(unary, picture, mu, normalisation, self_term, iterations):
    """Nothing but loops: the update as it stands in the paper."""
    theta, pixels, classes = unary.flatten(1).tolist(), unary[0].numel(), len(unary)
    kernels = kernel_by_hand(picture)
    if not self_term:
        for kernel in kernels:
            for i in range(pixels):
                kernel[i][i] = 0.0
    kernels = [normalise_by_hand(kernel, normalisation) for kernel in kernels]

    def normalised(logits):
        top = [math.exp(value) for value in logits]
        return [value / sum(top) for value in top]

    q = [normalised([-theta[c][i] for c in range(classes)]) for i in range(pixels)]
    for _ in range(iterations):
        new = []
        for i in range(pixels):
            logits = [-theta[c][i] for c in range(classes)]
            for c, other, j in itertools.product(range(classes), range(classes), range(pixels)):
                weight = SETTING.w1 * kernels[0][i][j] + SETTING.w2 * kernels[1][i][j]
                logits[c] -= mu[c][other].item() * weight * q[j][other]
            new.append(normalised(logits))
        q = new
    return torch.tensor(q, dtype=torch.float64).T.view_as(unary)


@pytest.mark.parametrize("normalisation", ["symmetric", "row", "none"])
@pytest.mark.parametrize("self_term", [True, False])
@pytest.mark.parametrize("costs", [None, 4])
def test_mean_field_agrees_with_loops(normalisation, self_term, costs):
    unary, picture = scene(1)
    mu = None if costs is None else random_costs(costs).tril()  # not symmetric: taken as it is
    by_hand = mean_field_by_hand(
        unary, picture, crf.potts(C) if mu is None else mu, normalisation, self_term, 3
    )
    q = crf.mean_field(unary, exact_filters(picture, normalisation, self_term), mu, iterations=3)
    torch.testing.assert_close(q, by_hand, atol=1e-10, rtol=0)


def test_the_choices_of_normalisation_and_self_term_all_differ():
    unary, picture = scene(1)
    answers = [
        crf.mean_field(unary, exact_filters(picture, normalisation, self_term))
        for normalisation in ("symmetric", "row", "none")
        for self_term in (True, False)
    ]
    for a, b in itertools.combinations(answers, 2):
        assert (a - b).abs().max() > 1e-3


@given(seeds)
@settings(max_examples=10, deadline=None)
def test_free_energy_bounds_log_partition_at_every_step(seed):
    unary, picture = scene(seed)
    pairs, seen = exact_filters(picture, self_term=False), []
    kernels = matrices(pairs)
    crf.mean_field(unary, pairs, watch=lambda i, q: seen.append(tiny_crf.free_energy(q, unary, kernels)))
    assert len(seen) == 11
    assert min(seen) >= -tiny_crf.log_partition(unary, kernels)


@given(seeds, st.booleans())
@settings(max_examples=10, deadline=None)
def test_one_pixel_at_a_time_free_energy_never_rises(seed, general):
    unary, picture = scene(seed)
    kernels, mu, seen = matrices(exact_filters(picture, "none")), random_costs(seed) if general else None, []
    tiny_crf.sequential_mean_field(
        unary,
        kernels,
        mu,
        4,
        watch=lambda i, q: seen.append(tiny_crf.free_energy(q, unary, kernels, mu).item()),
    )
    assert all(after <= before + 1e-9 for before, after in itertools.pairwise(seen))
    assert seen[-1] < seen[0]


@given(seeds, st.sampled_from(["symmetric", "none"]))
@settings(max_examples=15, deadline=None)
def test_all_at_once_the_free_energy_with_self_term_never_rises(seed, normalisation):
    unary, picture = scene(seed)
    pairs, seen = exact_filters(picture, normalisation), []

    def watch(i, q):
        by_filter = tiny_crf.free_energy(q, unary, pairs, self_term=True)
        assert by_filter.item() == pytest.approx(
            tiny_crf.free_energy(q, unary, matrices(pairs), self_term=True).item()
        )
        seen.append(by_filter.item())

    crf.mean_field(unary, pairs, watch=watch)
    assert all(after <= before + 1e-9 for before, after in itertools.pairwise(seen))


def two_neighbours():
    """Two pixels that lean to different labels, and want to agree so much that each takes the other's."""
    kernel = torch.tensor([[0.0, 1.0], [1.0, 0.0]], dtype=torch.float64)
    unary = torch.tensor([[0.0, 1.0], [1.0, 0.1]], dtype=torch.float64) + 1
    return unary, [(6.0, kernel)], [(6.0, lambda values: values @ kernel)]


def test_without_self_term_parallel_updates_may_swing():
    unary, kernels, pairs = two_neighbours()
    swinging = []
    crf.mean_field(
        unary, pairs, watch=lambda i, q: swinging.append(tiny_crf.free_energy(q, unary, kernels).item())
    )
    assert max(b - a for a, b in itertools.pairwise(swinging)) > 0.5


@given(seeds, st.floats(-5, 5))
@settings(max_examples=15, deadline=None)
def test_marginals_and_what_must_not_change_them(seed, constant):
    unary, picture = scene(seed, size=(4, 5))
    pairs = exact_filters(picture)
    q = crf.mean_field(unary, pairs)
    assert (q >= 0).all()
    torch.testing.assert_close(q.sum(0), torch.ones(4, 5, dtype=torch.float64))
    same = [
        crf.mean_field(unary + constant * picture[:1] / 255, pairs),  # one number per pixel
        crf.mean_field(unary, pairs, crf.potts(C)),
        crf.mean_field(unary, pairs, -torch.eye(C)),  # Potts that rewards agreement
        crf.mean_field(unary[[2, 0, 1]], pairs)[[1, 2, 0]],  # classes in another order
        crf.mean_field(unary.flatten(1), pairs).view_as(unary),
    ]
    for other in same:
        torch.testing.assert_close(other, q)


def test_no_iterations_or_no_filters_leave_the_softmax():
    unary, picture = scene(3)
    start = torch.softmax(-unary, 0)
    torch.testing.assert_close(crf.mean_field(unary, exact_filters(picture), iterations=0), start)
    torch.testing.assert_close(crf.mean_field(unary, []), start)
