"""Which input pixels can influence a unit: asked of autograd, not of arithmetic.

A real model may hide an influence: ReLU stops a gradient, max pooling picks one cell, two weights cancel. So
the model's real geometry runs with friendlier numbers, in float64: every weight positive, max pooling turned
into sum pooling, ReLU and batch norm left out, products turned into sums. Then no gradient can die or cancel,
and a pixel has a gradient exactly if some path leads from it to the unit.

All channels of a map now hold the same numbers, so one channel is computed and the others are views of it.
"""

from typing import Any

import numpy as np
import torch
from torch import nn

from deeplab_lessons.receptive_field.evaluation import check_input, evaluating, layer_output, unit_values
from deeplab_lessons.receptive_field.positive import Positive, equal_channels


def empirical_field(
    model: nn.Module,
    input_size: int | tuple[int, int],
    layer: str | None = None,
    unit: int | tuple[int, int] | None = None,
    in_channels: int = 3,
) -> np.ndarray:
    """Return the input pixels that can influence one unit, from gradients: bool [H, W].

    `layer` names a module (default: the model's output; of a dict or tuple the first tensor), `unit` is
    (row, column) on its map (default: the middle one). Runs on the CPU; weights may be on any device, even meta.
    The model is left as it was. Raises KeyError for a module that is not there or did not run, IndexError for a
    unit that the map has not, TypeError and ValueError as `trace` does.
    """
    size = check_input(model, input_size, in_channels)
    image = torch.ones(1, 1, *size, dtype=torch.float64, requires_grad=True)
    with evaluating(model, _ones), torch.enable_grad(), Positive():
        output = layer_output(model, layer, equal_channels(image, in_channels))
    return unit_gradient(output, image, unit, layer or "output") != 0


def unit_gradient(
    output: torch.Tensor, image: torch.Tensor, unit: Any, name: str, again: bool = False
) -> np.ndarray:
    """Return the gradient of one unit (all its channels) at the image, summed over channels: [H, W].

    `again` keeps what is needed to ask for another unit.
    """
    total = unit_values(output, unit, name)[0].sum()
    (gradient,) = torch.autograd.grad(total, image, retain_graph=again, allow_unused=True)
    return np.zeros(image.shape[-2:]) if gradient is None else gradient.sum((0, 1)).numpy()


def _ones(tensor: torch.Tensor) -> torch.Tensor:
    if not tensor.is_floating_point():
        return torch.zeros((), dtype=tensor.dtype).expand(tensor.shape)
    return torch.ones((), dtype=torch.float64).expand(tensor.shape)
