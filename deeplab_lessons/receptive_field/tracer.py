"""Runs a model once, without numbers, and follows each map from operator to operator."""

from collections import Counter
from dataclasses import replace
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map
from torch.utils.weak import WeakIdKeyDictionary

from deeplab_lessons.receptive_field import layout as lay
from deeplab_lessons.receptive_field import rules_axes, rules_mixing, rules_windows  # noqa: F401  (they register)
from deeplab_lessons.receptive_field.calls import RULES, Call, State
from deeplab_lessons.receptive_field.errors import UntraceableError
from deeplab_lessons.receptive_field.graph import Node
from deeplab_lessons.receptive_field.table import Row

_FRIENDLY = {
    "constant_pad_nd": "pad", "reflection_pad2d": "pad", "replication_pad2d": "pad", "convolution": "conv",
    "max_pool2d_with_indices": "max_pool", "avg_pool2d": "avg_pool", "_adaptive_avg_pool2d": "adaptive_avg_pool",
    "adaptive_max_pool2d": "adaptive_max_pool", "upsample_bilinear2d": "interpolate", "addmm": "linear", "mm": "linear",
    "upsample_nearest2d": "interpolate", "_upsample_nearest_exact2d": "interpolate", "bmm": "matmul",
    "upsample_bicubic2d": "interpolate", "slice": "crop", "native_batch_norm": "batch_norm",
    "native_group_norm": "group_norm", "native_layer_norm": "layer_norm", "_softmax": "softmax",
    "_log_softmax": "log_softmax",
}  # fmt: skip


class Frame:
    """One call of a module: its name, whether it holds other modules, and what it has noted so far."""

    def __init__(self, name: str, module: nn.Module | None = None):
        """Begin the call of `module`, or with none the whole run."""
        self.name, self.kind = name, type(module).__name__
        self.leaf = bool(name) and not any(True for _ in module.children())
        self.noted = False


class Tracer(TorchDispatchMode):
    """Sees every operator below autograd while the model runs on the meta device."""

    def __init__(self, names: dict[nn.Module, str], sizes: dict[str, int]):
        """Take the modules' names and the parameters' sizes."""
        super().__init__()
        self.names, self.sizes = names, sizes
        self.frames = [Frame("")]
        self.rows: list[Row] = []
        self.row_names: Counter[str] = Counter()
        self.known: WeakIdKeyDictionary = WeakIdKeyDictionary()
        self.sources: WeakIdKeyDictionary = WeakIdKeyDictionary()
        self.written: dict[int, tuple[State, torch.Tensor]] = {}
        self.made_by: dict[str, State] = {}
        self.used: dict[str, int] = {}
        self.clock = 0

    # what is known of tensors -----------------------------------------------------------------------------
    def begin(self, image: torch.Tensor) -> None:
        """Declare the input [1, C, H, W]."""
        self._know(image, State(Node((image.shape[-2], image.shape[-1])), lay.image(image.shape)))

    def state(self, tensor: torch.Tensor) -> State | None:
        """What is known of a tensor; None if it doesn't depend on the input."""
        state = self.known.get(tensor)
        written = self.written.get(_storage(tensor))
        if written is None or (state is not None and state.written >= written[0].written):
            return state
        if tuple(tensor.shape) == tuple(written[1].shape):
            return written[0]
        raise UntraceableError(
            f"{self.where}: it uses a part of a tensor after another part of it was written in place, "
            "which cannot be followed. Write x = x + y instead of x += y there."
        )

    def _know(self, tensor: torch.Tensor, state: State) -> None:
        self.clock += 1
        self.known[tensor] = replace(state, written=self.clock)

    def forget(self, tensor: torch.Tensor) -> None:
        """A traced tensor was overwritten with constants."""
        if tensor.numel() * tensor.element_size() != tensor.untyped_storage().nbytes():
            raise UntraceableError(
                f"{self.where}: it overwrites a part of a map in place, which cannot be followed"
            )
        self.known.pop(tensor, None)

    def origins(self, tensor: Any) -> frozenset[str]:
        """The parameters that a tensor was made from."""
        return self.sources.get(tensor, frozenset()) if isinstance(tensor, torch.Tensor) else frozenset()

    # module calls -----------------------------------------------------------------------------------------
    def enter(self, module: nn.Module, args: Any = None) -> None:
        """A module is about to run (forward pre-hook); modules that are not the model's are passed over."""
        if module in self.names:
            self.frames.append(Frame(self.names[module], module))

    def leave(self, module: nn.Module, args: Any, output: Any) -> None:
        """A module has run (forward hook)."""
        if module not in self.names:
            return
        self.frames.pop()
        for tensor in tree_flatten(output)[0]:
            state = self.state(tensor) if isinstance(tensor, torch.Tensor) else None
            if state is not None:
                self.made_by[self.names[module]] = state
                break

    @property
    def where(self) -> str:
        """The running module, for messages."""
        frame = self.frames[-1]
        return f"module {frame.name!r} ({frame.kind})" if frame.name else "the model's own forward"

    @property
    def where_row(self) -> str:
        """The running module's name, for the arithmetic's messages."""
        return self.frames[-1].name or "the model's forward"

    # the table --------------------------------------------------------------------------------------------
    def note(self, call: Call, kind: str, node: Node | None, out: Any = None, **details: Any) -> str:
        """Add a row for the running operator; returns its name."""
        frame = self.frames[-1]
        if node is not None and 0 in node.size:
            rows, columns = node.size
            raise ValueError(f"{self.where} leaves no units: a map of {rows}×{columns}. Give it more pixels.")
        word = _FRIENDLY.get(call.op, call.op)
        plain = frame.leaf and not frame.noted and (word not in ("pad", "crop") or "Pad" in frame.kind)
        if plain:
            frame.noted = True
            name = frame.name
        else:
            name = f"{frame.name}.{word}" if frame.name else word
        self.row_names[name] += 1
        if self.row_names[name] > 1:
            name = f"{name} (call {self.row_names[name]})"
        fresh = {p: self.sizes[p] for p in self._parameters(call) if p not in self.used}
        self.used |= fresh
        out = call.out if out is None else out
        out = out[0] if isinstance(out, (tuple, list)) else out
        node_now = node if node is not None else call.states()[0].node
        known = (name, kind, frame.name, node_now, tuple(out.shape), sum(fresh.values()), node is None)
        self.rows.append(Row(*known, **details))
        return name

    def note_pointwise(self, call: Call, kind: str = "", multiply_adds: int = 0) -> None:
        """Add a row for an operator that works unit by unit; a module's later ones share its row."""
        frame, last = self.frames[-1], self.rows[-1] if self.rows else None
        if frame.leaf and frame.noted and last is not None and last.module == frame.name:
            fresh = {p: self.sizes[p] for p in self._parameters(call) if p not in self.used}
            self.used |= fresh
            last.parameters += sum(fresh.values())
            last.multiply_adds += multiply_adds
        else:
            self.note(call, kind or _FRIENDLY.get(call.op, call.op), None, multiply_adds=multiply_adds)

    def _parameters(self, call: Call) -> set[str]:
        return {name for value in call.args.values() for item in _each(value) for name in self.origins(item)}

    # operators --------------------------------------------------------------------------------------------
    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        """Run one operator and apply its rule."""
        kwargs = kwargs or {}
        args, kwargs = tree_map(_to_meta, (args, kwargs))
        op = func._schema.name.split("::")[-1]
        base = op[:-1] if op.endswith("_") and not op.endswith("__") else op
        tensors = [t for t in tree_flatten((args, kwargs))[0] if isinstance(t, torch.Tensor)]
        traced = [t for t in tensors if self.state(t) is not None]
        if op in ("_local_scalar_dense", "is_nonzero", "equal", "item"):
            raise UntraceableError(
                f"{self.where}: it looks at the value of a tensor (as .item(), int(t) or `if t:` do). The tracer runs "
                "models without values, so it can't know which way this one goes."
            )
        if not traced or base in rules_mixing.NO_VALUES:
            out = func(*args, **kwargs)
            if base in ("zero", "fill") and args and args[0] in traced:
                self.forget(args[0])
            elif not traced:
                self._carry_origins(tensors, out)
            return out
        call = Call(self, func, args, kwargs)
        call.op = base
        try:
            result = self._rule(base, func)(call)
        except lay.Misfit as misfit:
            call.refuse(str(misfit))
        except (LookupError, TypeError, AttributeError) as error:
            if call.torch_failed:
                raise
            raise UntraceableError(f"{self.where}: there is no rule for this use of {call.op}") from error
        self._remember(call, op != base, result)
        return call.out

    def _rule(self, base: str, func: Any):
        if base in RULES:
            return RULES[base]
        if base in rules_mixing.POINTWISE or torch.Tag.pointwise in func.tags:
            return rules_mixing.pointwise
        return rules_mixing.unknown

    def _carry_origins(self, tensors: list[torch.Tensor], out: Any) -> None:
        origins = frozenset().union(*(self.origins(t) for t in tensors))
        if origins:
            for tensor in tree_flatten(out)[0]:
                if isinstance(tensor, torch.Tensor):
                    self.sources[tensor] = self.origins(tensor) | origins

    def _remember(self, call: Call, in_place: bool, result: Any) -> None:
        if result is None:
            return
        outs = call.out if isinstance(call.out, (tuple, list)) else [call.out]
        states = result if isinstance(result, list) else [result] * len(outs)
        changed = in_place and self._changes(call, states[0])
        for out, state in zip(outs, states, strict=True):
            if isinstance(out, torch.Tensor) and (out is outs[0] or len(state.layout) == out.dim()):
                self._know(out, state)
                if changed:
                    self.written[_storage(out)] = (self.known[out], out)

    def _changes(self, call: Call, state: State) -> bool:
        """Whether an operator that writes in place puts another map there; a part of a tensor must keep its map."""
        out = call.out
        before = self.known.get(out)
        if before is not None and before.node is state.node:
            return False
        if out.numel() * out.element_size() != out.untyped_storage().nbytes():
            call.refuse("it writes another map into a part of a tensor, in place")
        return True


def _each(value: Any) -> Any:
    return value if isinstance(value, (list, tuple)) else (value,)


def _storage(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage()._cdata


def _to_meta(value: Any) -> Any:
    if isinstance(value, torch.Tensor) and value.device.type != "meta":
        return torch.empty_strided(value.shape, value.stride(), dtype=value.dtype, device="meta")
    return value
