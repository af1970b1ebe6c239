"""Energies and free energies against loops and enumeration."""

import itertools

import pytest
import torch
from crf_cases import (
    SETTING,
    C,
    H,
    W,
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


@given(seeds)
@settings(max_examples=10, deadline=None)
def test_energy_agrees_with_loops(seed):
    unary, picture = scene(seed)
    labels = torch.randint(0, C, (H, W), generator=torch.Generator().manual_seed(seed))
    mu, x = random_costs(seed), labels.flatten().tolist()
    colour, place = kernel_by_hand(picture)
    expected = sum(unary.flatten(1)[label, i].item() for i, label in enumerate(x))
    for i, j in itertools.combinations(range(H * W), 2):
        expected += mu[x[i], x[j]].item() * (SETTING.w1 * colour[i][j] + SETTING.w2 * place[i][j])
    for self_term in (True, False):  # a diagonal makes no difference to an energy
        pairs = exact_filters(picture, "none", self_term)
        assert tiny_crf.energy(labels, unary, matrices(pairs), mu) == pytest.approx(expected)
        assert tiny_crf.energy(labels.numpy(), unary, pairs, mu) == pytest.approx(expected)


def test_every_labelling_is_written_out_once_with_its_energy():
    unary, picture = scene(2, size=(2, 2))
    kernels, mu = matrices(exact_filters(picture)), random_costs(2)
    labellings, energies = tiny_crf.every_labelling(unary, kernels, mu)
    assert len(labellings) == C**4 == len({tuple(x.flatten().tolist()) for x in labellings})
    for x, expected in zip(labellings, energies, strict=True):
        assert tiny_crf.energy(x, unary, kernels, mu) == pytest.approx(expected.item())


def kl_by_enumeration(q, unary, kernels, mu=None):
    """`Σ_x Q(x) log(Q(x) / P(x))` over all labellings."""
    labellings, energies = tiny_crf.every_labelling(unary, kernels, mu)
    log_p = torch.log_softmax(-energies, 0)
    x = labellings.flatten(1)
    log_q = q.flatten(1).log().T.gather(1, x.T).sum(0)
    return (log_q.exp() * (log_q - log_p)).sum()


@given(seeds, st.booleans())
@settings(max_examples=10, deadline=None)
def test_free_energy_is_kl_minus_log_partition(seed, general):
    unary, picture = scene(seed, size=(2, 3))
    kernels, mu = matrices(exact_filters(picture, "none")), random_costs(seed) if general else None
    q = torch.softmax(-scene(seed + 1, size=(2, 3))[0], 0)  # any q at all, not only one of mean field
    kl = kl_by_enumeration(q, unary, kernels, mu)
    log_z = tiny_crf.log_partition(unary, kernels, mu)
    assert kl >= 0
    assert tiny_crf.free_energy(q, unary, kernels, mu).item() == pytest.approx((kl - log_z).item())


def test_sizes_and_asymmetry_are_named():
    unary, picture = scene()
    with pytest.raises(ValueError, match="differ in size"):
        tiny_crf.energy(torch.zeros(2, 2), unary, [])
    with pytest.raises(ValueError, match=r"must be \[9, 9\]"):
        tiny_crf.energy(torch.zeros(3, 3), unary, [(1, torch.ones(4, 4))])
    with pytest.raises(ValueError, match="row"):
        tiny_crf.free_energy(unary.exp(), unary, matrices(exact_filters(picture, "row")))
    with pytest.raises(TypeError, match="self_term=True"):
        tiny_crf.free_energy(unary.exp(), unary, [(1, crf.LatticeFilter(torch.rand(2, 9)))])
    with pytest.raises(ValueError, match="symmetric"):
        tiny_crf.energy(torch.zeros(3, 3), unary, [], torch.arange(9.0).view(3, 3))
    with pytest.raises(ValueError, match=r"3\^20"):
        tiny_crf.every_labelling(scene(0, size=(4, 5))[0], [])
