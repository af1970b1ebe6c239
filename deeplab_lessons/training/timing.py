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
from deeplab_lessons.training.batches import own_randomness
from deeplab_lessons.training.loop import train

#: Steps that are timed, without the first, and what else differs from the training.
_SHORT = {"iterations": 4, "validate_every": 1, "checkpoint": None, "progress": False, "class_weights": None}


def time_needed(
    model: torch.nn.Module,
    dataset: Sequence | Pairs,
    validation: Sequence | Pairs | None = None,
    **settings: Any,
) -> float:
    """Return about how many seconds `train` with these arguments will take on this machine, from a few steps.

    They are made on a copy of the network: nothing that the training depends on is changed. What else the machine does
    meanwhile counts. Raises what `train` raises.
    """
    validation, trained = validation or (), copy.deepcopy(model)
    stamps, shown = list[float](), list[float]()
    watch = {"watch": lambda *_: stamps.append(time.monotonic())}
    with warnings.catch_warnings(), own_randomness(torch.device("cpu")):
        warnings.simplefilter("ignore")  # the training itself will say them
        if not train(trained, dataset, **{**settings, **_SHORT, **watch}).finished:
            raise KeyboardInterrupt
        for index in range(min(2, len(validation))):
            began = time.monotonic()
            inference.scores(trained, validation[index][0], settings.get("grid")).cpu()
            shown.append(time.monotonic() - began)
    iterations, step = settings["iterations"], median(end - begin for begin, end in pairwise(stamps))
    validations = -(-iterations // (settings.get("validate_every") or max(iterations // 10, 1)))
    return iterations * step + validations * len(validation) * min(shown, default=0)
