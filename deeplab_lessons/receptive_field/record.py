"""What a trace knows while the model runs: the map that each tensor holds, and the rows of the table so far."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakIdKeyDictionary

from deeplab_lessons.receptive_field.graph import Node
from deeplab_lessons.receptive_field.layout import Layout
from deeplab_lessons.receptive_field.table import Row


class UntraceableError(ValueError):
    """A model does something whose receptive field cannot be known; the message names module and operator.

    Better no number than a wrong one.
    """


@dataclass(frozen=True)
class State:
    """What the tracer knows of a tensor: its map, where the map's axes lie, and when that was written.

    `joined` is True for the direct result of a sum or concatenation: adding a third branch then makes one
    join of three. `parts` says how many channels each branch of a concatenation gave, in order.
    """

    node: Node
    layout: Layout
    joined: bool = False
    written: int = 0
    parts: tuple[tuple[int, Node | None], ...] = ()


@dataclass
class Frame:
    """One call of a module: its name, whether it holds no other modules, and whether it has a row yet."""

    name: str = ""
    kind: str = ""
    leaf: bool = False
    noted: bool = False


class Record:
    """States of tensors, the stack of running modules, and the rows of the table.

    `names` are those of the model's modules, `sizes` the numbers of its parameters' elements, by name.
    """

    def __init__(self, names: Mapping[nn.Module, str], sizes: Mapping[str, int]):
        self.names, self.sizes = names, sizes
        self.frames = [Frame()]
        self.rows: list[Row] = []
        self.row_names: Counter[str] = Counter()
        self.modules: dict[str, State] = {}
        self.used: set[str] = set()
        self.states: WeakIdKeyDictionary = WeakIdKeyDictionary()
        self.sources: WeakIdKeyDictionary = WeakIdKeyDictionary()
        self.written: dict[int, tuple[State, torch.Tensor]] = {}
        self.clock = 0

    # what is known of tensors -----------------------------------------------------------------------------
    def state(self, value: Any) -> State | None:
        """Return what is known of a tensor; None for anything that doesn't depend on the input."""
        if not isinstance(value, torch.Tensor):
            return None
        state = self.states.get(value)
        written = self.written.get(_storage(value))
        if written is None or (state is not None and state.written >= written[0].written):
            return state
        if value.shape == written[1].shape:
            return written[0]
        raise UntraceableError(
            f"{self.where}: it uses a part of a tensor after another part of it was written in place, "
            "which cannot be followed. Write x = x + y instead of x += y there."
        )

    def know(self, tensor: torch.Tensor, state: State, changed: bool = False) -> None:
        """Remember the state of a tensor; `changed` where an operator wrote another map into its memory."""
        self.clock += 1
        self.states[tensor] = state = replace(state, written=self.clock)
        if changed:
            self.written[_storage(tensor)] = (state, tensor)

    def forget(self, tensor: torch.Tensor) -> None:
        """Drop the state of a tensor that was overwritten with constants."""
        if is_part(tensor):
            raise UntraceableError(
                f"{self.where}: it overwrites a part of a map in place, which cannot be followed"
            )
        self.states.pop(tensor, None)

    def origins(self, values: Any) -> frozenset[str]:
        """Return the parameters that tensors, however nested, were made from."""
        tensors = (value for value in tree_leaves(values) if isinstance(value, torch.Tensor))
        return frozenset().union(*(self.sources.get(tensor, ()) for tensor in tensors))

    def carry_origins(self, tensors: Iterable[torch.Tensor], out: Any) -> None:
        """Note that tensors without a map were made from others."""
        if origins := self.origins(list(tensors)):
            for tensor in tree_leaves(out):
                if isinstance(tensor, torch.Tensor):
                    self.sources[tensor] = self.origins(tensor) | origins

    # module calls -----------------------------------------------------------------------------------------
    def enter(self, module: nn.Module, args: Any = None) -> None:
        """Begin a module's call (forward pre-hook); modules that are not the model's are passed over."""
        if module in self.names:
            name = self.names[module]
            self.frames.append(Frame(name, type(module).__name__, bool(name) and not list(module.children())))

    def leave(self, module: nn.Module, args: Any, output: Any) -> None:
        """End a module's call (forward hook)."""
        if module in self.names:
            self.frames.pop()
            states = (self.state(value) for value in tree_leaves(output))
            if first := next((state for state in states if state is not None), None):
                self.modules[self.names[module]] = first

    @property
    def where(self) -> str:
        """The running module, for messages."""
        frame = self.frames[-1]
        return f"module {frame.name!r} ({frame.kind})" if frame.name else "the model's own forward"


def is_part(tensor: torch.Tensor) -> bool:
    """Return whether a tensor is a view of a part of its memory."""
    return tensor.numel() * tensor.element_size() != tensor.untyped_storage().nbytes()


def _storage(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage()._cdata
