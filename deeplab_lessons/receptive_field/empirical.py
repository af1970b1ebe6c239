"""Which input pixels can influence a unit: asked of autograd, not of arithmetic.

A real model may hide an influence: ReLU stops a gradient, max pooling picks one cell, two weights cancel. So
the model's real geometry runs with friendlier numbers, in float64: every weight positive, max pooling turned
into sum pooling, ReLU and batch norm left out, products turned into sums. Then no gradient can die or cancel,
and a pixel has a gradient exactly if some path leads from it to the unit.

All channels of a map now hold the same numbers, so one channel is computed and the others are views of it.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.func import functional_call

from deeplab_lessons.receptive_field.positive import Positive, spread
from deeplab_lessons.receptive_field.run import check_input, evaluating
from deeplab_lessons.receptive_field.table import unit_on


def empirical_field(
    model: nn.Module,
    input_size: int | tuple[int, int],
    layer: str | None = None,
    unit: int | tuple[int, int] | None = None,
    in_channels: int = 3,
) -> np.ndarray:
    """Input pixels that can influence one unit, from gradients: bool [H, W].

    `layer` names a module (default: the model's output; of a dict or tuple the first tensor), `unit` is
    (row, column) on its map (default: the middle one). Runs on the CPU; weights may be on any device, even meta.
    Raises KeyError for a module that is not there or did not run, IndexError for a unit that the map has not,
    TypeError and ValueError as `trace` does.
    """
    size = check_input(model, input_size, in_channels)
    image = torch.ones(1, 1, *size, dtype=torch.float64, requires_grad=True)
    with evaluating(model), torch.enable_grad(), Positive():
        tensors = {name: _ones(t) for name, t in [*model.named_parameters(), *model.named_buffers()]}
        output = output_of(
            model, layer, lambda: functional_call(model, tensors, (spread(image, in_channels),))
        )
    return pixels(output, image, unit, layer or "output") != 0


def pixels(
    output: torch.Tensor, image: torch.Tensor, unit: Any, name: str, again: bool = False
) -> np.ndarray:
    """Gradient of one unit (all its channels) with respect to the image, summed over channels: [H, W].

    `again` keeps what is needed to ask for another unit.
    """
    if output.dim() < 4:
        output = output.reshape(1, -1, 1, 1)
    y, x = unit_on(tuple(output.shape[-2:]), unit, name)
    (gradient,) = torch.autograd.grad(output[..., y, x].sum(), image, retain_graph=again, allow_unused=True)
    return np.zeros(image.shape[-2:]) if gradient is None else gradient.sum((0, 1)).numpy()


class _Reached(Exception):
    def __init__(self, output: Any):
        super().__init__()
        self.output = output


def output_of(model: nn.Module, layer: str | None, run: Callable[[], Any]) -> torch.Tensor:
    """The first tensor that `layer` gives while `run()` runs the model, which then stops."""
    if layer is None:
        return _first_tensor(run())
    modules = dict(model.named_modules())
    if layer not in modules:
        raise KeyError(
            f"{type(model).__name__} has no module called {layer!r}; list(dict(model.named_modules())) has all"
        )

    def stop(module: nn.Module, args: Any, output: Any) -> None:
        raise _Reached(output)

    hook = modules[layer].register_forward_hook(stop)
    try:
        run()
    except _Reached as reached:
        return _first_tensor(reached.output)
    finally:
        hook.remove()
    raise KeyError(f"the module {layer!r} did not run")


def _first_tensor(output: Any) -> torch.Tensor:
    while not isinstance(output, torch.Tensor):
        output = next(iter(output.values() if isinstance(output, dict) else output))
    return output


def _ones(tensor: torch.Tensor) -> torch.Tensor:
    if not tensor.is_floating_point():
        return torch.zeros((), dtype=tensor.dtype).expand(tensor.shape)
    return torch.ones((), dtype=torch.float64).expand(tensor.shape)
