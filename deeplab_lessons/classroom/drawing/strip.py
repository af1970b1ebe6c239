"""The strip of lessons 04, 10, 11, 12 and 14: DeepLab v1 to v3+ side by side, and what each of them changed."""

from functools import cache

import matplotlib.pyplot as plt
import torch
from torch import nn

from deeplab_lessons import models
from deeplab_lessons.checks import check_choice
from deeplab_lessons.classroom.drawing._shapes import GREY, arrow, box, legend_patches
from deeplab_lessons.classroom.drawing.style import COLOURS
from deeplab_lessons.classroom.drawing.words import say
from deeplab_lessons.heads.aspp import ImagePooling
from deeplab_lessons.receptive_field import trace

_CHANGED = COLOURS[4]
_BUILT = {
    "v1": {"version": "v1", "backbone": "vgg16"},
    "v2": {"version": "v2", "backbone": "resnet101"},
    "v3": {"version": "v3", "backbone": "resnet101"},
    "v3+": {"version": "v3plus", "backbone": "resnet101"},
}
_TITLES = {"vgg16": "VGG16", "resnet101": "ResNet-101", "SummedASPP": "ASPP, summed", "Decoder": "decoder"}
_PARTS = ("backbone", "head", "decoder")  # the boxes, from the image upwards


def describe(network: nn.Module, input_size: int = 513) -> dict[str, str]:
    """Return what the strip says of a network that `models.deeplab` built: its parts, then its numbers, as text.

    All is read from the layers, for square images of `input_size` pixels; a part that is not there is left out.
    """
    table = trace(network, input_size)
    last, inner = table.rows[-1], [row for row in table.rows if row.name.startswith("backbone")][-1]
    head = network.aspp if hasattr(network, "aspp") else network.head
    dilations = [part.dilation[0] for part in head.modules() if isinstance(part, nn.Conv2d)]
    pooled = any(isinstance(part, ImagePooling) for part in head.modules())
    title = _TITLES.get(type(head).__name__, type(head).__name__)
    words = {
        "backbone": f"{_TITLES[network.arguments['backbone']]}\noutput stride {inner.jump}",
        "head": f"{title}\ndilation {', '.join(str(d) for d in dilations if d > 1)}"
        + "\nimage pooling" * pooled,
    }
    if hasattr(network, "decoder"):
        words["decoder"] = f"{_TITLES[type(network.decoder).__name__]}\noutput stride {last.jump}"
    return words | {
        "parameters": f"{table.parameters / 1e6:.1f} million parameters",
        "multiply-adds": f"{table.multiply_adds / 1e9:.0f} billion multiply-adds",
        "field": f"field: {'the whole image' if last.field.is_global else f'{last.size} px'}",
    }


@cache
def papers_versions() -> dict[str, dict[str, str]]:
    """Return `describe` of the four versions at full width with 21 classes, built without memory for weights."""
    with torch.device("meta"):
        return {name: describe(models.deeplab(**options)) for name, options in _BUILT.items()}


def draw_strip(current: str | None = None) -> None:
    """Draw v1, v2, v3 and v3+ from left to right, with a heavy frame around `current`, one of these names.

    A box is coloured where a version differs from the one to its left. Raises ValueError for another name.
    """
    if current is not None:
        check_choice("version", current, _BUILT)
    figure, ax = plt.subplots(figsize=(8, 3.4))
    before: dict[str, str] = {}
    told = []
    for x, (name, says) in enumerate(papers_versions().items()):
        heavy = name == current
        ax.text(x, 2.6, f"DeepLab {name}", ha="center", weight="bold" if heavy else "normal")
        for y, part in enumerate(part for part in _PARTS if part in says):
            colour = _CHANGED if before and says[part] != before.get(part) else GREY
            box(ax, x, y, 0.92, 0.82, colour, linewidth=2.5 if heavy else 0.8)
            ax.text(x, y, says[part], ha="center", va="center", fontsize=9)
            if y:
                arrow(ax, (x, y - 0.59), (x, y - 0.41), mutation_scale=8)
        ax.text(x, -0.48, "\n".join(list(says.values())[-3:]), ha="center", va="top", fontsize=9)
        changed = [text for part, text in says.items() if text != before.get(part)]
        told.append(f"{name}: {'; '.join(changed).replace(chr(10), ', ')}.")
        before = says
    frame = f", with a frame around {current}" * (current is not None)
    say(ax, f"DeepLab from v1 to v3+{frame}, what each version changed and what it costs. {' '.join(told)}")
    ax.set(xlim=(-0.5, 3.5), ylim=(-1.4, 2.85))
    ax.axis("off")
    figure.legend(
        handles=legend_patches({"changed": _CHANGED, "as before": GREY}), loc="outside lower center", ncols=2
    )
