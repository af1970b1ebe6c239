"""Drawings of lesson 12, read from the network: v3+'s maps and its decoder, and blocks of Xception."""

from torch import nn

from deeplab_lessons.backbones.xception import XceptionBlock
from deeplab_lessons.classroom.drawing._shapes import (
    arrow,
    box,
    convolution_words,
    convolutions,
    legend_patches,
)
from deeplab_lessons.classroom.drawing.style import COLOURS
from deeplab_lessons.classroom.drawing.words import listed, say
from deeplab_lessons.layers.separable import SeparableConv2d
from deeplab_lessons.models import DeepLabV3Plus
from deeplab_lessons.receptive_field import trace

_FINE, _COARSE = 0.0, 2.5  # heights of the two lanes
_EARLY, _LATE, _NEW = COLOURS[5], COLOURS[4], COLOURS[2]  # from early layers, from the pyramid, refined
_STEP = 1.62  # from one map to the next
_THIN, _THICK, _GAP = 0.34, 0.84, 0.2  # of the boxes in a block


def decoder_maps(model: DeepLabV3Plus, input_size: int) -> dict[str, tuple[int, int]]:
    """Return side in cells and channels of each map from the image to the logits, in order, for square images."""
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
    """Draw a v3+ from the image (left) to the logits (right): a square is a map, its side as many cells as it has.

    (The image is drawn smaller than that.) The lower lane has the stride of the early map, the upper one that of
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
    colours = {
        "picture": "#DDDDDD",
        "early map": _EARLY,
        "reduced": _EARLY,
        "last map": _LATE,
        "pyramid": _LATE,
    }
    for name, (x, y) in places.items():
        side, channels = maps[name]
        height = min(side / fine, 1.25)
        box(ax, x, y, height, height, colours.get(name, _NEW))
        _text(ax, x, y - height / 2 - 0.08, f"{side}×{side}\n{channels}", "top")
    x, late = places["both"][0], maps["pyramid"][1] / maps["both"][1]
    box(ax, x - (1 - late) / 2, _FINE, late, 1, _LATE)  # the pyramid's channels, and those of the early map
    box(ax, x + late / 2, _FINE, 1 - late, 1, _EARLY)
    ways = [("early map", "reduced", "1×1"), ("reduced", "both", "")]
    ways += [(*pair, kind) for *pair, kind in zip(["both", *chain], chain, [*kinds, "1×1"], strict=False)]
    for start, end, words in ways:
        _way(ax, places[start][0] + 0.5, places[end][0] - 0.5, _FINE, words)
    _way(ax, places["last map"][0] + 0.14, places["pyramid"][0] - 0.14, _COARSE, "pyramid")
    _bend(ax, (-1.35, 0.9), (-0.5, 0.15), "early\nlayers", (-0.95, -0.25))
    _bend(ax, (-1.35, 1.5), (0.22, _COARSE), "all layers", (-0.8, 2.4))
    start = places["pyramid"][0] + 0.16, _COARSE
    _bend(ax, start, (x + 0.1, 0.56), f"enlarged\n{model.decoder.factor} times", (x + 0.2, 1.6))
    last = places["logits"][0]
    _text(ax, last, 0.72, f"then enlarged\n{model.grid.stride:g} times", "baseline")
    ax.set(title=title, xlim=(-2.8, last + 0.8), ylim=(-1.2, 3.0), aspect="equal")
    ax.axis("off")
    size = {name: f"{side}×{side} with {channels} channels" for name, (side, channels) in maps.items()}
    say(
        ax,
        f"DeepLab v3+ as squares and arrows. Early layers make a map of {size['early map']}, reduced to "
        f"{maps['reduced'][1]}; all layers make one of {size['last map']}, and the pyramid one of {size['pyramid']}. "
        f"Enlarged {model.decoder.factor} times, it joins the early map: {size['both']}. Then come "
        f"{listed(' '.join(kind.split()) for kind in kinds)} to {maps[chain[-2]][1]} channels and 1×1 to "
        f"{maps['logits'][1]} logits, enlarged {model.grid.stride:g} times",
    )


def _text(ax, x: float, y: float, words: str, va: str, **options) -> None:
    ax.text(x, y, words, va=va, fontsize=10, **{"ha": "center", **options})


def _way(ax, start: float, end: float, y: float, words: str) -> None:
    """An arrow to the right with its words above."""
    _bend(ax, (start, y), (end, y), words, ((start + end) / 2, y + 0.1), "bottom")


def _bend(
    ax,
    start: tuple[float, float],
    end: tuple[float, float],
    words: str,
    place: tuple[float, float],
    va: str = "center",
) -> None:
    """An arrow with its words at `place`."""
    arrow(ax, start, end, mutation_scale=11, color="black")
    _text(ax, *place, words, va)


# ---------------------------------------------------------------- blocks of Xception

_LAYERS = {"depthwise": COLOURS[5], "pointwise": COLOURS[4], "batch norm": "#BBBBBB", "ReLU": COLOURS[2]}


def block_layers(block: XceptionBlock) -> list[tuple[str, str]]:
    """Return kind and words of each layer of a block's main path, in order: ("depthwise", "3×3, stride 2")."""
    layers = []
    for layer in nn.Sequential(*block.inner, block.step).modules():
        if isinstance(layer, nn.ReLU):
            layers.append(("ReLU", ""))
        elif isinstance(layer, nn.BatchNorm2d):
            layers.append(("batch norm", ""))
        elif isinstance(layer, nn.Conv2d) and layer.kernel_size[0] > 1:
            layers.append(("depthwise", ", ".join(convolution_words(layer))))
        elif isinstance(layer, nn.Conv2d):
            layers.append(("pointwise", f"1×1 to {layer.out_channels}"))
    return layers


def draw_xception_block(ax, block: XceptionBlock, title: str = "") -> None:
    """Draw a block of Xception from top to bottom, its shortcut on the right; all is read from the block."""
    y = 0.0
    for kind, words in block_layers(block):
        height = _THICK if words else _THIN
        box(ax, 0, y - height / 2, 2, height, _LAYERS[kind], edgecolor="0.3")
        _text(ax, 0, y - height / 2, words, "center")
        y -= height + (_GAP if kind == "batch norm" else 0)
    if block.shortcut is not None:
        ax.plot([0, 1.35, 1.35], [0.25, 0.25, y - 0.35], color=COLOURS[1])
        arrow(ax, (1.35, y - 0.35), (0.2, y - 0.35), mutation_scale=11, color="black")
        ax.scatter(0, y - 0.35, 150, "white", edgecolors="black", zorder=3)
        ax.text(0, y - 0.37, "+", ha="center", va="center", zorder=4)
        words = "the block's input itself"
        if convs := convolutions(block.shortcut):
            kernel, *rest = convolution_words(convs[0])
            words = ", ".join([f"{kernel} to {convs[0].out_channels}", *rest])
        _text(ax, 1.45, y / 2, f"shortcut: {words}", "center", ha="left", rotation=90)
    ax.set(title=title, xlim=(-1.1, 2.0), ylim=(y - 0.8, 0.4))
    ax.axis("off")
    layers = [f"{kind} {words}" for kind, words in block_layers(block) if words]
    shortcut = "none" if block.shortcut is None else ax.texts[-1].get_text().removeprefix("shortcut: ")
    say(ax, f"layers from top to bottom: {listed(layers)}; shortcut: {shortcut}")


def layers_legend(fig) -> None:
    """Draw what the colours of `draw_xception_block` mean below the figure."""
    fig.legend(handles=legend_patches(_LAYERS), ncols=4, loc="outside lower center", fontsize=10)
