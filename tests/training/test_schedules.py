"""Learning-rate schedules: the papers' numbers."""

import pytest

from deeplab_lessons import training


def test_step_is_the_papers():
    """v1: 6000 iterations, times 0.1 every 2000."""
    rates = [1e-3 * training.step(i, 6000) for i in (0, 1999, 2000, 3999, 4000, 5999)]
    assert rates == pytest.approx([1e-3, 1e-3, 1e-4, 1e-4, 1e-5, 1e-5])


def test_poly_starts_at_one_and_falls_to_almost_nothing():
    assert training.poly(0, 100) == 1
    assert training.poly(50, 100) == pytest.approx(0.5**0.9)
    assert 0 < training.poly(99, 100) < 0.02
    shares = [training.poly(i, 100) for i in range(100)]
    assert shares == sorted(shares, reverse=True)
