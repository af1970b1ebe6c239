"""What a unit sees along one axis, and how a layer widens it: the numbers behind the table.

For a chain of convolutions and pools `arithmetic.Field` says it all: every unit sees a window of one size,
and the window moves by one jump. Interpolation breaks that rule: of eight neighbouring units of a map
enlarged 8 times, one may see a single cell of the map below and the others two. So an `AxisField` holds
the windows of one *period* of units, after which the pattern repeats, moved on by `step` pixels.
An ordinary field has a period of one unit.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import gcd, lcm

import numpy as np


@dataclass(frozen=True)
class AxisField:
    """Fields of all units along one axis, in input pixels, padding included.

    Unit 0 sees pixels `lows[0]` to `highs[0]`. `whole` marks an operation that looks at the entire map (such as
    image pooling): every unit then sees the same window, and the jump is 0.
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

    def box(self, unit: int, last: int | None = None) -> tuple[int, int]:
        """Return the first and last pixel that units `unit` … `last` see, padding included."""
        lows, highs = self.windows(np.arange(unit, (unit if last is None else last) + 1))
        return int(lows.min()), int(highs.max())

    def windows(self, units: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the first and last pixel that each of many units sees."""
        turns, phase = np.divmod(units, self.period)
        return np.array(self.lows)[phase] + turns * self.step, np.array(self.highs)[phase] + turns * self.step

    def resampled(
        self, taps: Callable[[int], Sequence[int]], units: int, cells: int, whole: bool = False
    ) -> "AxisField":
        """Return the field of a new map whose unit `u` sees the old units `taps(u)`.

        The pattern must repeat: `units` further on, `taps` lie `cells` further on. All old units count, not
        only the outermost: after a bicubic resize an inner one may reach further than they do.
        """
        repeats = self.period // gcd(cells, self.period)
        seen = [taps(unit) for unit in range(units * repeats)]
        step, whole = self.step * (cells * repeats // self.period), whole or self.whole
        if self.period == units == 1:
            low, high = self.lows[0] + min(seen[0]) * self.step, self.highs[0] + max(seen[0]) * self.step
            return AxisField((low,), (high,), step, whole)
        begins = np.cumsum([0, *(len(some) for some in seen[:-1])])
        lows, highs = self.windows(np.concatenate(seen))
        return _shortest(np.minimum.reduceat(lows, begins), np.maximum.reduceat(highs, begins), step, whole)


def _shortest(lows: np.ndarray, highs: np.ndarray, step: int, whole: bool = False) -> AxisField:
    """The field with these windows, by the shortest period that describes them."""
    n, both_ends = len(lows), (lows, highs)
    periods = (p for p in range(1, n) if n % p == 0 and step * p % n == 0)
    repeating = (p for p in periods if all((e[p:] == e[:-p] + step * p // n).all() for e in both_ends))
    shortest = next(repeating, n)
    first, last = tuple(lows[:shortest].tolist()), tuple(highs[:shortest].tolist())
    return AxisField(first, last, step * shortest // n, whole)


def covering(fields: Iterable[AxisField], units: int) -> AxisField:
    """Return the smallest windows that hold those of all `fields`, for a map of `units` units.

    Where the fields jump alike the answer repeats as they do; where they don't (a map enlarged by an odd
    factor beside one that was not), each of the `units` units gets its own window.
    """
    known = list(dict.fromkeys(fields))
    if len(known) == 1:
        return known[0]
    whole = any(field.whole for field in known)
    if all(field.period == 1 and field.step == known[0].step for field in known):
        low, high = min(field.lows[0] for field in known), max(field.highs[0] for field in known)
        return AxisField((low,), (high,), known[0].step, whole)
    period = lcm(*(field.period for field in known))
    if len({field.jump for field in known}) > 1 or period > max(units, 1):
        period = units
    windows = [field.windows(np.arange(period + 1)) for field in known]
    lows = np.min([low for low, _ in windows], axis=0)
    highs = np.max([high for _, high in windows], axis=0)
    if whole:
        return AxisField((int(lows[:-1].min()),), (int(highs[:-1].max()),), 0, whole)
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
    def labels(self) -> tuple[int | str, int | str]:
        """Height and width of the field, with "global" for an axis along which every unit sees the whole input."""
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


def distinct(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Return each path once: residual networks have millions of routes but few different fields.

    Paths that all see the whole input are one path.
    """
    known = tuple(dict.fromkeys(paths))
    everywhere = [path for path in known if path.is_global]
    if len(everywhere) < 2:
        return known
    return (*(path for path in known if not path.is_global), union(everywhere, (1, 1)))


def union(paths: Sequence[Path], size: tuple[int, int]) -> Path:
    """Return the field that covers those of all paths, on a map of `size` = (rows, columns) units."""
    return Path(covering((p.y for p in paths), size[0]), covering((p.x for p in paths), size[1]))
