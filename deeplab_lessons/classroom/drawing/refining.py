"""Figures of lesson 06: outlines over an image, and a refinement step by step."""

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


def show_refinement(image, truth, steps: dict) -> None:
    """Draw for each step, {name: q [2, H, W]}, the probability of label 1 above and the outlines below."""
    _, axes = plt.subplots(2, len(steps), figsize=(8, 4.3), squeeze=False)
    for (top, bottom), (name, q) in zip(axes.T, steps.items(), strict=True):
        show_image(top, np.asarray(q[1]), name)
        show_outlines(bottom, image, truth, q.argmax(0))
        say(bottom, f"{name}, {bottom.get_label()}")
