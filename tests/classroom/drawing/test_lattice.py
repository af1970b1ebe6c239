"""The drawings of the lattice: what lesson 07 shows is real."""

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt

from deeplab_lessons.classroom import drawing, readable_lattice


def test_plane_has_no_gaps():
    lattice = readable_lattice.Lattice(drawing.lattice.plane(-4, 4, -4, 4))
    middle = lattice.positions.abs().amax(0) < 2
    assert middle.sum() > 10
    assert (lattice.neighbours[:, :, middle] < len(lattice)).all()


def test_edges_join_neighbours_of_one_length(ax):
    lattice = readable_lattice.Lattice(drawing.lattice.plane(-2, 2, -2, 2))
    drawing.lattice.show_edges(ax, lattice)
    lengths = [np.hypot(*(line.get_xydata()[1] - line.get_xydata()[0])) for line in ax.lines]
    assert len(lengths) == (lattice.neighbours[:, 1] < len(lattice)).sum()
    assert np.allclose(lengths, 1), "the triangles have sides of one σ"


def test_weights_stand_at_their_corners_and_sum_to_one(ax):
    points = torch.tensor([[0.35, -1.3], [0.6, -0.4]], dtype=torch.float64)
    drawing.lattice.show_weights(ax, points, 1)
    written = [float(text.get_text()) for text in ax.texts]
    assert sum(written) == pytest.approx(1, abs=0.02) and len(written) == 3
    corners = [dots.get_offsets()[0] for dots in ax.collections[:3]]
    assert np.allclose(np.average(corners, axis=0, weights=written), points[:, 1], atol=0.02)


def test_each_triangle_has_its_three_weights(ax):
    points = torch.tensor([[-1.9, 2.7], [-0.3, -0.4]], dtype=torch.float64)
    drawing.lattice.show_triangles(ax, points)
    written = [float(text.get_text()) for text in ax.texts]
    assert len(written) == 6 and sum(written) == pytest.approx(2, abs=0.03)


def test_steps_are_those_of_the_lattice():
    lattice = readable_lattice.Lattice(drawing.lattice.plane(-3, 3, -3, 3))
    values = torch.rand(1, lattice.points, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    found = drawing.lattice.steps(lattice, values)
    assert [name for name, _ in found][:2] == ["splat", "blur, direction 0"] and len(found) == 4
    assert torch.equal(found[-1][1], lattice.blur(lattice.splat(values)))


def test_the_steps_of_one_value_spread_and_end_in_a_gaussian():
    plane = drawing.lattice.plane(-5, 5, -5, 5)
    _figure, axes = plt.subplots(1, 5)
    point = int((plane - torch.tensor([[0.2], [0.4]])).norm(dim=0).argmin())
    drawing.lattice.show_steps(axes, plane, point)
    counts = [len(ax.collections[0].get_offsets()) for ax in axes[:4]]
    assert counts[0] <= 3 < counts[1] < counts[2] < counts[3]
    heat = axes[-1].collections[0].get_array()
    exact = torch.exp(-((plane - plane[:, point, None]) ** 2).sum(0) / 2)
    assert np.corrcoef(np.ravel(heat), exact)[0, 1] > 0.99


def test_a_line_is_drawn_with_its_exact_curve():
    _figure, axes = plt.subplots(1, 3)
    drawing.lattice.show_line(axes, np.array([1.0, 0.5]), np.array([0.3, 4.0]))
    ours, exact = (line.get_ydata() for line in axes[2].lines[:2])
    assert np.abs(ours - exact).max() < 0.12


def test_a_row_touches_only_vertices_near_its_pixels(ax):
    shades = torch.tensor([20.0] * 10 + [220.0] * 10)
    lattice = drawing.lattice.show_row(ax, torch.stack([torch.arange(20) / 5, shades / 20]), shades)
    assert len(lattice) < 30
    gap = (lattice.positions[1] > 3) & (lattice.positions[1] < 9)
    assert not gap.any(), "nothing is stored between the two shades"
