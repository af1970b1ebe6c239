"""How long a training will take, from its own first steps on a copy of the network."""

import copy
import time
import warnings
from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import Any

import torch

from deeplab_lessons import inference
from deeplab_lessons.datasets import Pairs
from deeplab_lessons.training.loop import train

_STEPS, _IMAGES = 4, 2  # that are timed; the first one of each is slower


def time_needed(
    model: torch.nn.Module,
    dataset: Sequence | Pairs,
    validation: Sequence | Pairs | None = None,
    **settings: Any,
) -> float:
    """Return about how many seconds `train` with these arguments will take on this machine, from a few steps.

    They are made on a copy of the network: nothing that the training depends on is changed. What else the machine does
    meanwhile counts, so expect a fifth more or less. Raises what `train` raises.
    """
    trained, stamps = copy.deepcopy(model), list[float]()
    short = {
        "iterations": _STEPS,
        "validate_every": 1,
        "checkpoint": None,
        "progress": False,
        "class_weights": None,
    }
    with warnings.catch_warnings():  # the training itself will say them
        warnings.simplefilter("ignore")
        watch = {"watch": lambda *_: stamps.append(time.monotonic())}
        if not train(trained, dataset, **{**settings, **short, **watch}).finished:
            raise KeyboardInterrupt
    needed = settings["iterations"] * median(end - begin for begin, end in pairwise(stamps))
    if validation is None or not len(validation):
        return needed
    shown = []
    for index in range(min(_IMAGES, len(validation))):
        began = time.monotonic()
        inference.scores(trained, validation[index][0], settings.get("grid")).cpu()
        shown.append(time.monotonic() - began)
    every = settings.get("validate_every") or max(settings["iterations"] // 10, 1)
    return needed + -(-settings["iterations"] // every) * len(validation) * min(shown)
