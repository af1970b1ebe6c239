"""The numbers of one unit: a model run as far as one of its modules, and a place on the map that this gives."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from deeplab_lessons.receptive_field.evaluation import UntraceableError, run, tensors_in, unit_index


def layer_output(
    model: nn.Module, layer: str | None, image: torch.Tensor, other_inputs: Sequence[Any]
) -> torch.Tensor:
    """Run the model as far as its module `layer` (None: to its end) and return the first tensor that this gives."""
    if layer is None:
        return _first_tensor(run(model, image, other_inputs), "the output")
    modules = dict(model.named_modules(remove_duplicate=False))
    if layer not in modules:
        kind = type(model).__name__
        raise KeyError(f"{kind} has no module called {layer!r}; list(dict(model.named_modules())) has all")

    def stop(module: nn.Module, args: Any, output: Any) -> None:
        raise _Stop(output)

    with modules[layer].register_forward_hook(stop):
        try:
            run(model, image, other_inputs)
        except _Stop as stopped:
            return _first_tensor(stopped.args[0], f"the output of {layer}")
    raise KeyError(f"the module {layer!r} did not run")


class _Stop(Exception):
    """The layer has run; the only argument is its output."""


def _first_tensor(output: Any, name: str) -> torch.Tensor:
    for _, tensor in tensors_in(output):
        if tensor.requires_grad:
            return tensor
    raise UntraceableError(f"{name} holds no tensor that depends on the input")


def unit_values(output: torch.Tensor, unit: Any, name: str) -> tuple[torch.Tensor, tuple[int, int]]:
    """Return the numbers of one unit, and its (row, column); an output that is not a map counts as a single unit."""
    if output.dim() < 4:
        output = output.reshape(1, -1, 1, 1)
    y, x = unit_index((output.shape[-2], output.shape[-1]), unit, name)
    return output[..., y, x], (y, x)
