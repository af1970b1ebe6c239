"""The Gaussian filter on a line that lesson 07 builds: splat, blur, slice."""

import numpy as np
import pytest
import torch

from deeplab_lessons.classroom import line_filter, readable_lattice


def test_splat_keeps_the_sum_and_its_middle():
    rng = np.random.default_rng(1)
    values, places = rng.normal(size=50), rng.uniform(0, 9, 50)
    cells = line_filter.splat(values, places, 10)
    assert cells.sum() == pytest.approx(values.sum())
    assert cells @ np.arange(10) == pytest.approx(values @ places)
    assert line_filter.splat(np.array([3.0]), np.array([9.0]), 10).tolist() == [0] * 9 + [3]


def test_blur_and_slice_by_hand():
    assert line_filter.blur(np.array([0.0, 4, 0, 2])).tolist() == [2, 4, 3, 2]
    assert line_filter.slice_at(np.array([2.0, 4, 8]), np.array([0, 0.5, 1.75])).tolist() == [2, 3, 7]


def test_the_kernel_has_variance_one_and_the_weight_one_on_a_grid_point():
    fine = np.linspace(0, 1, 40, endpoint=False)  # places of the giver within one step
    reach = np.arange(-400, 401) * 0.02
    variances = []
    for place in 20 + fine * line_filter.SPACING:
        positions = np.concatenate([[0.0], place + reach, [40.0], [place]])
        values = np.zeros(len(positions))
        values[-1] = 1
        kernel = line_filter.gaussian_filter(values, positions)[1:-2]
        variances.append((kernel * reach**2).sum() / kernel.sum())
    assert np.mean(variances) == pytest.approx(1, abs=0.01)
    assert line_filter.gaussian_filter(np.array([1.0]), np.array([5.0]))[0] == pytest.approx(1)


def test_on_a_line_the_lattice_is_the_grid():
    positions = np.sort(np.random.default_rng(2).uniform(0, 30, 3000))
    positions -= positions.min()
    values = np.random.default_rng(3).uniform(size=3000)
    on_lattice = (
        readable_lattice.Lattice(torch.tensor(positions)[None]).filter(torch.tensor(values)[None])[0].numpy()
    )
    inside = (positions > 3) & (positions < 27)
    assert np.allclose(on_lattice[inside], line_filter.gaussian_filter(values, positions)[inside])
