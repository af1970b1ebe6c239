"""Figures of lesson 06: outlines over an image, rows of panels, and curves with their names next to them."""

import matplotlib.pyplot as plt
import numpy as np

from deeplab_lessons.classroom.drawing.style import COLOURS, show_image
from deeplab_lessons.classroom.drawing.words import say


def show_outlines(ax, image, truth, drawn=None, title: str = "") -> None:
    """Show `image` with the true edge of label 1 in white and, if given, the drawn edge in orange."""
    show_image(ax, image, title)
    for labels, colour in ((truth, "white"), (drawn, COLOURS[1])):
        if labels is not None:
            ax.contour(np.asarray(labels), [0.5], colors=colour, linewidths=1.7)
    words = "an image with the true outline in white"
    if drawn is not None:
        missed = (np.asarray(drawn) != np.asarray(truth)).mean()
        words += f" and the drawn one in orange, between them {missed:.1%} of the pixels"
    say(ax, words)


def show_panels(panels: dict, height: float = 3.0) -> None:
    """Draw a row of images [H, W, 3] or grey maps [H, W], each under its name."""
    _, axes = plt.subplots(1, len(panels), figsize=(8, height), squeeze=False)
    for ax, (name, image) in zip(axes[0], panels.items(), strict=True):
        show_image(ax, image, name)


def show_refinement(image, truth, steps: dict) -> None:
    """Draw for each step, {name: q [2, H, W]}, the probability of label 1 above and the outlines below."""
    _, axes = plt.subplots(2, len(steps), figsize=(8, 4.3), squeeze=False)
    for (top, bottom), (name, q) in zip(axes.T, steps.items(), strict=True):
        show_image(top, np.asarray(q[1]), name)
        show_outlines(bottom, image, truth, q.argmax(0))
        say(bottom, f"{name}, {bottom.get_label()}")


def show_lines(ax, lines: dict, x=None, **labels) -> None:
    """Draw `lines`, {name: values}, each with markers of its own, and the legend to the right; `labels` go to `ax.set`.

    The values lie at `x`, which may be words, or at 0, 1, 2, …
    """
    for number, (name, values) in enumerate(lines.items()):
        places = range(len(values)) if x is None else x
        ax.plot(places, values, ("o-", "s-", "^--", "D:")[number % 4], label=name)
    ax.set(**labels)
    if len(lines) > 1:
        ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
