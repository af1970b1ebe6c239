"""The effective field: by hand for linear stacks, reproducible, and never outside the theoretical one."""

import numpy as np
import pytest
import torch
import torchvision
from torch import nn

from deeplab_lessons.classroom.gradient_fields import effective_field
from deeplab_lessons.receptive_field import trace


def uniform_stack(depth):
    """`depth` 3x3 convolutions of equal weights: by hand, the energy is the square of a binomial-like bell."""
    model = nn.Sequential(*(nn.Conv2d(1, 1, 3, padding=1, bias=False) for _ in range(depth)))
    for weight in model.parameters():
        nn.init.constant_(weight, 1 / 9)
    return model


def test_effective_field_of_a_linear_stack_by_hand():
    field = effective_field(uniform_stack(4), 21, samples=1, in_channels=1)
    bell = np.ones(1)
    for _ in range(4):
        bell = np.convolve(bell, np.ones(3))
    energy = np.square(bell) / np.square(bell).sum()
    assert np.allclose(field.heat[10, 6:15], energy * energy[4], atol=1e-6)
    assert field.sigma == pytest.approx(np.sqrt(energy @ np.arange(-4, 5) ** 2), abs=1e-4)
    assert field.centre == pytest.approx((10, 10), abs=1e-4)
    sides = [energy[4 - reach : 5 + reach].sum() ** 2 for reach in range(5)]
    assert field.energy_size(0.95) == 2 * next(r for r in range(5) if sides[r] >= 0.95) + 1
    assert np.abs(field.gaussian() - field.heat).max() < 0.1 * field.heat.max()


def test_effective_field_grows_like_the_root_of_the_depth():
    sigmas = [effective_field(uniform_stack(depth), 101, samples=1, in_channels=1).sigma for depth in (8, 32)]
    assert sigmas[1] / sigmas[0] == pytest.approx(2, rel=0.03)


@pytest.mark.slow
def test_effective_field_is_smaller_than_the_theoretical_and_repeats():
    torch.manual_seed(0)
    model = torchvision.models.vgg16(weights=None).features[:17]  # to pool3, field 44
    before = {name: p.clone() for name, p in model.named_parameters()}
    state = torch.random.get_rng_state()
    field = effective_field(model, 64, unit=(3, 3), samples=4)
    again = effective_field(model, 64, unit=(3, 3), samples=4)
    assert (field.heat == again.heat).all() and torch.equal(torch.random.get_rng_state(), state)
    box = trace(model, 64).box(unit=(3, 3))
    outside = field.heat.copy()
    outside[box.top : box.bottom + 1, box.left : box.right + 1] = 0
    assert outside.sum() == 0 and field.heat.sum() == pytest.approx(1)
    assert 3 < field.energy_size(0.95) < 44 and field.size < 44
    assert all(torch.equal(p, before[n]) and p.grad is None for n, p in model.named_parameters())


def test_effective_field_errors():
    with pytest.raises(ValueError, match="meta device"):
        effective_field(torchvision.models.resnet18().to("meta"), 32)
    with pytest.raises(ValueError, match="share must lie between"):
        effective_field(uniform_stack(1), 5, in_channels=1).energy_box(95)
    dead = nn.Sequential(nn.Conv2d(1, 1, 1), nn.ReLU())
    nn.init.constant_(dead[0].weight, 0)
    with pytest.raises(ValueError, match="no gradient arrives"):
        effective_field(dead, 5, in_channels=1)
