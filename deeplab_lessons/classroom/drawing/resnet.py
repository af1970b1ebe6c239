"""Drawings of ResNets, made from the network objects: one block from the inside, and all blocks in a row."""

from matplotlib.patches import FancyArrowPatch, Patch, Rectangle
from torch import nn

from deeplab_lessons.classroom.drawing.style import COLOURS
from deeplab_lessons.receptive_field import trace

_KINDS = {
    "dilation 1": COLOURS[5], "steps": "#BBBBBB", "dilation 2": COLOURS[4],
    "dilation 4": COLOURS[1],
}  # fmt: skip
_OTHER = COLOURS[3]  # any other dilation
_SHORTCUT = COLOURS[2]


def draw_block(ax, block: nn.Module, title: str = "") -> None:
    """Draw one block of a torchvision ResNet, from top to bottom.

    Bars are maps, as wide as they have channels; arrows are convolutions with what they do; on the right runs the
    shortcut. Stride and dilation are written in orange where they are not 1. All is read from the block.
    """
    convs = [part for name, part in block.named_children() if name.startswith("conv")]
    channels = [convs[0].in_channels, *(conv.out_channels for conv in convs)]
    widest = max(channels)
    for level, count in enumerate(channels):
        _map(ax, -level, count / widest, count)
    for level, conv in enumerate(convs):
        _arrow(ax, (0, -level - 0.15), (0, -level - 0.85))
        words = told(conv).replace(", ", "\n")
        ax.text(0.07, -level - 0.5, words, va="center", fontsize=10, color=_colour(conv), linespacing=1.1)
    end = -len(convs) - 0.62
    _arrow(ax, (0, -len(convs) - 0.15), (0, end + 0.16))
    ax.scatter(0, end, 190, "white", edgecolors="black", zorder=3)
    ax.text(0, end, "+", ha="center", va="center", fontsize=13, zorder=4)
    ax.plot([channels[0] / widest / 2, 0.68, 0.68], [0, 0, end], color=_SHORTCUT)
    _arrow(ax, (0.68, end), (0.08, end), _SHORTCUT)
    way = block.downsample
    conv = None if way is None else way[0]
    words = "shortcut: as it is" if conv is None else f"shortcut: {told(conv)}"
    ax.text(0.72, end / 2, words, rotation=90, ha="left", va="center", fontsize=10, color=_colour(conv))
    ax.set(title=title, xlim=(-0.55, 0.92), ylim=(end - 0.3, 0.35))
    ax.axis("off")


def told(conv: nn.Module) -> str:
    """A convolution in words: its kernel, and its stride and dilation where they are not 1."""
    sizes = {name: _first(getattr(conv, name)) for name in ("kernel_size", "stride", "dilation")}
    words = [f"{sizes['kernel_size']}×{sizes['kernel_size']}"]
    words += [f"{name} {sizes[name]}" for name in ("stride", "dilation") if sizes[name] != 1]
    return ", ".join(words)


def draw_blocks(ax, net: nn.Sequential, input_size: int, title: str = "", legend: bool = True) -> None:
    """One bar for the first convolution, the pool and each block of a ResNet: the side of the map it makes.

    The colour says whether a block steps, and the largest dilation of its 3 x 3 convolutions.
    """
    table, place, ticks, kinds = trace(net, input_size), 0, [], []
    for name, part in net.named_children():
        if name in ("bn1", "relu"):
            continue
        blocks = [f"{name}.{number}" for number in range(len(part))] if name.startswith("layer") else [name]
        for each in blocks:
            kinds.append(kind := _kind(net.get_submodule(each)))
            side = table[each].map_size[0]
            ax.bar(place, side, color=_KINDS.get(kind, _OTHER), edgecolor="0.3", width=0.82)
            if each == blocks[0]:
                ax.text(place, side * 1.1, side, ha="center", va="bottom", fontsize=10)
            place += 1
        ticks.append((place - 0.5 - len(blocks) / 2, name))
    ax.set_xticks(*zip(*ticks, strict=True))
    for label in ax.get_xticklabels()[:2]:
        label.set(rotation=90, fontsize=9)
    ax.set_yscale("log", base=2)
    ax.set(title=title, ylabel="side of the map (cells)", ylim=(4, 2 * input_size), xlim=(-0.7, place - 0.3))
    ax.set_yticks([10, 100], ["10", "100"])
    ax.minorticks_off()
    if legend:
        used = {kind: _KINDS.get(kind, _OTHER) for kind in kinds}
        handles = [Patch(facecolor=colour, edgecolor="0.3", label=kind) for kind, colour in used.items()]
        ax.legend(handles=handles, ncols=4, loc="upper right", fontsize=10)


def _kind(part: nn.Module) -> str:
    spread = [conv for conv in part.modules() if hasattr(conv, "kernel_size")]
    dilation = max(_first(conv.dilation) for conv in spread)
    if dilation > 1:
        return f"dilation {dilation}"
    return "steps" if max(_first(conv.stride) for conv in spread) > 1 else "dilation 1"


def _first(value: int | tuple[int, int]) -> int:
    return value[0] if isinstance(value, tuple) else value


def _map(ax, y: float, width: float, channels: int) -> None:
    ax.add_patch(Rectangle((-width / 2, y - 0.12), width, 0.24, facecolor=COLOURS[5], edgecolor="0.3"))
    x, side = (0, "center") if width > 0.3 else (width / 2 + 0.05, "left")
    ax.text(x, y, channels, ha=side, va="center", fontsize=10)


def _arrow(ax, start: tuple[float, float], end: tuple[float, float], colour: str = "black") -> None:
    ax.add_patch(
        FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=10, color=colour, shrinkA=0, shrinkB=0)
    )


def _colour(conv: nn.Module | None) -> str:
    """Vermillion where a convolution steps or has holes."""
    plain = conv is None or _first(conv.stride) == _first(conv.dilation) == 1
    return "black" if plain else COLOURS[1]
