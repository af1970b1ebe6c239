"""Features, exact kernels, and the lattice as a filter with gradients."""

import pytest
import torch
from crf_cases import (
    blobs,
    randoms,
    scene,
)

from deeplab_lessons import crf
from deeplab_lessons.classroom import tiny_crf
from deeplab_lessons.classroom.readable_lattice import Lattice
from deeplab_lessons.crf import LatticeFilter


def test_kernels_gradients_reach_the_picture_and_the_widths():
    picture = scene(5)[1].requires_grad_()
    widths = torch.tensor([2.0, 60.0], dtype=torch.float64, requires_grad=True)

    def kernel(image, widths):
        return tiny_crf.ExactFilter(crf.bilateral_features(image, widths[0], widths[1])).kernel

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
        tiny_crf.exact_kernel(torch.zeros(5, 375 * 500))
    assert tiny_crf.ExactFilter(torch.zeros(2, 10)).kernel.shape == (10, 10)


def dense(apply, points):
    return apply(torch.eye(points, dtype=torch.float64))


@pytest.mark.parametrize("normalisation", ["symmetric", "row", "none"])
def test_gradients_to_the_values(normalisation):
    smooth = LatticeFilter(randoms(3, 12), normalisation)
    values = randoms(2, 12, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(smooth, values)
    assert torch.autograd.gradgradcheck(smooth, values)


@pytest.mark.slow
@pytest.mark.parametrize("normalisation", ["symmetric", "row", "none"])
def test_gradients_to_the_features(normalisation):
    features, values = randoms(3, 9).requires_grad_(), randoms(2, 9, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(lambda f, v: LatticeFilter(f, normalisation)(v), (features, values))
    plain = LatticeFilter(features.detach(), normalisation)(values)
    assert torch.allclose(LatticeFilter(features, normalisation)(values), plain)


def test_normalisations_are_what_they_say():
    features, values = randoms(2, 60), randoms(3, 60, seed=1)
    matrix = dense(Lattice(features).filter, 60).T  # filter works on rows: values @ matrix.T
    sums = matrix.sum(1)
    wanted = {
        "none": matrix,
        "row": matrix / sums[:, None],
        "symmetric": matrix / (sums[:, None] * sums).sqrt(),
    }
    for name, each in wanted.items():
        assert torch.allclose(LatticeFilter(features, name)(values), values @ each.T), name
    with pytest.raises(ValueError, match="'columns': choose from symmetric, row, none"):
        LatticeFilter(features, "columns")


@pytest.mark.slow
def test_unrolled_mean_field_learns_through_the_lattice():
    """Two updates in double: gradients of unary, weights and compatibility pass gradcheck."""
    picture = blobs(4, 5).double()
    filters = [
        LatticeFilter(crf.bilateral_features(picture, 3, 40)),
        LatticeFilter(crf.spatial_features((4, 5), 2).double()),
    ]

    def marginals(unary, weights, mu):
        return crf.mean_field(unary, list(zip(weights, filters, strict=True)), mu, iterations=2)

    unary = randoms(3, 4, 5).requires_grad_()
    weights = torch.tensor([2.0, 1.0], dtype=torch.float64, requires_grad=True)
    mu = crf.potts(3).double().requires_grad_()
    assert torch.autograd.gradcheck(marginals, (unary, weights, mu))
