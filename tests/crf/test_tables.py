"""The lattice written down as tables, where it takes other ways."""

import pytest
import torch
from crf_cases import (
    randoms,
)

from deeplab_lessons.classroom.readable_lattice import Lattice
from deeplab_lessons.crf import tables


def test_large_tables_are_done_in_pieces(monkeypatch):
    features, values = 2 * randoms(3, 90), randoms(90, 4, seed=1)
    want = [tables.write_tables(features).filter(values, transpose) for transpose in (False, True)]
    monkeypatch.setattr(tables, "_FRESH", 0)
    monkeypatch.setattr(tables, "_PIECE", 7)
    got = [tables.write_tables(features).filter(values, transpose) for transpose in (False, True)]
    assert all(torch.equal(g, w) for g, w in zip(got, want, strict=True))


def test_many_dimensions_far_apart_and_still_numbered():
    for d, reach in ((5, 300.0), (5, 1.0), (14, 1.0)):
        features, values = reach * randoms(d, 60, seed=d), randoms(60, 2, seed=1)
        features[:, 30:] = features[:, :30] + 0.3 * randoms(d, 30, seed=2)  # so that some share vertices
        want = Lattice(features).filter(values.T).T
        assert torch.allclose(tables.write_tables(features).filter(values), want, atol=1e-10)


def test_more_vertices_than_can_be_numbered_are_refused():
    with pytest.raises(
        ValueError, match=r"in 5 dimensions the lattice cannot number so many vertices.*larger σ"
    ):
        tables.write_tables(1e5 * randoms(5, 60))


def test_in_pieces_or_not_autograd_follows_the_features(monkeypatch):
    monkeypatch.setattr(tables, "_FRESH", 0)
    features, values = randoms(2, 9).requires_grad_(), randoms(9, 2, seed=1)
    assert torch.autograd.gradcheck(lambda f: tables.write_tables(f).filter(values), features)
