"""What all three tools share: arguments checked, a model run and left as it was, units and boxes of pixels."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn


def check_input(model: Any, input_size: Any, in_channels: int) -> tuple[int, int]:
    """Return `input_size` as (H, W), once model, size and channels are known to be usable."""
    if not isinstance(model, nn.Module):
        hint = ": call it to make a model, e.g. resnet101()" if callable(model) else ""
        raise TypeError(f"model must be a torch.nn.Module, got {type(model).__name__}{hint}")
    size = tuple(input_size) if isinstance(input_size, (tuple, list)) else (input_size, input_size)
    if len(size) != 2 or not all(isinstance(n, int) and n >= 1 for n in size):
        wanted = "a whole number of pixels or a pair (height, width)"
        raise ValueError(f"input_size must be {wanted}, got {input_size!r}")
    if not isinstance(in_channels, int) or in_channels < 1:
        raise ValueError(f"in_channels must be a whole number of at least 1, got {in_channels!r}")
    return size[0], size[1]


@contextmanager
def evaluating(
    model: nn.Module, replace: Callable[[torch.Tensor], torch.Tensor] = lambda tensor: tensor
) -> Iterator[None]:
    """Put the model in evaluation mode and `replace` its parameters and buffers, each once; afterwards all is undone.

    So is what the model's forward writes into its modules' attributes.
    """
    modules, made = list(model.modules()), cache(replace)
    tensors: list[dict[str, Any]] = [table for m in modules for table in (m._parameters, m._buffers)]
    before = [(table, dict(table)) for table in (*map(vars, modules), *tensors)]
    try:
        model.eval()
        for table in tensors:
            table.update({name: made(tensor) for name, tensor in table.items() if tensor is not None})
        yield
    finally:
        for table, entries in before:
            table.clear()
            table.update(entries)


def layer_output(model: nn.Module, layer: str | None, image: torch.Tensor) -> torch.Tensor:
    """Run the model as far as its module `layer` (None: to its end) and return the first tensor that this gives."""
    if layer is None:
        return _first_tensor(model(image))
    modules = dict(model.named_modules())
    if layer not in modules:
        kind = type(model).__name__
        raise KeyError(f"{kind} has no module called {layer!r}; list(dict(model.named_modules())) has all")

    def stop(module: nn.Module, args: Any, output: Any) -> None:
        raise _Stop(output)

    with modules[layer].register_forward_hook(stop):
        try:
            model(image)
        except _Stop as stopped:
            return _first_tensor(stopped.args[0])
    raise KeyError(f"the module {layer!r} did not run")


class _Stop(Exception):
    """The layer has run; the only argument is its output."""


def _first_tensor(output: Any) -> torch.Tensor:
    while not isinstance(output, torch.Tensor):
        output = next(iter(output.values() if isinstance(output, dict) else output))
    return output


def unit_index(size: tuple[int, int], unit: int | tuple[int, int] | None, name: str) -> tuple[int, int]:
    """Return (row, column) of a unit on a map; the middle one for None; one number serves both axes."""
    if unit is None:
        return size[0] // 2, size[1] // 2
    y, x = unit if isinstance(unit, (tuple, list)) else (unit, unit)
    if not (0 <= y < size[0] and 0 <= x < size[1]):
        there = f"rows 0 to {size[0] - 1} and columns 0 to {size[1] - 1}"
        raise IndexError(f"unit {(y, x)} asked for, but the map of {name!r} has {there}")
    return int(y), int(x)


def unit_values(output: torch.Tensor, unit: Any, name: str) -> tuple[torch.Tensor, tuple[int, int]]:
    """Return the numbers of one unit, and its (row, column); an output that is no map is a single unit."""
    if output.dim() < 4:
        output = output.reshape(1, -1, 1, 1)
    y, x = unit_index((output.shape[-2], output.shape[-1]), unit, name)
    return output[..., y, x], (y, x)


class Box(NamedTuple):
    """A rectangle of pixels; all four sides belong to it."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def height(self) -> int:
        """Rows of pixels in the box."""
        return self.bottom - self.top + 1

    @property
    def width(self) -> int:
        """Columns of pixels in the box."""
        return self.right - self.left + 1


def bounding_box(mask: np.ndarray) -> Box | None:
    """Return the smallest box around the True pixels of a mask [H, W]; None where there is none."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return None
    return Box(int(rows[0]), int(columns[0]), int(rows[-1]), int(columns[-1]))
