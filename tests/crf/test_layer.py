"""The CRF as a layer: backends that agree, gradients by finite differences, and mistakes named."""

import io
import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from deeplab_lessons import crf, datasets
from deeplab_lessons.crf import reference

SETTING = crf.Parameters(w1=2, sigma_alpha=3, sigma_beta=40, w2=1, sigma_gamma=1, iterations=3)
BACKENDS = ["exact", "lattice"]
needs_pydensecrf = pytest.mark.skipif(
    not reference.available(), reason='pydensecrf is not installed: pip install "deeplab-lessons[crf]"'
)


def scene(seed=0, size=(6, 7), classes=3, batch=2, dtype=torch.float32):
    """Random logits `[B, C, H, W]` and uint8 pictures `[B, 3, H, W]`."""
    chance = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(batch, classes, *size, generator=chance, dtype=dtype)
    return logits, torch.randint(0, 256, (batch, 3, *size), generator=chance).to(torch.uint8)


def photograph(size=(48, 64), classes=4, seed=0):
    """A piece of a real picture, and smooth random logits for it."""
    piece = datasets.photograph("chelsea")[60 : 60 + size[0], 100 : 100 + size[1]]
    chance = torch.Generator().manual_seed(seed)
    coarse = 3 * torch.randn(1, classes, size[0] // 8, size[1] // 8, generator=chance)
    logits = torch.nn.functional.interpolate(coarse, size, mode="bilinear", align_corners=False)
    return logits[0], torch.from_numpy(np.ascontiguousarray(piece)).permute(2, 0, 1)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("normalisation", ["symmetric", "row", "none"])
def test_the_layer_is_mean_field_with_filters_of_its_backend(backend, normalisation):
    logits, pictures = scene()
    kind = crf.ExactFilter if backend == "exact" else crf.LatticeFilter
    layer = crf.DenseCRF(SETTING, backend=backend, normalisation=normalisation)
    for scores, picture, q in zip(logits, pictures, layer(logits, pictures), strict=True):
        filters = [
            (2, kind(crf.bilateral_features(picture, 3, 40), normalisation)),
            (1, kind(crf.spatial_features((6, 7), 1), normalisation)),
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
    logits, picture = photograph((24, 32))
    logits = logits.to(dtype)
    mu = torch.rand(4, 4, generator=torch.Generator().manual_seed(3)) if costs else None
    for name in crf.PRESETS:
        layer = crf.DenseCRF(name, compatibility=mu)
        fast, readable = layer(logits, picture), layer(logits.clone().requires_grad_(), picture)
        assert readable.requires_grad and not fast.requires_grad
        assert fast.dtype == readable.dtype == dtype
        torch.testing.assert_close(fast, readable.detach(), atol=1e-4, rtol=0)


@needs_pydensecrf
@pytest.mark.parametrize("name", list(crf.PRESETS))
def test_lattice_agrees_with_pydensecrf(name):
    logits, picture = photograph()
    ours = crf.refine(logits, picture, name)
    theirs = crf.refine(logits, picture, name, backend="pydensecrf")
    apart = (ours - theirs).abs()
    assert apart.max() < 5e-4
    assert apart.mean() < 1e-6
    assert (ours.argmax(0) == theirs.argmax(0)).float().mean() > 0.999


@needs_pydensecrf
@pytest.mark.parametrize("normalisation", ["symmetric", "row", "none"])
def test_conventions_agree_with_pydensecrf(normalisation):
    """Every normalisation, and a general compatibility, whose sign and symmetric part are the traps."""
    logits, picture = photograph()
    mu = torch.rand(4, 4, generator=torch.Generator().manual_seed(3))
    for compatibility in (None, mu):
        ours, theirs = (
            crf.DenseCRF("v2_vgg", backend=b, normalisation=normalisation, compatibility=compatibility)
            for b in ("lattice", "pydensecrf")
        )
        torch.testing.assert_close(ours(logits, picture), theirs(logits, picture), atol=1e-4, rtol=0)


@needs_pydensecrf
def test_pydensecrf_says_what_it_cannot_do():
    logits, pictures = scene()
    layer = crf.DenseCRF(SETTING, backend="pydensecrf")
    with pytest.raises(ValueError, match="no gradients"):
        layer(logits.requires_grad_(), pictures)
    with pytest.raises(ValueError, match="whole grey levels"):
        crf.refine(logits, pictures / 2.0, SETTING, backend="pydensecrf")


def test_without_pydensecrf_the_message_says_what_to_do(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pydensecrf", None)
    with pytest.raises(ImportError, match=r"lattice.*deeplab-lessons\[crf\]"):
        crf.refine(*scene(), SETTING, backend="pydensecrf")


def small_layer(backend, **choices):
    return crf.DenseCRF(
        SETTING, num_classes=3, backend=backend, trainable=("weights", "compatibility"), **choices
    ).double()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("normalisation", ["symmetric", "row", "none"])
def test_gradients_to_scores_weights_and_compatibility(backend, normalisation):
    logits, pictures = scene(size=(2, 3), batch=1, dtype=torch.float64)
    layer = small_layer(backend, normalisation=normalisation, iterations=2)
    names = [name for name, _ in layer.named_parameters()]
    values = [value.detach().clone().requires_grad_() for value in layer.parameters()]

    def run(scores, *parts):
        return torch.func.functional_call(layer, dict(zip(names, parts, strict=True)), (scores, pictures))

    assert names == ["log_weights", "compatibility"]
    assert torch.autograd.gradcheck(run, (logits.requires_grad_(), *values))


@pytest.mark.parametrize("backend", BACKENDS)
def test_gradients_to_the_picture(backend):
    """On the lattice these are the gradients of the approximation, wherever no pixel changes its simplex."""
    logits, pictures = scene(size=(3, 3), batch=1, dtype=torch.float64)
    layer = crf.DenseCRF(SETTING, backend=backend)
    picture = (pictures.double() * 0.9 + 3.7).requires_grad_()
    assert torch.autograd.gradcheck(lambda image: layer(logits, image), (picture,), eps=1e-4, atol=1e-7)
    layer(logits, picture)[:, 0].sum().backward()
    assert picture.grad.abs().max() > 1e-4


def test_gradients_to_probabilities_stop_at_the_floor():
    p = torch.tensor([1.0, 0.0]).view(2, 1, 1).expand(2, 3, 3).clone().requires_grad_()
    picture = scene(size=(3, 3))[1][0]
    crf.DenseCRF(SETTING)(p, picture, kind="probabilities")[1].sum().backward()
    assert torch.isfinite(p.grad).all()
    assert (p.grad[1] == 0).all()


def test_a_few_steps_of_training_lower_the_loss():
    logits, pictures = scene(seed=4)
    target = torch.zeros(2, 6, 7, dtype=torch.long)
    layer = crf.DenseCRF(SETTING, 3, trainable=("weights", "compatibility"))
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
    logits, pictures = scene(seed=8, size=(5, 9))
    layer = crf.DenseCRF(SETTING, normalisation="row")
    with torch.inference_mode():
        before = layer(logits, pictures)
    after = layer(logits.requires_grad_(), pictures)
    after.square().sum().backward()
    torch.testing.assert_close(before.clone(), after.detach())


def test_state_dict_round_trip():
    logits, pictures = scene()
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
    layer = crf.DenseCRF(SETTING, compatibility=mu)
    assert list(layer.parameters()) == [] and list(layer.state_dict()) == ["compatibility"]
    logits, pictures = scene()
    doubled = crf.DenseCRF(replace(SETTING, w1=4, w2=2))
    torch.testing.assert_close(layer(logits, pictures), doubled(logits, pictures), atol=1e-5, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_and_autocast_are_computed_in_full(dtype):
    logits, pictures = scene()
    q = crf.DenseCRF(SETTING)(logits.to(dtype), pictures)
    torch.testing.assert_close(q, crf.DenseCRF(SETTING)(logits.to(dtype).float(), pictures))
    layer = crf.DenseCRF(SETTING, backend="exact")
    with torch.autocast("cpu", dtype=dtype):
        inside = layer(logits, pictures)
    assert inside.dtype == torch.float32
    assert torch.equal(inside, layer(logits, pictures))
    crf.DenseCRF(SETTING)(logits.softmax(1).to(dtype), pictures, kind="probabilities")  # sums stray a little


@given(
    st.integers(0, 999), st.integers(2, 5), st.integers(1, 9), st.integers(1, 9), st.sampled_from(BACKENDS)
)
@settings(max_examples=12, deadline=None)
def test_marginals_whatever_the_size_and_the_layout(seed, classes, height, width, backend):
    logits, pictures = scene(seed, (height, width), classes)
    layer = crf.DenseCRF(SETTING, backend=backend)
    q = layer(logits, pictures)
    assert q.shape == logits.shape and (q >= 0).all()
    torch.testing.assert_close(q.sum(1), torch.ones(2, height, width))
    channels_last = logits.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
    flipped = pictures.flip(-1).contiguous().flip(-1)
    assert torch.equal(layer(channels_last, flipped), q)
    assert torch.equal(layer(logits.numpy(), pictures.numpy()[..., ::-1][..., ::-1]), q)
    torch.testing.assert_close(layer(logits, pictures.double()), q)
    torch.testing.assert_close(layer(logits + 3, pictures), q, atol=1e-4, rtol=0)


GOOD, PICTURE = scene(size=(6, 7))
P = GOOD.softmax(1)
NAN = GOOD.clone()
NAN[0, 1, 2, 3] = float("nan")
MISTAKES = {
    "channels last in scores": (GOOD.permute(0, 2, 3, 1), PICTURE, "logits", r"permute\(0, 3, 1, 2\)"),
    "channels last in picture": (
        GOOD,
        PICTURE.permute(0, 2, 3, 1),
        "logits",
        r"picture.permute\(0, 3, 1, 2\)",
    ),
    "numpy picture": (GOOD[0], PICTURE[0].permute(1, 2, 0).numpy(), "logits", r"\.transpose\(2, 0, 1\)"),
    "probabilities as logits": (P, PICTURE, "logits", 'kind="probabilities"'),
    "logits as probabilities": (GOOD, PICTURE, "probabilities", 'kind="logits"'),
    "log-probabilities as probabilities": (P.log(), PICTURE, "probabilities", "0 … 1"),
    "sums not one": (P * 0.9, PICTURE, "probabilities", "add up to one"),
    "sigmoids": (GOOD.sigmoid(), PICTURE, "probabilities", "softmax"),
    "not a number": (NAN, PICTURE, "logits", "1 values that are NaN"),
    "infinite": (GOOD / 0, PICTURE, "logits", "NaN or infinite"),
    "whole numbers": (GOOD.long(), PICTURE, "logits", "floating-point"),
    "picture in 0…1": (GOOD, PICTURE / 255, "logits", "0 … 255"),
    "normalised picture": (GOOD, PICTURE.float() - 120, "logits", "before any mean was subtracted"),
    "grey picture": (GOOD, PICTURE[:, :1], "logits", "expand"),
    "picture of int64": (GOOD, PICTURE.long(), "logits", "floating-point"),
    "other size": (GOOD[..., :3, :3], PICTURE, "logits", "interpolate"),
    "other batch": (GOOD[:1], PICTURE, "logits", "batch"),
    "one picture for a batch": (GOOD, PICTURE[0], "logits", "batch"),
    "one class": (GOOD[:, :1], PICTURE, "logits", "two classes"),
    "flat scores": (GOOD.flatten(2), PICTURE[0], "logits", "."),
    "no axes": (GOOD[0, 0], PICTURE[0], "logits", r"\[C, H, W\]"),
    "another kind": (GOOD, PICTURE, "logit", "kind must be one of"),
    "another device": (GOOD.to("meta"), PICTURE, "logits", "move one"),
    "a list": (GOOD.tolist(), PICTURE, "logits", "got list"),
    "empty": (GOOD[:0], PICTURE[:0], "logits", "empty"),
}


@pytest.mark.parametrize("backend", ["lattice", "exact", "pydensecrf"])
@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_named(mistake, backend):
    scores, picture, kind, words = MISTAKES[mistake]
    with pytest.raises((ValueError, TypeError), match=words):
        crf.DenseCRF(SETTING, backend=backend)(scores, picture, kind)


@pytest.mark.parametrize(
    "unary, words",
    [
        (P[0], "probabilities, not energies"),
        (P[0].log(), "wrong sign"),
        (GOOD, "one picture"),
        (NAN[0], "NaN"),
    ],
)
def test_wrong_unaries_are_named(unary, words):
    with pytest.raises(ValueError, match=words):
        crf.mean_field(unary, [])


def test_probabilities_with_channels_last_are_recognised_without_a_picture():
    with pytest.raises(ValueError, match=r"last axis.*permute\(0, 3, 1, 2\)"):
        crf.unary_from_probabilities(P.permute(0, 2, 3, 1))


def test_energies_that_only_look_like_probabilities_need_a_constant():
    torch.testing.assert_close(crf.mean_field(P[0] + 1, []), torch.softmax(-P[0], 0))


@pytest.mark.parametrize(
    "choices, words",
    [
        ({"backend": "gpu"}, "backend"),
        ({"normalisation": "mean"}, "normalisation"),
        ({"trainable": "sigma"}, "trainable"),
        ({"trainable": "compatibility"}, "num_classes"),
        ({"compatibility": torch.ones(2, 3)}, r"\[2, 2\]"),
        ({"compatibility": torch.ones(2, 2), "num_classes": 3}, r"\[3, 3\]"),
        ({"parameters": replace(SETTING, w1=0), "trainable": "weights"}, "start above 0"),
    ],
)
def test_impossible_layers_are_refused(choices, words):
    with pytest.raises(ValueError, match=words):
        crf.DenseCRF(**{"parameters": SETTING, **choices})


def test_num_classes_helps_to_find_channels_that_stand_last():
    layer = crf.DenseCRF(SETTING, num_classes=3)
    with pytest.raises(ValueError, match="stand last"):
        layer(torch.randn(6, 6, 3), PICTURE[0, :, :6, :6])
    with pytest.raises(ValueError, match="3 were expected"):
        layer(torch.randn(4, 6, 7), PICTURE[0])


def test_exact_backend_refuses_photographs_and_points_to_the_lattice():
    with pytest.raises(ValueError, match="lattice"):
        crf.refine(torch.randn(2, 90, 90), torch.zeros(3, 90, 90, dtype=torch.uint8), backend="exact")


def test_a_layer_says_what_it_is():
    text = str(crf.DenseCRF("v2_vgg", 3, trainable="weights"))
    assert "sigma_alpha=65" in text and "lattice" in text and "log_weights" in text


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
@pytest.mark.parametrize("backend", BACKENDS)
def test_on_a_gpu_the_same_numbers(backend):
    logits, picture = photograph()
    layer = crf.DenseCRF("v2_vgg", backend=backend)
    q = layer(logits.cuda(), picture.cuda())
    torch.testing.assert_close(q.cpu(), layer(logits, picture), atol=1e-3, rtol=0)
    with_gradients = layer(logits.cuda().requires_grad_(), picture.cuda())
    with_gradients.square().sum().backward()
    torch.testing.assert_close(with_gradients.detach(), q, atol=1e-3, rtol=0)
    with pytest.raises(ValueError, match="move one"):
        layer(logits.cuda(), picture)
