"""What the drawings of networks share: boxes, arrows, bars as high as maps, and convolutions in words."""

from collections.abc import Iterable, Mapping, Sequence

from matplotlib.patches import FancyArrowPatch, Patch, Rectangle
from torch import nn

from deeplab_lessons.classroom.drawing.style import COLOURS

GREY = "#D9D9D9"
_DARK = (COLOURS[0], COLOURS[2])  # fills on which text must be white


def box(ax, x: float, y: float, width: float, height: float, colour: str, text: str = "", **options) -> None:
    """Draw a rectangle with its centre at (x, y) and `text` in it; `options` are Rectangle's."""
    options = {"edgecolor": "0.2"} | options
    ax.add_patch(Rectangle((x - width / 2, y - height / 2), width, height, facecolor=colour, **options))
    if text:
        ink = "white" if colour in _DARK else "black"
        ax.text(x, y, text, ha="center", va="center", fontsize=9, color=ink)


def arrow(ax, start: tuple[float, float], end: tuple[float, float], **options) -> None:
    """Draw an arrow from `start` to `end`, both (x, y); `options` are FancyArrowPatch's."""
    options = {"arrowstyle": "-|>", "mutation_scale": 10, "shrinkA": 0, "shrinkB": 0} | options
    ax.add_patch(FancyArrowPatch(start, end, **options))


def map_bars(
    ax,
    sides: Sequence[int],
    colours: Iterable[str],
    texts: Iterable[str],
    limits: tuple[float, float],
    width: float = 0.82,
    lift: float = 1.12,
    fontsize: float = 9,
) -> None:
    """Draw a bar for each map, as high as its side in cells on a log axis, and its text at `lift` times that."""
    for x, (side, colour, text) in enumerate(zip(sides, colours, texts, strict=True)):
        ax.bar(x, side, color=colour, edgecolor="0.3", width=width)
        ax.text(x, side * lift, text, ha="center", va="bottom", fontsize=fontsize)
    ticks = [tick for tick in (1, 10, 100) if tick >= limits[0]]
    ax.set_yscale("log", base=2)
    ax.set(ylabel="side of the map (cells)", ylim=limits)
    ax.set_yticks(ticks, map(str, ticks))
    ax.minorticks_off()


def legend_patches(colours: Mapping[str, str]) -> list[Patch]:
    """Return a legend's handles for fills, label -> colour."""
    return [Patch(facecolor=colour, edgecolor="0.3", label=label) for label, colour in colours.items()]


def convolutions(part: nn.Module) -> list[nn.Conv2d]:
    """Return the convolutions in `part`, in the order of its modules."""
    return [layer for layer in part.modules() if isinstance(layer, nn.Conv2d)]


def convolution_sentence(conv: nn.Conv2d) -> str:
    """Return a convolution on one line, with its channels: "3×3 with stride 2 and dilation 2 to 256"."""
    kernel, *steps = convolution_words(conv)
    return f"{kernel}{' with ' + ' and '.join(steps) if steps else ''} to {conv.out_channels}"


def convolution_words(conv: nn.Conv2d) -> list[str]:
    """Return a convolution in words: its kernel, then its stride and dilation where they are not 1."""
    steps = {"stride": conv.stride[0], "dilation": conv.dilation[0]}
    kernel = "×".join(map(str, conv.kernel_size))
    return [kernel, *(f"{name} {value}" for name, value in steps.items() if value != 1)]
