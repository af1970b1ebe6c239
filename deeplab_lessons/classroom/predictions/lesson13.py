"""Predictions of lesson 13: a split that leaks."""

import numpy as np
import torch

from deeplab_lessons import datasets, metrics
from deeplab_lessons.classroom.predictions.framework import Answer, number
from deeplab_lessons.metrics.label_maps import IGNORE_INDEX


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
    scenes = [datasets.scene(number, 128, "train") for number in range(16)]
    windows = [slice(start, start + 96) for start in range(0, 16, 2)]
    images, labels = ([scene[part][w, w] for scene in scenes for w in windows] for part in (0, 1))
    seen = torch.tensor(np.stack(images)).flatten(1).float()
    order = np.random.default_rng(0).permutation(len(images))
    learned, measured = np.split(order, [3 * len(order) // 4])
    nearest = learned[torch.cdist(seen[measured], seen[learned]).argmin(1)]
    copies = [np.where(labels[n] == IGNORE_INDEX, 0, labels[n]) for n in nearest]
    pairs = zip(copies, (labels[number] for number in measured), strict=True)
    reached = 100 * metrics.mean_iou(sum(metrics.confusion_matrix(*pair, 6) for pair in pairs))
    return Answer(round(reached), shows=f"frames at random: {reached:.0f} %")
