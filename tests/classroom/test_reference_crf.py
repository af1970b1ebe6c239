"""pydensecrf, the reference: our lattice and our layer give its numbers."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from crf_cases import (
    PRESETS_TESTED,
    SMALL,
    batch_scene,
    blobs,
    needs_pydensecrf,
    photograph_piece,
    readable_mean_field,
    unaries,
)
from PIL import Image

from deeplab_lessons import crf, runtime
from deeplab_lessons.classroom import reference_crf
from deeplab_lessons.classroom.readable_lattice import Lattice
from deeplab_lessons.crf import fast_mean_field


def agree(got, want, labels=0.99999, largest=1e-4, mean=2e-7):
    apart = (got.double() - want.double()).abs()
    same = (got.argmax(0) == want.argmax(0)).double().mean()
    assert apart.max() <= largest and apart.mean() <= mean and same >= labels, (
        f"max {apart.max():.1e}, mean {apart.mean():.1e}, labels {same:.6f}"
    )


def theirs(unary, picture, setting, compatibility=None):
    return reference_crf.pydensecrf_mean_field(
        unary.view(len(unary), *picture.shape[1:]), picture, setting, compatibility
    ).flatten(1)


@pytest.mark.slow
@needs_pydensecrf
@pytest.mark.parametrize("name", PRESETS_TESTED)
@pytest.mark.parametrize("spread", [0.5, 4.0])
def test_same_as_pydensecrf(name, spread):
    for seed in range(3):
        picture, unary = blobs(44, 60, seed), unaries(5, 44 * 60, seed, spread)
        want = theirs(unary, picture, PRESETS_TESTED[name])
        agree(fast_mean_field(unary, picture, PRESETS_TESTED[name]), want)
        agree(readable_mean_field(unary, picture, PRESETS_TESTED[name]), want)


@needs_pydensecrf
@pytest.mark.parametrize("name", ["smooth", "v2_resnet101"])
def test_same_as_pydensecrf_with_a_compatibility_matrix(name):
    mu = torch.rand(5, 5, generator=torch.Generator().manual_seed(3))
    mu = (mu + mu.T) / 2  # pydensecrf would do it
    picture, unary = blobs(44, 60), unaries(5, 44 * 60)
    want = theirs(unary, picture, PRESETS_TESTED[name], mu)
    agree(fast_mean_field(unary, picture, PRESETS_TESTED[name], mu), want)
    agree(readable_mean_field(unary, picture, PRESETS_TESTED[name], mu), want)


@needs_pydensecrf
def test_where_the_pixels_are_not_a_multiple_of_four():
    """pydensecrf then adds 1 to 3 points of zero features; with them the answers are the same again.

    It takes points four at a time and lays the empty places of the last four on the lattice too: black
    pixels in the top left corner. They have no value, but the vertices they add let the blur pass.
    """
    setting, (height, width) = replace(PRESETS_TESTED["v1_caffe"], normalisation="symmetric"), (45, 61)
    picture, unary = blobs(height, width, 2), unaries(4, height * width, spread=0.5)
    picture[:, :9, :9] //= 9
    colour = crf.bilateral_features(picture, setting.sigma_alpha, setting.sigma_beta)
    place = crf.spatial_features((height, width), setting.sigma_gamma)
    extra = -colour.shape[1] % 4
    assert extra

    def filtered(features, weight):
        lattice = Lattice(torch.nn.functional.pad(features, (0, extra)))

        def apply(values):
            return lattice.filter(torch.nn.functional.pad(values, (0, extra)))[:, :-extra]

        norm = (apply(torch.ones_like(features[:1])) + 1e-20).rsqrt()
        return lambda q: weight * norm * apply(norm * q)

    kernels, q = [filtered(colour, setting.w1), filtered(place, setting.w2)], torch.softmax(-unary, 0)
    for _ in range(setting.iterations):
        q = torch.softmax(-unary + sum(kernel(q) for kernel in kernels), 0)
    agree(q, theirs(unary, picture, setting))


def real_pictures(at_least=20):
    """Photographs uint8 [3, h, w] from the data folder, small, w and h multiples of 4; else none."""
    folder = runtime.data_dir()
    files = sorted(folder.glob("densecrf-examples/im*.png"))
    files += sorted(folder.glob("voc2012-mini/VOCdevkit/VOC2012/JPEGImages/*.jpg"))[:at_least]
    for file in files:
        image = Image.open(file).convert("RGB")
        size = [max(4, 4 * round(side * 140 / max(image.size) / 4)) for side in image.size]
        yield torch.from_numpy(np.array(image.resize(size, Image.Resampling.BILINEAR))).permute(2, 0, 1)


@needs_pydensecrf
@pytest.mark.slow
def test_same_as_pydensecrf_on_real_pictures():
    pictures = list(real_pictures())
    if len(pictures) < 20:
        pytest.skip("fewer than 20 real pictures in the data folder")
    for number, (picture, name) in enumerate(zip(pictures, itertools.cycle(PRESETS_TESTED))):
        unary = unaries(21, picture[0].numel(), seed=number, spread=1.0)
        agree(
            fast_mean_field(unary, picture, PRESETS_TESTED[name]),
            theirs(unary, picture, PRESETS_TESTED[name]),
        )


@needs_pydensecrf
@pytest.mark.parametrize("name", list(crf.PRESETS))
def test_lattice_agrees_with_pydensecrf(name):
    logits, picture = photograph_piece()
    ours = crf.refine(logits, picture, name)
    theirs = reference_crf.pydensecrf_mean_field(crf.unary_from_logits(logits), picture, crf.preset(name))
    apart = (ours - theirs).abs()
    assert apart.max() < 5e-4
    assert apart.mean() < 1e-6
    assert (ours.argmax(0) == theirs.argmax(0)).float().mean() > 0.999


@needs_pydensecrf
@pytest.mark.parametrize("normalisation", ["symmetric", "row", "none"])
def test_conventions_agree_with_pydensecrf(normalisation):
    """Every normalisation, and a general compatibility, whose sign and symmetric part are the traps."""
    logits, picture = photograph_piece()
    mu = torch.rand(4, 4, generator=torch.Generator().manual_seed(3))
    unary = crf.unary_from_logits(logits)
    for compatibility in (None, mu):
        ours = crf.DenseCRF("v2_vgg", normalisation=normalisation, compatibility=compatibility)
        costs = ours.symmetric_compatibility(unary)
        theirs = reference_crf.pydensecrf_mean_field(unary, picture, ours.setting, costs, normalisation)
        torch.testing.assert_close(ours(logits, picture), theirs, atol=1e-4, rtol=0)


@needs_pydensecrf
def test_pydensecrf_says_what_it_cannot_do():
    logits, pictures = batch_scene()
    with pytest.raises(ValueError, match="whole grey levels"):
        reference_crf.pydensecrf_mean_field(logits[0], pictures[0] / 2.0, SMALL)


def test_without_pydensecrf_the_message_says_what_to_do(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pydensecrf", None)
    logits, pictures = batch_scene()
    with pytest.raises(ImportError, match=r"same marginals.*deeplab-lessons\[crf\]"):
        reference_crf.pydensecrf_mean_field(logits[0], pictures[0], SMALL)
