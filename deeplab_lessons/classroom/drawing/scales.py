"""Figures of lesson 09: fields around a crop, gains by size, a curve over the dilation."""

from collections.abc import Mapping, Sequence

import numpy as np

from deeplab_lessons.classroom.drawing.fields import show_box
from deeplab_lessons.classroom.drawing.style import COLOURS
from deeplab_lessons.classroom.drawing.words import listed, say


def show_fields(ax, photo: np.ndarray, fields: Mapping[str, tuple[int, int]]) -> None:
    """Draw square fields, name -> (first, last) row and column in pixels, over a photo and the padding around it."""
    ax.imshow(photo // 8 * 8)  # few shades: a small file
    for (name, (first, last)), colour in zip(fields.items(), COLOURS, strict=False):
        show_box(ax, (first, first, last, last), colour, name)
    least, most = min(first for first, _ in fields.values()), max(last for _, last in fields.values())
    ax.set(xlim=(least - 15, most + 15), ylim=(most + 15, least - 15))
    ax.set(xlabel="column (pixels)", ylabel="row (pixels)")
    sides = [f"{name} {last - first + 1} px" for name, (first, last) in fields.items()]
    say(ax, f"square fields over a photo of {len(photo)} px and the padding around it: {listed(sides)}")


def show_gains_by_size(ax, gains: Mapping[str, np.ndarray], sizes: Sequence[str]) -> None:
    """Draw what networks gain for signs of each size: name -> points [seeds, sizes], a dot each, a bar at the mean."""
    for number, (name, points) in enumerate(gains.items()):
        x = np.arange(len(sizes)) + 0.14 * (number - (len(gains) - 1) / 2)
        ax.plot(x, np.transpose(points), "o", color=COLOURS[number], alpha=0.5)
        style = {"markersize": 14, "markeredgewidth": 3, "label": name}
        ax.plot(x, np.mean(points, 0), "_", color=COLOURS[number], **style)
    ax.axhline(0, color="black", lw=1)
    ax.set(title="How much better than a fixed field?", ylabel="IoU of the signs (points)")
    ax.set_xticks(range(len(sizes)), sizes)
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))


def show_dilations(
    ax,
    single: Mapping[int, Sequence[float]],
    others: Mapping[str, Sequence[float]],
    on_map: Mapping[int, float],
) -> None:
    """Draw the mIoU (%) of single branches over their dilation, one dot per seed and a line through the means.

    `others` are heads without one dilation, each a line at its mean over a band of its spread. Under each dilation
    is the fraction of the eight outer taps that are on the map, `on_map`.
    """
    x = np.arange(len(single))
    for (name, values), colour, style in zip(
        others.items(), (COLOURS[6], COLOURS[2]), ("--", ":"), strict=False
    ):
        ax.axhline(np.mean(values), color=colour, ls=style, label=name)
        ax.axhspan(min(values), max(values), color=colour, alpha=0.12, lw=0)
    for place, values in zip(x, single.values(), strict=True):
        ax.plot([place] * len(values), values, "o", color=COLOURS[0], alpha=0.4)
    ax.plot(
        x, [np.mean(values) for values in single.values()], color=COLOURS[0], label="one branch, kernel 3 × 3"
    )
    ax.set(title="What does one branch gain by its dilation?", ylabel="mIoU (%)", xlabel="dilation (cells)")
    ax.set_xticks(x, [f"{rate}\n{on_map[rate]:.0%}\non the map" for rate in single])
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
