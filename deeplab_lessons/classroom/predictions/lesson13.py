"""Predictions of lesson 13: a mask that is half void, a baseline, and a split that leaks."""

import numpy as np

from deeplab_lessons.classroom.copyist import by_copying, frames_of_clips
from deeplab_lessons.classroom.predictions.framework import Answer, number


@number(
    "What mIoU does the copyist reach on the frames that are held back at random?",
    unit="%",
    tolerance=8,
    slips={
        100: "The nearest frame is not the same one. Windows move, and copied outlines lie beside the true ones.",
        80: "You thought of pixels. Poles and wires are thin: moved by two pixels they miss, and mIoU counts classes.",
        16: "So little it reaches only on clips that it has never seen. Here nearly every frame has a neighbour.",
        0: "It has learned nothing, but it remembers. Nearly every frame held back has a neighbour in training.",
    },
)
def copied_at_random():
    frames = frames_of_clips()
    order = np.random.default_rng(0).permutation(len(frames)).tolist()
    border = 3 * len(order) // 4
    reached = by_copying(frames, order[:border], order[border:])
    return Answer(round(reached), shows=f"frames at random: {reached:.0f} %")
