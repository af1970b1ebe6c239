"""What a checkpoint notes about its training, so that nothing has to be said again where it is used."""

import math
import platform
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

import torch
import torchvision

import deeplab_lessons
from deeplab_lessons.datasets import SETS, Pairs
from deeplab_lessons.grid import unwrapped
from deeplab_lessons.inference import Scores
from deeplab_lessons.overlays import background_of

_MEASURED = 9  # images of which the size is read


def about(
    model: torch.nn.Module, dataset: Sequence | Pairs, validation: Sequence | Pairs | None, given: Mapping
) -> dict[str, Any]:
    """Return what is known of a training, as far as it is stated; what is `given` comes first.

    `model`: the arguments of `models.deeplab`. `classes`, `palette`, and `background`, the class that leaves a
    photograph as it is (0 or None). `data`: `name` (in `datasets.SETS`, or the kind), `split`, the numbers of `pairs`
    and `validation` pairs, and as `folder` the arguments of a `Folder`. `versions`. `longest_side`: of the images, in
    pixels (median).
    """
    pairs, data = original(dataset)[0], given.get("data", {})
    source = {key: getattr(pairs, key) for key in ("split", "folder") if hasattr(pairs, key)}
    names = (name for name, (kind, *_) in SETS.items() if kind is type(pairs))
    source |= {
        "name": next(names, type(pairs).__name__),
        "pairs": len(dataset),
        "validation": len(validation or ()),
    }
    known: dict[str, Any] = {"versions": versions()}
    if hasattr(network := unwrapped(model), "arguments"):
        known["model"] = network.arguments
    if isinstance(pairs, Pairs):
        known |= {"classes": list(pairs.classes), "palette": pairs.palette.tolist()}
        known["background"] = background_of(pairs.classes)
        spread = range(0, len(pairs), -(-len(pairs) // _MEASURED))
        known["longest_side"] = int(median(max(pairs.pair(index)[0].shape[:2]) for index in spread))
    return {**known, **given, "data": {**source, **(data if isinstance(data, Mapping) else {"name": data})}}


def original(dataset: Any) -> tuple[Any, Sequence[int]]:
    """Return the data set of which `dataset` is a `Subset`, and the indices in it; or itself and all its indices."""
    indices: Sequence[int] = range(len(dataset))
    while isinstance(dataset, torch.utils.data.Subset):
        dataset, indices = dataset.dataset, [dataset.indices[index] for index in indices]
    return dataset, indices


def versions() -> dict[str, str]:
    """Return the versions of what computes."""
    return {
        "torch": str(torch.__version__), "torchvision": torchvision.__version__,
        "deeplab_lessons": deeplab_lessons.__version__, "Python": platform.python_version(),
    }  # fmt: skip


def measured(scores: Scores, iteration: int, classes: Sequence[str]) -> dict[str, Any]:
    """Return what a validation found: mIoU, the `iou` of the classes in that mean, and those `missing` in it."""
    names = classes if len(classes) == len(scores.iou) else list(scores.iou)
    each = dict(zip(names, scores.iou.values(), strict=True))
    found = {name: value for name, value in each.items() if not math.isnan(value)}
    missing = [name for name in each if name not in found]
    return {"iteration": iteration, "mean_iou": scores.mean_iou, "iou": found, "missing": missing}
