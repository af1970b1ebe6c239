"""The lattice written to be read: its kernel, its vertices, what it refuses; `tests/crf` holds it against tables."""

import pytest
import torch
from crf_cases import randoms

from deeplab_lessons import crf
from deeplab_lessons.classroom import readable_lattice
from deeplab_lessons.classroom.readable_lattice import Lattice
from deeplab_lessons.crf import permutohedral


def test_it_is_a_gaussian_up_to_one_factor():
    """On a full grid in the plane, away from its edge, the kernel is close to exp(-r²/2) everywhere."""
    features = crf.spatial_features((81, 81), 6.0, dtype=torch.float64)
    middle = torch.zeros(1, 81 * 81, dtype=torch.float64)
    middle[0, 40 * 81 + 40] = 1
    got = Lattice(features).filter(middle)[0]
    squared = ((features - features[:, 40 * 81 + 40, None]) ** 2).sum(0)
    want = torch.exp(-squared / 2)
    factor = (got * want).sum() / (want * want).sum()
    assert (got - factor * want).abs().max() < 0.12 * factor
    assert (squared * got).sum() / got.sum() == pytest.approx(2, rel=0.1)  # variance 1 along each axis


def test_vertices_with_one_code_are_told_apart():
    origin, rank = permutohedral.nearest_simplex(permutohedral.embed(3 * randoms(4, 50)))
    corners = readable_lattice.simplex_vertices(origin, rank)
    vertices, number, base = readable_lattice.number_vertices(corners, base=0)
    assert base > 0 and torch.equal(vertices[:, number].transpose(0, 1), corners)
    assert len(torch.unique(vertices, dim=1).T) == len(vertices.T)


def test_shapes_are_refused_in_words():
    with pytest.raises(ValueError, match=r"must be float \[d, N\]"):
        Lattice(torch.zeros(2, 3, 4))
    with pytest.raises(ValueError, match=r"must be float \[d, N\]"):
        Lattice(torch.zeros(2, 3, dtype=torch.int64))
    with pytest.raises(ValueError, match="N = 5"):
        Lattice(randoms(2, 5)).filter(torch.zeros(3, 4))
