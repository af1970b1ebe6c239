"""What the tools for fields share: arguments checked, a model run and left as it was, units and boxes of pixels."""

import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import fields, is_dataclass
from functools import cache
from inspect import isfunction, signature
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn.parameter import is_lazy
from torch.nn.utils import parametrize
from torch.utils._pytree import tree_map_only


class UntraceableError(ValueError):
    """The receptive field cannot be known (better no number than a wrong one): the message names the operator."""


def check_input(
    model: Any, input_size: Any, in_channels: int, other_inputs: Sequence[Any] = ()
) -> tuple[int, int]:
    """Return `input_size` as (H, W), once model, size, channels and other inputs are known to be usable."""
    if not isinstance(model, nn.Module):
        makes = isfunction(model) or isinstance(model, type)
        hint = "call it to make a model, e.g. resnet101()" if makes else "pass the module it was made from"
        raise TypeError(f"model must be a torch.nn.Module, got {type(model).__name__}: {hint}")
    size = tuple(input_size) if isinstance(input_size, (tuple, list)) else (input_size, input_size)
    if len(size) != 2 or not all(isinstance(n, int) and n >= 1 for n in size):
        wanted = "a whole number of pixels or a pair (height, width)"
        raise ValueError(f"input_size must be {wanted}, got {input_size!r}")
    if not isinstance(in_channels, int) or in_channels < 1:
        raise ValueError(f"in_channels must be a whole number of at least 1, got {in_channels!r}")
    if not isinstance(other_inputs, (tuple, list)):
        kind = type(other_inputs).__name__
        raise TypeError(f"other_inputs must be a tuple, got {kind}: pass (value,) for a single one")
    for name, module in model.named_modules():
        what = f"{f'module {name!r}' if name else 'model'} ({type(module).__name__})"
        if isinstance(module, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
            inner = f"model.get_submodule({name!r}).module in its place" if name else "model.module"
            raise TypeError(f"{what} runs copies of another module: pass {inner}")
        if isinstance(module, torch.jit.ScriptModule):
            raise TypeError(f"{what} belongs to torch.jit: pass the module that was scripted or traced")
        if any(map(is_lazy, (*module.parameters(recurse=False), *module.buffers(recurse=False)))):
            once = f"call model(torch.zeros(1, {in_channels}, height, width)) once, then pass model"
            raise ValueError(f"{what} gets its weights in its first run: {once}")
    return size[0], size[1]


@contextmanager
def evaluating(model: nn.Module, replace: Callable[[torch.Tensor], torch.Tensor]) -> Iterator[None]:
    """Put the model in evaluation mode and `replace` every tensor that it keeps, each once; afterwards undo it all.

    So is whatever the model's forward changes in its modules, their attributes and the containers in these.
    Compiled modules run without their compiled code.
    """
    before, made = _contents(model), cache(replace)
    try:
        for holder, held in before:
            for key, value in held.items() if isinstance(held, dict) else enumerate(held):
                if isinstance(value, (torch.Tensor, tuple)) and not isinstance(holder, (tuple, set)):
                    holder[key] = tree_map_only(torch.Tensor, made, value)
        try:
            model.eval()
        except NotImplementedError as error:
            raise TypeError(f"model cannot be used ({error}): pass the module that was exported") from error
        dynamo = "torch._dynamo" in sys.modules  # else nothing is compiled, and loading it takes seconds
        with torch.compiler.set_stance("force_eager") if dynamo else nullcontext():
            yield
    finally:
        try:
            _restore(before)
        except KeyboardInterrupt:
            _restore(before)
            raise


def _contents(model: nn.Module) -> list[tuple[Any, Any]]:
    """Every mutable container that a forward of `model` can reach from its modules, and what it holds now.

    The attributes of other objects count too, if a module keeps the object itself, but not what these lead to.
    """
    found: dict[int, Any] = {}
    waiting: list[tuple[Any, bool]] = [(model, True), (parametrize._cache, True)]
    while waiting:
        value, of_module = waiting.pop()
        if isinstance(value, nn.Module):
            value, of_module = vars(value), True
        elif not isinstance(value, (dict, list, tuple, set, deque)):
            own = None if isinstance(value, (torch.Tensor, ModuleType)) else getattr(value, "__dict__", None)
            if not of_module or not isinstance(own, dict):
                continue
            value, of_module = own, False
        if id(value) not in found:
            found[id(value)] = value
            waiting += [(part, of_module) for part in (value.values() if isinstance(value, dict) else value)]
    return [(holder, (dict if isinstance(holder, dict) else list)(holder)) for holder in found.values()]


def _restore(before: list[tuple[Any, Any]]) -> None:
    for holder, held in before:
        if not isinstance(holder, tuple) and _identities(holder) != _identities(held):
            holder.clear()
            (holder.extend if isinstance(holder, (list, deque)) else holder.update)(held)


def _identities(holder: Any) -> list[int]:
    pairs = holder.items() if isinstance(holder, dict) else [holder]
    return [id(value) for pair in pairs for value in pair]


def run(model: nn.Module, image: torch.Tensor, other_inputs: Sequence[Any]) -> Any:
    """Call the model with the image and what else its forward takes."""
    try:
        signature(model.forward).bind(image, *other_inputs)
    except TypeError as error:
        given = f"the image and {len(other_inputs)} other_inputs"
        wanted = "pass what its forward takes after the image, such as other_inputs=(second_image,)"
        raise TypeError(f"{type(model).__name__} cannot be called with {given} ({error}): {wanted}") from None
    return model(image, *tree_map_only(torch.Tensor, lambda other: other.detach().clone(), other_inputs))


def tensors_in(output: Any, key: str = "") -> Iterator[tuple[str, torch.Tensor]]:
    """Yield every tensor of a nested output with its key: "out", "0", "features.1"; "" for an output that is one."""
    if isinstance(output, torch.Tensor):
        yield key, output
    elif isinstance(output, (tuple, list)):
        output = dict(enumerate(output))
    elif is_dataclass(output) and not isinstance(output, dict):
        output = {field.name: getattr(output, field.name) for field in fields(output)}
    if isinstance(output, dict):
        for name, value in output.items():
            yield from tensors_in(value, f"{key}.{name}" if key else str(name))


def unit_index(size: tuple[int, int], unit: int | tuple[int, int] | None, name: str) -> tuple[int, int]:
    """Return (row, column) of a unit on a map; the middle one for None; one number serves both axes."""
    if unit is None:
        return size[0] // 2, size[1] // 2
    y, x = unit if isinstance(unit, (tuple, list)) else (unit, unit)
    if not (0 <= y < size[0] and 0 <= x < size[1]):
        there = f"rows 0 to {size[0] - 1} and columns 0 to {size[1] - 1}"
        raise IndexError(f"unit {(y, x)} is not on the map: the map of {name!r} has {there}")
    return int(y), int(x)


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
