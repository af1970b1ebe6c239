"""What lesson 06 says after its cells, on the same numbers."""

from itertools import pairwise

import pytest
import torch

from deeplab_lessons import crf
from deeplab_lessons.classroom import redrawing, tiny_crf
from deeplab_lessons.classroom.pictures import portrait
from deeplab_lessons.grid import Grid, upsample


@pytest.fixture(scope="module")
def portrait_and_filters():
    picture, truth = portrait()
    shares = torch.tensor(redrawing.class_shares(truth, 8, 2)).float()
    p = 0.1 + 0.8 * upsample(shares[None], truth.shape, Grid(8, 3.5))[0]
    features = crf.bilateral_features(torch.tensor(picture).permute(2, 0, 1), 16.0, 13.0)
    filters = tiny_crf.ExactFilter(features), tiny_crf.ExactFilter(crf.spatial_features((64, 64), 2.0))
    return torch.tensor(truth), p, *filters


def wrong(q, truth):
    return (q.argmax(0) != truth).sum().item()


@pytest.mark.slow
def test_appearance_brings_the_edge_back_and_smoothness_alone_rounds_it(portrait_and_filters):
    truth, p, appearance, smoothness = portrait_and_filters
    unary = crf.unary_from_probabilities(p)
    with_smoothness = wrong(crf.mean_field(unary, [(3.0, smoothness)]), truth)
    with_both = wrong(crf.mean_field(unary, [(4.0, appearance), (3.0, smoothness)]), truth)
    assert with_both < 0.6 * wrong(p, truth) and with_smoothness > 1.2 * wrong(p, truth)
    assert wrong(crf.mean_field(unary, [(4.0, appearance), (256.0, smoothness)]), truth) > wrong(p, truth)


@pytest.mark.slow
def test_smoothness_cleans_up_after_a_weak_classifier(portrait_and_filters):
    truth, _, _, smoothness = portrait_and_filters
    noise = torch.randn(64, 64, generator=torch.Generator().manual_seed(0))
    weak = torch.sigmoid(1.6 * truth - 0.8 + noise)
    weak = torch.stack([1 - weak, weak])
    q = crf.mean_field(crf.unary_from_probabilities(weak), [(3.0, smoothness)])
    assert wrong(q, truth) < 0.15 * wrong(weak, truth)


@pytest.mark.slow
def test_free_energy_falls_and_most_at_the_first_step(portrait_and_filters):
    _, p, appearance, smoothness = portrait_and_filters
    unary, filters, falling = crf.unary_from_probabilities(p), [(4.0, appearance), (3.0, smoothness)], []
    crf.mean_field(
        unary,
        filters,
        watch=lambda i, q: falling.append(tiny_crf.free_energy(q, unary, filters, self_term=True).item()),
    )
    steps = [before - after for before, after in pairwise(falling)]
    assert min(steps) > -0.01 and steps[0] > 10 * sum(steps[1:])


def test_six_pixels():
    grey = torch.tensor([[20.0, 30, 200], [25, 180, 210]])
    thing = torch.tensor([[0.10, 0.55, 0.80], [0.20, 0.40, 0.90]])
    unary = crf.unary_from_probabilities(torch.stack([1 - thing, thing]))
    k1 = tiny_crf.exact_kernel(crf.bilateral_features(grey.expand(3, 2, 3), 2.0, 40.0), self_term=False)
    k2 = tiny_crf.exact_kernel(crf.spatial_features((2, 3), 1.0), self_term=False)
    kernels = [(2.0, k1), (0.5, k2)]
    x, energies = tiny_crf.every_labelling(unary, kernels)
    probability = torch.softmax(-energies, 0)
    best = probability.argsort(descending=True)[:4]
    assert x[best].tolist() == [[[0, 0, 1], [0, 1, 1]], [[0, 0, 1], [0, 0, 1]], [[0] * 3] * 2, [[1] * 3] * 2]
    exact = torch.einsum("n,nhw->hw", probability, x.float())
    q = crf.mean_field(unary, [(w, lambda values, k=k: values @ k) for w, k in kernels], iterations=8)[1]
    assert ((q > 0.5) == (exact > 0.5)).all() and ((exact > 0.5) == (grey > 100)).all()
    assert ((q - 0.5).abs() > (exact - 0.5).abs()).all(), "mean field is too sure"


def test_two_stubborn_pixels_swing_unless_they_hear_themselves_or_take_turns():
    unary = torch.tensor([[0.0, 2.0], [1.5, 0.0]]).view(2, 1, 2)
    pair = torch.tensor([[0.0, 1], [1, 0]])
    curves = {}
    for name, diagonal in (("at once", torch.zeros(2, 2)), ("with self-term", torch.eye(2))):
        k, curves[name] = pair + diagonal, []
        crf.mean_field(
            unary,
            [(4.0, lambda values, k=k: values @ k)],
            watch=lambda i, q, k=k, name=name: curves[name].append(
                tiny_crf.free_energy(q, unary, [(4.0, k)], self_term=True).item()
            ),
        )
    rises = [after > before + 1e-4 for before, after in pairwise(curves["at once"])]
    assert rises == [True, False] * 5
    calm = curves["with self-term"]
    assert all(after <= before + 1e-5 for before, after in pairwise(calm))
    ends = []
    tiny_crf.sequential_mean_field(
        unary,
        [(4.0, pair)],
        iterations=10,
        watch=lambda i, q: ends.append(tiny_crf.free_energy(q, unary, [(4.0, pair)]).item()),
    )
    assert all(after <= before + 1e-5 for before, after in pairwise(ends))
