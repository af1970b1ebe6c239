"""What a trace knows while the model runs: the map that each tensor holds, and the rows of the table so far.

A tensor's layout is one entry per dimension; an entry lists the axes merged in it, each as (tag, size), with
tag "y" for rows of the map, "x" for columns and "c" for everything else (batch, channels). `[N, C, H, W]` is
`((c, N),) ((c, C),) ((y, H),) ((x, W),)`; flattening merges entries; a dimension of size 1 is empty, `()`.
So views, permutations and flattening are followed exactly, and what would tear a map apart is noticed.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import torch
from torch import nn
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakIdKeyDictionary

from deeplab_lessons.receptive_field.evaluation import UntraceableError, tensors_in
from deeplab_lessons.receptive_field.graph import Node, Window
from deeplab_lessons.receptive_field.table import Row

Entry = tuple[tuple[str, int], ...]
Layout = tuple[Entry, ...]
AXIS_NAMES = {"y": "rows", "x": "columns"}


class LayoutError(Exception):
    """The axes of a map cannot be followed; the message says why."""


def entry(tag: str, size: int) -> Entry:
    """Return one dimension that holds one axis."""
    return () if size == 1 else ((tag, size),)


def channels(shape: Sequence[int]) -> Layout:
    """Return the layout of a tensor with no map in it."""
    return tuple(entry("c", size) for size in shape)


def image(shape: Sequence[int]) -> Layout:
    """Return the layout of `[..., H, W]`."""
    return (*channels(shape[:-2]), entry("y", shape[-2]), entry("x", shape[-1]))


def tags(*dimensions: Entry) -> set[str]:
    """Return which axes of the map some dimensions hold: a subset of {"y", "x"}."""
    return {tag for dimension in dimensions for tag, _ in dimension if tag != "c"}


def map_size(layout: Sequence[Entry]) -> tuple[int, int]:
    """Return the rows and columns of the map that a layout holds."""
    sizes = {tag: size for dimension in layout for tag, size in dimension}
    return sizes.get("y", 1), sizes.get("x", 1)


def axis_at(back: int, dims: int, taken: set[str]) -> str:
    """Return the axis that dimension `-back` of constants counts as: rows or columns by its place in [N, C, H, W]."""
    tag = {2: "y", 1: "x"}.get(back, "c") if dims == 4 else "c"
    return "c" if tag in taken else tag


def _tidy(dimension: Iterable[tuple[str, int]]) -> Entry:
    """The same dimension with neighbouring "c" parts merged into one."""
    parts: list[tuple[str, int]] = []
    for tag, size in dimension:
        before = parts.pop()[1] if parts and tag == parts[-1][0] == "c" else 1
        parts.append((tag, before * size))
    return tuple(parts)


def reshape(layout: Layout, shape: Sequence[int]) -> Layout:
    """Return the layout after `view` or `reshape` to `shape`; LayoutError where it cuts rows or columns apart."""
    parts = [part for dimension in layout for part in dimension]
    new = []
    for size in shape:
        dimension: list[tuple[str, int]] = []
        while size > 1:
            tag, have = parts.pop(0)
            if have and size % have == 0:
                dimension.append((tag, have))
                size //= have
            elif tag == "c" and have % size == 0:
                dimension.append((tag, size))
                parts.insert(0, (tag, have // size))
                size = 1
            else:
                what = f"the {have} {AXIS_NAMES.get(tag, 'channels')} of the map into pieces (as patches or windows do)"
                raise LayoutError(f"it cuts {what}, so that a unit no longer has one place on the map")
        new.append(_tidy(dimension))
    return tuple(new)


def broadcast(layouts: Sequence[Layout], shape: Sequence[int]) -> Layout:
    """Return the layout of an element-wise operation on several tensors, aligned at the last dimension.

    A dimension of constants alone is that of `axis_at`. Raises LayoutError where rows would meet columns or channels.
    """
    result: list[Entry] = []
    taken = {tag for layout in layouts for tag in tags(*layout)}
    for back in range(len(shape), 0, -1):
        filled = {_tidy(layout[-back]) for layout in layouts if len(layout) >= back and layout[-back]}
        if len(filled) > 1:
            raise LayoutError("it combines tensors whose rows, columns and channels lie in different places")
        result.append(filled.pop() if filled else entry(axis_at(back, len(shape), taken), shape[-back]))
    return tuple(result)


@dataclass(frozen=True)
class State:
    """What the tracer knows of a tensor: its map, where the map's axes lie, and when that was written.

    `joined`: the direct result of a sum or concatenation, where a third branch makes one join of three.
    `parts`: how many channels each branch of a concatenation gave, in order.
    """

    node: Node
    layout: Layout
    joined: bool = False
    written: int = 0
    parts: tuple[tuple[int, Node | None], ...] = ()

    def unfolded(self) -> "State":
        """Return the map with channels that views folded into rows or columns (pixel shuffle) as units of their own."""
        state = self
        for place, here in enumerate(self.layout):
            if len(here) == 2 and here[0][0] != "c" and here[1][0] == "c":
                (tag, cells), (_, factor) = here
                layout = list(state.layout)
                layout[place] = entry(tag, cells * factor)
                node = state.node.after(map_size(layout), {tag: Window.of_repeat(factor)})
                state = State(node, tuple(layout), written=state.written)
        return state


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
        self.modules: dict[nn.Module, State] = {}
        self.used: set[str] = set()
        self.states: WeakIdKeyDictionary = WeakIdKeyDictionary()
        self.sources: WeakIdKeyDictionary = WeakIdKeyDictionary()
        self.stand_ins: WeakIdKeyDictionary = WeakIdKeyDictionary()
        self.written: dict[int, tuple[State, torch.Tensor]] = {}
        self.clock = 0

    def state(self, value: Any) -> State | None:
        """Return what is known of a tensor; None for anything that doesn't depend on the input."""
        if not isinstance(value, torch.Tensor):
            return None
        value = self.stand_ins.get(value, value)
        state = self.states.get(value)
        written = self.written.get(_storage(value))
        if written is None or (state is not None and state.written >= written[0].written):
            return state
        if value.shape == written[1].shape:
            return written[0]
        self.refuse(
            "it uses a part of a tensor after another part of it was written in place, which cannot be followed. "
            "Write x = x + y instead of x += y there."
        )

    def stand_in(self, tensor: torch.Tensor, always: bool = False) -> torch.Tensor:
        """Return the empty tensor of the meta device that stands for one elsewhere, always the same."""
        if tensor.is_meta and not always:
            return tensor
        if tensor not in self.stand_ins:
            shape, dtype = (tensor.shape, tensor.stride()), tensor.dtype
            self.stand_ins[tensor] = torch.empty_strided(*shape, dtype=dtype, device="meta")
        return self.stand_ins[tensor]

    def know(self, tensor: torch.Tensor, state: State, changed: bool = False) -> None:
        """Remember the state of a tensor; `changed` where an operator wrote another map into its memory."""
        self.clock += 1
        self.states[tensor] = state = replace(state, written=self.clock)
        if changed:
            self.written[_storage(tensor)] = (state, tensor)

    def forget(self, tensor: torch.Tensor) -> None:
        """Drop the state of a tensor that was overwritten with constants."""
        if self.is_part(tensor):
            self.refuse("it overwrites a part of a map in place, which cannot be followed")
        self.states.pop(tensor, None)

    @staticmethod
    def is_part(tensor: torch.Tensor) -> bool:
        """Return whether a tensor is a view of a part of its memory."""
        return tensor.numel() * tensor.element_size() != tensor.untyped_storage().nbytes()

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

    def enter(self, module: nn.Module, args: Any = None) -> None:
        """Begin a module's call (forward pre-hook); modules that are not the model's are passed over."""
        if module in self.names:
            name = self.names[module]
            self.frames.append(Frame(name, type(module).__name__, bool(name) and not list(module.children())))

    def leave(self, module: nn.Module, args: Any, output: Any) -> None:
        """End a module's call (forward hook)."""
        if module in self.names:
            self.frames.pop()
            states = (self.state(tensor) for _, tensor in tensors_in(output))
            if first := next((state for state in states if state is not None), None):
                self.modules[module] = first

    @property
    def where(self) -> str:
        """The running module, for messages."""
        frame = self.frames[-1]
        return f"module {frame.name!r} ({frame.kind})" if frame.name else "the model's own forward"

    def refuse(self, why: str) -> NoReturn:
        """Raise UntraceableError with the name of the running module."""
        raise UntraceableError(f"{self.where}: {why}")


def _storage(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage()._cdata
