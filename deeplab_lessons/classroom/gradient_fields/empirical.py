"""Which input pixels can influence a unit: asked of autograd, not of arithmetic.

A real model may hide an influence: ReLU stops a gradient, max pooling picks one cell, two weights cancel. So its
geometry runs with friendlier numbers, in float64 (`Positive`): then no gradient can die or cancel, and a pixel
has one exactly if some path leads from it to the unit. Nothing is shared with the tracer's rules, so that the
two can check each other. All channels of a map hold the same numbers: one is computed, the others are views.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only

from deeplab_lessons.classroom.gradient_fields import friendly
from deeplab_lessons.classroom.gradient_fields.friendly import NAMES, UntraceableError, flows, refusal
from deeplab_lessons.classroom.gradient_fields.units import layer_output, unit_values
from deeplab_lessons.receptive_field.evaluation import check_input, evaluating


def empirical_field(
    model: nn.Module,
    input_size: int | tuple[int, int],
    layer: str | None = None,
    unit: int | tuple[int, int] | None = None,
    in_channels: int = 3,
    other_inputs: Sequence[Any] = (),
) -> np.ndarray:
    """Return the input pixels that can influence one unit, from gradients: bool [H, W].

    `layer` names a module (default: the model's output; of several tensors the first), `unit` is (row, column) on
    its map (default: the middle one), `other_inputs` as in `trace`. Runs on the CPU; weights may be on any device,
    even meta. The model is left as it was. Raises KeyError for a module that is not there or did not run, IndexError
    for a unit that the map has not, UntraceableError, TypeError and ValueError as `trace` does.
    """
    size = check_input(model, input_size, in_channels, other_inputs)
    others = tree_map_only(torch.Tensor, torch.Tensor.cpu, tuple(other_inputs))
    with torch.inference_mode(False), torch.enable_grad(), evaluating(model, _copied):
        image = torch.ones(1, 1, *size, dtype=torch.float64, requires_grad=True)
        output = _run(model, layer, friendly.equal_channels(image, in_channels), others)
        return unit_gradient(output, image, unit, layer or "output") != 0


def _copied(tensor: torch.Tensor) -> torch.Tensor:
    """The same numbers on the CPU, which a forward may overwrite; weights on the meta device have none."""
    return tensor.detach().clone() if tensor.is_meta else tensor.detach().to("cpu", copy=True)


def _run(model: nn.Module, layer: str | None, image: torch.Tensor, others: Sequence[Any]) -> torch.Tensor:
    no_hooks = torch.autograd.graph.disable_saved_tensors_hooks(
        "torch.utils.checkpoint would run parts twice"
    )
    with no_hooks, Positive() as positive, Guard(positive) as guard:
        try:
            return layer_output(model, layer, image, others)
        except (RuntimeError, NotImplementedError) as error:
            if guard.refused:  # torch.jit makes an error of its own of every other
                raise guard.refused from None
            if any(word in str(error) for word in (" meta ", "checkpoint")):
                raise UntraceableError(f"the model cannot run with friendlier numbers: {error}") from error
            raise


def unit_gradient(
    output: torch.Tensor, image: torch.Tensor, unit: Any, name: str, again: bool = False
) -> np.ndarray:
    """Return the gradient of one unit (all its channels) at the image: [H, W]; `again` lets one ask for another."""
    total = unit_values(output, unit, name)[0].sum()
    waiting: list[Any] = [total.grad_fn]
    seen = {None}
    while waiting:
        step = waiting.pop()
        if step not in seen:
            seen.add(step)
            waiting += [earlier for earlier, _ in step.next_functions]
            if isinstance(step, torch.autograd.function.BackwardCFunction):
                raise refusal(
                    type(step).__name__.removesuffix("Backward"),
                    "a torch.autograd.Function has its own gradient",
                )
    (gradient,) = torch.autograd.grad(total, image, retain_graph=again)
    return gradient.sum((0, 1)).numpy()


class Positive(TorchFunctionMode):
    """Replaces operators with ones that let every influence through, above autograd; refuses those it does not know.

    Every weight is positive, max pooling becomes sum pooling, products become sums; ReLU and batch norm are left out.
    """

    def __init__(self):
        super().__init__()
        self.at_work = False
        self.overwritten: dict[int, tuple[str, Any]] = {}

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs, name = dict(kwargs or {}), func.__self__ if func.__name__ == "__get__" else func
        name, args = (
            name.__name__.split(".")[0],
            args or tuple(kwargs.pop("input") for _ in {"input"} & {*kwargs}),
        )
        with torch._C.DisableTorchFunction():
            leaves = tree_leaves(args[:1] if name in NAMES["like"].split() else (args, kwargs))
            tensors = [value for value in leaves if isinstance(value, torch.Tensor)]
            for tensor in tensors if self.overwritten else ():
                if method := self.overwritten.get(tensor.untyped_storage()._cdata):
                    raise refusal(
                        method[0], "what it changed is used again, where x = x + y or x += y would do"
                    )
            if any(map(flows, tensors)):
                self.at_work = True
                try:
                    with torch.enable_grad():  # also where the model says no_grad
                        return self._follow(func, name, tensors, args, kwargs)
                finally:
                    self.at_work = False
        return func(*args, **kwargs)

    def _follow(
        self, func: Callable, name: str, tensors: list[torch.Tensor], args: tuple, kwargs: dict
    ) -> Any:
        """Return what the friendlier version of an operator makes of tensors, some of which flow."""
        kind, given = friendly.kind(name, args, tensors), [tensor for tensor in tensors if flows(tensor)]
        alone = len(given) == 1 and bool(args) and given[0] is args[0]
        if kwargs.get("out") is not None:
            raise refusal(name, "it writes into another tensor (out=)")
        if kind == "values":
            raise refusal(name, "it needs the values of a map, which differ from image to image")
        if kind == "questions" and alone:
            return func(*args, **kwargs)
        if kind == "same" and alone:
            return args[0]
        if kind == "pointwise":
            method = (name.endswith("_") and not name.endswith("__")) or name.startswith("__i")
            if method or kwargs.get("inplace") or any(value is True for value in args):
                if alone:
                    return args[0]
                storage = args[0].untyped_storage()
                self.overwritten[storage._cdata] = (name, storage)  # held, so that no other takes its number
            out = friendly.summed(tensors)
        elif kind == "writes" and len(given) == 1 and given[0] is args[-1]:
            func(*args, **kwargs)  # into constants: torch itself follows that, also through views
            out = args[0]
        elif kind == "joins" or (kind == "moves" and alone):
            kwargs.pop("dtype", None)
            out = func(*args, **kwargs)
        elif kind == "products" and not {"alpha", "beta"} & kwargs.keys():
            out = friendly.product(func, *args, **kwargs)
        elif kind == "reductions" and alone:
            out = friendly.reduced(func, *args, **kwargs)
        elif kind in friendly.REPLACED and alone:
            out = friendly.REPLACED[kind](func, *args, **kwargs)
        elif alone and (mixed := friendly.mixed(kind, *args, **kwargs)) is not None:
            out = mixed
        else:
            raise refusal(name)
        if not any(map(flows, tree_leaves(out))):
            raise refusal(name, "no gradient comes through it")
        return out


class Guard(TorchDispatchMode):
    """Refuses operators that see a map and were not seen by `Positive`, as those of scripted functions."""

    def __init__(self, positive: Positive):
        super().__init__()
        self.positive = positive
        self.refused: UntraceableError | None = None

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        with torch._C.DisableTorchFunction():
            if not self.positive.at_work and any(map(flows, tree_leaves((args, kwargs)))):
                name = func._schema.name.split("::")[-1]
                self.refused = refusal(name, "it runs out of sight, as in a function of torch.jit.script")
                raise self.refused
            return func(*args, **(kwargs or {}))
