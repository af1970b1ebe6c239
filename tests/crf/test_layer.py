"""The CRF as a layer, on the lattice and by definition: gradients by differences, what is kept, what is trained."""

import io
import itertools
import math
from dataclasses import replace

import pytest
import torch
from crf_cases import (
    SMALL,
    batch_scene,
    photograph_piece,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from deeplab_lessons import crf
from deeplab_lessons.classroom import tiny_crf

DIGITS = {"rtol": 1e-5, "atol": 0}  # exp of a log-softmax, against the softmax
KINDS = [tiny_crf.ExactCRF, crf.DenseCRF]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("normalisation", ["symmetric", "row", "none"])
def test_the_layer_is_mean_field_with_filters_of_its_kind(kind, normalisation):
    logits, pictures = batch_scene()
    make = tiny_crf.ExactFilter if kind is tiny_crf.ExactCRF else crf.LatticeFilter
    layer = kind(SMALL, normalisation=normalisation)
    for scores, picture, q in zip(logits, pictures, layer(logits, pictures), strict=True):
        filters = [
            (2, make(crf.bilateral_features(picture, 3, 40), normalisation)),
            (1, make(crf.spatial_features((6, 7), 1), normalisation)),
        ]
        by_hand = crf.mean_field(crf.unary_from_logits(scores), filters, iterations=3)
        torch.testing.assert_close(q, by_hand, atol=1e-5, rtol=0)
        torch.testing.assert_close(layer(scores, picture), q)
        torch.testing.assert_close(
            layer(scores.softmax(0), picture, kind="probabilities"), q, atol=1e-5, rtol=0
        )


@pytest.mark.parametrize("costs", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_with_and_without_gradients_the_same_numbers(costs, dtype):
    logits, picture = photograph_piece((24, 32))
    logits = logits.to(dtype)
    mu = torch.rand(4, 4, generator=torch.Generator().manual_seed(3)) if costs else None
    for name in crf.PRESETS:
        layer = crf.DenseCRF(name, compatibility=mu)
        fast, readable = layer(logits, picture), layer(logits.clone().requires_grad_(), picture)
        assert readable.requires_grad and not fast.requires_grad
        assert fast.dtype == readable.dtype == dtype
        torch.testing.assert_close(fast, readable.detach(), atol=1e-4, rtol=0)


def small_layer(kind, **choices):
    return kind(SMALL, num_classes=3, trainable=("weights", "compatibility"), **choices).double()


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("normalisation", ["symmetric", "row", "none"])
def test_gradients_to_scores_weights_and_compatibility(kind, normalisation):
    logits, pictures = batch_scene(size=(2, 3), batch=1, dtype=torch.float64)
    layer = small_layer(kind, normalisation=normalisation, iterations=2)
    names = [name for name, _ in layer.named_parameters()]
    values = [value.detach().clone().requires_grad_() for value in layer.parameters()]

    def run(scores, *parts):
        return torch.func.functional_call(layer, dict(zip(names, parts, strict=True)), (scores, pictures))

    assert names == ["log_weights", "compatibility"]
    assert torch.autograd.gradcheck(run, (logits.requires_grad_(), *values))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_gradients_to_the_picture(kind):
    """On the lattice these are the gradients of the approximation, wherever no pixel changes its simplex."""
    logits, pictures = batch_scene(size=(3, 3), batch=1, dtype=torch.float64)
    layer = kind(SMALL)
    picture = (pictures.double() * 0.9 + 3.7).requires_grad_()
    assert torch.autograd.gradcheck(lambda image: layer(logits, image), (picture,), eps=1e-4, atol=1e-7)
    layer(logits, picture)[:, 0].sum().backward()
    assert picture.grad.abs().max() > 1e-4


def test_gradients_to_probabilities_stop_at_the_floor():
    p = torch.tensor([1.0, 0.0]).view(2, 1, 1).expand(2, 3, 3).clone().requires_grad_()
    picture = batch_scene(size=(3, 3))[1][0]
    crf.DenseCRF(SMALL)(p, picture, kind="probabilities")[1].sum().backward()
    assert torch.isfinite(p.grad).all()
    assert (p.grad[1] == 0).all()


def test_a_few_steps_of_training_lower_the_loss():
    logits, pictures = batch_scene(seed=4)
    target = torch.zeros(2, 6, 7, dtype=torch.long)
    layer = crf.DenseCRF(SMALL, 3, trainable=("weights", "compatibility"))
    optimiser, losses = torch.optim.SGD(layer.parameters(), lr=0.5), []
    for _ in range(5):
        loss = torch.nn.functional.nll_loss(layer(logits, pictures).clamp(min=1e-6).log(), target)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert all(after < before for before, after in itertools.pairwise(losses))
    assert all(weight > 0 for weight in layer.weights)
    assert layer.current.w1 == pytest.approx(layer.weights[0].item())
    readable = layer(logits, pictures)
    with torch.no_grad():  # the fast path follows what was learned
        torch.testing.assert_close(layer(logits, pictures), readable, atol=1e-5, rtol=0)


def test_training_after_inference_mode_works():
    """The spatial lattice is kept between calls; it must not be kept unfit for gradients."""
    logits, pictures = batch_scene(seed=8, size=(5, 9))
    layer = crf.DenseCRF(SMALL, normalisation="row")
    with torch.inference_mode():
        before = layer(logits, pictures)
    after = layer(logits.requires_grad_(), pictures)
    after.square().sum().backward()
    torch.testing.assert_close(before.clone(), after.detach())


def test_state_dict_round_trip():
    logits, pictures = batch_scene()
    layer = crf.DenseCRF("v2_vgg", 3, trainable=("weights", "compatibility"))
    with torch.no_grad():
        for part in layer.parameters():
            part.add_(0.3 * torch.rand(part.shape, generator=torch.Generator().manual_seed(1)))
    stored = io.BytesIO()
    torch.save(layer.state_dict(), stored)
    stored.seek(0)
    other = crf.DenseCRF("v2_vgg", 3, trainable=("weights", "compatibility"))
    assert not torch.equal(other(logits, pictures), layer(logits, pictures))
    other.load_state_dict(torch.load(stored, weights_only=True))
    assert torch.equal(other(logits, pictures), layer(logits, pictures))
    assert list(crf.DenseCRF("v2_vgg").state_dict()) == []


def test_a_given_compatibility_is_kept_but_not_trained():
    mu = crf.potts(3) * 2
    layer = crf.DenseCRF(SMALL, compatibility=mu)
    assert list(layer.parameters()) == [] and list(layer.state_dict()) == ["compatibility"]
    logits, pictures = batch_scene()
    doubled = crf.DenseCRF(replace(SMALL, w1=4, w2=2))
    torch.testing.assert_close(layer(logits, pictures), doubled(logits, pictures), atol=1e-5, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_and_autocast_are_computed_in_full(dtype):
    logits, pictures = batch_scene()
    q = crf.DenseCRF(SMALL)(logits.to(dtype), pictures)
    torch.testing.assert_close(q, crf.DenseCRF(SMALL)(logits.to(dtype).float(), pictures))
    layer = tiny_crf.ExactCRF(SMALL)
    with torch.autocast("cpu", dtype=dtype):
        inside = layer(logits, pictures)
    assert inside.dtype == torch.float32
    assert torch.equal(inside, layer(logits, pictures))
    crf.DenseCRF(SMALL)(logits.softmax(1).to(dtype), pictures, kind="probabilities")  # sums stray a little


def with_unlikely_labels(seed, classes, size=(6, 7), spread=1.0):
    """Logits of `classes` labels and of two more that are unlikely everywhere, and a picture."""
    logits, pictures = batch_scene(seed, size, classes + 2, batch=1, dtype=torch.float64)
    logits = spread * logits[0]
    logits[[0, -1]] = logits[1:-1].amax(0) - 8 - logits[[0, -1]].abs()
    return logits, pictures[0]


def largest_sum(layer, picture):
    """S of the bound: the most that a pixel hears, over both kernels and all labels."""
    ones = torch.ones(1, picture[0].numel(), dtype=torch.float64)
    return float(sum(weight * smooth(ones) for weight, smooth in layer.filters(picture.double())).max())


@given(st.integers(0, 999), st.integers(2, 4), st.floats(0.2, 3), st.sampled_from(["symmetric", "row"]))
@settings(max_examples=25, deadline=None)
def test_dropped_labels_cost_no_more_than_the_bound(seed, classes, spread, normalisation):
    logits, picture = with_unlikely_labels(seed, classes, spread=spread)
    epsilon = 1.01 * float(logits.softmax(0)[[0, -1]].max())
    for iterations in (0, 1, 4):
        setting = replace(SMALL, w1=0.8, w2=0.4, normalisation=normalisation, iterations=iterations)
        layer = crf.DenseCRF(setting)
        reach = largest_sum(layer, picture)
        assert epsilon <= 1 / (math.e * reach)  # what the bound asks for
        full, short = layer(logits, picture), crf.refine(logits, picture, setting, drop_below=epsilon)
        assert full[[0, -1]].max() <= math.e * epsilon
        lost = 2 * math.e * epsilon * sum((reach / 2) ** step for step in range(iterations + 1))
        assert (full - short).abs().max() <= lost
        torch.testing.assert_close(short.sum(0), torch.ones_like(short[0]))
        torch.testing.assert_close(short[[0, -1]], logits.softmax(0)[[0, -1]], **DIGITS)


@given(st.integers(0, 999), st.floats(0.0, 0.3))
@settings(max_examples=15, deadline=None)
def test_a_dropped_label_under_any_compatibility(seed, costs):
    """By what another label may cost more next to some label, a dropped one may have risen."""
    logits, picture = with_unlikely_labels(seed, 3)
    mu = crf.potts(5) + costs * torch.randn(5, 5, generator=torch.Generator().manual_seed(seed))
    layer = crf.DenseCRF(replace(SMALL, w1=0.8, w2=0.4), compatibility=mu)
    mu, likely = layer.symmetric_compatibility(logits), [1, 2, 3]
    epsilon = 1.01 * float(logits.softmax(0)[[0, -1]].max())
    gain = float((mu[:, None] - mu[None]).max())
    full = layer(logits, picture)
    assert full[[0, -1]].max() <= epsilon * math.exp(largest_sum(layer, picture) * gain)
    layer.drop_below = epsilon
    short, alone = layer(logits, picture), crf.DenseCRF(layer.setting, compatibility=mu[likely][:, likely])
    rest = 1 - logits.softmax(0)[[0, -1]].sum(0)
    torch.testing.assert_close(short[likely], rest * alone(logits[likely], picture))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("matrix", [False, True])
def test_each_picture_of_a_batch_drops_its_own_labels(kind, matrix):
    (first, picture), (second, other) = with_unlikely_labels(1, 3), with_unlikely_labels(2, 3)
    second = second.roll(1, 0)  # other labels are the unlikely ones
    scores, pictures = torch.stack([first, second]), torch.stack([picture, other])
    mu = 1.5 * crf.potts(5) if matrix else None
    layer, whole = kind(SMALL, compatibility=mu, drop_below=0.01), kind(SMALL, compatibility=mu)
    q = layer(scores, pictures)
    torch.testing.assert_close(q, whole(scores, pictures), atol=1e-2, rtol=0)
    for each, unlikely in ((0, [0, 4]), (1, [1, 0])):
        torch.testing.assert_close(q[each, unlikely], scores[each].softmax(0)[unlikely], **DIGITS)
        torch.testing.assert_close(layer(scores[each], pictures[each]), q[each])
        assert not set(q[each].argmax(0).flatten().tolist()) & set(unlikely)


def test_nothing_is_dropped_unless_asked_for():
    logits, pictures = batch_scene()
    logits[:, 0] = -1e4  # as unlikely as a label can be
    assert crf.DenseCRF(SMALL).drop_below == 0
    expected = crf.fast_mean_field(crf.unary_from_logits(logits[0]).flatten(1), pictures[0], SMALL)
    assert torch.equal(crf.DenseCRF(SMALL)(logits[0], pictures[0]).flatten(1), expected)
    some = batch_scene(4)[0]  # every label is likely somewhere
    assert torch.equal(
        crf.DenseCRF(SMALL, drop_below=0.05)(some, pictures), crf.DenseCRF(SMALL)(some, pictures)
    )


def test_all_labels_dropped_but_one():
    logits, pictures = batch_scene(classes=4)
    logits[:, 2] += 40
    for kind in KINDS:
        q = kind(SMALL, drop_below=0.2)(logits, pictures)
        torch.testing.assert_close(q[:, [0, 1, 3]], logits.softmax(1)[:, [0, 1, 3]], **DIGITS)
        assert (q.argmax(1) == 2).all() and torch.allclose(q.sum(1), torch.ones(2, 6, 7))


def test_a_label_goes_only_if_it_is_unlikely_at_every_pixel():
    logits, picture = with_unlikely_labels(3, 3)
    logits[0, 2, 2] += 11.5
    p = logits.softmax(0)
    assert p[0].max() > 0.01 > p[-1].max()
    q = crf.refine(logits, picture, SMALL, drop_below=0.01)
    torch.testing.assert_close(q[-1], p[-1], **DIGITS)
    assert not torch.isclose(q[0], p[0]).all()
    q = crf.refine(p, picture, SMALL, kind="probabilities", drop_below=0.01)
    torch.testing.assert_close(q, crf.refine(logits, picture, SMALL, drop_below=0.01), atol=1e-3, rtol=0)


@pytest.mark.slow
def test_gradients_with_dropped_labels():
    logits, picture = with_unlikely_labels(5, 3, size=(2, 3))
    layer = crf.DenseCRF(SMALL, 5, trainable=("weights", "compatibility"), drop_below=0.01).double()
    assert torch.autograd.gradcheck(lambda scores: layer(scores, picture), (logits.requires_grad_(),))
    layer(logits, picture)[1].log().sum().backward()
    assert (layer.compatibility.grad[[0, -1]] == 0).all() and (layer.compatibility.grad[1:4, 1:4] != 0).any()
    with torch.no_grad():
        torch.testing.assert_close(layer(logits, picture), layer(logits.detach(), picture))


@pytest.mark.parametrize("wrong", [-0.1, 1 / 3, 0.5, math.nan])
def test_thresholds_that_could_drop_a_pixels_best_label_are_refused(wrong):
    logits, pictures = batch_scene()
    with pytest.raises(ValueError, match=f"drop_below must be from 0 to below 1 / 3, .* got {wrong}"):
        crf.DenseCRF(SMALL, drop_below=wrong)(logits, pictures)


@given(st.integers(0, 999), st.integers(2, 5), st.integers(1, 9), st.integers(1, 9), st.sampled_from(KINDS))
@settings(max_examples=12, deadline=None)
def test_marginals_whatever_the_size_and_the_layout(seed, classes, height, width, kind):
    logits, pictures = batch_scene(seed, (height, width), classes)
    layer = kind(SMALL)
    q = layer(logits, pictures)
    assert q.shape == logits.shape and (q >= 0).all()
    torch.testing.assert_close(q.sum(1), torch.ones(2, height, width))
    channels_last = logits.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
    flipped = pictures.flip(-1).contiguous().flip(-1)
    assert torch.equal(layer(channels_last, flipped), q)
    assert torch.equal(layer(logits.numpy(), pictures.numpy()[..., ::-1][..., ::-1]), q)
    torch.testing.assert_close(layer(logits, pictures.double()), q)
    torch.testing.assert_close(layer(logits + 3, pictures), q, atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    "choices, words",
    [
        ({"normalisation": "mean"}, "unknown normalisation 'mean': choose from symmetric, row, none"),
        ({"trainable": "sigma"}, "trainable"),
        ({"trainable": "compatibility"}, "num_classes"),
        ({"compatibility": torch.ones(2, 3)}, r"\[2, 2\]"),
        ({"compatibility": torch.ones(2, 2), "num_classes": 3}, r"\[3, 3\]"),
        ({"parameters": replace(SMALL, w1=0), "trainable": "weights"}, "start above 0"),
    ],
)
def test_impossible_layers_are_refused(choices, words):
    with pytest.raises(ValueError, match=words):
        crf.DenseCRF(**{"parameters": SMALL, **choices})


def test_the_exact_layer_refuses_photographs_and_points_to_the_lattice():
    with pytest.raises(ValueError, match="lattice"):
        tiny_crf.ExactCRF(SMALL)(torch.randn(2, 90, 90), torch.zeros(3, 90, 90, dtype=torch.uint8))


def test_a_layer_says_what_it_is():
    text = str(crf.DenseCRF("v2_vgg", 3, trainable="weights"))
    assert "sigma_alpha=65" in text and "log_weights" in text


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
@pytest.mark.parametrize("kind", KINDS)
def test_on_a_gpu_the_same_numbers(kind):
    logits, picture = photograph_piece()
    layer = kind("v2_vgg")
    q = layer(logits.cuda(), picture.cuda())
    torch.testing.assert_close(q.cpu(), layer(logits, picture), atol=1e-3, rtol=0)
    with_gradients = layer(logits.cuda().requires_grad_(), picture.cuda())
    with_gradients.square().sum().backward()
    torch.testing.assert_close(with_gradients.detach(), q, atol=1e-3, rtol=0)
    with pytest.raises(ValueError, match="move one"):
        layer(logits.cuda(), picture)
