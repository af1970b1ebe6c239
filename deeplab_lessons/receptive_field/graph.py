"""The maps of a traced model as a graph, and the walk back from one unit to the input pixels it sees."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from deeplab_lessons.arithmetic import Layer
from deeplab_lessons.receptive_field.fields import AxisField, Path, distinct


class Box(NamedTuple):
    """A rectangle of pixels; all four sides belong to it."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def height(self) -> int:
        """Rows of pixels in the box."""
        return self.bottom - self.top + 1

    @property
    def width(self) -> int:
        """Columns of pixels in the box."""
        return self.right - self.left + 1


def bounding_box(mask: np.ndarray) -> Box | None:
    """The smallest box around the True pixels of a mask [H, W]; None where there is none."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return None
    return Box(int(rows[0]), int(columns[0]), int(rows[-1]), int(columns[-1]))


@dataclass(frozen=True)
class Reach:
    """What one operation does along one axis.

    `field` widens an `AxisField`; `matrix(units, cells)` tells which cells of the operation's input each of
    its output units sees: bool [units, cells].
    """

    field: Callable[[AxisField], AxisField]
    matrix: Callable[[int, int], np.ndarray]

    @classmethod
    def of_layer(cls, layer: Layer) -> "Reach":
        """Convolution or pooling: the taps of `layer`."""
        return cls(lambda field: field.extended(layer), lambda units, cells: _taps(layer.taps, units, cells))

    @classmethod
    def of_crop(cls, first: int, every: int = 1) -> "Reach":
        """Keeping every `every`-th cell from `first` on; a negative `first` puts cells in front."""
        sees = lambda unit: (first + unit * every,)  # noqa: E731
        return cls(lambda field: field.moved(first, every), lambda units, cells: _taps(sees, units, cells))

    @classmethod
    def of_all(cls, cells: int, whole: bool = True) -> "Reach":
        """Every unit sees all `cells` cells of the axis."""
        return cls(lambda field: field.spread(cells, whole), lambda units, n: np.ones((units, n), bool))

    @classmethod
    def of_taps(cls, sees: Callable[[int], Sequence[int]], units: int, cells: int) -> "Reach":
        """Unit `u` sees the cells `sees(u)`, in order; `units` further on, all lies `cells` further on."""
        return cls(lambda field: field.resampled(sees, units, cells), lambda n, m: _taps(sees, n, m))

    @classmethod
    def of_repeat(cls, factor: int) -> "Reach":
        """Each cell repeated `factor` times."""
        return cls.of_taps(lambda unit: (unit // factor,), units=factor, cells=1)


SAME = Reach(lambda field: field, lambda units, cells: np.eye(units, cells, dtype=bool))


def _taps(taps: Callable[[int], Sequence[int]], units: int, cells: int) -> np.ndarray:
    """Which cells lie under the taps of each unit; taps in the padding see nothing."""
    matrix = np.zeros((units, cells), bool)
    for unit in range(units):
        matrix[unit, [cell for cell in taps(unit) if 0 <= cell < cells]] = True
    return matrix


@dataclass(eq=False)
class Node:
    """A map: `size` = (rows, columns) of units, its distinct paths, and where it comes from.

    `branches` holds one field for each branch that met at the last sum or concatenation, `kind` is that join's.
    """

    size: tuple[int, int]
    paths: tuple[Path, ...] = (Path(),)
    parents: "list[tuple[Node, Reach, Reach]]" = field(default_factory=list)
    name: str = "input"
    order: int = 0
    kind: str = ""
    branches: tuple[Path, ...] = ()

    def after(self, size: tuple[int, int], y: Reach, x: Reach, name: str = "") -> "Node":
        """The map that one operation makes of this one."""
        fields_y = {path.y: y.field(path.y) for path in (*self.paths, *self.branches)}
        fields_x = {path.x: x.field(path.x) for path in (*self.paths, *self.branches)}
        paths, branches = (
            [Path(fields_y[p.y], fields_x[p.x], p.via) for p in known]
            for known in (self.paths, self.branches)
        )
        return Node(
            size, distinct(paths), [(self, y, x)], name or self.name, self.order + 1, branches=tuple(branches)
        )


def seen(node: Node, units: np.ndarray) -> np.ndarray:
    """Pixels of the input that any of the marked units sees: bool [rows, columns] in and out.

    Padding is dropped at every layer on the way down, and holes stay holes.
    """
    marked, waiting = {node: units}, {node}
    while waiting:
        top = max(waiting, key=lambda n: n.order)
        waiting.remove(top)
        here = marked.pop(top)
        if not top.parents:
            return here
        for parent, y, x in top.parents:
            below = _project(_project(here, y, parent.size[0]).T, x, parent.size[1]).T
            marked[parent] = marked[parent] | below if parent in marked else below
            waiting.add(parent)
    raise AssertionError("a traced map always begins at the input")


def _project(units: np.ndarray, reach: Reach, cells: int) -> np.ndarray:
    """Cells seen along the first axis by the marked units: bool [units, n] to bool [cells, n]."""
    if reach is SAME and len(units) == cells:
        return units
    matrix = reach.matrix(len(units), cells)
    rows, columns = units.any(axis=1), units.any(axis=0)
    below = np.zeros((cells, units.shape[1]), bool)
    counts = matrix[rows].T.astype(np.float32) @ units[np.ix_(rows, columns)].astype(np.float32)
    below[:, columns] = counts > 0
    return below
