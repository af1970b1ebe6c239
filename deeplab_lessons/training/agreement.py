"""What a training that is continued must share with its beginning, beside its settings: data, network, processes."""

import contextlib
import hashlib
import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torchvision

from deeplab_lessons import parallel
from deeplab_lessons.datasets import Pairs
from deeplab_lessons.datasets.folders import FilePairs
from deeplab_lessons.grid import Grid
from deeplab_lessons.inference import own_modes
from deeplab_lessons.training.batches import checked_pair
from deeplab_lessons.training.checkpoints import plain

#: Known by what torch and torchvision print, which another version of theirs may print in another way.
_PRINTED = ("network", "transforms", "validation transforms", "printed by")


def facts(
    model: torch.nn.Module, grid: Grid, dataset: Sequence | Pairs, validation: Sequence | Pairs | None
) -> dict:
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
    known |= {
        name: _mark(part.tobytes())
        for name, part in zip(("first image", "first labels"), first, strict=False)
    }
    return {**known, "samples": len(dataset)}


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Return, by name, what was and what is, as text, of the facts that both hold and that are not the same."""
    names = [name for name in now if name in before and before[name] != now[name]]
    if "printed by" in names:
        names = [name for name in names if name not in _PRINTED]
    return {name: _told_apart(before[name], now[name]) for name in names}


def _told_apart(old: Any, new: Any) -> tuple[str, str]:
    """Two values as text; of lists and tuples the first entries that differ."""
    if isinstance(old, (list, tuple)) and isinstance(new, (list, tuple)):
        pairs = itertools.zip_longest(old, new, fillvalue="nothing")
        old, new = next(pair for pair in pairs if pair[0] != pair[1])
    return str(old), str(new)


def _lines(thing: object) -> list[str]:
    """What is printed of a thing, without where it is in memory."""
    return [re.sub(r" at 0x[0-9a-f]+", "", line).strip() for line in repr(thing).splitlines()]


def _mark(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:8]
