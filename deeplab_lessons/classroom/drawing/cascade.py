"""Drawings of lesson 11: a cascade's stages, read from the network; valid taps; fields and gains against results."""

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
from torch import nn

from deeplab_lessons.classroom.drawing._shapes import convolutions, map_bars
from deeplab_lessons.classroom.drawing.style import COLOURS, show_image
from deeplab_lessons.classroom.drawing.words import listed, rounded, say
from deeplab_lessons.classroom.stacks import tap_shares, taps_on_map
from deeplab_lessons.receptive_field import trace

#: Colour of each number of taps that a 3 x 3 kernel can have on a map, as in the explorer of valid taps.
TAP_COLOURS = {9: COLOURS[0], 6: COLOURS[5], 4: COLOURS[2], 3: COLOURS[3], 2: COLOURS[4], 1: COLOURS[1]}


def stage_rates(stage: nn.Module) -> tuple[int, ...]:
    """Return the dilation of each block of a stage: that of its last 3 x 3 convolution."""
    return tuple(
        [conv.dilation[0] for conv in convolutions(block) if conv.kernel_size[0] > 1][-1]
        for block in stage.children()
    )


def draw_stages(ax, net: nn.Sequential, input_size: int, title: str = "") -> None:
    """Draw a bar for the stem and each stage of a dilated ResNet: the side of the map that it makes, in cells.

    The side is written above the bar, the dilations of the stage's blocks in it; as they grow, the bar gets darker.
    All is read from the network. The papers call layer1 to layer7 block1 to block7.
    """
    table = trace(net, input_size)
    stages = {name: part for name, part in net.named_children() if name.startswith("layer")}
    rates = [(1,), *map(stage_rates, stages.values())]
    sides = [table[name].map_size[0] for name in ("maxpool", *stages)]
    colours = [mpl.colormaps["YlOrRd"](0.08 + 0.13 * np.log2(max(each))) for each in rates]
    map_bars(ax, sides, colours, map(str, sides), (1, 1.2 * input_size), width=0.86, fontsize=11)
    for x, each in enumerate(rates):
        if max(each) > 1:
            text = str(each[0]) if len(set(each)) == 1 else ", ".join(map(str, each))
            ax.text(x, 1.25, f"dilation\n{text}", ha="center", va="bottom", fontsize=10)
    ax.set_xticks(range(len(sides)), ["stem", *(f"block{number}" for number in range(1, len(sides)))])
    ax.set(title=title, xlim=(-0.6, len(sides) - 0.4))
    stages_in_words = [
        f"block{place} {side}"
        + (f" with dilation {'-'.join(map(str, dict.fromkeys(each)))}" * (max(each) > 1))
        for place, (side, each) in enumerate(zip(sides, rates, strict=True))
    ]
    say(ax, f"sides of the maps in cells: stem {sides[0]}, {listed(stages_in_words[1:])}")


def show_tap_map(ax, size: int, dilation: int, title: str = "") -> None:
    """Colour every cell of a map [size, size] by how many of nine taps fall on it, and write that in each region."""
    axis = np.array(taps_on_map(size, 3, dilation))
    picture = np.array([[mpl.colors.to_rgb(TAP_COLOURS[int(a * b)]) for b in axis] for a in axis])
    show_image(ax, picture, title)
    runs = np.split(np.arange(size), np.flatnonzero(np.diff(axis)) + 1)
    for rows in runs:
        for columns in runs:
            taps = int(axis[rows[0]] * axis[columns[0]])
            ink = "white" if taps in (9, 4, 1) else "black"
            ax.text(columns.mean(), rows.mean(), taps, ha="center", va="center", color=ink, weight="bold")
    counts = [[int(axis[row[0]] * axis[column[0]]) for column in runs] for row in runs]
    regions = "; ".join(" ".join(map(str, row)) for row in counts)
    valid = (np.outer(axis, axis) == 9).mean()
    say(
        ax,
        f"taps of nine on {size} × {size} cells, by regions from the top row to the bottom: {regions}; all nine on "
        f"{valid:.0%} of the cells",
    )


def show_tap_shares(ax, size: int, largest: int, title: str = "") -> None:
    """Draw what fraction of the cells [size, size] has one, four and nine valid taps, up to the `largest` dilation."""
    dilations = range(1, largest + 1)
    shares = [tap_shares(size, dilation=each) for each in dilations]
    for taps, style in ((1, "-"), (4, "--"), (9, "-.")):
        ax.plot(
            dilations, [each[taps] for each in shares], style, color=TAP_COLOURS[taps], label=f"{taps} valid"
        )
    ax.set(title=title, xlabel="dilation (cells)", ylabel="fraction of the cells")
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))


def show_grids(
    ax, fields: Mapping[tuple, Sequence[int]], results: Mapping[tuple, Sequence[float]], title: str = ""
) -> None:
    """Draw results (mIoU in per cent) over fields (pixels): a line for each multi-grid, a point for each last block."""
    for (grid, reached), marker in zip(results.items(), "os^Dv", strict=False):
        ax.plot(fields[grid], reached, marker + "-", label=f"{grid}")
    ax.set(title=title, xlabel="field (pixels)", ylabel="mIoU (%)", xscale="log")
    ax.set_xticks([1000, 2000, 4000, 8000], [1000, 2000, 4000, 8000])
    ax.minorticks_off()
    ax.legend(title="multi-grid", loc="center left", bbox_to_anchor=(1, 0.5))


def show_gains(ax, gains: Mapping[str, Sequence[float]], title: str = "") -> None:
    """Draw differences in points: a column for each comparison, in it a dot for each seed."""
    for place, each in enumerate(gains.values()):
        ax.plot([place] * len(each), each, "o", color=COLOURS[place])
    ax.axhline(0, color="black", lw=1)
    ax.set(title=title, ylabel="mIoU (points)")
    spans = [f"{name} {rounded(min(each))} to {rounded(max(each))}" for name, each in gains.items()]
    say(ax, f"differences in points of mIoU, from the lowest to the highest seed: {listed(spans)}")
    ax.set_xticks(range(len(gains)), list(gains))
