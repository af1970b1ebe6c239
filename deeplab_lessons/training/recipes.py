"""The class-size training of lesson 05: one network, one data set, minutes on two cores."""

from __future__ import annotations

import torch

from deeplab_lessons import runtime
from deeplab_lessons.datasets import Embedded, transforms
from deeplab_lessons.models import DeepLabV1, deeplab_v1

SIZE = 128  # side of a scene in pixels: a map of 16 x 16 cells

#: Heads after the paper's table 2, with its rates divided by 4: fc6 covers 7, 3 and 7 of the map's 16 cells.
HEADS = {
    "7x7": {"kernel_size": 7, "rate": 1},
    "small field": {"kernel_size": 3, "rate": 1},
    "LargeFOV": {"kernel_size": 3, "rate": 3},
}

#: What `train` is given.
CLASS_RECIPE = {"iterations": 1200, "batch_size": 4, "lr": 0.05, "schedule": "poly", "channels_last": True}


def class_network(head: str = "LargeFOV", seed: int | None = None) -> DeepLabV1:
    """DeepLab v1 at an eighth of VGG16's width, with random weights drawn from `seed` (the course's by default).

    Batch norm takes the place of ImageNet weights, without which plain VGG16 hardly begins to learn, and there
    is no dropout: a network so small needs none. Raises KeyError for a head that is not in `HEADS`.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(runtime.seed() if seed is None else seed)
        return deeplab_v1(
            num_classes=len(Embedded.classes), width=1 / 8, batch_norm=True, dropout=0.0, **HEADS[head]
        )


def class_data(train: int = 1000, val: int = 100) -> tuple[Embedded, Embedded]:
    """The first scenes of the embedded set to train on (mirrored at random) and to measure on."""
    scenes = Embedded("train", train, SIZE, transforms.train(SIZE, scale=None))
    return scenes, Embedded("val", val, SIZE)
