"""Predictions of lesson 13: black and white masks, a baseline, three results of which one is honest, a leak."""

from importlib import resources

import numpy as np

from deeplab_lessons import metrics
from deeplab_lessons.classroom import own_set
from deeplab_lessons.classroom.copyist import by_copying, frames_of_clips
from deeplab_lessons.classroom.predictions.framework import Answer, choice, number
from deeplab_lessons.datasets import IGNORE_INDEX, polygons, reading, splits

THINGS = own_set.CLASSES[1:]


def _labels(name: str) -> np.ndarray:
    """Labels [H, W] of a photograph of the supplied set, at its own size."""
    path = resources.files(own_set) / f"{name.partition('/')[2]}.json"
    return polygons.read_labelme(path, own_set.CLASSES)


@number(
    "A cup covers 30% of each mask, saved as 0 and 255. Without `ids`, what percentage of the pixels can teach the "
    "network?",
    unit="%",
    slips={
        100: "Every pixel has a number, but 255 means void, and void is left out of the loss.",
        30: "These are the cup's pixels, and they are the ones that are lost: 255 means void.",
        0: "The black pixels, 0, are still a class: background.",
    },
)
def pixels_that_teach():
    mask = np.repeat(np.array([0, 255], np.uint8), (70, 30))
    labels = reading.class_table(reading.identity(2), 2)[mask]
    left = 100 * np.mean(labels != IGNORE_INDEX)
    return Answer(round(left), shows=f"{left:.2f} %  0 background")


@number(
    "More than half of val's pixels are background. If a network always says background, what is its mIoU over four "
    "classes?",
    unit="%",
    tolerance=3,
    slips={
        100
        / 4: "One class of four, but its IoU is not 100%: background was also said where other things are.",
        4
        * 14.5: "This is the fraction of right pixels. mIoU counts three more classes, each with an IoU of 0.",
        0: "Three classes have an IoU of 0. Background does not: most of what was said is right.",
    },
)
def miou_of_background():
    maps = [_labels(name) for name in own_set.PHOTOGRAPHS if name.startswith("val/")]
    confusion = sum(
        metrics.confusion_matrix(np.zeros_like(each), each, len(own_set.CLASSES)) for each in maps
    )
    reached = 100 * metrics.mean_iou(confusion)
    return Answer(round(reached, 1), shows=f"always background: mIoU {reached:.1f} %")


@choice(
    "Officer, coins_3 and motorcycle_2 are measured. Which one of the three classes' IoU tells you something about new "
    "photos?",
    THINGS,
    slips={
        "coin": "These are other coins, but in the same photo: one table, one light, one camera.",
        "motorcycle": "The other photo shows the same motorcycle, 19 cm further to the right.",
    },
)
def honest_class():
    sides = {name: name.partition("/")[0] for name in own_set.PHOTOGRAPHS}
    names = [name.partition("/")[2] for name in sides]
    seen = {
        group for group, side in zip(splits.groups(names), sides.values(), strict=True) if side == "train"
    }
    alone = next(
        name
        for name, group in zip(sides, splits.groups(names), strict=True)
        if sides[name] == "val" and group not in seen
    )
    label = np.bincount(_labels(alone)[_labels(alone) != IGNORE_INDEX])[1:].argmax() + 1
    return Answer(own_set.CLASSES[label], shows=alone.partition("/")[2])


@number(
    "What mIoU does the copyist reach on the frames that are held back at random?",
    unit="%",
    tolerance=8,
    slips={
        100: "The nearest frame is not the same one. Windows move, and copied outlines lie next to the true ones.",
        80: "You thought of pixels. Poles and wires are thin: moved by two pixels they miss, and mIoU counts classes.",
        16: "It reaches so little only on clips that it has never seen. Here nearly every frame has a neighbour.",
        0: "It has learned nothing, but it remembers. Nearly every frame held back has a neighbour in training.",
    },
)
def copied_at_random():
    frames = frames_of_clips()
    order = np.random.default_rng(0).permutation(len(frames)).tolist()
    border = 3 * len(order) // 4
    reached = by_copying(frames, order[:border], order[border:])
    return Answer(round(reached), shows=f"frames at random: {reached:.0f} %")
