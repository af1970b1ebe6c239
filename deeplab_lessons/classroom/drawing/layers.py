"""Drawings of networks, made from the network objects themselves."""

import torch
from matplotlib.patches import Patch, Rectangle
from torch import nn

from deeplab_lessons.classroom.drawing.style import COLOURS, show_image
from deeplab_lessons.receptive_field import trace

_KINDS = {"convolution": COLOURS[5], "pool": "#BBBBBB", "stride now 1": COLOURS[4], "dilated": COLOURS[1]}


def draw_layers(ax, model: nn.Module, input_size: int, title: str = "", legend: bool = True) -> None:
    """One bar for each convolution and pool of `model`: its height is the side of the layer's map, in cells.

    Dilated layers and pools whose stride is 1 have colours of their own; a dilation above 1 is written above
    its bar, and the side of the map wherever it changes. All is read from the traced model.
    """
    rows = [row for row in trace(model, input_size) if row.kernel_size and row.kind in ("conv", "max pool")]
    sides = [row.map_size[0] for row in rows]
    for place, (row, side) in enumerate(zip(rows, sides, strict=True)):
        ax.bar(place, side, color=_KINDS[_kind(row)], edgecolor="0.3", width=0.82)
        changed = place == 0 or side != sides[place - 1]
        rate = f"d {row.dilation[0]}" if row.dilation[0] > 1 else ""
        ax.text(
            place,
            side * 1.12,
            "\n".join(filter(None, (rate, str(side) if changed else ""))),
            ha="center",
            va="bottom",
            fontsize=9,
        )
    ax.set_xticks(range(len(rows)), [row.name.rpartition(".")[2] for row in rows], rotation=90, fontsize=9)
    ax.set_yscale("log", base=2)
    ax.set(
        title=title,
        ylabel="side of the map (cells)",
        ylim=(0.8, 2.6 * input_size),
        xlim=(-0.7, len(rows) - 0.3),
    )
    ax.set_yticks([1, 10, 100], ["1", "10", "100"])
    ax.minorticks_off()
    if legend:
        used = [kind for kind in _KINDS if kind in {_kind(row) for row in rows}]
        ax.legend(
            handles=[Patch(facecolor=_KINDS[k], edgecolor="0.3", label=k) for k in used],
            ncols=4,
            loc="upper right",
        )


def _kind(row) -> str:
    if row.dilation[0] > 1:
        return "dilated"
    if row.kind == "conv":
        return "convolution"
    return "pool" if row.stride[0] > 1 else "stride now 1"


def show_every_fourth(ax, scores: torch.Tensor, step: int, title: str = "", limits=None) -> None:
    """Show a map of scores [h, w] and frame the cells at every `step`-th row and column, from the first on."""
    show_image(ax, scores.cpu().numpy(), title).set(cmap="viridis", clim=limits)
    for row in range(0, scores.shape[0], step):
        for column in range(0, scores.shape[1], step):
            frame = Rectangle(
                (column - 0.5, row - 0.5), 1, 1, fill=False, edgecolor=COLOURS[1], linewidth=1.6
            )
            ax.add_patch(frame)
