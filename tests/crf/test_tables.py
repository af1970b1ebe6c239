"""The lattice written down as tables, where it takes other ways."""

import torch
from crf_cases import (
    randoms,
)

from deeplab_lessons.crf import Lattice, tables


def test_large_tables_are_done_in_pieces(monkeypatch):
    features, values = 2 * randoms(3, 90), randoms(90, 4, seed=1)
    want = [tables.write_tables(features).filter(values, transpose) for transpose in (False, True)]
    monkeypatch.setattr(tables, "_FRESH", 0)
    monkeypatch.setattr(tables, "_PIECE", 7)
    got = [tables.write_tables(features).filter(values, transpose) for transpose in (False, True)]
    assert all(torch.equal(g, w) for g, w in zip(got, want, strict=True))


def test_codes_that_would_overflow_take_the_slow_way(monkeypatch):
    taken = []
    slowly = tables._number_slowly
    monkeypatch.setattr(tables, "_number_slowly", lambda f: taken.append(1) or slowly(f))
    for d, reach in ((5, 3e6), (5, 1.0), (14, 30.0)):
        features, values = reach * randoms(d, 60, seed=d), randoms(60, 2, seed=1)
        features[:, 30:] = features[:, :30] + 0.3 * randoms(d, 30, seed=2)  # so that some share vertices
        want = Lattice(features).filter(values.T).T
        assert torch.allclose(tables.write_tables(features).filter(values), want, atol=1e-10)
    assert len(taken) == 2  # all but the middle one
