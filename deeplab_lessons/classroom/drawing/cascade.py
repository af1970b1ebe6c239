"""Drawings of lesson 11, made from the networks: the stages of a cascade, v3's pyramid, taps on a map."""

import matplotlib as mpl
import numpy as np
from matplotlib.patches import FancyArrowPatch, Rectangle
from torch import nn

from deeplab_lessons.arithmetic import taps_on_map
from deeplab_lessons.classroom.drawing.style import COLOURS, show_image
from deeplab_lessons.heads import ImagePooling
from deeplab_lessons.models import DeepLabV3
from deeplab_lessons.receptive_field import trace

#: Colour of each number of taps that a 3 x 3 kernel can have on a map, as in the explorer of valid taps.
TAP_COLOURS = {9: COLOURS[0], 6: COLOURS[5], 4: COLOURS[2], 3: COLOURS[3], 2: COLOURS[4], 1: COLOURS[1]}
_WIDTH, _HEIGHT = 0.92, 0.68  # of a layer's box, in units of the drawing


def stage_rates(stage: nn.Module) -> tuple[int, ...]:
    """Dilation of each block of a stage: that of its last 3 x 3 convolution."""
    return tuple(
        [conv.dilation[0] for conv in block.modules() if _is_wide(conv)][-1] for block in stage.children()
    )


def draw_stages(ax, net: nn.Sequential, input_size: int, title: str = "") -> None:
    """One bar for the stem and each stage of a dilated ResNet: the side of the map that it makes, in cells.

    The side stands above the bar, the dilations of the stage's blocks in it; the darker, the larger. All is read
    from the network. The papers call layer1 to layer7 block1 to block7.
    """
    table, place = trace(net, input_size), 0
    for name, part in net.named_children():
        if name != "maxpool" and not name.startswith("layer"):
            continue
        rates = stage_rates(part) if name.startswith("layer") else (1,)
        side, shade = table[name].map_size[0], 0.08 + 0.13 * np.log2(max(rates))
        ax.bar(place, side, color=mpl.colormaps["YlOrRd"](shade), edgecolor="0.3", width=0.86)
        ax.text(place, side * 1.12, side, ha="center", va="bottom", fontsize=11)
        if len(set(rates)) > 1 or max(rates) > 1:
            told = str(rates[0]) if len(set(rates)) == 1 else ", ".join(map(str, rates))
            ax.text(place, 1.25, f"dilation\n{told}", ha="center", va="bottom", fontsize=10)
        place += 1
    ax.set_xticks(range(place), ["stem", *(f"block{number}" for number in range(1, place))])
    ax.set_yscale("log", base=2)
    ax.set(
        title=title, ylabel="side of the map (cells)", ylim=(1, 1.2 * input_size), xlim=(-0.6, place - 0.4)
    )
    ax.set_yticks([1, 10, 100], ["1", "10", "100"])
    ax.minorticks_off()


def draw_pyramid(ax, model: DeepLabV3, title: str = "") -> None:
    """v3's head from the backbone's last map (below) to the logits (above), read from the network itself."""
    branches = list(model.aspp.branches)
    middle = (len(branches) - 1) / 2
    _box(ax, middle, 0, "last map of the backbone", "#D9D9D9", 2.6)
    for x, branch in enumerate(branches):
        _arrow(ax, (middle + 0.3 * (x - middle), 0), (x, 1))
        _box(ax, x, 1, branch_words(branch), COLOURS[4] if isinstance(branch, ImagePooling) else COLOURS[5])
        _arrow(ax, (x, 1), (middle + 0.3 * (x - middle), 2))
    project = _convolutions(model.aspp.project)[0]
    _box(ax, middle, 2, f"concatenated: {project.in_channels} channels", "#D9D9D9", 3.4)
    _arrow(ax, (middle, 2), (middle, 3))
    _box(ax, middle, 3, branch_words(model.aspp.project), "white", 1.4)
    top = 4
    for conv in _convolutions(model.classifier):
        _arrow(ax, (middle, top - 1), (middle, top))
        _box(ax, middle, top, f"{_kernel(conv)}\nto {conv.out_channels}", "white", 1.4)
        top += 1
    ax.set(title=title, xlim=(-0.6, len(branches) - 0.4), ylim=(-0.5, top - 0.5))
    ax.axis("off")


def branch_words(branch: nn.Module) -> str:
    """What stands in the box of a branch: its taps, its dilation, its channels."""
    conv = _convolutions(branch)[0]
    first = "mean of the map\n" if isinstance(branch, ImagePooling) else ""
    rate = f"\ndilation {conv.dilation[0]}" if conv.kernel_size[0] > 1 else ""
    return f"{first}{_kernel(conv)}{rate}\nto {conv.out_channels}"


def show_tap_map(ax, size: int, dilation: int, title: str = "") -> None:
    """Colour every cell of a map [size, size] by how many of nine taps fall on it, and name each block's number."""
    axis = np.array(taps_on_map(size, 3, dilation))
    picture = np.array([[mpl.colors.to_rgb(TAP_COLOURS[int(a * b)]) for b in axis] for a in axis])
    show_image(ax, picture, title)
    runs = np.split(np.arange(size), np.flatnonzero(np.diff(axis)) + 1)
    for rows in runs:
        for columns in runs:
            taps = int(axis[rows[0]] * axis[columns[0]])
            ink = "white" if taps in (9, 4, 1) else "black"
            ax.text(columns.mean(), rows.mean(), taps, ha="center", va="center", color=ink, weight="bold")


def _is_wide(part: nn.Module) -> bool:
    return isinstance(part, nn.Conv2d) and part.kernel_size[0] > 1


def _convolutions(part: nn.Module) -> list[nn.Conv2d]:
    return [layer for layer in part.modules() if isinstance(layer, nn.Conv2d)]


def _kernel(conv: nn.Conv2d) -> str:
    return "×".join(map(str, conv.kernel_size))


def _box(ax, x: float, y: float, text: str, colour: str, width: float = _WIDTH) -> None:
    ax.add_patch(
        Rectangle((x - width / 2, y - _HEIGHT / 2), width, _HEIGHT, facecolor=colour, edgecolor="0.2")
    )
    ax.text(x, y, text, ha="center", va="center", fontsize=9)


def _arrow(ax, start: tuple[float, float], end: tuple[float, float]) -> None:
    (x0, y0), (x1, y1) = start, end
    ends = (x0, y0 + _HEIGHT / 2), (x1, y1 - _HEIGHT / 2)
    ax.add_patch(FancyArrowPatch(*ends, arrowstyle="-|>", mutation_scale=10, shrinkA=0, shrinkB=0))
