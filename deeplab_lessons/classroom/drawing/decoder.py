"""Drawings of lesson 12, read from the network itself: v3+'s maps and its decoder, and blocks of Xception."""

from matplotlib.patches import FancyArrowPatch, Patch, Rectangle
from torch import nn

from deeplab_lessons.backbones.xception import XceptionBlock
from deeplab_lessons.classroom.drawing.style import COLOURS
from deeplab_lessons.layers.separable import SeparableConv2d
from deeplab_lessons.models import DeepLabV3Plus
from deeplab_lessons.receptive_field import trace

_FINE, _COARSE = 0.0, 2.5  # heights of the two lanes
_EARLY, _LATE, _NEW = COLOURS[5], COLOURS[4], COLOURS[2]  # from early layers, from the pyramid, refined
_STEP = 1.62  # from one map to the next
_THIN, _THICK, _GAP = 0.34, 0.84, 0.2  # of the boxes in a block


def decoder_maps(model: DeepLabV3Plus, input_size: int) -> dict[str, tuple[int, int]]:
    """Side in cells and channels of each map from the picture to the logits, in order, for square pictures."""
    table, decoder = trace(model, input_size), model.decoder
    coarse, fine = table["aspp"].map_size[0], table["decoder.reduce"].map_size[0]
    pyramid, reduced = table["aspp"].channels, table["decoder.reduce"].channels
    maps = {
        "picture": (input_size, 3),
        "early map": (fine, decoder.reduce[0].in_channels),
        "last map": (coarse, model.aspp.branches[0][0].in_channels),
        "pyramid": (coarse, pyramid),
        "reduced": (fine, reduced),
        "both": (fine, pyramid + reduced),
    }
    for number in range(len(decoder.refine)):
        maps[f"refined {number + 1}"] = (fine, table[f"decoder.refine.{number}"].channels)
    return maps | {"logits": (fine, table["decoder.classifier"].channels)}


def draw_decoder(ax, model: DeepLabV3Plus, input_size: int = 513, title: str = "") -> None:
    """Draw a v3+ from the picture (left) to the logits (right): a square is a map, its side as many cells as it has.

    (The picture is drawn smaller than that.) The lower lane has the stride of the early map, the upper one that of
    the encoder. All is read from the model.
    """
    maps = decoder_maps(model, input_size)
    fine = maps["early map"][0]
    kinds = [
        "3×3\nseparable" if isinstance(unit, SeparableConv2d) else "3×3" for unit in model.decoder.refine
    ]
    places = {"picture": (-2.0, 1.1), "early map": (0, _FINE), "last map": (0.4, _COARSE)}
    places |= {"pyramid": (2.0, _COARSE), "reduced": (_STEP, _FINE), "both": (2.35 * _STEP, _FINE)}
    chain = [name for name in maps if name.startswith("refined")] + ["logits"]
    places |= {name: ((3.45 + step) * _STEP, _FINE) for step, name in enumerate(chain)}
    for name, (x, y) in places.items():
        side, channels = maps[name]
        colour = {"early map": _EARLY, "reduced": _EARLY, "last map": _LATE, "pyramid": _LATE}.get(name, _NEW)
        colour = "#DDDDDD" if name == "picture" else colour
        _map(ax, x, y, min(side / fine, 1.25), colour, f"{side}×{side}\n{channels}")
    _shares(ax, *places["both"], maps["pyramid"][1] / maps["both"][1])
    ways = [("early map", "reduced", "1×1"), ("reduced", "both", "")]
    ways += [(*pair, kind) for *pair, kind in zip(["both", *chain], chain, [*kinds, "1×1"], strict=False)]
    for start, end, words in ways:
        _way(ax, places[start][0] + 0.5, places[end][0] - 0.5, _FINE, words)
    _way(ax, places["last map"][0] + 0.14, places["pyramid"][0] - 0.14, _COARSE, "pyramid")
    _bend(ax, (-1.35, 0.9), (-0.5, 0.15), "early\nlayers", (-0.95, -0.25))
    _bend(ax, (-1.35, 1.5), (0.22, _COARSE), "all layers", (-0.8, 2.4))
    x = places["both"][0]
    _bend(
        ax,
        (places["pyramid"][0] + 0.16, _COARSE),
        (x + 0.1, 0.56),
        f"enlarged\n{model.decoder.factor} times",
        (x + 0.2, 1.6),
    )
    last = places["logits"][0]
    ax.text(last, 0.72, f"then enlarged\n{model.output_stride} times", ha="center", fontsize=10)
    ax.set(title=title, xlim=(-2.8, last + 0.8), ylim=(-1.2, 3.0), aspect="equal")
    ax.axis("off")


def _map(ax, x: float, y: float, side: float, colour: str, words: str) -> None:
    low, left = y - side / 2, x - side / 2
    ax.add_patch(Rectangle((left, low), side, side, facecolor=colour, edgecolor="0.2"))
    ax.text(x, low - 0.08, words, ha="center", va="top", fontsize=10)


def _shares(ax, x: float, y: float, late: float) -> None:
    """Colour the square in which two maps lie on one another: the share `late` is the pyramid's."""
    for left, share, colour in ((0, late, _LATE), (late, 1 - late, _EARLY)):
        ax.add_patch(Rectangle((x - 0.5 + left, y - 0.5), share, 1, facecolor=colour, edgecolor="0.2"))


def _way(ax, start: float, end: float, y: float, words: str) -> None:
    ax.add_patch(_arrow((start, y), (end, y)))
    ax.text((start + end) / 2, y + 0.1, words, ha="center", va="bottom", fontsize=10)


def _bend(
    ax, start: tuple[float, float], end: tuple[float, float], words: str, place: tuple[float, float]
) -> None:
    ax.add_patch(_arrow(start, end))
    ax.text(*place, words, ha="center", va="center", fontsize=10)


def _arrow(start: tuple[float, float], end: tuple[float, float]) -> FancyArrowPatch:
    return FancyArrowPatch(
        start, end, arrowstyle="-|>", mutation_scale=11, color="black", shrinkA=0, shrinkB=0
    )


# ---------------------------------------------------------------- blocks of Xception

_LAYERS = {"depthwise": COLOURS[5], "pointwise": COLOURS[4], "batch norm": "#BBBBBB", "ReLU": COLOURS[2]}


def block_layers(block: XceptionBlock) -> list[tuple[str, str]]:
    """Kind and words of each layer on the way through a block, first one first: ("depthwise", "3×3, stride 2")."""
    found = []
    for layer in nn.Sequential(*block.inner, block.step).modules():
        if isinstance(layer, nn.ReLU):
            found.append(("ReLU", ""))
        elif isinstance(layer, nn.BatchNorm2d):
            found.append(("batch norm", ""))
        elif isinstance(layer, nn.Conv2d) and layer.kernel_size[0] > 1:
            words = [f"{layer.kernel_size[0]}×{layer.kernel_size[1]}"]
            words += [
                f"{name} {getattr(layer, name)[0]}"
                for name in ("stride", "dilation")
                if getattr(layer, name)[0] > 1
            ]
            found.append(("depthwise", ", ".join(words)))
        elif isinstance(layer, nn.Conv2d):
            found.append(("pointwise", f"1×1 to {layer.out_channels}"))
    return found


def draw_xception_block(ax, block: XceptionBlock, title: str = "") -> None:
    """Draw a block of Xception from top to bottom, its shortcut on the right; all is read from the block."""
    y = top = 0.0
    for kind, words in block_layers(block):
        height = _THICK if words else _THIN
        ax.add_patch(Rectangle((-1, y - height), 2, height, facecolor=_LAYERS[kind], edgecolor="0.3"))
        ax.text(0, y - height / 2, words, ha="center", va="center", fontsize=10)
        y -= height + (_GAP if kind == "batch norm" and height == _THIN else 0)
    if block.shortcut is not None:
        ax.plot([0, 1.35, 1.35], [top + 0.25, top + 0.25, y - 0.35], color=COLOURS[1])
        ax.add_patch(_arrow((1.35, y - 0.35), (0.2, y - 0.35)))
        ax.scatter(0, y - 0.35, 150, "white", edgecolors="black", zorder=3)
        ax.text(0, y - 0.37, "+", ha="center", va="center", zorder=4)
        convs = [layer for layer in block.shortcut.modules() if isinstance(layer, nn.Conv2d)]
        stride = "".join(f", stride {conv.stride[0]}" for conv in convs if conv.stride[0] > 1)
        words = f"1×1 to {convs[0].out_channels}{stride}" if convs else "the block's input itself"
        ax.text(1.45, (top + y) / 2, f"shortcut: {words}", rotation=90, ha="left", va="center", fontsize=10)
    ax.set(title=title, xlim=(-1.1, 2.0), ylim=(y - 0.8, 0.4))
    ax.axis("off")


def layers_legend(fig) -> None:
    """What the colours of `draw_xception_block` mean, below the figure."""
    handles = [Patch(facecolor=colour, edgecolor="0.3", label=kind) for kind, colour in _LAYERS.items()]
    fig.legend(handles=handles, ncols=4, loc="outside lower center", fontsize=10)
