"""`trace`: runs a model once, without numbers, and follows each map from operator to operator."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from deeplab_lessons.receptive_field.calls import RULES, Call, Rule, unfolded
from deeplab_lessons.receptive_field.evaluation import check_input, evaluating
from deeplab_lessons.receptive_field.graph import Node
from deeplab_lessons.receptive_field.layout import LayoutError, image
from deeplab_lessons.receptive_field.record import Record, State, UntraceableError, is_part
from deeplab_lessons.receptive_field.rules import mixing
from deeplab_lessons.receptive_field.table import Row, Trace


def trace(model: nn.Module, input_size: int | tuple[int, int], in_channels: int = 3) -> Trace:
    """Return receptive field, jump, start, map size, parameters and multiply-adds of every layer of `model`.

    The model runs once in evaluation mode on an input [1, in_channels, H, W] of the meta device: shapes without
    numbers, so that no weights are read and nothing is computed. `input_size` is H = W or (H, W), in pixels.
    Every operator is followed by a rule for its kind; at sums and concatenations each path keeps its field.
    The model is left as it was.

    Conventions: the field of a unit is that of all its channels together; batch norm uses its stored statistics,
    whereas group, instance and layer norm over rows and columns make every unit see the whole map.

    Raises UntraceableError, naming module and operator, where a field cannot be known; ValueError for an input
    that is too small or has the wrong number of channels; TypeError if `model` is no `nn.Module`.
    """
    size = check_input(model, input_size, in_channels)
    names: dict[torch.Tensor, str] = {parameter: name for name, parameter in model.named_parameters()}
    modules = {module: name for name, module in model.named_modules()}
    record = Record(modules, {name: parameter.numel() for parameter, name in names.items()})

    def blank(tensor: torch.Tensor) -> torch.Tensor:
        empty = _without_numbers(tensor)
        if tensor in names:
            record.sources[empty] = frozenset({names[tensor]})
        return empty

    dtype = next((p.dtype for p in names if p.is_floating_point()), torch.get_default_dtype())
    x = torch.empty(1, in_channels, *size, dtype=dtype, device="meta")
    record.know(x, State(Node(size), image(x.shape)))
    with evaluating(model, blank), _hooks(record), torch.no_grad():
        output = _run(model, record, x)
    outputs = {key: _row(key, state) for key, state in _outputs(record, output)}
    if not outputs:
        raise UntraceableError(
            f"the output of {type(model).__name__} holds no tensor that depends on the input"
        )
    made = {name: _row(name, state) for name, state in record.modules.items() if name}
    used, total = (sum(record.sizes[name] for name in chosen) for chosen in (record.used, record.sizes))
    model_name = type(model).__name__
    return Trace(tuple(record.rows), made, outputs, model_name, size, in_channels, used, total - used)


@contextmanager
def _hooks(record: Record) -> Iterator[None]:
    """Tell the record of every module call, through torch's global hooks, so that the model gets none."""
    hooks = [register_module_forward_pre_hook(record.enter), register_module_forward_hook(record.leave)]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _run(model: nn.Module, record: Record, x: torch.Tensor) -> Any:
    try:
        with torch.device("meta"), Tracer(record):
            return model(x)
    except UntraceableError:
        raise
    except Exception as error:
        if any(word in str(error) for word in ("meta", "data-dependent", "data dependent")):
            raise UntraceableError(
                f"{record.where}: it needs the values of a tensor (as .numpy(), .tolist() or a mask do), and the "
                f"tracer runs models without values. torch says: {str(error).splitlines()[0]}"
            ) from error
        error.add_note(f"This happened while tracing {record.where} on an input of {tuple(x.shape)}.")
        raise


def _outputs(record: Record, output: Any, key: str = "") -> Iterator[tuple[str, State]]:
    """Every traced tensor of a nested output, with its key: "out", "0", "features.1"."""
    if state := record.state(output):
        yield key or "output", state
    if isinstance(output, (tuple, list)):
        output = dict(enumerate(output))
    if isinstance(output, dict):
        for name, value in output.items():
            yield from _outputs(record, value, f"{key}.{name}" if key else str(name))


def _row(name: str, state: State) -> Row:
    state = unfolded(state)
    sizes = [size for dimension in state.layout for _, size in dimension]
    return Row(name, "output", name, state.node, (1, *sizes), pointwise=True)


class Tracer(TorchDispatchMode):
    """Sees every operator below autograd while the model runs on the meta device, and applies its rule."""

    def __init__(self, record: Record):
        super().__init__()
        self.record = record

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        record = self.record
        args, kwargs = tree_map(_to_meta, (args, kwargs or {}))
        name = func._schema.name.split("::")[-1]
        op = name[:-1] if name.endswith("_") and not name.endswith("__") else name
        tensors = [value for value in tree_leaves((args, kwargs)) if isinstance(value, torch.Tensor)]
        traced = [tensor for tensor in tensors if record.state(tensor) is not None]
        if name in ("_local_scalar_dense", "is_nonzero", "equal", "item"):
            raise UntraceableError(
                f"{record.where}: it looks at the value of a tensor (as .item(), int(t) or `if t:` do). The tracer "
                "runs models without values, so it can't know which way this one goes."
            )
        if not traced or op in mixing.NO_VALUES:
            out = func(*args, **kwargs)
            if not traced:
                record.carry_origins(tensors, out)
            elif op in ("zero", "fill") and any(args[0] is tensor for tensor in traced):
                record.forget(args[0])
            return out
        call = Call(record, op, func, args, kwargs)
        try:
            result = _rule(op, func)(call)
        except LayoutError as error:
            call.refuse(str(error))
        except (LookupError, TypeError, AttributeError) as error:
            if call.torch_failed:
                raise
            raise UntraceableError(f"{record.where}: there is no rule for this use of {op}") from error
        if result is not None:
            states = result if isinstance(result, list) else [result] * len(call.outs)
            changed = op != name and self._changes_map(call, states[0])
            for i, (out, state) in enumerate(zip(call.outs, states, strict=True)):
                if isinstance(out, torch.Tensor) and (i == 0 or len(state.layout) == out.dim()):
                    record.know(out, state, changed)
        return call.out

    def _changes_map(self, call: Call, state: State) -> bool:
        """Whether an operator that writes in place puts another map there; a part of a tensor must keep its map."""
        before = self.record.states.get(call.out)
        if before is not None and before.node is state.node:
            return False
        if is_part(call.out):
            call.refuse("it writes another map into a part of a tensor, in place")
        return True


def _rule(op: str, func: Any) -> Rule:
    if op in RULES:
        return RULES[op]
    follows = op in mixing.POINTWISE or torch.Tag.pointwise in func.tags
    return mixing.pointwise if follows else mixing.unknown


def _to_meta(value: Any) -> Any:
    real = isinstance(value, torch.Tensor) and value.device.type != "meta"
    return _without_numbers(value) if real else value


def _without_numbers(tensor: torch.Tensor) -> torch.Tensor:
    return torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device="meta")
