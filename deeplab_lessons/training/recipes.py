"""The class-size training of lesson 05: one network, one data set, minutes on two cores; its result is kept."""

import hashlib
import inspect
import sys
from pathlib import Path

import torch

from deeplab_lessons import runtime
from deeplab_lessons.datasets import Embedded, transforms
from deeplab_lessons.datasets import scenes as scenes_module
from deeplab_lessons.models import DeepLabV1, deeplab_v1
from deeplab_lessons.training.loop import train

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


def kept_as(head: str = "LargeFOV", seed: int | None = None) -> Path:
    """File in which the trained network is kept: another recipe or other scenes have another name."""
    told = inspect.getsource(scenes_module) + inspect.getsource(sys.modules[__name__])
    edition = hashlib.sha256(told.encode()).hexdigest()[:8]
    seed = runtime.seed() if seed is None else seed
    return runtime.cache_dir() / f"class-{head.replace(' ', '-')}-seed{seed}-{edition}.pt"


def trained(head: str = "LargeFOV", seed: int | None = None, progress: bool = True) -> DeepLabV1:
    """The class network, trained by the recipe and ready to predict, on the CPU.

    Lesson 05 trains and keeps it. Where it is not kept yet it is trained now, in a minute or two; a training
    that was interrupted goes on. Deleting the file (`kept_as`) trains it anew.
    """
    network, (scenes, _) = class_network(head, seed), class_data()
    train(network, scenes, seed=seed, checkpoint=kept_as(head, seed), progress=progress, **CLASS_RECIPE)
    return network.cpu().eval()
