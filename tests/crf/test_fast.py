"""The fast mean field against the readable lattice."""

import pytest
import torch
from crf_cases import (
    PRESETS_TESTED,
    blobs,
    randoms,
    readable_mean_field,
    unaries,
)

from deeplab_lessons import crf
from deeplab_lessons.crf import LatticeFilter, fast, fast_mean_field

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


@pytest.mark.slow
@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("matrix", [False, True])
@pytest.mark.parametrize("name", PRESETS_TESTED)
def test_fast_is_readable(device, dtype, matrix, name):
    picture, unary = blobs(37, 70), unaries(4, 37 * 70, dtype=dtype)
    mu = randoms(4, 4, seed=9, dtype=dtype) if matrix else None  # not symmetric: rows and columns matter
    got = fast_mean_field(*(x if x is None else x.to(device) for x in (unary, picture)), PRESETS_TESTED[name],
                          None if mu is None else mu.to(device))  # fmt: skip
    assert got.shape == unary.shape and got.dtype == dtype and got.is_contiguous()
    tolerance = {torch.float32: 1e-4, torch.float64: 1e-10}[dtype]
    assert (got.cpu() - readable_mean_field(unary, picture, PRESETS_TESTED[name], mu)).abs().max() < tolerance


@pytest.mark.parametrize("w1, w2", [(0, 3), (4, 0), (0, 0), (100, 50)])
def test_kernels_left_out_and_kernels_far_too_strong(w1, w2):
    setting = crf.Parameters(w1, 30, 10, w2, 2, iterations=4)
    picture, unary = blobs(20, 24), unaries(3, 480, dtype=torch.float64)
    want = readable_mean_field(unary, picture, setting)
    assert (fast_mean_field(unary, picture, setting) - want).abs().max() < 1e-9
    assert (fast_mean_field(unary.float(), picture, setting) - want).abs().max() < 1e-3


@pytest.mark.parametrize("spread", [30.0, 1e4])
def test_very_sure_unaries(spread):
    picture, unary = blobs(20, 24), unaries(3, 480, spread=spread, dtype=torch.float64)
    want = readable_mean_field(unary, picture, PRESETS_TESTED["smooth"])
    got = fast_mean_field(unary, picture, PRESETS_TESTED["smooth"])
    assert (got - want).abs().max() < 1e-9
    single = fast_mean_field(unary.float(), picture, PRESETS_TESTED["smooth"])
    assert torch.allclose(single.sum(0), torch.ones(480)) and (single.double() - want).abs().max() < 1e-3


def test_no_iterations_is_the_softmax():
    picture, unary = blobs(20, 24), unaries(3, 480)
    none = crf.Parameters(4, 121, 5, 3, 3, iterations=0)
    assert torch.allclose(fast_mean_field(unary, picture, none), (-unary).softmax(0))


def test_views_and_what_is_left_alone():
    pictures = torch.stack([blobs(20, 24, 0), blobs(20, 24, 1)])
    unary = torch.stack([unaries(3, 480, 0), unaries(3, 480, 1)])
    before = unary.clone()
    expected = fast_mean_field(unary[0], pictures[0], PRESETS_TESTED["wide"])
    views = unary[0].T.contiguous().T, pictures[0].permute(1, 2, 0).contiguous().permute(2, 0, 1)
    assert not any(view.is_contiguous() for view in views)
    assert torch.equal(fast_mean_field(*views, PRESETS_TESTED["wide"]), expected)
    assert torch.equal(LatticeFilter(views[0].T[:, :2].T)(views[0]), LatticeFilter(unary[0][:2])(unary[0]))
    assert torch.equal(unary, before)
    assert not fast_mean_field(unary[0].requires_grad_(), pictures[0], PRESETS_TESTED["wide"]).requires_grad


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (7, 1), (33, 65)])
def test_pictures_of_odd_sizes_and_of_one_colour(size):
    pixels = size[0] * size[1]
    picture, unary = torch.full((3, *size), 128), unaries(3, pixels, dtype=torch.float64)
    for setting in PRESETS_TESTED.values():
        got = fast_mean_field(unary, picture, setting)
        assert (got - readable_mean_field(unary, picture, setting)).abs().max() < 1e-9


def test_spatial_lattices_kept_are_few():
    fast._spatial_tables.cache_clear()
    for width in range(10, 20):
        fast_mean_field(unaries(2, 8 * width), blobs(8, width), PRESETS_TESTED["wide"])
    kept = fast._spatial_tables.cache_info()
    assert kept.currsize == kept.maxsize <= 8
    fast_mean_field(unaries(2, 8 * 19), blobs(8, 19, 5), PRESETS_TESTED["wide"])
    assert fast._spatial_tables.cache_info().hits == kept.hits + 1
