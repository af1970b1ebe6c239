"""Drawings of the heads of v2 and v3, read from the heads, and where the taps of each branch fall on the map."""

from collections.abc import Sequence

from matplotlib.patches import Rectangle
from torch import nn

from deeplab_lessons.arithmetic import Layer
from deeplab_lessons.classroom.drawing._shapes import (
    GREY,
    arrow,
    box,
    convolution_sentence,
    convolution_words,
    convolutions,
)
from deeplab_lessons.classroom.drawing.style import COLOURS
from deeplab_lessons.classroom.drawing.words import listed, say
from deeplab_lessons.heads import ImagePooling, SummedASPP
from deeplab_lessons.models import DeepLabV3

_WIDTH = 0.92  # of the box of a layer, in units of the drawing


def draw_head(ax, head: SummedASPP, title: str = "") -> None:
    """Draw the branches of a v2 head from its feature map (bottom) to its scores (top).

    A box is a convolution: its kernel, its dilation where that is not 1, and its channels. Two or more branches meet
    in a sum.
    """
    columns = [[_convolution_text(conv) for conv in convolutions(branch)] for branch in head.branches]
    middle, top, height = (len(columns) - 1) / 2, len(columns[0]), 0.72
    box(ax, middle, 0, 2.2, height, GREY, "last map of the backbone")
    for x, (texts, colour) in enumerate(zip(columns, COLOURS, strict=False)):
        _connect(ax, (middle + 0.25 * (x - middle), 0), (x, 1), height)
        for level, text in enumerate(texts, 1):
            box(ax, x, level, _WIDTH, height, colour if level == 1 else "white", text)
            if level > 1:
                _connect(ax, (x, level - 1), (x, level), height)
        _connect(ax, (x, top), (middle + 0.25 * (x - middle), top + 1), height)
    box(ax, middle, top + 1, 2.2, height, GREY, "scores" if len(columns) == 1 else "sum: scores")
    ax.set(title=title, xlim=(min(-0.6, middle - 1.2), max(len(columns) - 0.4, middle + 1.2)))
    ax.set_ylim(-0.5, top + 1.5)
    ax.axis("off")
    branches = "; ".join(
        ", then ".join(map(convolution_sentence, convolutions(branch))) for branch in head.branches
    )
    end = "to the scores" if len(columns) == 1 else f"in {len(columns)} branches, whose scores are added"
    say(ax, f"the last map of the backbone goes {end}: {branches}")


def draw_pyramid(ax, model: DeepLabV3, title: str = "") -> None:
    """Draw v3's head from the backbone's last map (bottom) to the logits (top)."""
    branches = list(model.aspp.branches)
    middle, height = (len(branches) - 1) / 2, 0.68
    box(ax, middle, 0, 2.6, height, GREY, "last map of the backbone")
    texts = []
    for x, branch in enumerate(branches):
        pools = isinstance(branch, ImagePooling)
        text = "mean of the map\n" * pools + _convolution_text(convolutions(branch)[0])
        texts.append("the mean of the map, then " * pools + convolution_sentence(convolutions(branch)[0]))
        _connect(ax, (middle + 0.3 * (x - middle), 0), (x, 1), height)
        box(ax, x, 1, _WIDTH, height, COLOURS[4] if pools else COLOURS[5], text)
        _connect(ax, (x, 1), (middle + 0.3 * (x - middle), 2), height)
    project = convolutions(model.aspp.project)[0]
    box(ax, middle, 2, 3.4, height, GREY, f"concatenated: {project.in_channels} channels")
    for top, conv in enumerate((project, *convolutions(model.classifier)), 3):
        _connect(ax, (middle, top - 1), (middle, top), height)
        box(ax, middle, top, 1.4, height, "white", _convolution_text(conv))
    ax.set(title=title, xlim=(-0.6, len(branches) - 0.4), ylim=(-0.5, top + 0.5))
    ax.axis("off")
    after = listed(map(convolution_sentence, (project, *convolutions(model.classifier))))
    say(
        ax,
        f"the last map of the backbone goes in parallel through {'; '.join(texts)}; concatenated they have "
        f"{project.in_channels} channels, then {after}",
    )


def _convolution_text(conv: nn.Conv2d) -> str:
    """A convolution as its box shows it: "3×3, dilation 6, to 1024", a line each."""
    return "\n".join([*convolution_words(conv), f"to {conv.out_channels}"])


def _connect(ax, start: tuple[float, float], end: tuple[float, float], height: float) -> None:
    """An arrow up between two boxes of one height, given by their centres."""
    arrow(ax, (start[0], start[1] + height / 2), (end[0], end[1] - height / 2))


def taps_around(cell: tuple[int, int], rate: int, size: int) -> dict[tuple[int, int], bool]:
    """Return the nine taps of a padded 3 x 3 kernel around `cell`: (row, column) -> is it on a map [size, size]?"""
    down, across = (Layer(3, padding="same", dilation=rate).taps(centre) for centre in cell)
    return {(i, j): i in range(size) and j in range(size) for i in down for j in across}


def show_branch_taps(
    ax, rates: Sequence[int], size: int, cell: tuple[int, int], title: str = "", legend: bool = True
) -> None:
    """Draw where the taps of each branch around `cell` fall: filled on the map [size, size], hollow outside."""
    ax.add_patch(Rectangle((-0.5, -0.5), size, size, facecolor="#EFEFEF", edgecolor="0.3"))
    ends = [-1, size]
    for rate, colour, marker in zip(rates, COLOURS, ("o", "s", "^", "D"), strict=False):
        taps = taps_around(cell, rate, size)
        inside = [tap for tap, on_map in taps.items() if on_map and tap != cell]
        outside = [tap for tap, on_map in taps.items() if not on_map]
        label = f"dilation {rate}: {sum(taps.values())} of 9"
        style = {"marker": marker, "s": 42, "edgecolors": colour, "clip_on": False}
        ax.scatter([j for _, j in inside], [i for i, _ in inside], facecolors=colour, label=label, **style)
        ax.scatter([j for _, j in outside], [i for i, _ in outside], facecolors="none", **style)
        ends += [index for tap in taps for index in tap]
    ax.scatter(cell[1], cell[0], 60, "black", marker="*", zorder=4)
    first, last = min(ends) - 2, max(ends) + 2
    ax.set(xlim=(first, last), ylim=(last, first), aspect="equal", title=title)
    ax.set(xlabel="column (cells)", ylabel="row (cells)")
    ax.set_xticks([0, size - 1])
    ax.set_yticks([0, size - 1])
    row, column = cell
    valid = [f"{sum(taps_around(cell, rate, size).values())} of 9 at dilation {rate}" for rate in rates]
    say(
        ax,
        f"taps around the cell in row {row} and column {column} of {size} × {size} cells that are on the map: "
        f"{listed(valid)}; the others, outside, are hollow",
    )
    if legend:
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=2, fontsize=9, handletextpad=0.2)
