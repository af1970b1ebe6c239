"""How much each input pixel influences a unit, with the model's own weights: the effective receptive field."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from deeplab_lessons.classroom.gradient_fields.units import layer_output, unit_values
from deeplab_lessons.receptive_field.evaluation import Box, check_input, evaluating


@dataclass(frozen=True, eq=False)
class EffectiveField:
    """The energy that each input pixel sends to a unit.

    `heat` [H, W]: mean over samples of the squared gradient, summed over the input's channels, scaled to sum 1.
    """

    heat: np.ndarray
    layer: str
    unit: tuple[int, int]
    samples: int

    @property
    def centre(self) -> tuple[float, float]:
        """Mean row and column of the energy, in input pixels."""
        rows, columns = self.heat.sum(1), self.heat.sum(0)
        return float(rows @ np.arange(rows.size)), float(columns @ np.arange(columns.size))

    @property
    def sigmas(self) -> tuple[float, float]:
        """Standard deviations along rows and columns of the Gaussian with the energy's own second moments."""
        sides = zip((self.heat.sum(1), self.heat.sum(0)), self.centre, strict=True)
        y, x = (float(np.sqrt(side @ (np.arange(side.size) - mid) ** 2)) for side, mid in sides)
        return y, x

    @property
    def sigma(self) -> float:
        """One standard deviation for both axes, in input pixels: the root mean square of `sigmas`."""
        return float(np.sqrt(np.mean(np.square(self.sigmas))))

    def gaussian(self) -> np.ndarray:
        """Return the fitted Gaussian on the same pixels, scaled to sum 1: [H, W]."""
        axes = zip(self.heat.shape, self.centre, self.sigmas, strict=True)
        bell = np.outer(*(np.exp(-0.5 * ((np.arange(n) - mid) / max(s, 1e-9)) ** 2) for n, mid, s in axes))
        return bell / bell.sum()

    def energy_box(self, share: float = 0.95) -> Box:
        """Return the smallest square around the centre, cut off at the image's edges, that holds `share` of the energy.

        Raises ValueError if `share` is not above 0 and at most 1.
        """
        if not 0 < share <= 1:
            raise ValueError(f"share must lie between 0 and 1, such as 0.95, got {share!r}")
        y, x = (round(v) for v in self.centre)
        height, width = self.heat.shape
        distance = np.maximum(abs(np.arange(height) - y)[:, None], abs(np.arange(width) - x))
        held = np.bincount(distance.ravel(), self.heat.ravel()).cumsum()
        far = int(np.searchsorted(held, share - 1e-12))
        return Box(max(y - far, 0), max(x - far, 0), min(y + far, height - 1), min(x + far, width - 1))

    def energy_size(self, share: float = 0.95) -> int:
        """Return the side of `energy_box(share)` in input pixels (the longer one, if the image's edge cuts it)."""
        box = self.energy_box(share)
        return max(box.height, box.width)

    @property
    def size(self) -> float:
        """Luo et al.'s measure: square root of the number of pixels above 4.55 % of the strongest gradient."""
        strength = np.sqrt(self.heat)
        return float(np.sqrt((strength > (1 - 0.9545) * strength.max()).sum()))

    def __repr__(self) -> str:
        sizes = f"sigma {self.sigma:.1f} pixels, 95 % of the energy within {self.energy_size()} pixels"
        return f"<effective field of {self.layer}, unit {self.unit}: {sizes}>"


def effective_field(
    model: nn.Module,
    input_size: int | tuple[int, int],
    layer: str | None = None,
    unit: int | tuple[int, int] | None = None,
    samples: int = 8,
    in_channels: int = 3,
    seed: int = 0,
    other_inputs: Sequence[Any] = (),
) -> EffectiveField:
    """Return how much each input pixel influences one unit, with the model's real weights.

    For each of `samples` random inputs (unit normal noise [1, C, H, W]), a random ±1 goes back from every channel
    of the unit (so that their energies add up), and the squared gradient at the input is the energy of that pixel.
    `layer`, `unit`, `other_inputs` and errors as in `empirical_field`; ValueError too for weights on the meta device
    or where no gradient arrives. Runs where the weights are, in evaluation mode; leaves gradients and random state.
    Source: Luo et al., NIPS 2016, sections 2 and 3 (the gradient at the input from one output unit, averaged over
    random inputs; its Gaussian shape).
    """
    size = check_input(model, input_size, in_channels, other_inputs)
    name = layer or "output"
    weight = next((p for p in model.parameters() if p.is_floating_point()), torch.zeros(()))
    if weight.device.type == "meta":
        raise ValueError("the effective field needs real weights, but this model's are on the meta device")
    if samples < 1:
        raise ValueError(f"samples must be at least 1, got {samples!r}: pass the number of random inputs")
    chance = torch.Generator().manual_seed(seed)
    energy = np.zeros(size)
    with torch.enable_grad(), evaluating(model, lambda tensor: tensor.detach().clone()):
        for _ in range(samples):
            image = torch.randn(1, in_channels, *size, generator=chance).to(weight).requires_grad_()
            values, position = unit_values(layer_output(model, layer, image, other_inputs), unit, name)
            signs = torch.randint(0, 2, values.shape, generator=chance).to(values) * 2 - 1
            (gradient,) = torch.autograd.grad((values * signs).sum(), image)
            energy += gradient.double().square().sum((0, 1)).cpu().numpy()
    if not energy.sum() > 0:
        source = layer or "the output"
        raise ValueError(f"no gradient arrives from {source}: its units are dead on these inputs")
    return EffectiveField(energy / energy.sum(), name, position, samples)
