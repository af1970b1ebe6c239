"""Stacks of layers that the lessons and the explorer share, as lists of `arithmetic.Layer`; and what units read.

Counted along one axis: the paths from pixels to a unit (`path_counts`), the taps that fall on a map (`taps_on_map`).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import product

from deeplab_lessons.arithmetic import Layer, receptive_fields


def plain(depth: int = 3) -> list[Layer]:
    """Return `depth` undilated 3-tap convolutions."""
    return [Layer(3, padding=1, name=f"conv{i}") for i in range(1, depth + 1)]


def dilated(*rates: int) -> list[Layer]:
    """Return a 3-tap convolution per dilation, size kept: `dilated(1, 2, 4)` covers, `dilated(2, 2, 2)` grids."""
    return [Layer(3, padding=rate, dilation=rate, name=f"conv{i}") for i, rate in enumerate(rates, 1)]


def path_counts(layers: Sequence[Layer], unit: int, *, input_size: int) -> list[int]:
    """Return how many paths lead from each input pixel to output unit `unit`: one count per pixel.

    0 inside the field is a hole (gridding); padding does not count. Raises IndexError for a unit that the output
    does not have.
    """
    sizes = [field.out or 0 for field in receptive_fields(layers, input_size)]
    if not 0 <= unit < sizes[-1]:
        raise IndexError(f"unit {unit} is not on the map: the output has units 0 to {sizes[-1] - 1}")
    counts = Counter({unit: 1})
    for layer, cells in zip(reversed(layers), sizes[-2::-1], strict=True):
        above, counts = counts, Counter()
        for u, paths in above.items():
            counts.update({i: paths for i in layer.taps(u) if 0 <= i < cells})
    return [counts[i] for i in range(input_size)]


def back_project(layers: Sequence[Layer], unit: int, *, input_size: int) -> tuple[int, int] | None:
    """Return the first and last input pixel that unit `unit` really sees; None if only padding.

    Unlike `Field.box` it drops padding at every layer on the way down, so the answer lies in the input. Raises
    IndexError as `path_counts` does.
    """
    paths = path_counts(layers, unit, input_size=input_size)
    seen = [pixel for pixel, count in enumerate(paths) if count]
    return (seen[0], seen[-1]) if seen else None


def holes(layers: list[Layer]) -> int:
    """Return how many pixels inside a unit's box reach the unit by no path.

    Raises ValueError for a box of more than 1,000 pixels.
    """
    size = receptive_fields(layers)[-1].size
    if size > 1000:
        raise ValueError(f"the field must have at most 1,000 pixels to count its holes, got {size}")
    inside = [replace(layer, padding=0) for layer in layers]
    return path_counts(inside, 0, input_size=size).count(0)


def vgg16() -> list[Layer]:
    """Return VGG16 up to fc6 read as a 7-tap convolution: stride 32."""
    return _vgg(pool4=Layer(2, 2, name="pool4"), pool5=Layer(2, 2, name="pool5"), fc6=Layer(7, name="fc6"))


def deeplab_v1(kernel_size: int = 7, rate: int = 4, dilated_pool5: bool = True) -> list[Layer]:
    """Return DeepLab v1 on VGG16 up to fc6: pool4 and pool5 at stride 1, conv5 at dilation 2, stride 8.

    The four rows of the paper's table are (7, 4), (4, 4), (4, 8) and (3, 12). The two pools add their missing
    cells at the end, so that unit 4j sees what unit j of VGG16 sees. Source: DeepLab v1, section 3.1 and table
    2; the dilated pool5 is what makes the conversion of 2x2 pools exact.
    """
    step = 2 if dilated_pool5 else 1
    return _vgg(
        pool4=Layer(2, 1, (0, 1), name="pool4"),
        pool5=Layer(2, 1, (0, step), dilation=step, name="pool5"),
        fc6=Layer(kernel_size, dilation=rate, name="fc6"),
        rate5=2,
    )


def _vgg(pool4: Layer, pool5: Layer, fc6: Layer, rate5: int = 1) -> list[Layer]:
    pools = [*(Layer(2, 2, name=f"pool{block}") for block in (1, 2, 3)), pool4, pool5]
    layers = []
    for block, (convs, pool) in enumerate(zip((2, 2, 3, 3, 3), pools, strict=True), 1):
        rate = rate5 if block == 5 else 1
        layers += [Layer(3, 1, rate, rate, name=f"conv{block}_{i}") for i in range(1, convs + 1)]
        layers.append(pool)
    return [*layers, fc6]


def taps_on_map(size: int, kernel_size: int = 3, dilation: int = 1) -> list[int]:
    """Return how many of a kernel's taps fall on the map, for each of its `size` cells along one axis.

    Padding is "same", stride 1. On two axes the taps are the product of both. Raises ValueError for numbers below 1.
    """
    layer = Layer(kernel_size, padding="same", dilation=dilation)
    cells = range(layer.output_size(size))
    return [sum(tap in cells for tap in layer.taps(cell)) for cell in cells]


def tap_shares(size: int | tuple[int, int], kernel_size: int = 3, dilation: int = 1) -> dict[int, float]:
    """Return the fraction of a map's cells by how many of a kernel's taps fall on it: {1: …, 2: …, …, 9: …}.

    `size` is one number for a square map or a pair (rows, columns). Numbers that a square kernel can have and this
    one nowhere has come with fraction 0. Source: DeepLab v3, figure 4.
    """
    sides = size if isinstance(size, (tuple, list)) else (size, size)
    if len(sides) != 2:
        raise ValueError(f"size must be one number or a pair (rows, columns), got {size!r}")
    down, across = (Counter(taps_on_map(side, kernel_size, dilation)) for side in sides)
    cells = Counter({a * b: 0 for a, b in product(range(1, kernel_size + 1), repeat=2)})
    for (taps, rows), (others, columns) in product(down.items(), across.items()):
        cells[taps * others] += rows * columns
    return {taps: cells[taps] / cells.total() for taps in sorted(cells)}


def rate_that_keeps_field(kernel_size: int, old_kernel_size: int = 7, old_rate: int = 4) -> int:
    """Dilation at which `kernel_size` taps span as many cells as `old_kernel_size` taps at `old_rate`.

    From first tap to last there are (k - 1) gaps of `rate` cells. Raises ValueError for a single tap, which
    has no gap, or where no whole rate fits. Source: the rows 7x7, 4x4 and LargeFOV of DeepLab v1's table 2.
    """
    gaps, span = kernel_size - 1, (old_kernel_size - 1) * old_rate
    if gaps < 1 or span % gaps:
        raise ValueError(
            f"no whole rate lets {kernel_size} taps reach {span} cells from the first to the last"
        )
    return span // gaps
