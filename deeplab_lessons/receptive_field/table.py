"""The table of a traced model: its rows, its totals, and the way back from a unit to the pixels it sees."""

import difflib
import html
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from deeplab_lessons.receptive_field.evaluation import Box, bounding_box, unit_index
from deeplab_lessons.receptive_field.graph import Node, Path, back_project, both, number, union


@dataclass(eq=False)
class Row:
    """One line of the table: one operation of the model and the map it makes.

    `multiply_adds` counts convolutions and linear layers alone. `pointwise` rows (batch norm, ReLU, …) change no
    field and are left out of the printed table.
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
        """Each different field that a way from the input to this map has, smallest first.

        Where hundreds of ways meet, only the smallest and the largest.
        """
        paths = (path for path in self.node.paths if not path.among)
        return tuple(sorted(dict.fromkeys(paths), key=lambda path: (path.is_global, path.size)))

    @property
    def path_count(self) -> int:
        """How many different fields the ways to this map have; about so many where `paths` does not hold all."""
        return max(len(self.paths), *(path.among for path in self.node.paths))

    @property
    def branches(self) -> dict[str, Path]:
        """Field of each branch that met at the last sum or concatenation, by name; empty before any."""
        names = _short_names([path.via for path in self.node.branches], self.module)
        return {name: Path(p.y, p.x, name) for name, p in zip(names, self.node.branches, strict=True)}

    @cached_property
    def field(self) -> Path:
        """The field that covers all paths: `.y` and `.x` have size, jump, start and box(unit)."""
        return union(self.node.paths, self.node.size)

    @cached_property
    def local(self) -> Path:
        """The field that covers the paths which do not see the whole input: its jump and start are the map's."""
        paths = self.node.paths
        return union([path for path in paths if not path.is_global] or paths, self.node.size)

    @property
    def size(self):
        """Height and width of the field in input pixels; one number where they agree."""
        return _one_or_pair(*self.field.size)

    @property
    def jump(self):
        """Input pixels between neighbouring units' fields; a pair where the axes differ. 0 where all is global."""
        return _one_or_pair(self.local.y.jump, self.local.x.jump)

    @property
    def start(self):
        """Centre of unit 0's field; 0.0 is the centre of pixel 0. A pair where the axes differ."""
        return _one_or_pair(self.local.y.start, self.local.x.start)

    def cells(self) -> dict[str, object]:
        """Return the row as plain values: a number where both axes agree, else text such as "3×7"; "" for none."""
        return {column: cell(self) for column, cell in _COLUMNS.items() if column != "paths"}

    def __repr__(self) -> str:
        cells = {key: value for key, value in self.cells().items() if value not in ("", 0) or key == "start"}
        return f"<{', '.join(str(v) if key == 'name' else f'{key} {v}' for key, v in cells.items())}>"


def _path_sizes(row: Row) -> str:
    """The fields of the few branches that meet here; else how many different fields there are, from … to."""
    meeting = [both(*path.labels) for path in row.branches.values()] if row.node.kind else []
    if len(set(meeting)) > 2 and len(meeting) <= 6:
        return f"{len(meeting)} branches: {', '.join(meeting)}"
    sizes = [both(*path.labels) for path in row.paths]
    about = "~" if row.path_count > len(sizes) else ""
    return f"{about}{row.path_count}: {sizes[0]}–{sizes[-1]}" if len(sizes) > 1 else ""


def _short_names(names: list[str], module: str) -> list[str]:
    """Layers' names cut down to what tells the branches apart, below what they share and the joining module."""
    parts = [name.split(".") for name in names]
    shared = 0
    while parts and all(len(p) > shared + 1 and p[shared] == parts[0][shared] for p in parts):
        shared += 1
    short = [".".join(p[: shared + 1]) for p in parts]
    if len(set(short)) == len(short) and not any(f"{module}.".startswith(f"{name}.") for name in short):
        return short
    counts = [names[:i].count(name) for i, name in enumerate(names)]
    return [f"{name} ({n + 1})" if n else name for name, n in zip(names, counts, strict=True)]


def _one_or_pair(y, x):
    return y if y == x else (y, x)


def _plain(pair: tuple | None) -> object:
    """A number where both axes agree, else text; a padding may be a pair (before, after) for each axis."""
    if pair is None:
        return ""
    sides = (tuple(dict.fromkeys(value)) if isinstance(value, tuple) else (value,) for value in pair)
    y, x = (value[0] if len(value) == 1 else "+".join(map(str, value)) for value in sides)
    if y == x:
        return y if isinstance(y, (int, str)) else float(y)
    return both(y, x)


def _text(column: str, value: object) -> str:
    if column in ("parameters", "multiply_adds"):
        return f"{value:,}" if value else ""
    return number(value)


_COLUMNS: dict[str, Callable[[Row], object]] = {
    "name": lambda row: row.name,
    "kind": lambda row: row.kind,
    "kernel": lambda row: _plain(row.kernel_size),
    "stride": lambda row: _plain(row.stride),
    "dilation": lambda row: _plain(row.dilation),
    "padding": lambda row: _plain(row.padding),
    "channels": lambda row: row.channels,
    "map size": lambda row: "×".join(map(str, row.map_size)),
    "jump": lambda row: "" if row.local.is_global else _plain((row.local.y.jump, row.local.x.jump)),
    "field": lambda row: _plain(row.field.labels),
    "start": lambda row: "" if row.local.is_global else _plain((row.local.y.start, row.local.x.start)),
    "paths": _path_sizes,
    "parameters": lambda row: row.parameters,
    "multiply_adds": lambda row: row.multiply_adds,
}
_ALWAYS = {"name", "kind", "map size", "jump", "field", "start"}
_LEFT = {"name", "kind"}
_MOST_ROWS = 60


@dataclass(eq=False, repr=False)
class Trace:
    """What `trace` learned: a table that prints, and the way back from any unit to the pixels it sees.

    Iterating and `len` pass over the pointwise rows, `rows` has all, and what `cells` of a row returns suits a
    DataFrame. `trace[name]` is the row of an operation or the output of a module; `outputs` has a row for each tensor
    that the model returns.
    """

    rows: tuple[Row, ...]
    modules: dict[str, Row]
    outputs: dict[str, Row]
    model_name: str
    input_size: tuple[int, int]
    in_channels: int
    parameters: int
    unused_parameters: int

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds of all convolutions and linear layers."""
        return sum(row.multiply_adds for row in self.rows)

    def __iter__(self) -> Iterator[Row]:
        return (row for row in self.rows if not row.pointwise)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __getitem__(self, name: str) -> Row:
        rows = self.outputs | self.modules | {row.name: row for row in reversed(self.rows)}
        if name in rows:
            return rows[name]
        names = [*dict.fromkeys(row.name for row in self.rows), *self.modules]
        near = " or ".join(map(repr, difflib.get_close_matches(str(name), names, n=3, cutoff=0.4)))
        hint = f"did you mean {near}?" if near else f"choose from {', '.join(names[:12])} …"
        raise KeyError(f"{self.model_name} ran no layer called {name!r}: {hint}")

    def _row(self, layer: str | Row | None) -> Row:
        if layer is None:
            return next(iter(self.outputs.values()))
        return layer if isinstance(layer, Row) else self[layer]

    def mask(self, layer: str | Row | None = None, unit: int | tuple[int, int] | None = None) -> np.ndarray:
        """Return the input pixels that one unit sees, holes included: bool [H, W].

        `layer` is a name (default: the output), `unit` = (row, column) on its map (default: the middle one).
        Raises KeyError for an unknown name, IndexError for a unit that the map does not have.
        """
        row = self._row(layer)
        units = np.zeros(row.node.size, bool)
        units[unit_index(row.node.size, unit, row.name)] = True
        return back_project(row.node, units)

    def box(
        self, layer: str | Row | None = None, unit: int | tuple[int, int] | None = None, clip: bool = True
    ) -> Box | None:
        """Return the box of input pixels around what one unit sees; None if it sees padding only.

        With `clip=False` the theoretical window instead, which may leave the image. Arguments as in `mask`.
        """
        if clip:
            return bounding_box(self.mask(layer, unit))
        row = self._row(layer)
        y, x = unit_index(row.node.size, unit, row.name)
        (top, bottom), (left, right) = row.field.y.box(y), row.field.x.box(x)
        return Box(top, left, bottom, right)

    def summary(self) -> str:
        """Return the totals, in a few lines."""
        height, width = self.input_size
        text = (
            f"{self.model_name}, input {self.in_channels}×{height}×{width}: {self.parameters:,} parameters, "
            f"{self.multiply_adds:,} multiply-adds (convolutions and linear layers)"
        )
        if hidden := len(self.rows) - len(self):
            text += (
                f"\n{hidden} pointwise operations (batch norm, ReLU, …) are not listed: they change no field"
            )
        if self.unused_parameters:
            text += f"\n{self.unused_parameters:,} parameters of the model took no part"
        return text

    def _lines(self) -> tuple[list[str], list[list[str]]]:
        """Columns to print, and lines with their titles and cells; one that begins with ⋮ stands for rows left out."""
        table = [{column: cell(row) for column, cell in _COLUMNS.items()} for row in self]
        head = [c for c in _COLUMNS if c in _ALWAYS or any(cells[c] not in ("", 0) for cells in table)]
        lines = [[_text(column, cells[column]) for column in head] for cells in table]
        if len(lines) > _MOST_ROWS:
            note = f"{len(lines) - _MOST_ROWS} more rows: iterating over the table gives all"
            half = _MOST_ROWS // 2
            lines[half:-half] = [["⋮", note, *[""] * (len(head) - 2)]]
        return head, [[column.replace("_", "-") for column in head], *lines]

    def __repr__(self) -> str:
        head, lines = self._lines()
        widths = [max(map(len, cells)) for cells in zip(*(ln for ln in lines if ln[0] != "⋮"), strict=True)]
        sides = ("<" if column in _LEFT else ">" for column in head)
        pattern = "  ".join(f"{{:{side}{width}}}" for side, width in zip(sides, widths, strict=True))
        text = [f"⋮  {line[1]}" if line[0] == "⋮" else pattern.format(*line).rstrip() for line in lines]
        return "\n".join([*text, "", self.summary()])

    def _repr_html_(self) -> str:
        """The same for a notebook; it sets no colours, so that it suits light and dark themes."""
        head, lines = self._lines()
        sides = ("left" if column in _LEFT else "right" for column in head)
        cells = "".join(f'<td style="text-align:{side};padding:.4em .25em">{{}}</td>' for side in sides)
        titles = cells.replace("td", "th").format(*lines[0])
        rows = "".join(f"<tr>{cells.format(*map(html.escape, line))}</tr>" for line in lines[1:])
        return (
            f'<div style="overflow-x:auto"><table><thead><tr>{titles}</tr></thead><tbody>{rows}</tbody></table>'
            f"<p>{html.escape(self.summary()).replace(chr(10), '<br>')}</p></div>"
        )
