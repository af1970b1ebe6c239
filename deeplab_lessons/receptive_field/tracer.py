"""`trace`: runs a model once, without numbers, and follows each map from operator to operator."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only

from deeplab_lessons.receptive_field.calls import RULES, Call
from deeplab_lessons.receptive_field.evaluation import check_input, evaluating, run, tensors_in
from deeplab_lessons.receptive_field.graph import Node
from deeplab_lessons.receptive_field.record import LayoutError, Record, State, UntraceableError, image
from deeplab_lessons.receptive_field.rules import mixing
from deeplab_lessons.receptive_field.table import Row, Trace


def trace(
    model: nn.Module, input_size: int | tuple[int, int], in_channels: int = 3, other_inputs: Sequence = ()
) -> Trace:
    """Return receptive field, jump, start, map size, parameters and multiply-adds of every layer of `model`.

    The model runs once in evaluation mode on an input [1, in_channels, H, W] of the meta device: shapes without
    numbers, so that no weights are read and nothing is computed. `input_size` is H = W or (H, W), in pixels.
    `other_inputs` is what the model's forward takes after the image, such as a second image or a time step; the fields
    are those in the first. At sums and concatenations each path keeps its field. The model is left as it was. The field
    of a unit is that of all its channels together; batch norm uses its stored statistics, whereas group, instance and
    layer norm over rows and columns make every unit see the whole map.

    Raises UntraceableError, naming module and operator, where a field cannot be known; ValueError for an input
    that is too small or has the wrong number of channels; TypeError if `model` is not an `nn.Module`.
    """
    size, model_name = check_input(model, input_size, in_channels, other_inputs), type(model).__name__
    names: dict[torch.Tensor, str] = {parameter: name for name, parameter in model.named_parameters()}
    modules = {module: name for name, module in model.named_modules()}
    record = Record(modules, {name: parameter.numel() for parameter, name in names.items()})

    kept = {*names, *model.buffers()}

    def blank(tensor: torch.Tensor) -> torch.Tensor:
        if tensor not in kept:
            return tensor.detach().clone()  # its values may be asked for
        empty = record.stand_in(tensor, always=True)
        if tensor in names:
            record.sources[empty] = frozenset({names[tensor]})
        return empty

    dtype = next((p.dtype for p in names if p.is_floating_point()), torch.get_default_dtype())
    x = torch.empty(1, in_channels, *size, dtype=dtype, device="meta")
    record.know(x, State(Node(size), image(x.shape)))
    with (
        register_module_forward_pre_hook(record.enter),  # torch's global hooks: the model itself gets none
        register_module_forward_hook(record.leave),
        evaluating(model, blank),
        torch.no_grad(),
    ):
        output = _run(model, record, x, other_inputs)
    found = ((key or "output", record.state(tensor)) for key, tensor in tensors_in(output))
    outputs = {key: _row(key, state) for key, state in found if state}
    if not outputs:
        raise UntraceableError(f"the output of {model_name} holds no tensor that depends on the input")
    every_name = model.named_modules(remove_duplicate=False)
    made = {name: _row(name, record.modules[m]) for name, m in every_name if name and m in record.modules}
    used, total = (sum(record.sizes[name] for name in chosen) for chosen in (record.used, record.sizes))
    return Trace(tuple(record.rows), made, outputs, model_name, size, in_channels, used, total - used)


def _run(model: nn.Module, record: Record, x: torch.Tensor, other_inputs: Sequence[Any]) -> Any:
    try:
        with torch.device("meta"), Tracer(record):
            return run(model, x, other_inputs)
    except UntraceableError:
        raise
    except Exception as error:
        if any(word in str(error) for word in ("meta", "data-dependent", "data dependent")):
            raise UntraceableError(
                f"{record.where}: it needs the values of a tensor (as .numpy(), .tolist() or a mask do), and the "
                f"tracer runs models without values. PyTorch says: {str(error).splitlines()[0]}"
            ) from error
        error.add_note(f"This happened while tracing {record.where} on an input of {tuple(x.shape)}.")
        raise


def _row(name: str, state: State) -> Row:
    state = state.unfolded()
    sizes = [size for dimension in state.layout for _, size in dimension]
    return Row(name, "output", name, state.node, (1, *sizes), pointwise=True)


class Tracer(TorchDispatchMode):
    """Sees every operator below autograd while the model runs on the meta device, and applies its rule."""

    def __init__(self, record: Record):
        super().__init__()
        self.record = record

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        record = self.record
        args, kwargs = tree_map_only(torch.Tensor, record.stand_in, (args, kwargs or {}))
        name = func._schema.name.split("::")[-1]
        op = name[:-1] if name.endswith("_") and not name.endswith("__") else name
        tensors = [value for value in tree_leaves((args, kwargs)) if isinstance(value, torch.Tensor)]
        traced = [tensor for tensor in tensors if record.state(tensor) is not None]
        if name in ("_local_scalar_dense", "is_nonzero", "equal", "item"):
            record.refuse(
                "it looks at the value of a tensor (as .item(), int(t) or `if t:` do). The tracer runs models without "
                "values, so it can't know which way this one goes."
            )
        if not traced or op in mixing.NO_VALUES:
            out = func(*args, **kwargs)
            if not traced:
                record.carry_origins(tensors, out)
            elif op in ("zero", "fill") and any(args[0] is tensor for tensor in traced):
                record.forget(args[0])
            return out
        call = Call(record, op, func, args, kwargs)
        known = op in mixing.POINTWISE or torch.Tag.pointwise in func.tags
        rule = RULES.get(op, mixing.pointwise if known else mixing.unknown)
        try:
            result = rule(call)
        except LayoutError as error:
            call.refuse(str(error))
        except (LookupError, TypeError, AttributeError) as error:
            if call.torch_failed:
                raise
            raise UntraceableError(f"{record.where}: there is no rule for this use of {op}") from error
        if result is not None:
            states = result if isinstance(result, list) else [result] * len(call.outs)
            before = record.states.get(call.out) if op != name else None
            changed = op != name and (before is None or before.node is not states[0].node)
            if changed and record.is_part(call.out):
                call.refuse("it writes another map into a part of a tensor, in place")
            for i, (out, state) in enumerate(zip(call.outs, states, strict=True)):
                if isinstance(out, torch.Tensor) and (i == 0 or len(state.layout) == out.dim()):
                    record.know(out, state, changed)
        return call.out
