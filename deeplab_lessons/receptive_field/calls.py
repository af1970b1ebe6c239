"""One operator of the running model, as the rules see it: its arguments, its maps, and what to note down."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import torch

from deeplab_lessons.receptive_field import layout as lay
from deeplab_lessons.receptive_field.errors import UntraceableError
from deeplab_lessons.receptive_field.fields import Path, distinct, union
from deeplab_lessons.receptive_field.graph import SAME, Node, Reach

if TYPE_CHECKING:
    from deeplab_lessons.receptive_field.tracer import Tracer


@dataclass(frozen=True)
class State:
    """What the tracer knows of a tensor: its map, where the map's axes lie, and when that was written.

    `joined` is True for the direct result of a sum or concatenation: adding a third branch then makes one
    join of three. `parts` says how many channels each branch of a concatenation gave, in order.
    """

    node: Node
    layout: lay.Layout
    joined: bool = False
    written: int = 0
    parts: tuple[tuple[int, Node | None], ...] = ()


class Call:
    """One call of an operator with at least one traced tensor among its arguments."""

    def __init__(self, tracer: "Tracer", func: Any, args: tuple, kwargs: dict):
        """Bind the operator's arguments to their names."""
        self.tracer, self.func = tracer, func
        self.op = func._schema.name.split("::")[-1]
        names = [argument.name for argument in func._schema.arguments]
        self.args = {a.name: a.default_value for a in func._schema.arguments if a.has_default_value()}
        self.args |= dict(zip(names, args, strict=False)) | kwargs
        self._run = lambda: func(*args, **kwargs)
        self.out: Any = None
        self.torch_failed = False

    def __getitem__(self, name: str) -> Any:
        """An argument by name."""
        return self.args[name]

    def run(self) -> Any:
        """Let torch compute the output (its shape, on the meta device); remembered in `out`."""
        self.torch_failed = True
        self.out = self._run()
        self.torch_failed = False
        return self.out

    def run_as(self, out: Any) -> None:
        """Take `out` for the output without running the operator."""
        self.out = out

    def state(self, name: str = "self") -> State | None:
        """What is known of one tensor argument; None if it doesn't depend on the input."""
        value = self.args.get(name)
        return self.tracer.state(value) if isinstance(value, torch.Tensor) else None

    def states(self) -> list[State]:
        """The traced tensors among the arguments, each once."""
        found = []
        for value in self.args.values():
            for item in value if isinstance(value, (list, tuple)) else (value,):
                state = self.tracer.state(item) if isinstance(item, torch.Tensor) else None
                if state is not None and state not in found:
                    found.append(state)
        return found

    def refuse(self, why: str) -> NoReturn:
        """Raise UntraceableError with the module's and the operator's name."""
        raise UntraceableError(f"{self.tracer.where}: {self.op} cannot be followed: {why}.")

    def note(self, kind: str, node: Node | None = None, **details: Any) -> str:
        """Write a row into the table; returns its name."""
        return self.tracer.note(self, kind, node, **details)

    def image(self, name: str = "self") -> State:
        """A tensor argument whose last two dimensions must be the rows and columns of a map."""
        state = self.state(name)
        if state is None:
            self.refuse("its map does not come from the input, but something else does")
        state = unfolded(state)
        for back, tag in ((2, "y"), (1, "x")):
            if len(state.layout) < back:
                self.refuse("it needs a map with rows and columns")
            here = state.layout[-back]
            misplaced = not here and lay.holds(state.layout, tag)
            if misplaced or (here and (len(here) > 1 or here[0][0] != tag)):
                held = " and ".join(lay.AXIS_NAMES.get(t, "channels") for t, _ in here) or "neither"
                self.refuse(
                    f"dimension {-back} of its input should hold the {lay.AXIS_NAMES[tag]} of the map, "
                    f"but it holds {held}"
                )
        return state

    def window(
        self,
        state: State,
        reaches: tuple[Reach, Reach],
        kind: str,
        out: torch.Tensor | None = None,
        **details: Any,
    ) -> State:
        """The map that an operation on the last two dimensions makes, with its row in the table."""
        out = self.out if out is None else out
        size = (out.shape[-2], out.shape[-1])
        node = state.node.after(size, *reaches)
        node.name = self.note(kind, node, out=out, **details)
        return State(node, (*lay.channels(out.shape[:-2]), lay.entry("y", size[0]), lay.entry("x", size[1])))

    def axes(self, state: State, layout: lay.Layout, reach: dict[str, Reach], sizes: dict[str, int]) -> State:
        """The map after an operation on the axes named in `reach`; `sizes` gives their new lengths."""
        node = state.node
        size = (sizes.get("y", node.size[0]), sizes.get("x", node.size[1]))
        return State(node.after(size, reach.get("y", SAME), reach.get("x", SAME), node.name), layout)

    def join(self, states: Sequence[State], layout: lay.Layout, kind: str) -> State:
        """Several maps added, multiplied or concatenated unit by unit: every path of each of them goes on."""
        size = tuple(
            max((part for dim in layout for tag, part in dim if tag == axis), default=1) for axis in "yx"
        )
        nodes: dict[Node, bool] = {}
        for state in states:
            nodes[self._stretched(state.node, size)] = state.joined and kind == state.node.kind
        if len(nodes) == 1:
            parts = {state.parts for state in states if len(state.layout) == len(layout)}
            return State(next(iter(nodes)), layout, parts=parts.pop() if len(parts) == 1 else ())
        branches = []
        for part, keep in nodes.items():
            field = union(part.paths, size)
            branches += part.branches if keep else [Path(field.y, field.x, part.name)]
        paths = distinct(path for part in nodes for path in part.paths)
        node = Node(size, paths, [(n, SAME, SAME) for n in nodes], order=max(n.order for n in nodes) + 1)
        node.kind, node.branches = kind, tuple(branches)
        node.name = self.note(kind, node)
        return State(node, layout, joined=True)

    def _stretched(self, node: Node, size: tuple[int, int]) -> Node:
        """A map of one cell, repeated to meet a larger one."""
        if node.size == size:
            return node
        for have, want in zip(node.size, size, strict=True):
            if have not in (1, want):
                self.refuse(f"it combines maps of {node.size} and {size} units")
        reaches = [SAME if have == want else ONE for have, want in zip(node.size, size, strict=True)]
        return node.after(size, *reaches, node.name)


def unfolded(state: State) -> State:
    """Channels folded into rows or columns, as pixel shuffle does with views: each cell becomes several units."""
    for place, here in enumerate(state.layout):
        if len(here) == 2 and here[0][0] != "c" and here[1][0] == "c":
            axis = "yx".index(here[0][0])
            reaches, size = [SAME, SAME], list(state.node.size)
            reaches[axis] = Reach.of_repeat(here[1][1])
            size[axis] *= here[1][1]
            layout = list(state.layout)
            layout[place] = lay.entry(here[0][0], size[axis])
            node = state.node.after(tuple(size), *reaches, state.node.name)
            state = State(node, tuple(layout), written=state.written)
    return state


ONE = Reach.of_all(1, whole=False)

Rule = Callable[[Call], "State | Sequence[State] | None"]
RULES: dict[str, Rule] = {}


def rule(*ops: str) -> Callable[[Rule], Rule]:
    """Register a function as the rule for these operators."""

    def register(function: Rule) -> Rule:
        for op in ops:
            RULES[op] = function
        return function

    return register


def pair(value: Any) -> tuple[int, int]:
    """`(y, x)` from an operator's list of one or two numbers."""
    value = list(value) if isinstance(value, (list, tuple)) else [value]
    return (value[0], value[-1])
