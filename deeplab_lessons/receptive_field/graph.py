"""The maps of a traced model as a graph, and the walk back from one unit to the input pixels it sees."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
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
    """Return the smallest box around the True pixels of a mask [H, W]; None where there is none."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return None
    return Box(int(rows[0]), int(columns[0]), int(rows[-1]), int(columns[-1]))


@dataclass(frozen=True)
class Window:
    """The cells of its input that each unit of an operation sees, along one axis.

    Unit `u` sees the cells `taps(u)`; `units` units further on, all lies `cells` cells further on. `whole` marks
    an operation that sees the entire map. Where single taps may fall away (a weight of 0, a mirrored edge),
    `exact(units, cells)` tells which cells each unit sees: bool [units, cells].
    """

    taps: Callable[[int], Sequence[int]]
    units: int = 1
    cells: int = 1
    whole: bool = False
    exact: Callable[[int, int], np.ndarray] | None = None

    @classmethod
    def of_layer(cls, layer: Layer) -> "Window":
        """Return the taps of a convolution or pooling layer."""
        return cls(layer.taps, cells=layer.stride)

    @classmethod
    def of_crop(cls, first: int, every: int = 1) -> "Window":
        """Return every `every`-th cell from `first` on; a negative `first` puts cells in front."""
        return cls(lambda unit: (first + unit * every,), cells=every)

    @classmethod
    def of_all(cls, cells: int, whole: bool = True) -> "Window":
        """Return all `cells` cells of the axis, for every unit."""
        return cls(lambda unit: range(cells), 1, 0, whole, lambda units, cells: np.ones((units, cells), bool))

    @classmethod
    def of_repeat(cls, factor: int) -> "Window":
        """Return each cell `factor` times."""
        return cls(lambda unit: (unit // factor,), units=factor)

    def widen(self, field: AxisField) -> AxisField:
        """Return the field of the operation's output, given that of its input."""
        return field.resampled(self.taps, self.units, self.cells, self.whole)

    def matrix(self, units: int, cells: int) -> np.ndarray:
        """Return which cells each unit sees, bool [units, cells]; taps in the padding see nothing."""
        if self.exact is not None:
            return self.exact(units, cells)
        matrix = np.zeros((units, cells), bool)
        for unit in range(units):
            matrix[unit, [cell for cell in self.taps(unit) if 0 <= cell < cells]] = True
        return matrix


ONE = Window.of_all(1, whole=False)
SAME = Window.of_crop(0)
Windows = dict[str, Window]  # by axis, "y" or "x"; along an axis that is not named a unit sees its own cell


@dataclass(eq=False)
class Node:
    """A map: `size` = (rows, columns) of units, its distinct paths, and where it comes from.

    `branches` holds one field for each branch that met at the last sum or concatenation, `kind` is that join's.
    """

    size: tuple[int, int]
    paths: tuple[Path, ...] = (Path(),)
    parents: "list[tuple[Node, Windows]]" = field(default_factory=list)
    name: str = "input"
    order: int = 0
    kind: str = ""
    branches: tuple[Path, ...] = ()

    def after(self, size: tuple[int, int], windows: Windows) -> "Node":
        """Return the map that one operation makes of this one."""
        y, x = (cache(windows.get(axis, SAME).widen) for axis in "yx")
        paths, branches = (
            tuple(Path(y(path.y), x(path.x), path.via) for path in known)
            for known in (self.paths, self.branches)
        )
        parents = [(self, windows)]
        return Node(size, distinct(paths), parents, self.name, self.order + 1, branches=branches)


def back_project(node: Node, units: np.ndarray) -> np.ndarray:
    """Return the pixels of the input that any of the marked units sees: bool [rows, columns] in and out.

    Padding is dropped at every layer on the way down, and holes stay holes.
    """
    marked, waiting = {node: units}, {node}
    while waiting:
        top = max(waiting, key=lambda n: n.order)
        waiting.remove(top)
        here = marked.pop(top)
        if not top.parents:
            return here
        for parent, windows in top.parents:
            below = _project(here, windows.get("y"), parent.size[0])
            below = _project(below.T, windows.get("x"), parent.size[1]).T
            marked[parent] = marked[parent] | below if parent in marked else below
            waiting.add(parent)
    raise AssertionError("a traced map always begins at the input")


def _project(units: np.ndarray, window: Window | None, cells: int) -> np.ndarray:
    """Cells seen along the first axis by the marked units: bool [units, n] to bool [cells, n]."""
    if window is None:
        return units
    rows, columns = units.any(axis=1), units.any(axis=0)
    matrix = window.matrix(len(units), cells)[rows].T.astype(np.float32)
    below = np.zeros((cells, units.shape[1]), bool)
    below[:, columns] = matrix @ units[np.ix_(rows, columns)].astype(np.float32) > 0
    return below
