"""One operator of the running model, as the rules see it: its arguments, its maps, and the map that it makes."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NoReturn

import torch
from torch.utils._pytree import tree_leaves

from deeplab_lessons.receptive_field import record as maps
from deeplab_lessons.receptive_field.graph import ONE, Node, Path, Window, Windows, distinct, union
from deeplab_lessons.receptive_field.record import AXIS_NAMES, Layout, Record, State
from deeplab_lessons.receptive_field.table import Row

_WORDS = {
    "constant_pad_nd": "pad", "reflection_pad2d": "pad", "replication_pad2d": "pad", "convolution": "conv",
    "max_pool2d_with_indices": "max_pool", "avg_pool2d": "avg_pool", "_adaptive_avg_pool2d": "adaptive_avg_pool",
    "adaptive_max_pool2d": "adaptive_max_pool", "upsample_bilinear2d": "interpolate", "addmm": "linear", "mm": "linear",
    "upsample_nearest2d": "interpolate", "_upsample_nearest_exact2d": "interpolate", "bmm": "matmul",
    "upsample_bicubic2d": "interpolate", "slice": "crop", "native_batch_norm": "batch_norm",
    "native_group_norm": "group_norm", "native_layer_norm": "layer_norm", "_softmax": "softmax",
    "_log_softmax": "log_softmax",
}  # fmt: skip


class Call:
    """One call of an operator with at least one traced tensor among its arguments.

    `op` is its name without the underscore of the version that writes in place; `out` is what `run` gave.
    """

    def __init__(self, record: Record, op: str, func: Any, args: tuple, kwargs: dict[str, Any]):
        self.record, self.op = record, op
        names = [argument.name for argument in func._schema.arguments]
        self.args = {a.name: a.default_value for a in func._schema.arguments if a.has_default_value()}
        self.args |= dict(zip(names, args, strict=False)) | kwargs
        self._run = lambda: func(*args, **kwargs)
        self.out: Any = None
        self.torch_failed = False

    def __getitem__(self, name: str) -> Any:
        return self.args[name]

    def run(self) -> torch.Tensor:
        """Let torch compute the output (its shape, on the meta device); returns its first tensor."""
        self.torch_failed = True
        self.out = self._run()
        self.torch_failed = False
        return self.outs[0]

    @property
    def outs(self) -> Sequence[Any]:
        """The outputs, also where there is only one."""
        return self.out if isinstance(self.out, (tuple, list)) else [self.out]

    def state(self, name: str = "self") -> State | None:
        """Return what is known of one argument; None if it doesn't depend on the input."""
        return self.record.state(self.args.get(name))

    def states(self) -> list[State]:
        """Return the states of the traced tensors among the arguments, each once."""
        states = (self.record.state(value) for value in tree_leaves(list(self.args.values())))
        return list(dict.fromkeys(state for state in states if state is not None))

    def refuse(self, why: str) -> NoReturn:
        """Raise UntraceableError with the module's and the operator's name."""
        self.record.refuse(f"{self.op} cannot be followed: {why}.")

    def note(self, kind: str, node: Node, **details: Any) -> str:
        """Add a row to the table and return its name; a module's later pointwise operators share its row."""
        record, frame, word = self.record, self.record.frames[-1], _WORDS.get(self.op, self.op)
        if 0 in node.size:
            size = "×".join(map(str, node.size))
            raise ValueError(f"{record.where} leaves no units: a map of {size}. Pass more pixels.")
        origins = record.origins(list(self.args.values()))
        parameters = sum(record.sizes[name] for name in origins - record.used)
        record.used |= origins
        last = record.rows[-1] if record.rows else None
        if details.get("pointwise") and frame.leaf and frame.noted and last and last.module == frame.name:
            last.parameters += parameters
            last.multiply_adds += details["multiply_adds"]
            return last.name
        name = f"{frame.name}.{word}" if frame.name else word
        if frame.leaf and not frame.noted and (word not in ("pad", "crop") or "Pad" in frame.kind):
            frame.noted, name = True, frame.name
        record.row_names[name] += 1
        if record.row_names[name] > 1:
            name = f"{name} (call {record.row_names[name]})"
        shape = tuple(self.outs[0].shape)
        record.rows.append(Row(name, kind or word, frame.name, node, shape, parameters, **details))
        return name

    def note_pointwise(self, kind: str = "", multiply_adds: int = 0) -> None:
        """Write a row for an operator that works unit by unit."""
        self.note(kind, self.states()[0].node, pointwise=True, multiply_adds=multiply_adds)

    def image(self, name: str = "self") -> State:
        """Return the state of an argument whose last two dimensions must be the rows and columns of a map."""
        state = self.state(name)
        if state is None:
            self.refuse("its map does not come from the input, but something else does")
        state = state.unfolded()
        for back, tag in ((2, "y"), (1, "x")):
            if len(state.layout) < back:
                self.refuse("it needs a map with rows and columns")
            here = [name for name, _ in state.layout[-back]]
            if here != [tag] and (here or tag in maps.tags(*state.layout)):
                held = " and ".join(AXIS_NAMES.get(name, "channels") for name in here) or "neither"
                wanted = f"dimension {-back} of its input should hold the {AXIS_NAMES[tag]} of the map"
                self.refuse(f"{wanted}, but it holds {held}")
        return state

    def apply(self, state: State, layout: Layout, windows: Windows, kind: str, **details: Any) -> State:
        """Return the map that windows along its axes make, with its row in the table."""
        node = state.node.after(maps.map_size(layout), windows)
        node.name = self.note(kind, node, **details)
        return State(node, layout)

    def slide(self, state: State, windows: Sequence[Window], kind: str, **details: Any) -> State:
        """Return the map that two windows, for rows and for columns, make of the last two dimensions."""
        layout = maps.image(self.outs[0].shape)
        return self.apply(state, layout, dict(zip("yx", windows, strict=True)), kind, **details)

    def join(self, states: Sequence[State], layout: Layout, kind: str) -> State:
        """Return the map of several added, multiplied or concatenated unit by unit: all their paths continue."""
        size = maps.map_size(layout)
        nodes = {self._stretched(s.node, size): s.joined and kind == s.node.kind for s in states}
        if len(nodes) == 1:
            parts = {state.parts for state in states if len(state.layout) == len(layout)}
            return State(next(iter(nodes)), layout, parts=parts.pop() if len(parts) == 1 else ())
        branches: list[Path] = []
        for part, keep in nodes.items():
            branches += part.branches if keep else [replace(union(part.paths, size), via=part.name)]
        paths = distinct((path for part in nodes for path in part.paths), size)
        order = max(node.order for node in nodes) + 1
        node = Node(size, paths, [(n, {}) for n in nodes], "", order, kind, tuple(branches))
        node.name = self.note(kind, node)
        return State(node, layout, joined=True)

    def _stretched(self, node: Node, size: tuple[int, int]) -> Node:
        """A map of one cell, repeated to meet a larger one."""
        axes = list(zip("yx", node.size, size, strict=True))
        if any(have not in (1, want) for _, have, want in axes):
            self.refuse(f"it combines maps of {node.size} and {size} units")
        return node if node.size == size else node.after(size, {axis: ONE for axis, n, m in axes if n != m})


Rule = Callable[[Call], "State | list[State] | None"]
RULES: dict[str, Rule] = {}


def rule(*ops: str) -> Callable[[Rule], Rule]:
    """Register a function as the rule for these operators."""

    def register(function: Rule) -> Rule:
        RULES.update(dict.fromkeys(ops, function))
        return function

    return register
