"""`trace`: the table of receptive fields of any model."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.func import functional_call
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook

from deeplab_lessons.receptive_field.calls import State, unfolded
from deeplab_lessons.receptive_field.errors import UntraceableError
from deeplab_lessons.receptive_field.table import Row, Trace
from deeplab_lessons.receptive_field.tracer import Tracer


def trace(model: nn.Module, input_size: int | tuple[int, int], in_channels: int = 3) -> Trace:
    """Receptive field, jump, start, map size, parameters and multiply-adds of every layer of `model`.

    The model runs once in evaluation mode on an input [1, in_channels, H, W] of the meta device: shapes without
    numbers, so that no weights are read and nothing is computed. `input_size` is H = W or (H, W), in pixels.
    Every operator is followed by a rule for its kind; at sums and concatenations each path keeps its field.
    The model is left as it was.

    Conventions: the field of a unit is that of all its channels together; batch norm uses its stored statistics,
    whereas group, instance and layer norm over rows and columns make every unit see the whole map.

    Raises UntraceableError, naming module and operator, where a field cannot be told; ValueError for an input
    that is too small or has the wrong number of channels; TypeError if `model` is no `nn.Module`.
    """
    size = check_input(model, input_size, in_channels)
    names = {module: name for name, module in model.named_modules()}
    weights = {name: p for name, p in model.named_parameters()}
    tracer = Tracer(names, {name: p.numel() for name, p in weights.items()})
    with evaluating(model), _watched(tracer), torch.no_grad():
        blanks = {name: _blank(p) for name, p in weights.items()}
        buffers = {name: _blank(b) for name, b in model.named_buffers()}
        tracer.sources.update({blank: frozenset({name}) for name, blank in blanks.items()})
        dtype = next((p.dtype for p in weights.values() if p.is_floating_point()), torch.get_default_dtype())
        image = torch.empty(1, in_channels, *size, dtype=dtype, device="meta")
        tracer.begin(image)
        output = _run(model, tracer, {**blanks, **buffers}, image)
    total = sum(tracer.sizes.values())
    made = {name: _row(name, state) for name, state in tracer.made_by.items() if name}
    outputs = {key: _row(key, state) for key, state in _outputs(tracer, output)}
    if not outputs:
        raise UntraceableError(
            f"the output of {type(model).__name__} holds no tensor that depends on the input"
        )
    used = sum(tracer.used.values())
    return Trace(tracer.rows, made, outputs, type(model).__name__, size, in_channels, used, total)


def check_input(model: Any, input_size: Any, in_channels: int) -> tuple[int, int]:
    """`input_size` as (H, W), once model, size and channels are known to be usable."""
    if not isinstance(model, nn.Module):
        hint = ": call it to make a model, e.g. resnet101()" if callable(model) else ""
        raise TypeError(f"model must be a torch.nn.Module, got {type(model).__name__}{hint}")
    size = tuple(input_size) if isinstance(input_size, (tuple, list)) else (input_size, input_size)
    if len(size) != 2 or not all(isinstance(n, int) and n >= 1 for n in size):
        raise ValueError(
            f"input_size must be a whole number of pixels or a pair (height, width), got {input_size!r}"
        )
    if not isinstance(in_channels, int) or in_channels < 1:
        raise ValueError(f"in_channels must be a whole number of at least 1, got {in_channels!r}")
    return size


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """The model in evaluation mode; afterwards each module's own mode is back."""
    modes = [(module, module.training) for module in model.modules()]
    try:
        model.eval()
        yield
    finally:
        for module, training in modes:
            module.training = training


@contextmanager
def _watched(tracer: Tracer) -> Iterator[None]:
    """The tracer hears of every module call; through torch's global hooks, so that the model gets none."""
    hooks = [register_module_forward_pre_hook(tracer.enter), register_module_forward_hook(tracer.leave)]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _blank(tensor: torch.Tensor) -> torch.Tensor:
    return torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device="meta")


def _run(model: nn.Module, tracer: Tracer, tensors: dict[str, torch.Tensor], image: torch.Tensor) -> Any:
    try:
        with torch.device("meta"), tracer:
            return functional_call(model, tensors, (image,))
    except UntraceableError:
        raise
    except Exception as error:
        if "meta" in str(error) or "data-dependent" in str(error) or "data dependent" in str(error):
            raise UntraceableError(
                f"{tracer.where}: it needs the values of a tensor (as .numpy(), .tolist() or a mask do), and the "
                f"tracer runs models without values. torch says: {str(error).splitlines()[0]}"
            ) from error
        error.add_note(f"This happened while tracing {tracer.where} on an input of {tuple(image.shape)}.")
        raise


def _outputs(tracer: Tracer, output: Any, key: str = "") -> Iterator[tuple[str, State]]:
    """Every traced tensor of a nested output, with its key: "out", "0", "features.1"."""
    if isinstance(output, torch.Tensor):
        state = tracer.state(output)
        if state is not None:
            yield key or "output", state
        return
    items = (
        output.items()
        if isinstance(output, dict)
        else enumerate(output)
        if isinstance(output, (tuple, list))
        else ()
    )
    for name, value in items:
        yield from _outputs(tracer, value, f"{key}.{name}" if key else str(name))


def _row(name: str, state: State) -> Row:
    state = unfolded(state)
    shape = [1]
    for dimension in state.layout:
        for _, n in dimension:
            shape.append(n)
    return Row(name, "output", name, state.node, tuple(shape), pointwise=True)
