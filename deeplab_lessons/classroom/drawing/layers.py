"""Drawings of layers: the taps of kernels, the maps that a network's layers make, and the cells of one."""

from itertools import count

import numpy as np
import torch
from matplotlib.patches import Rectangle
from torch import nn

from deeplab_lessons.arithmetic import Layer
from deeplab_lessons.classroom.drawing._shapes import legend_patches, map_bars
from deeplab_lessons.classroom.drawing.style import COLOURS, show_image
from deeplab_lessons.classroom.drawing.words import listed, rounded, say
from deeplab_lessons.receptive_field import trace

_KINDS = {"convolution": COLOURS[5], "pool": "#BBBBBB", "stride now 1": COLOURS[4], "dilated": COLOURS[1]}


def show_taps(ax, kernels: list[tuple[int, int]], title: str = "") -> None:
    """Draw one row of cells for each (kernel size, dilation): taps dark, the gaps between them pale."""
    layers = [Layer(kernel_size, dilation=dilation) for kernel_size, dilation in kernels]
    for row, layer in enumerate(layers):
        for cell in range(layer.covers):
            colour = COLOURS[0] if cell in layer.taps(0) else "#E8E8E8"
            ax.add_patch(Rectangle((cell + 0.05, row - 0.4), 0.9, 0.8, color=colour))
        ax.text(layer.covers + 0.3, row, f"covers {layer.covers}", va="center")
    widest = max(layer.covers for layer in layers)
    ax.set(title=title, xlabel="cells", xlim=(0, widest + 2.5), ylim=(len(kernels) - 0.5, -0.5))
    ax.set_yticks(range(len(kernels)), [f"{size} taps, dilation {dilation}" for size, dilation in kernels])
    step = next(step for step in (2**power for power in count()) if widest <= 12 * step)
    ax.set_xticks([cell + 0.5 for cell in range(0, widest, step)], range(0, widest, step))
    ax.tick_params(left=False)
    ax.spines["left"].set_visible(False)
    rows = [
        f"{size} taps with dilation {layer.dilation} cover {layer.covers}"
        for (size, _), layer in zip(kernels, layers, strict=True)
    ]
    say(ax, f"rows of cells, taps dark and the gaps pale: {listed(rows)}")


def draw_layers(ax, model: nn.Module, input_size: int, title: str = "", legend: bool = True) -> None:
    """Draw a bar for each convolution and pool of `model`: its height is the side of the layer's map, in cells.

    Dilated layers and pools whose stride is 1 have colours of their own; a dilation above 1 is written above
    its bar, and the side of the map wherever it changes. All is read from the traced model.
    """
    rows = [row for row in trace(model, input_size) if row.kernel_size and row.kind in ("conv", "max pool")]
    kinds, sides = [_kind(row) for row in rows], [row.map_size[0] for row in rows]
    texts = []
    for row, side, before in zip(rows, sides, [None, *sides], strict=False):
        rate = [f"d {row.dilation[0]}"] if row.dilation[0] > 1 else []
        texts.append("\n".join(rate + [str(side)] * (side != before)))
    map_bars(ax, sides, [_KINDS[kind] for kind in kinds], texts, (0.8, 2.6 * input_size))
    ax.set_xticks(range(len(rows)), [row.name.rpartition(".")[2] for row in rows], rotation=90, fontsize=9)
    ax.set(title=title, xlim=(-0.7, len(rows) - 0.3))
    changes = dict.fromkeys(sides)
    dilated = [f"{row.name.rpartition('.')[2]} {row.dilation[0]}" for row in rows if row.dilation[0] > 1]
    say(
        ax,
        f"{len(rows)} bars, a layer each; the maps have sides of {listed(changes)} cells; "
        + (f"dilations: {listed(dilated)}" if dilated else "no layer is dilated"),
    )
    if legend:
        used = {kind: colour for kind, colour in _KINDS.items() if kind in kinds}
        ax.legend(handles=legend_patches(used), ncols=4, loc="upper right")


def _kind(row) -> str:
    if row.dilation[0] > 1:
        return "dilated"
    if row.kind == "conv":
        return "convolution"
    return "pool" if row.stride[0] > 1 else "stride now 1"


def show_every_fourth(ax, scores: torch.Tensor, step: int, title: str = "", limits=None) -> None:
    """Show a map of scores [h, w] and frame the cells at every `step`-th row and column, from the first on."""
    show_image(ax, scores.cpu().numpy(), title).set(cmap="viridis", clim=limits)
    rows, columns = scores.shape
    low, high = (rounded(float(end)) for end in scores.aminmax())
    framed = "" if step == 1 else f", one frame every {step} cells each way"
    say(
        ax,
        f"scores on {rows} × {columns} cells, from {low} to {high}{framed}",
    )
    for row in range(0, scores.shape[0], step):
        for column in range(0, scores.shape[1], step):
            corner = column - 0.5, row - 0.5
            ax.add_patch(Rectangle(corner, 1, 1, fill=False, edgecolor=COLOURS[1], linewidth=1.6))


def show_over(ax, image: np.ndarray, shares: np.ndarray, title: str = "") -> None:
    """Lay a map [h, w] of values from 0 to 1 over an image [H, W, 3] as tiles: where it is 0, the image is grey.

    The first cell's tile is centred on the first pixel and the last one's on the last, as for 32 k + 1 pixels.
    """
    (height, width), (rows, columns) = image.shape[:2], shares.shape
    row, column = (
        np.rint(np.arange(side) * (cells - 1) / (side - 1)).astype(int)
        for side, cells in ((height, rows), (width, columns))
    )
    share = shares[np.ix_(row, column)][..., None]
    grey = image.mean(2, keepdims=True)
    orange = np.array([230, 159, 0])
    say(
        ax,
        f"the image, orange on {(shares > 0.5).mean():.0%} of {rows} × {columns} cells, where the value is above 0.5",
    )
    tinted = (1 - share) * (0.55 * grey + 30) + share * (0.45 * grey + 0.55 * orange)
    show_image(ax, (tinted / 8).round().clip(0, 31).astype(np.uint8) * 8, title)  # few shades: a small file
