"""A CRF as a factor graph: circles are the labels of pixels, squares the factors whose product is the probability."""

import itertools

from deeplab_lessons.classroom.drawing.style import COLOURS
from deeplab_lessons.classroom.drawing.words import say

_LIFT = (-0.26, 0.34)  # where a pixel's own factor lies, from its circle


def pairs(rows: int, columns: int, full: bool) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Return the pairs of pixels (row, column) that share a factor: all of them, or direct neighbours only."""
    pixels = list(itertools.product(range(rows), range(columns)))
    joined = itertools.combinations(pixels, 2)
    return [(a, b) for a, b in joined if full or abs(a[0] - b[0]) + abs(a[1] - b[1]) == 1]


def show(ax, full: bool, title: str = "") -> None:
    """Draw the factor graph of an image of 2 x 3 pixels: unary factors blue, pairs orange."""
    rows, columns = 2, 3
    for (r, c), (r2, c2) in pairs(rows, columns, full):
        way = {0: 0.5, 1: 0.3}.get(abs(c - c2), 0.42) if r != r2 else 0.5  # so that no two squares meet
        bend = (0.28 if r == 0 else -0.28) if r == r2 and abs(c - c2) > 1 else 0
        x, y = [c, c + way * (c2 - c), c2], [-r, -r - way * (r2 - r) + bend, -r2]
        ax.plot(x, y, color=COLOURS[1], lw=1.2, zorder=1)
        ax.plot(x[1], y[1], "s", color=COLOURS[1], ms=6, zorder=2)
    for r, c in itertools.product(range(rows), range(columns)):
        x, y = c + _LIFT[0], -r + (_LIFT[1] if r == 0 else -_LIFT[1])
        ax.plot([c, x], [-r, y], color=COLOURS[0], lw=1.2, zorder=1)
        ax.plot(x, y, "s", color=COLOURS[0], ms=6, zorder=2)
        ax.plot(c, -r, "o", ms=19, mfc="white", mec="0.2", zorder=3)
        ax.text(c, -r, f"$x_{r * columns + c + 1}$", ha="center", va="center", fontsize=11, zorder=4)
    joined = len(pairs(rows, columns, full))
    say(
        ax,
        f"{rows * columns} circles for the labels of {rows} × {columns} pixels, each with a blue square of its own; "
        f"orange squares join {joined} pairs, {'every two pixels' if full else 'which are direct neighbours'}",
    )
    ax.set(xlim=(-0.6, columns - 0.6), ylim=(-rows + 0.4, 0.6), aspect="equal", title=title)
    ax.axis("off")
