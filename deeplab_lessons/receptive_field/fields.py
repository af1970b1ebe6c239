"""What a unit sees along one axis, and how a layer widens it: the numbers behind the table.

For a chain of convolutions and pools `arithmetic.Field` says it all: every unit sees a window of one size,
and the window moves by one jump. Interpolation breaks that rule: of eight neighbouring units of a map
enlarged 8 times, one may see a single cell of the map below and the others two. So an `AxisField` holds
the windows of one *period* of units, after which the pattern repeats, moved on by `step` pixels.
An ordinary field has a period of one unit.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from math import gcd, lcm

import numpy as np

from deeplab_lessons.arithmetic import Field, Layer, extend


@dataclass(frozen=True)
class AxisField:
    """Fields of all units along one axis, in input pixels, padding included.

    Unit `u` sees pixels `low(u)` … `high(u)`. `whole` marks an operation that looks at the entire map (such
    as image pooling): every unit then sees the same window, and the jump is 0.
    """

    lows: tuple[int, ...] = (0,)
    highs: tuple[int, ...] = (0,)
    step: int = 1
    whole: bool = False

    @property
    def period(self) -> int:
        """Units after which the pattern of windows repeats: 1 unless an interpolation came before."""
        return len(self.lows)

    def low(self, unit: int) -> int:
        """First pixel that `unit` sees; it may lie in the padding."""
        turns, phase = divmod(unit, len(self.lows))
        return self.lows[phase] + turns * self.step

    def high(self, unit: int) -> int:
        """Last pixel that `unit` sees; it may lie in the padding."""
        turns, phase = divmod(unit, len(self.highs))
        return self.highs[phase] + turns * self.step

    @cached_property
    def size(self) -> int:
        """Pixels in the widest window of any unit: the receptive field."""
        return max(high - low for low, high in zip(self.lows, self.highs, strict=True)) + 1

    @cached_property
    def jump(self) -> int | Fraction:
        """Pixels from one unit's window to the next one's, on average over a period."""
        if self.period == 1:
            return self.step
        jump = Fraction(self.step, self.period)
        return jump.numerator if jump.denominator == 1 else jump

    @property
    def first(self) -> int:
        """First pixel of unit 0's window."""
        return self.lows[0]

    @property
    def start(self) -> float:
        """Centre of unit 0's window; 0.0 is the centre of pixel 0."""
        return (self.lows[0] + self.highs[0]) / 2

    def box(self, unit: int, last: int | None = None) -> tuple[int, int]:
        """First and last pixel that units `unit` … `last` see, padding included."""
        lows, highs = self.windows(np.arange(unit, (unit if last is None else last) + 1))
        return int(lows.min()), int(highs.max())

    def extended(self, layer: Layer) -> "AxisField":
        """The field after a convolution or pooling layer."""
        if self.period == 1:
            field = extend(Field(self.size, self.step, self.first), layer)
            return AxisField((field.first,), (field.box(0)[1],), field.jump, self.whole)
        return self.resampled(layer.taps, units=1, cells=layer.stride)

    def resampled(self, sees: Callable[[int], Sequence[int]], units: int, cells: int) -> "AxisField":
        """The field of a new map whose unit `u` sees the old units `sees(u)`.

        The pattern must repeat: `units` further on, `sees` lies `cells` further on. All old units count, not
        only the outermost: after a bicubic resize an inner one may reach further than they do.
        """
        repeats = self.period // gcd(cells, self.period)
        seen = [list(sees(unit)) for unit in range(units * repeats)]
        begins = np.cumsum([0, *(len(some) for some in seen[:-1])])
        lows, highs = self.windows(np.concatenate(seen))
        return _shortest(
            np.minimum.reduceat(lows, begins),
            np.maximum.reduceat(highs, begins),
            self.step * (cells * repeats // self.period),
            self.whole,
        )

    def moved(self, first: int, every: int = 1) -> "AxisField":
        """The field after keeping every `every`-th unit from unit `first` on: a crop; below 0, a padding."""
        return self.resampled(lambda unit: (first + unit * every,), units=1, cells=every)

    def spread(self, units: int, whole: bool = True) -> "AxisField":
        """The field of a unit that sees all `units` units of the map."""
        return replace(self.resampled(lambda unit: range(units), units=1, cells=0), whole=whole or self.whole)

    def windows(self, units: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """First and last pixel that each of many units sees."""
        turns, phase = np.divmod(units, self.period)
        return np.array(self.lows)[phase] + turns * self.step, np.array(self.highs)[phase] + turns * self.step


def _shortest(lows: np.ndarray, highs: np.ndarray, step: int, whole: bool = False) -> AxisField:
    """The field with these windows, by the shortest period that describes them."""
    n, shortest = len(lows), len(lows)
    for period in (p for p in range(1, n) if n % p == 0 and step * p % n == 0):
        move = step * period // n
        if all((ends[period:] == ends[:-period] + move).all() for ends in (lows, highs)):
            shortest = period
            break
    return AxisField(
        tuple(lows[:shortest].tolist()), tuple(highs[:shortest].tolist()), step * shortest // n, whole
    )


def covering(fields: Sequence[AxisField], units: int) -> AxisField:
    """The smallest windows that hold those of all `fields`, for a map of `units` units.

    Where the fields jump alike the answer repeats as they do; where they don't (a map enlarged by an odd
    factor beside one that was not), each of the `units` units gets its own window.
    """
    fields = list(dict.fromkeys(fields))
    if len(fields) == 1:
        return fields[0]
    if all(field.period == 1 and field.step == fields[0].step for field in fields):
        low, high = min(field.lows[0] for field in fields), max(field.highs[0] for field in fields)
        return AxisField((low,), (high,), fields[0].step, any(field.whole for field in fields))
    period = lcm(*(field.period for field in fields))
    alike = len({field.jump for field in fields}) == 1
    if not alike or period > max(units, 1):
        period = units
    windows = [field.windows(np.arange(period + 1)) for field in fields]
    lows = np.min([low for low, _ in windows], axis=0)
    highs = np.max([high for _, high in windows], axis=0)
    if any(field.whole for field in fields):
        return AxisField((int(lows[:-1].min()),), (int(highs[:-1].max()),), 0, whole=True)
    return _shortest(lows[:-1], highs[:-1], int(lows[-1] - lows[0]))


@dataclass(frozen=True)
class Path:
    """One way from the input to a map, or one branch of the model: its field along both axes, and its name."""

    y: AxisField = AxisField()
    x: AxisField = AxisField()
    via: str = ""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the field, in input pixels."""
        return self.y.size, self.x.size

    @property
    def is_global(self) -> bool:
        """Whether every unit sees the whole input."""
        return self.y.whole and self.x.whole

    def __repr__(self) -> str:
        """Short form, such as `404×404 (jump 8, start 0.0)`."""
        size = (
            "global"
            if self.is_global
            else "×".join("global" if a.whole else str(a.size) for a in (self.y, self.x))
        )
        name = f"{self.via}: " if self.via else ""
        return (
            f"<{name}{size}, jump {both(self.y.jump, self.x.jump)}, start {both(self.y.start, self.x.start)}>"
        )


def both(y: object, x: object) -> str:
    """One number where the two axes agree, else `y×x`."""
    return number(y) if y == x else f"{number(y)}×{number(x)}"


def number(value: object) -> str:
    """A number as the table prints it: 8, 4.03, -3.5."""
    if isinstance(value, (float, Fraction)):
        return f"{float(value):.2f}".rstrip("0").rstrip(".")
    return str(value)


def distinct(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Each path once: residual networks have millions of routes but few different fields.

    Paths that all see the whole input are one path.
    """
    paths = list(dict.fromkeys(paths))
    everywhere = [path for path in paths if path.y.whole and path.x.whole]
    if len(everywhere) < 2:
        return tuple(paths)
    one = Path(covering([p.y for p in everywhere], 1), covering([p.x for p in everywhere], 1))
    return (*(path for path in paths if not (path.y.whole and path.x.whole)), one)


def union(paths: Sequence[Path], size: tuple[int, int]) -> Path:
    """The field that covers those of all paths, on a map of `size` = (rows, columns) units."""
    return Path(covering([p.y for p in paths], size[0]), covering([p.x for p in paths], size[1]))
