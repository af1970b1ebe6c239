"""Drawings of lesson 09: a head with its branches, and where the taps of each branch fall on the map."""

from collections.abc import Sequence

from matplotlib.patches import FancyArrowPatch, Rectangle
from torch import nn

from deeplab_lessons.arithmetic import Layer
from deeplab_lessons.classroom.drawing.style import COLOURS
from deeplab_lessons.heads import SummedASPP

_WIDTH, _HEIGHT = 0.92, 0.72  # of a layer's box, in units of the drawing


def branch_lines(branch: nn.Module) -> list[str]:
    """What stands in each box of a branch, from its convolutions: "3×3, dilation 6, to 1024"."""
    lines = []
    for layer in branch.modules():
        if isinstance(layer, nn.Conv2d):
            rate = f"\ndilation {layer.dilation[0]}" if layer.kernel_size[0] > 1 else ""
            lines.append(f"{layer.kernel_size[0]}×{layer.kernel_size[1]}{rate}\nto {layer.out_channels}")
    return lines


def draw_head(ax, head: SummedASPP, title: str = "") -> None:
    """The branches of a v2 head from its map (below) to its scores (above), read from the head itself.

    A box is a convolution: its taps, its dilation if it has more than one tap, and its channels. Two or more
    branches meet in a sum.
    """
    columns = [branch_lines(branch) for branch in head.branches]
    middle, top = (len(columns) - 1) / 2, len(columns[0])
    _box(ax, middle, 0, "last map of the backbone", "#D9D9D9", 2.2)
    for x, (lines, colour) in enumerate(zip(columns, COLOURS, strict=False)):
        _arrow(ax, (middle + 0.25 * (x - middle), 0), (x, 1))
        for level, text in enumerate(lines, 1):
            _box(ax, x, level, text, colour if level == 1 else "white", _WIDTH)
            if level > 1:
                _arrow(ax, (x, level - 1), (x, level))
        _arrow(ax, (x, top), (middle + 0.25 * (x - middle), top + 1))
    _box(ax, middle, top + 1, "scores" if len(columns) == 1 else "sum: scores", "#D9D9D9", 2.2)
    ax.set(title=title, xlim=(min(-0.6, middle - 1.2), max(len(columns) - 0.4, middle + 1.2)))
    ax.set_ylim(-0.5, top + 1.5)
    ax.axis("off")


def _box(ax, x: float, y: float, text: str, colour: str, width: float) -> None:
    ax.add_patch(
        Rectangle((x - width / 2, y - _HEIGHT / 2), width, _HEIGHT, facecolor=colour, edgecolor="0.2")
    )
    dark = colour in (COLOURS[0], COLOURS[2])
    ax.text(x, y, text, ha="center", va="center", fontsize=9, color="white" if dark else "black")


def _arrow(ax, start: tuple[float, float], end: tuple[float, float]) -> None:
    (x0, y0), (x1, y1) = start, end
    ends = (x0, y0 + _HEIGHT / 2), (x1, y1 - _HEIGHT / 2)
    ax.add_patch(FancyArrowPatch(*ends, arrowstyle="-|>", mutation_scale=10, shrinkA=0, shrinkB=0))


def taps_around(cell: tuple[int, int], rate: int, size: int) -> dict[tuple[int, int], bool]:
    """The nine taps of a padded 3 x 3 kernel around `cell` (row, column): place -> is it on a map of `size` cells?"""
    down, across = (Layer(3, padding="same", dilation=rate).taps(place) for place in cell)
    return {(i, j): i in range(size) and j in range(size) for i in down for j in across}


def show_branch_taps(
    ax, rates: Sequence[int], size: int, cell: tuple[int, int], title: str = "", legend: bool = True
) -> None:
    """Draw where the taps of each branch around `cell` fall: filled on the map [size, size], hollow outside."""
    ax.add_patch(Rectangle((-0.5, -0.5), size, size, facecolor="#EFEFEF", edgecolor="0.3"))
    markers = ("s", "o", "^", "D")
    for rate, colour, marker in zip(rates, COLOURS, markers, strict=False):
        taps = taps_around(cell, rate, size)
        inside = [tap for tap, there in taps.items() if there and tap != cell]
        outside = [tap for tap, there in taps.items() if not there]
        label = f"dilation {rate}: {sum(taps.values())} of 9"
        style = {"marker": marker, "s": 42, "edgecolors": colour, "clip_on": False}
        ax.scatter([j for _, j in inside], [i for i, _ in inside], facecolors=colour, label=label, **style)
        ax.scatter([j for _, j in outside], [i for i, _ in outside], facecolors="none", **style)
    ax.scatter(cell[1], cell[0], 60, "black", marker="*", zorder=4)
    places = [place for rate in rates for tap in taps_around(cell, rate, size) for place in tap]
    first, last = min(-1, *places) - 2, max(size, *places) + 2
    ax.set(xlim=(first, last), ylim=(last, first), aspect="equal", title=title)
    ax.set(xlabel="column (cells)", ylabel="row (cells)")
    ax.set_xticks([0, size - 1])
    ax.set_yticks([0, size - 1])
    if legend:
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=2, fontsize=9, handletextpad=0.2)
