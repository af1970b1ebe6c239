"""The table of a traced model: rows, totals, printing."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from deeplab_lessons.receptive_field import printing
from deeplab_lessons.receptive_field.fields import Path, both, distinct, union
from deeplab_lessons.receptive_field.graph import Box, Node, bounding_box, seen

if TYPE_CHECKING:
    import pandas as pd


@dataclass(eq=False)
class Row:
    """One line of the table: one operation of the model and the map it makes.

    `field` covers all paths to the map; `paths` lists the different fields one by one; `branches` those of the
    branches that met at the last sum or concatenation, by name. `multiply_adds` counts convolutions and linear
    layers alone. `pointwise` rows (batch norm, ReLU, …) change no field and are left out of the printed table.
    """

    name: str
    kind: str
    module: str
    node: Node
    shape: tuple[int, ...]
    parameters: int = 0
    pointwise: bool = False
    kernel_size: tuple[int, int] | None = None
    stride: tuple[int, int] | None = None
    padding: tuple | None = None
    dilation: tuple[int, int] | None = None
    multiply_adds: int = 0

    @property
    def map_size(self) -> tuple[int, int]:
        """Rows and columns of units in the map."""
        return self.node.size

    @property
    def channels(self) -> int:
        """Numbers per unit of the map."""
        return int(np.prod(self.shape)) // (self.node.size[0] * self.node.size[1])

    @cached_property
    def paths(self) -> tuple[Path, ...]:
        """Each different field that a way from the input to this map has, smallest first."""
        return tuple(sorted(distinct(Path(p.y, p.x) for p in self.node.paths), key=_by_size))

    @property
    def branches(self) -> dict[str, Path]:
        """Field of each branch that met at the last sum or concatenation, by name; empty before any."""
        names = _short([path.via for path in self.node.branches], self.module)
        return {name: Path(p.y, p.x, name) for name, p in zip(names, self.node.branches, strict=True)}

    @cached_property
    def field(self) -> Path:
        """The field that covers all paths: `.y` and `.x` have size, jump, start and box(unit)."""
        return union(self.paths, self.node.size)

    @cached_property
    def local(self) -> Path:
        """The field that covers the paths which do not see the whole input: its jump and start are the map's."""
        return union([path for path in self.paths if not path.is_global] or self.paths, self.node.size)

    @property
    def size(self) -> int | tuple[int, int]:
        """Height and width of the field in input pixels; one number where they agree."""
        y, x = self.field.size
        return y if y == x else (y, x)

    @property
    def jump(self):
        """Input pixels between neighbouring units' fields; a pair where the axes differ. 0 where all is global."""
        field = self.local
        return field.y.jump if field.y.jump == field.x.jump else (field.y.jump, field.x.jump)

    @property
    def start(self):
        """Centre of unit 0's field; 0.0 is the centre of pixel 0. A pair where the axes differ."""
        field = self.local
        return field.y.start if field.y.start == field.x.start else (field.y.start, field.x.start)

    def cells(self) -> dict[str, object]:
        """The row as plain values: a number where both axes agree, else text such as "3×7"; "" for none."""
        field, local = self.field, self.local
        size = _plain(*("global" if axis.whole else axis.size for axis in (field.y, field.x)))
        return {
            "name": self.name,
            "kind": self.kind,
            "kernel": _plain(*self.kernel_size) if self.kernel_size else "",
            "stride": _plain(*self.stride) if self.stride else "",
            "dilation": _plain(*self.dilation) if self.dilation else "",
            "padding": _plain(*map(_sides, self.padding)) if self.padding else "",
            "channels": self.channels,
            "map size": f"{self.node.size[0]}×{self.node.size[1]}",
            "jump": "" if local.is_global else _plain(local.y.jump, local.x.jump),
            "field": size,
            "start": "" if local.is_global else _plain(local.y.start, local.x.start),
            "parameters": self.parameters,
            "multiply_adds": self.multiply_adds,
        }

    def __repr__(self) -> str:
        """The row in words."""
        cells = {key: value for key, value in self.cells().items() if value not in ("", 0) or key == "start"}
        return (
            "<"
            + ", ".join(f"{key} {value}" if key != "name" else str(value) for key, value in cells.items())
            + ">"
        )


def _short(names: list[str], module: str) -> list[str]:
    """Layers' names cut down to what tells the branches apart, below what they share and the joining module."""
    parts = [name.split(".") for name in names]
    shared = 0
    while parts and all(len(p) > shared + 1 and p[shared] == parts[0][shared] for p in parts):
        shared += 1
    short = [".".join(p[: shared + 1]) for p in parts]
    clear = len(set(short)) == len(short) and not any(
        s == module or module.startswith(s + ".") for s in short
    )
    if clear:
        return short
    seen_before = [names[:i].count(name) for i, name in enumerate(names)]
    return [f"{name} ({n + 1})" if n else name for name, n in zip(names, seen_before, strict=True)]


def _by_size(path: Path):
    return (path.is_global, path.y.size, path.x.size)


def _sides(value):
    if isinstance(value, tuple):
        return value[0] if value[0] == value[1] else f"{value[0]}+{value[1]}"
    return value


def _plain(y, x):
    if y == x:
        return y if isinstance(y, (int, str)) else float(y)
    return both(y, x)


class Trace:
    """What `trace` found: a table that prints, and the way back from any unit to the pixels it sees.

    Iterating, indexing by name, `len`, `.rows` (all of them), `.parameters`, `.multiply_adds`, `.outputs`.
    """

    def __init__(self, rows, nodes, outputs, model_name, input_size, in_channels, used, total):
        """Made by `trace`."""
        self.rows: tuple[Row, ...] = tuple(rows)
        self._nodes: dict[str, Row] = nodes
        self.outputs: dict[str, Row] = outputs
        self.model_name, self.input_size, self.in_channels = model_name, input_size, in_channels
        self.parameters: int = used
        self.unused_parameters: int = total - used
        self.multiply_adds: int = sum(row.multiply_adds for row in rows)

    def __iter__(self) -> Iterator[Row]:
        """The rows that change a field or join branches."""
        return (row for row in self.rows if not row.pointwise)

    def __len__(self) -> int:
        """How many rows change a field or join branches."""
        return sum(1 for _ in self)

    def __getitem__(self, name: str) -> Row:
        """The row of a module or operation by name; for a module that holds others, its output."""
        for row in self.rows:
            if row.name == name:
                return row
        if name in self._nodes:
            return self._nodes[name]
        if name in self.outputs:
            return self.outputs[name]
        names = [*(row.name for row in self.rows), *self._nodes]
        near = difflib.get_close_matches(str(name), names, n=3, cutoff=0.4)
        hint = (
            f"Did you mean {' or '.join(map(repr, near))}?"
            if near
            else f"There are: {', '.join(names[:12])} …"
        )
        raise KeyError(f"{self.model_name} ran no layer called {name!r}. {hint}")

    def _row(self, layer: str | Row | None) -> Row:
        if layer is None:
            return next(iter(self.outputs.values()))
        return layer if isinstance(layer, Row) else self[layer]

    def mask(self, layer: str | None = None, unit: int | tuple[int, int] | None = None) -> np.ndarray:
        """Input pixels that one unit sees, holes included: bool [H, W].

        `layer` is a name (default: the output), `unit` = (row, column) on its map (default: the middle one).
        Raises KeyError for an unknown name, IndexError for a unit that the map does not have.
        """
        row = self._row(layer)
        units = np.zeros(row.node.size, bool)
        units[unit_on(row.node.size, unit, row.name)] = True
        return seen(row.node, units)

    def box(
        self, layer: str | None = None, unit: int | tuple[int, int] | None = None, clip: bool = True
    ) -> Box | None:
        """The box of input pixels around what one unit sees; None if it sees padding only.

        With `clip=False` the theoretical window instead, which may leave the picture. Arguments as in `mask`.
        """
        if clip:
            return bounding_box(self.mask(layer, unit))
        row = self._row(layer)
        y, x = unit_on(row.node.size, unit, row.name)
        (top, bottom), (left, right) = row.field.y.box(y), row.field.x.box(x)
        return Box(top, left, bottom, right)

    def to_dataframe(self, pointwise: bool = False) -> "pd.DataFrame":
        """The table as a DataFrame; with `pointwise` also batch norm, ReLU and the like.

        Kernel, stride, dilation, padding, jump, field and start are numbers where both axes agree, else text
        ("3×7", "global").
        """
        import pandas as pd

        rows = self.rows if pointwise else self
        return pd.DataFrame([row.cells() for row in rows], columns=list(printing.COLUMNS))

    def summary(self) -> str:
        """Totals, in a few lines."""
        return printing.summary(self)

    def __repr__(self) -> str:
        """The table as text."""
        return printing.as_text(self)

    def _repr_html_(self) -> str:
        """The table for a notebook, in the notebook's own colours."""
        return printing.as_html(self)


def unit_on(size: tuple[int, int], unit: int | tuple[int, int] | None, name: str) -> tuple[int, int]:
    """(row, column) of a unit on a map; the middle one for None; one number serves both axes."""
    if unit is None:
        return size[0] // 2, size[1] // 2
    y, x = unit if isinstance(unit, (tuple, list)) else (unit, unit)
    if not (0 <= y < size[0] and 0 <= x < size[1]):
        raise IndexError(
            f"unit {(y, x)} asked for, but the map of {name!r} has rows 0 to {size[0] - 1} "
            f"and columns 0 to {size[1] - 1}"
        )
    return int(y), int(x)
