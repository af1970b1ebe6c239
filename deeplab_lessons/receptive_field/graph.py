"""The maps of a traced model as a graph: the field of each, and the walk back from a unit to the pixels it sees.

For a chain of convolutions and pools `arithmetic.Field` says it all: every unit sees a window of one size, moved
on by one jump. Interpolation breaks that rule: of eight neighbouring units of a map enlarged 8 times, one may
see a single cell of the map below and the others two. So an `AxisField` holds the windows of one *period* of
units, after which the pattern repeats; an ordinary field has a period of one unit.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache, cached_property
from math import gcd, lcm

import numpy as np


@dataclass(frozen=True)
class AxisField:
    """Fields of all units along one axis, in input pixels, padding included.

    Unit 0 sees pixels `lows[0]` to `highs[0]`; a period further on, all lies `step` pixels further on. `whole` marks
    an operation that looks at the entire map (image pooling): every unit sees the same window, and the jump is 0.
    """

    lows: tuple[int, ...] = (0,)
    highs: tuple[int, ...] = (0,)
    step: int = 1
    whole: bool = False

    @property
    def period(self) -> int:
        """Units after which the pattern of windows repeats: 1 unless an interpolation came before."""
        return len(self.lows)

    @cached_property
    def size(self) -> int:
        """Pixels in the widest window of any unit: the receptive field."""
        return max(high - low for low, high in zip(self.lows, self.highs, strict=True)) + 1

    @cached_property
    def jump(self) -> int | Fraction:
        """Pixels from one unit's window to the next one's, on average over a period."""
        jump = Fraction(self.step, self.period)
        return jump.numerator if jump.denominator == 1 else jump

    @property
    def start(self) -> float:
        """Centre of unit 0's window; 0.0 is the centre of pixel 0."""
        return (self.lows[0] + self.highs[0]) / 2

    def box(self, unit: int) -> tuple[int, int]:
        """Return the first and last pixel that unit `unit` sees, padding included."""
        low, high = self.windows(np.array(unit))
        return int(low), int(high)

    def windows(self, units: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the first and last pixel that each of many units sees."""
        turns, phase = np.divmod(units, self.period)
        return np.array(self.lows)[phase] + turns * self.step, np.array(self.highs)[phase] + turns * self.step


def _shortest(lows: np.ndarray, highs: np.ndarray, step: int, whole: bool = False) -> AxisField:
    """The field with these windows, by the shortest period that describes them."""
    n, both_ends = len(lows), (lows, highs)
    periods = (p for p in range(1, n) if n % p == 0 and step * p % n == 0)
    repeating = (p for p in periods if all((e[p:] == e[:-p] + step * p // n).all() for e in both_ends))
    shortest = next(repeating, n)
    first, last = tuple(lows[:shortest].tolist()), tuple(highs[:shortest].tolist())
    return AxisField(first, last, step * shortest // n, whole)


def _covering(fields: Iterable[AxisField], units: int) -> AxisField:
    """The smallest windows that hold those of all `fields`, for a map of `units` units."""
    known = list(dict.fromkeys(fields))
    if len(known) == 1:
        return known[0]
    whole = any(field.whole for field in known)
    if all(field.period == 1 and field.step == known[0].step for field in known):
        low, high = min(field.lows[0] for field in known), max(field.highs[0] for field in known)
        return AxisField((low,), (high,), known[0].step, whole)
    period = lcm(*(field.period for field in known))
    if len({field.jump for field in known}) > 1 or period > max(units, 1):
        period = units  # no pattern, as beside a map enlarged by an odd factor: a window for each unit
    windows = [field.windows(np.arange(period + 1)) for field in known]
    lows = np.min([low for low, _ in windows], axis=0)
    highs = np.max([high for _, high in windows], axis=0)
    if whole:
        return AxisField((int(lows[:-1].min()),), (int(highs[:-1].max()),), 0, whole)
    return _shortest(lows[:-1], highs[:-1], int(lows[-1] - lows[0]))


@dataclass(frozen=True)
class Path:
    """One way from the input to a map, or one branch of the model: its field along both axes, and its name.

    `among` is not 0 where a path is the union of many: so many there were when they became too many to keep.
    """

    y: AxisField = AxisField()
    x: AxisField = AxisField()
    via: str = ""
    among: int = 0

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the field, in input pixels."""
        return self.y.size, self.x.size

    @property
    def labels(self) -> tuple[int | str, int | str]:
        """The size, with "global" for an axis along which every unit sees the whole input."""
        return "global" if self.y.whole else self.y.size, "global" if self.x.whole else self.x.size

    @property
    def is_global(self) -> bool:
        """Whether every unit sees the whole input."""
        return self.y.whole and self.x.whole

    def __repr__(self) -> str:
        name = f"{self.via}: " if self.via else ""
        size = "global" if self.is_global else "×".join(map(str, self.labels))
        jump, start = both(self.y.jump, self.x.jump), both(self.y.start, self.x.start)
        return f"<{name}{size}, jump {jump}, start {start}>"


def both(y: object, x: object) -> str:
    """Return one number where the two axes agree, else `y×x`."""
    return number(y) if y == x else f"{number(y)}×{number(x)}"


def number(value: object) -> str:
    """Return a number as the table prints it: 8, 4.03, -3.5."""
    if isinstance(value, (float, Fraction)):
        return f"{float(value):.2f}".rstrip("0").rstrip(".")
    return str(value)


def distinct(paths: Iterable[Path], size: tuple[int, int]) -> tuple[Path, ...]:
    """Return each path to a map of `size` units once, and one for all that see the whole input.

    Of more than `MOST_PATHS` remain the smallest, the largest and the union of all.
    """
    known = tuple(dict.fromkeys(paths))
    local = [path for path in known if not path.is_global]
    everywhere = [path for path in known if path.is_global]
    among = max((len(local), *(path.among for path in local)))
    if among > MOST_PATHS:
        single = sorted((path for path in local if not path.among), key=lambda path: path.size)
        local = [single[0], single[-1], replace(union(local, size), among=among)]
    return (*local, *([union(everywhere, (1, 1))] if len(everywhere) > 1 else everywhere))


def union(paths: Sequence[Path], size: tuple[int, int]) -> Path:
    """Return the field that covers those of all paths, on a map of `size` = (rows, columns) units."""
    return Path(_covering((p.y for p in paths), size[0]), _covering((p.x for p in paths), size[1]))


@dataclass(frozen=True)
class Window:
    """The cells of its input that each unit of an operation sees, along one axis.

    Unit `u` sees the cells `taps(u)`; `units` units further on, all lies `cells` cells further on. `whole` marks
    an operation that sees the entire map. Where single taps may fall away (a weight of 0, a mirrored edge),
    `exact(units, cells)` says which cells each unit sees: bool [units, cells].
    """

    taps: Callable[[int], Sequence[int]]
    units: int = 1
    cells: int = 1
    whole: bool = False
    exact: Callable[[int, int], np.ndarray] | None = None

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
        """Return the field of the operation's output, given that of its input.

        All taps count, not only the outermost: after a bicubic resize an inner one may reach further than they do.
        """
        repeats = field.period // gcd(self.cells, field.period)
        seen = [self.taps(unit) for unit in range(self.units * repeats)]
        step, whole = field.step * (self.cells * repeats // field.period), self.whole or field.whole
        if field.period == self.units == 1:
            low, high = field.lows[0] + min(seen[0]) * field.step, field.highs[0] + max(seen[0]) * field.step
            return AxisField((low,), (high,), step, whole)
        begins = np.cumsum([0, *(len(some) for some in seen[:-1])])
        lows, highs = field.windows(np.concatenate(seen))
        return _shortest(np.minimum.reduceat(lows, begins), np.maximum.reduceat(highs, begins), step, whole)

    def matrix(self, units: int, cells: int) -> np.ndarray:
        """Return which cells each unit sees, bool [units, cells]; taps in the padding see nothing."""
        if self.exact is not None:
            return self.exact(units, cells)
        matrix = np.zeros((units, cells), bool)
        for unit in range(units):
            matrix[unit, [cell for cell in self.taps(unit) if 0 <= cell < cells]] = True
        return matrix


MOST_PATHS = 300  # of one map: where resolutions exchange their maps, as in HRNet, there would be 10,000
ONE = Window.of_all(1, whole=False)
Windows = dict[str, Window]  # by axis, "y" or "x"; along an axis that is not named a unit sees its own cell


@dataclass(eq=False)
class Node:
    """A map: `size` = (rows, columns) of units, its distinct paths (or, of too many, three), and where it comes from.

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
        y, x = (cache(windows.get(axis, Window.of_crop(0)).widen) for axis in "yx")
        paths = (replace(path, y=y(path.y), x=x(path.x)) for path in self.paths)
        branches = tuple(replace(path, y=y(path.y), x=x(path.x)) for path in self.branches)
        parents = [(self, windows)]
        return Node(size, distinct(paths, size), parents, self.name, self.order + 1, branches=branches)


def back_project(node: Node, units: np.ndarray) -> np.ndarray:
    """Return the pixels of the input that any of the marked units sees: bool [rows, columns] in and out.

    Padding is dropped at every layer on the way down, and holes stay holes.
    """
    marked = {node: units}
    while True:
        top = max(marked, key=lambda n: n.order)
        here = marked.pop(top)
        if not top.parents:
            return here
        for parent, windows in top.parents:
            below = _project(here, windows.get("y"), parent.size[0])
            below = _project(below.T, windows.get("x"), parent.size[1]).T
            marked[parent] = marked[parent] | below if parent in marked else below


def _project(units: np.ndarray, window: Window | None, cells: int) -> np.ndarray:
    """Cells seen along the first axis by the marked units: bool [units, n] to bool [cells, n]."""
    if window is None:
        return units
    rows, columns = units.any(axis=1), units.any(axis=0)
    matrix = window.matrix(len(units), cells)[rows].T.astype(np.float32)
    below = np.zeros((cells, units.shape[1]), bool)
    below[:, columns] = matrix @ units[np.ix_(rows, columns)].astype(np.float32) > 0
    return below
