"""What a checkpoint states about its training: all that its use needs, and what must agree when it is continued."""

import contextlib
import hashlib
import itertools
import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import median
from typing import Any

import torch
import torchvision

import deeplab_lessons
from deeplab_lessons import overlays, parallel
from deeplab_lessons.datasets import SETS, Pairs
from deeplab_lessons.datasets.folders import FilePairs
from deeplab_lessons.datasets.pairs import Data
from deeplab_lessons.grid import Grid, unwrapped
from deeplab_lessons.inference import Scores, own_modes
from deeplab_lessons.training.batches import checked_pair
from deeplab_lessons.training.checkpoints import plain

_MEASURED = 9  # images of which the size is read
#: Known by what torch and torchvision print, which another version of theirs may print in another way.
_PRINTED = ("network", "transforms", "validation transforms", "printed by")


def about(model: torch.nn.Module, dataset: Data, validation: Data | None, given: Mapping) -> dict[str, Any]:
    """Return what is known of a training, as far as it is stated; what is `given` comes first.

    `model`: the arguments of `models.deeplab`. `classes`, `palette`, and `background`, the class that leaves a
    photograph as it is (0 or None). `data`: `name` (in `datasets.SETS`, or the kind), `split`, the numbers of `pairs`
    and `validation` pairs, and as `folder` the arguments of a `Folder`. `versions`. `longest_side`: of the images, in
    pixels (median).
    """
    pairs, data = original(dataset)[0], given.get("data", {})
    source = {key: getattr(pairs, key) for key in ("split", "folder") if hasattr(pairs, key)}
    names = (name for name, (kind, *_) in SETS.items() if kind is type(pairs))
    source |= {"name": next(names, type(pairs).__name__), "pairs": len(dataset)}
    source["validation"] = len(validation or ())
    versions = {each.__name__: str(each.__version__) for each in (torch, torchvision, deeplab_lessons)}
    known: dict[str, Any] = {"versions": {**versions, "Python": platform.python_version()}}
    if hasattr(network := unwrapped(model), "arguments"):
        known["model"] = network.arguments
    if isinstance(pairs, Pairs):
        known |= {"classes": list(pairs.classes), "palette": pairs.palette.tolist()}
        known["background"] = overlays.background_of(pairs.classes)
        spread = range(0, len(pairs), -(-len(pairs) // _MEASURED))
        known["longest_side"] = int(median(max(pairs.pair(index)[0].shape[:2]) for index in spread))
    return {**known, **given, "data": {**source, **(data if isinstance(data, Mapping) else {"name": data})}}


def original(dataset: Any) -> tuple[Any, Sequence[int]]:
    """Return the data set of which `dataset` is a `Subset`, and the indices in it; or itself and all its indices."""
    indices: Sequence[int] = range(len(dataset))
    while isinstance(dataset, torch.utils.data.Subset):
        dataset, indices = dataset.dataset, [dataset.indices[index] for index in indices]
    return dataset, indices


def measured(scores: Scores, iteration: int, classes: Sequence[str]) -> dict[str, Any]:
    """Return what a validation found: mIoU, the `iou` of the classes in that mean, and those `missing` in it."""
    if len(classes) == len(scores.confusion):
        scores = replace(scores, classes=tuple(classes))
    found = {name: value for name, value in scores.iou.items() if name not in scores.missing}
    return {"iteration": iteration, "mean_iou": scores.mean_iou, "iou": found, "missing": scores.missing}


def facts(model: torch.nn.Module, grid: Grid, dataset: Data, validation: Data | None) -> dict:
    """Return what can be known cheaply of all that the result depends on: plain numbers, text and lists."""
    with own_modes(model):
        network = _lines(model.train())
    measured = {} if validation is None else {f"validation {name}": v for name, v in data(validation).items()}
    still = [name for name, weight in model.named_parameters() if not weight.requires_grad]
    return {
        **data(dataset), **measured, "grid": str(grid), "processes": parallel.world_size(),
        "weights that do not learn": still, "network": network,
        "printed by": f"torch {torch.__version__}, torchvision {torchvision.__version__}",
    }  # fmt: skip


def data(dataset: Any) -> dict[str, Any]:
    """Return what tells one data set from another: its kind and what it states, its files' names, its first pair."""
    known: dict[str, Any] = data(dataset.dataset) if isinstance(dataset, torch.utils.data.Subset) else {}
    if isinstance(dataset, torch.utils.data.Dataset):
        known["data set"] = type(dataset).__name__
    for name in ("split", "size", "classes", "indices"):
        with contextlib.suppress(AttributeError, ValueError):  # not stated, or something else of this name
            known[name] = plain(getattr(dataset, name), name)
    if hasattr(dataset, "transforms"):
        known["transforms"] = _lines(dataset.transforms)
    if isinstance(dataset, FilePairs):
        known["files"] = _mark("\n".join(path.name for pair in dataset.files for path in pair).encode())
    first: Sequence[Any] = ()
    if isinstance(dataset, Pairs) and len(dataset):
        first = dataset.pair(0)
    elif isinstance(dataset, (list, tuple)) and dataset:
        first = [part.cpu().numpy() for part in checked_pair(*dataset[0])]
    names = "first image", "first labels"
    known |= {name: _mark(part.tobytes()) for name, part in zip(names, first, strict=False)}
    return {**known, "samples": len(dataset)}


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Return, by name, what was and what is, as text, of the facts that both hold and that are not the same."""
    names = [name for name in now if name in before and _listed(before[name]) != _listed(now[name])]
    if "printed by" in names:
        names = [name for name in names if name not in _PRINTED]
    return {name: _told_apart(before[name], now[name]) for name in names}


def _listed(value: Any) -> Any:
    """A value with lists for its tuples: the two mean the same."""
    return [_listed(part) for part in value] if isinstance(value, (list, tuple)) else value


def _told_apart(old: Any, new: Any) -> tuple[str, str]:
    """Two values as text; of lists and tuples the first entries that differ."""
    if isinstance(old, (list, tuple)) and isinstance(new, (list, tuple)):
        pairs = itertools.zip_longest(_listed(old), _listed(new), fillvalue="nothing")
        old, new = next(pair for pair in pairs if pair[0] != pair[1])
    return str(old), str(new)


def _lines(thing: object) -> list[str]:
    """What is printed of a thing, without where it is in memory."""
    return [re.sub(r" at 0x[0-9a-f]+", "", line).strip() for line in repr(thing).splitlines()]


def _mark(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:8]
