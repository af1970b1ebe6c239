"""The exact CRF: energy, filters and mean field against loops, enumeration and what must not change."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from deeplab_lessons import crf

H, W, C = 3, 3, 3
SETTING = crf.Parameters(w1=2, sigma_alpha=2, sigma_beta=60, w2=1, sigma_gamma=1)
seeds = st.integers(0, 10_000)


def scene(seed=0, size=(H, W), classes=C, spread=2.0):
    """A random unary `[C, H, W]` and picture `[3, H, W]` in double."""
    chance = torch.Generator().manual_seed(seed)
    logits = spread * torch.randn(classes, *size, generator=chance, dtype=torch.float64)
    picture = torch.randint(0, 256, (3, *size), generator=chance)
    return crf.unary_from_logits(logits), picture.double()


def filters(picture, normalisation="symmetric", self_term=True, p=SETTING):
    colour = crf.bilateral_features(picture, p.sigma_alpha, p.sigma_beta)
    place = crf.spatial_features(picture.shape[1:], p.sigma_gamma, dtype=picture.dtype)
    return [
        (p.w1, crf.ExactFilter(colour, normalisation, self_term)),
        (p.w2, crf.ExactFilter(place, normalisation, self_term)),
    ]


def matrices(pairs):
    return [(weight, each.kernel) for weight, each in pairs]


def random_costs(seed, classes=C):
    mu = torch.rand(classes, classes, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return mu + mu.T


def kernel_by_hand(picture, p=SETTING):
    """The papers' formula, pixel by pixel: two matrices of plain numbers."""
    places = list(itertools.product(range(picture.shape[1]), range(picture.shape[2])))
    colour, place = ([[0.0] * len(places) for _ in places] for _ in range(2))
    for i, (row, column) in enumerate(places):
        for j, (r, c) in enumerate(places):
            far = (row - r) ** 2 + (column - c) ** 2
            unlike = sum((picture[k, row, column] - picture[k, r, c]).item() ** 2 for k in range(3))
            colour[i][j] = math.exp(-far / (2 * p.sigma_alpha**2) - unlike / (2 * p.sigma_beta**2))
            place[i][j] = math.exp(-far / (2 * p.sigma_gamma**2))
    return colour, place


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
    q = crf.mean_field(unary, filters(picture, normalisation, self_term), mu, iterations=3)
    torch.testing.assert_close(q, by_hand, atol=1e-10, rtol=0)


def test_the_choices_of_normalisation_and_self_term_all_differ():
    unary, picture = scene(1)
    answers = [
        crf.mean_field(unary, filters(picture, normalisation, self_term))
        for normalisation in ("symmetric", "row", "none")
        for self_term in (True, False)
    ]
    for a, b in itertools.combinations(answers, 2):
        assert (a - b).abs().max() > 1e-3


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
        pairs = filters(picture, "none", self_term)
        assert crf.energy(labels, unary, matrices(pairs), mu) == pytest.approx(expected)
        assert crf.energy(labels.numpy(), unary, pairs, mu) == pytest.approx(expected)


def test_every_labelling_is_written_out_once_with_its_energy():
    unary, picture = scene(2, size=(2, 2))
    kernels, mu = matrices(filters(picture)), random_costs(2)
    labellings, energies = crf.every_labelling(unary, kernels, mu)
    assert len(labellings) == C**4 == len({tuple(x.flatten().tolist()) for x in labellings})
    for x, expected in zip(labellings, energies, strict=True):
        assert crf.energy(x, unary, kernels, mu) == pytest.approx(expected.item())


def kl_by_enumeration(q, unary, kernels, mu=None):
    """`Σ_x Q(x) log(Q(x) / P(x))` over all labellings."""
    labellings, energies = crf.every_labelling(unary, kernels, mu)
    log_p = torch.log_softmax(-energies, 0)
    x = labellings.flatten(1)
    log_q = q.flatten(1).log().T.gather(1, x.T).sum(0)
    return (log_q.exp() * (log_q - log_p)).sum()


@given(seeds, st.booleans())
@settings(max_examples=10, deadline=None)
def test_free_energy_is_kl_minus_log_partition(seed, general):
    unary, picture = scene(seed, size=(2, 3))
    kernels, mu = matrices(filters(picture, "none")), random_costs(seed) if general else None
    q = torch.softmax(-scene(seed + 1, size=(2, 3))[0], 0)  # any q at all, not only one of mean field
    kl = kl_by_enumeration(q, unary, kernels, mu)
    log_z = crf.log_partition(unary, kernels, mu)
    assert kl >= 0
    assert crf.free_energy(q, unary, kernels, mu).item() == pytest.approx((kl - log_z).item())


@given(seeds)
@settings(max_examples=10, deadline=None)
def test_free_energy_bounds_log_partition_at_every_step(seed):
    unary, picture = scene(seed)
    pairs, seen = filters(picture, self_term=False), []
    kernels = matrices(pairs)
    crf.mean_field(unary, pairs, watch=lambda i, q: seen.append(crf.free_energy(q, unary, kernels)))
    assert len(seen) == 11
    assert min(seen) >= -crf.log_partition(unary, kernels)


@given(seeds, st.booleans())
@settings(max_examples=10, deadline=None)
def test_one_pixel_at_a_time_free_energy_never_rises(seed, general):
    unary, picture = scene(seed)
    kernels, mu, seen = matrices(filters(picture, "none")), random_costs(seed) if general else None, []
    crf.sequential_mean_field(
        unary, kernels, mu, 4, watch=lambda i, q: seen.append(crf.free_energy(q, unary, kernels, mu).item())
    )
    assert all(after <= before + 1e-9 for before, after in itertools.pairwise(seen))
    assert seen[-1] < seen[0]


@given(seeds, st.sampled_from(["symmetric", "none"]))
@settings(max_examples=15, deadline=None)
def test_all_at_once_the_free_energy_with_self_term_never_rises(seed, normalisation):
    unary, picture = scene(seed)
    pairs, seen = filters(picture, normalisation), []

    def watch(i, q):
        by_filter = crf.free_energy(q, unary, pairs, self_term=True)
        assert by_filter.item() == pytest.approx(
            crf.free_energy(q, unary, matrices(pairs), self_term=True).item()
        )
        seen.append(by_filter.item())

    crf.mean_field(unary, pairs, watch=watch)
    assert all(after <= before + 1e-9 for before, after in itertools.pairwise(seen))


def two_neighbours():
    """Two pixels that lean to different labels, and want to agree so much that each takes the other's."""
    kernel = torch.tensor([[0.0, 1.0], [1.0, 0.0]], dtype=torch.float64)
    unary = torch.tensor([[0.0, 1.0], [1.0, 0.1]], dtype=torch.float64) + 1
    return unary, [(6.0, kernel)], [(6.0, lambda values: values @ kernel)]


def test_without_self_term_parallel_updates_may_swing_and_damping_calms_them():
    unary, kernels, pairs = two_neighbours()
    swinging, calm = [], []
    crf.mean_field(
        unary, pairs, watch=lambda i, q: swinging.append(crf.free_energy(q, unary, kernels).item())
    )
    q = crf.mean_field(
        unary, pairs, iterations=40, damping=0.7,
        watch=lambda i, q: calm.append(crf.free_energy(q, unary, kernels).item()),
    )  # fmt: skip
    assert max(b - a for a, b in itertools.pairwise(swinging)) > 0.5
    assert all(b <= a + 1e-9 for a, b in itertools.pairwise(calm))
    torch.testing.assert_close(q, crf.update(q, unary, pairs, crf.potts(2).double()), atol=1e-4, rtol=0)


@given(seeds, st.floats(-5, 5))
@settings(max_examples=15, deadline=None)
def test_marginals_and_what_must_not_change_them(seed, constant):
    unary, picture = scene(seed, size=(4, 5))
    pairs = filters(picture)
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
    torch.testing.assert_close(crf.mean_field(unary, filters(picture), iterations=0), start)
    torch.testing.assert_close(crf.mean_field(unary, []), start)


def test_kernels_gradients_reach_the_picture_and_the_widths():
    picture = scene(5)[1].requires_grad_()
    widths = torch.tensor([2.0, 60.0], dtype=torch.float64, requires_grad=True)

    def kernel(image, widths):
        return crf.ExactFilter(crf.bilateral_features(image, widths[0], widths[1])).kernel

    assert torch.autograd.gradcheck(kernel, (picture, widths))


def test_features_are_places_and_colours_divided_by_their_widths():
    picture = scene(0, size=(2, 3))[1].to(torch.uint8)
    features = crf.bilateral_features(picture, 2, 10)
    assert features.shape == (5, 6)
    assert features[0].tolist() == [0, 0.5, 1, 0, 0.5, 1]
    assert features[1].tolist() == [0, 0, 0, 0.5, 0.5, 0.5]
    torch.testing.assert_close(features[2:], picture.flatten(1) / 10)
    torch.testing.assert_close(crf.spatial_features((2, 3), 2), features[:2])


def test_far_too_many_pixels_are_refused_with_the_memory_they_would_take():
    with pytest.raises(ValueError, match=r"187,500.*140\.6 GB.*lattice"):
        crf.exact_kernel(torch.zeros(5, 375 * 500))
    assert crf.ExactFilter(torch.zeros(2, 10)).kernel.shape == (10, 10)


def test_unary_from_labels_gives_back_confidence_and_doubt():
    labels = torch.tensor([[0, 2], [1, 255]])
    p = torch.softmax(-crf.unary_from_labels(labels, 3, 0.8), 0)
    torch.testing.assert_close(p[:, 0, 0], torch.tensor([0.8, 0.1, 0.1]))
    torch.testing.assert_close(p[:, 0, 1], torch.tensor([0.1, 0.1, 0.8]))
    torch.testing.assert_close(p[:, 1, 1], torch.full((3,), 1 / 3))
    assert crf.unary_from_labels(labels.expand(4, 2, 2), 3, 0.8).shape == (4, 3, 2, 2)
    with pytest.raises(ValueError, match="labels run from 0 to 255"):
        crf.unary_from_labels(labels, 3, 0.8, unsure=None)
    with pytest.raises(ValueError, match="confidence"):
        crf.unary_from_labels(labels, 3, 0.2)


def test_unaries_of_logits_and_probabilities_agree_and_zero_is_floored():
    logits = torch.randn(2, 4, 3, 5, generator=torch.Generator().manual_seed(0))
    p = logits.softmax(1)
    torch.testing.assert_close(crf.unary_from_logits(logits), crf.unary_from_probabilities(p))
    certain = torch.eye(2).view(2, 1, 2)
    assert crf.unary_from_probabilities(certain).max() == pytest.approx(-math.log(1e-5))


def test_parameters_are_checked_and_presets_found():
    assert crf.preset("v2_resnet101").sigma_alpha == 67
    assert crf.preset(SETTING) is SETTING
    assert "\n" not in repr(SETTING)
    with pytest.raises(KeyError, match="v1_caffe"):
        crf.preset("v9")
    wrong = [({"w1": -1}, ValueError), ({"sigma_beta": 0}, ValueError), ({"w2": math.nan}, ValueError)]
    wrong += [
        ({"sigma_alpha": "3"}, TypeError),
        ({"iterations": 2.5}, TypeError),
        ({"iterations": -1}, ValueError),
    ]
    given = {"w1": 1, "sigma_alpha": 1, "sigma_beta": 1, "w2": 1, "sigma_gamma": 1}
    for change, error in wrong:
        with pytest.raises(error, match=next(iter(change))):
            crf.Parameters(**(given | change))


def test_sizes_and_asymmetry_are_named():
    unary, picture = scene()
    with pytest.raises(ValueError, match="differ in size"):
        crf.energy(torch.zeros(2, 2), unary, [])
    with pytest.raises(ValueError, match=r"must be \[9, 9\]"):
        crf.energy(torch.zeros(3, 3), unary, [(1, torch.ones(4, 4))])
    with pytest.raises(ValueError, match="row"):
        crf.free_energy(unary.exp(), unary, matrices(filters(picture, "row")))
    with pytest.raises(TypeError, match="self_term=True"):
        crf.free_energy(unary.exp(), unary, [(1, crf.LatticeFilter(torch.rand(2, 9)))])
    with pytest.raises(ValueError, match="symmetric"):
        crf.energy(torch.zeros(3, 3), unary, [], torch.arange(9.0).view(3, 3))
    with pytest.raises(ValueError, match=r"3\^20"):
        crf.every_labelling(scene(0, size=(4, 5))[0], [])
    with pytest.raises(ValueError, match="damping"):
        crf.mean_field(unary, [], damping=1)
    with pytest.raises(ValueError, match="normalisation"):
        crf.normalise(torch.eye(3), "rows")
