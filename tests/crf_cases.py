"""Pictures, unaries and kernels that several tests of the CRF share."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import strategies as st

from deeplab_lessons import crf
from deeplab_lessons.classroom import built_in, reference_crf, tiny_crf
from deeplab_lessons.classroom.readable_lattice import Lattice
from deeplab_lessons.crf.filters import NORMALISATIONS

H, W, C = 3, 3, 3
SETTING = crf.Parameters(w1=2, sigma_alpha=2, sigma_beta=60, w2=1, sigma_gamma=1)
seeds = st.integers(0, 10_000)
SMALL = crf.Parameters(w1=2, sigma_alpha=3, sigma_beta=40, w2=1, sigma_gamma=1, iterations=3)
needs_pydensecrf = pytest.mark.skipif(
    not reference_crf.available(), reason='pydensecrf is not installed: pip install "deeplab-lessons[crf]"'
)
PRESETS_TESTED = {
    "smooth": crf.Parameters(10, 80, 13, 3, 3),
    "v2_resnet101": crf.PRESETS["v2_resnet101"],
    "wide": crf.Parameters(4, 121, 5, 3, 3),
    "as printed": crf.Parameters(0.05, 30, 10, 0.02, 2, normalisation="none"),
    "v1_caffe": crf.PRESETS["v1_caffe"],
}


def scene(seed=0, size=(H, W), classes=C, spread=2.0):
    """A random unary `[C, H, W]` and picture `[3, H, W]` in double."""
    chance = torch.Generator().manual_seed(seed)
    logits = spread * torch.randn(classes, *size, generator=chance, dtype=torch.float64)
    picture = torch.randint(0, 256, (3, *size), generator=chance)
    return crf.unary_from_logits(logits), picture.double()


def exact_filters(picture, normalisation="symmetric", self_term=True, p=SETTING):
    colour = crf.bilateral_features(picture, p.sigma_alpha, p.sigma_beta)
    place = crf.spatial_features(picture.shape[1:], p.sigma_gamma, dtype=picture.dtype)
    return [
        (p.w1, tiny_crf.ExactFilter(colour, normalisation, self_term)),
        (p.w2, tiny_crf.ExactFilter(place, normalisation, self_term)),
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


def batch_scene(seed=0, size=(6, 7), classes=3, batch=2, dtype=torch.float32):
    """Random logits `[B, C, H, W]` and uint8 pictures `[B, 3, H, W]`."""
    chance = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(batch, classes, *size, generator=chance, dtype=dtype)
    return logits, torch.randint(0, 256, (batch, 3, *size), generator=chance).to(torch.uint8)


def randoms(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def blobs(height, width, seed=0):
    """A picture uint8 [3, H, W] of a few soft and hard patches with noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    picture = np.zeros((3, height, width)) + rng.uniform(0, 255, (3, 1, 1))
    for _ in range(5):
        cy, cx, r = rng.uniform(0, height), rng.uniform(0, width), rng.uniform(5, 20)
        inside = np.clip(r - np.hypot(y - cy, x - cx), 0, 3) / 3
        picture += inside * (rng.uniform(0, 255, (3, 1, 1)) - picture)
    return torch.from_numpy(np.clip(picture + rng.normal(0, 6, picture.shape), 0, 255).astype(np.uint8))


def unaries(classes, pixels, seed=0, spread=2.0, dtype=torch.float32):
    return spread * randoms(classes, pixels, seed=seed, dtype=dtype)


def readable_mean_field(unary, picture, p, compatibility=None):
    """Mean field on the readable lattice, every step spelt out."""
    colour = crf.bilateral_features(picture.to(unary), p.sigma_alpha, p.sigma_beta)
    place = crf.spatial_features(tuple(picture.shape[1:]), p.sigma_gamma, dtype=unary.dtype)
    kernels = []
    for weight, features in ((p.w1, colour), (p.w2, place)):
        lattice = Lattice(features)
        sums = lattice.filter(torch.ones_like(features[:1])) + 1e-20
        before, after = (sums**-power for power in NORMALISATIONS[p.normalisation])
        kernels.append((weight, lattice, before, after))
    q = torch.softmax(-unary, 0)
    for _ in range(p.iterations):
        heard = sum(w * after * lattice.filter(before * q) for w, lattice, before, after in kernels)
        q = torch.softmax(-unary + (heard if compatibility is None else -compatibility @ heard), 0)
    return q


def photograph_piece(size=(48, 64), classes=4, seed=0):
    """A piece of a real picture, and smooth random logits for it."""
    piece = built_in.photograph("chelsea")[60 : 60 + size[0], 100 : 100 + size[1]]
    chance = torch.Generator().manual_seed(seed)
    coarse = 3 * torch.randn(1, classes, size[0] // 8, size[1] // 8, generator=chance)
    logits = torch.nn.functional.interpolate(coarse, size, mode="bilinear", align_corners=False)
    return logits[0], torch.from_numpy(np.ascontiguousarray(piece)).permute(2, 0, 1)
