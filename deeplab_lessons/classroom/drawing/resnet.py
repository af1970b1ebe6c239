"""Drawings of ResNets, read from the networks: one block from the inside, and all blocks in a row."""

from torch import nn

from deeplab_lessons.classroom.drawing._shapes import (
    arrow,
    box,
    convolution_sentence,
    convolution_words,
    legend_patches,
    map_bars,
)
from deeplab_lessons.classroom.drawing.style import COLOURS
from deeplab_lessons.classroom.drawing.words import listed, say
from deeplab_lessons.receptive_field import Trace, trace

_KINDS = {
    "dilation 1": COLOURS[5], "has a stride": "#BBBBBB", "dilation 2": COLOURS[4],
    "dilation 4": COLOURS[1],
}  # fmt: skip
_OTHER = COLOURS[3]  # any other dilation
_SHORTCUT = COLOURS[2]


def draw_block(ax, block: nn.Module, title: str = "") -> None:
    """Draw one block of a torchvision ResNet, from top to bottom.

    Bars are maps, as wide as they have channels; arrows are convolutions with what they do; on the right is the
    shortcut. Stride and dilation are written in orange where they are not 1. All is read from the block.
    """
    convs = [part for name, part in block.named_children() if name.startswith("conv")]
    channels = [convs[0].in_channels, *(conv.out_channels for conv in convs)]
    widest = max(channels)
    for level, count in enumerate(channels):
        _map(ax, -level, count / widest, count)
    for level, conv in enumerate(convs):
        arrow(ax, (0, -level - 0.15), (0, -level - 0.85), color="black")
        words = convolution_words(conv)
        ax.text(
            0.07, -level - 0.5, "\n".join(words), va="center", fontsize=10, color=_ink(words), linespacing=1.1
        )
    end = -len(convs) - 0.62
    arrow(ax, (0, -len(convs) - 0.15), (0, end + 0.16), color="black")
    ax.scatter(0, end, 190, "white", edgecolors="black", zorder=3)
    ax.text(0, end, "+", ha="center", va="center", fontsize=13, zorder=4)
    ax.plot([channels[0] / widest / 2, 0.68, 0.68], [0, 0, end], color=_SHORTCUT)
    arrow(ax, (0.68, end), (0.08, end), color=_SHORTCUT)
    words = ["as it is"] if block.downsample is None else convolution_words(block.downsample[0])
    text = f"shortcut: {', '.join(words)}"
    ax.text(0.72, end / 2, text, rotation=90, ha="left", va="center", fontsize=10, color=_ink(words))
    ax.set(title=title, xlim=(-0.55, 0.92), ylim=(end - 0.3, 0.35))
    ax.axis("off")
    shortcut = "the input as it is" if block.downsample is None else convolution_sentence(block.downsample[0])
    say(
        ax,
        f"{channels[0]} channels, then {listed(map(convolution_sentence, convs))}; added at the end, on the shortcut: "
        f"{shortcut}",
    )


def draw_blocks(ax, net: nn.Sequential, input_size: int, title: str = "", legend: bool = True) -> None:
    """Draw a bar for the first convolution, the pool and each block of a ResNet: the side of the map it makes.

    The colour shows whether a block has a stride, and the largest dilation of its convolutions.
    """
    table, names, texts, ticks = trace(net, input_size), [], [], []
    for name, part in net.named_children():
        if name in ("bn1", "relu"):
            continue
        blocks = [f"{name}.{number}" for number in range(len(part))] if name.startswith("layer") else [name]
        texts += [str(table[blocks[0]].map_size[0]), *[""] * (len(blocks) - 1)]
        ticks.append((len(names) + (len(blocks) - 1) / 2, name))
        names += blocks
    kinds = [_kind(table, name) for name in names]
    used = {kind: _KINDS.get(kind, _OTHER) for kind in kinds}
    sides = [table[name].map_size[0] for name in names]
    map_bars(ax, sides, map(used.get, kinds), texts, (4, 2 * input_size), lift=1.1, fontsize=10)
    ax.set_xticks(*zip(*ticks, strict=True))
    for label in ax.get_xticklabels()[:2]:
        label.set(rotation=90, fontsize=9)
    ax.set(title=title, xlim=(-0.7, len(names) - 0.3))
    changes = [
        f"{side} at {name}"
        for (name, side), before in zip(zip(names, sides, strict=True), [None, *sides], strict=False)
        if side != before
    ]
    counts = [f"{kinds.count(kind)} with {kind}" for kind in used if kind.startswith("dilation")]
    say(
        ax,
        f"{len(names)} bars, a block each; sides of the maps in cells: {listed(changes)}; blocks: {listed(counts)}",
    )
    if legend:
        ax.legend(handles=legend_patches(used), ncols=4, loc="upper right", fontsize=10)


def _kind(table: Trace, name: str) -> str:
    """The colour's meaning for a layer or block: its largest dilation or, without one, whether it has a stride."""
    rows = [row for row in table if row.kernel_size and f"{row.name}.".startswith(f"{name}.")]
    dilation = max(max(row.dilation) for row in rows)
    if dilation > 1:
        return f"dilation {dilation}"
    return "has a stride" if max(max(row.stride) for row in rows) > 1 else "dilation 1"


def _map(ax, y: float, width: float, channels: int) -> None:
    box(ax, 0, y, width, 0.24, COLOURS[5], edgecolor="0.3")
    x, side = (0, "center") if width > 0.3 else (width / 2 + 0.05, "left")
    ax.text(x, y, channels, ha=side, va="center", fontsize=10)


def _ink(words: list[str]) -> str:
    """Orange where a convolution has a stride or a dilation, which are the words after the first."""
    return COLOURS[1] if len(words) > 1 else "black"
