"""Checkpoints: whole or not at all, and refused with a reason where they do not fit.

The seed among the settings is the whole state of the random generators: each iteration seeds them again.
"""

import copy
import glob
import numbers
import zipfile
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import torch

from deeplab_lessons.backbones import stored
from deeplab_lessons.backbones.weights import mismatches
from deeplab_lessons.files import whole_file
from deeplab_lessons.models import deeplab

FORMAT = f"{stored.FORMAT}1"


class CheckpointError(RuntimeError):
    """A checkpoint could not be written, read or used; the message names the file."""


class OtherSettings(CheckpointError):
    """A training was begun with other settings: `changed` has the old and the new of each, as text, by its name."""

    def __init__(self, path: str | Path, changed: dict[str, tuple[str, str]]):
        self.path, self.changed = path, changed
        last = sorted(
            changed, key=lambda name: name in ("files", "first image", "first labels")
        )  # only marks
        changes = "; ".join(f"{name} was {changed[name][0]}, now {changed[name][1]}" for name in last)
        super().__init__(
            f"{path} was begun with other settings: {changes}. To continue, pass the old ones; "
            "to begin afresh, pass resume=False or another path."
        )


def plain(value: Any, name: str) -> Any:
    """Return `value` as a checkpoint holds it: numbers, text, tensors, lists, tuples and dicts of Python and torch.

    Numpy's numbers and arrays, paths, fractions and sets become such; ValueError with `name` for anything else.
    """
    if isinstance(value, (np.generic, np.ndarray)):
        value = value.tolist()
    if isinstance(value, torch.Tensor):
        return value if type(value) in (torch.Tensor, torch.nn.Parameter) else value.as_subclass(torch.Tensor)
    if value is None or isinstance(value, (bool, bytes, torch.dtype, torch.device)):
        return value
    if isinstance(value, (str, Path)):
        return str(value)
    if isinstance(value, numbers.Real):
        return int(value) if isinstance(value, numbers.Integral) else float(value)
    if isinstance(value, Mapping):
        made = copy.copy(value) if type(value) is OrderedDict else {}  # a state dict carries its version
        made.update((plain(key, name), plain(part, f"{name}[{key!r}]")) for key, part in value.items())
        return made
    if isinstance(value, (list, tuple, range, set, frozenset)):
        parts = [plain(part, f"{name}[{place}]") for place, part in enumerate(value)]
        return tuple(parts) if isinstance(value, tuple) else parts
    raise ValueError(
        f"{name} must be numbers, text, tensors, lists or dicts to be kept in a checkpoint, got "
        f"{type(value).__name__}: pass it as text, or leave it out"
    )


def save_checkpoint(content: dict, path: str | Path) -> None:
    """Write `content` (see `plain`) to `path`, by way of a file next to it that no other writer has.

    Raises ValueError for what cannot be kept, and CheckpointError if the folder cannot be written or the disk is full;
    then the old file is left.
    """
    kept = {name: plain(part, name) for name, part in content.items()}
    try:
        with whole_file(path) as part, open(part, "wb") as file:
            torch.save({"format": FORMAT, **kept}, file)
    except (OSError, RuntimeError) as error:
        raise _not_written(path, error) from error


def _not_written(path: str | Path, error: Exception) -> CheckpointError:
    reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
    return CheckpointError(
        f"could not write the checkpoint {path}: {reason}. "
        "An older one under this name is untouched. Is the folder writable, and the disk not full?"
    )


@contextmanager
def training_into(*paths: Path | None) -> Iterator[None]:
    """Keep every other training from `paths` within this block; CheckpointError if one writes there already.

    The sign is a locked file next to each, which the system unlocks when its process ends, however that comes. Parts of
    files that a killed training left are removed.
    """
    with ExitStack() as locks:
        for path in filter(None, paths):
            locks.enter_context(_locked(path))
        yield


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    sign = path.with_name(f".{path.name}.lock")
    lock = filelock.FileLock(sign)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(blocking=False)
    except filelock.Timeout as error:
        raise CheckpointError(
            f"another training writes to {path} now, perhaps in another notebook: wait, stop it, or pass another path"
        ) from error
    except OSError as error:
        raise _not_written(path, error) from error
    try:
        for part in path.parent.glob(f".{glob.escape(path.name)}.{'[0-9a-f]' * 8}.part"):
            part.unlink(missing_ok=True)
        yield
    finally:
        with suppress(OSError):  # Windows removes no open file
            sign.unlink()
        lock.release()


def read(path: str | Path) -> Any:
    """Return what any file of torch holds, as data only; CheckpointError if it cannot be read."""
    try:
        return stored.read(path)
    except FileNotFoundError:
        raise CheckpointError(f"there is no checkpoint {path}: train one, or correct the path") from None
    except OSError as error:
        raise CheckpointError(f"could not read the checkpoint {path}: {error.strerror}") from error
    except RuntimeError as error:
        raise CheckpointError(f"{error}. Pass a checkpoint that a training of this course wrote.") from error


def load_checkpoint(path: str | Path) -> dict:
    """Read a checkpoint to the CPU, as data only: nothing in the file is executed.

    Raises CheckpointError for a missing, broken or foreign file, and for one of another edition of the course.
    """
    content = read(path)
    told = content.get("format") if isinstance(content, Mapping) else None
    if str(told).startswith(stored.FORMAT) and told != FORMAT:
        raise CheckpointError(f"{path} is a {told}, and this edition of the course reads {FORMAT}: update it")
    if told != FORMAT:
        raise CheckpointError(
            f"{path} is not a checkpoint of this course (it holds: {stored.contents(content)}): pass weights to a model"
        )
    if (broken := zipfile.ZipFile(path).testzip()) is not None:
        raise CheckpointError(f"{path} is damaged ({broken}): bring a whole copy, or train again elsewhere")
    return content


def load_model(path: str | Path) -> tuple[torch.nn.Module, dict]:
    """Return the trained DeepLab in a checkpoint, ready to predict, and what was noted `about` it.

    Raises CheckpointError if `about["model"]`, the arguments of `models.deeplab`, is missing.
    """
    content = load_checkpoint(path)
    about = content.get("about", {})
    if "model" not in about.keys() & content.keys():
        raise CheckpointError(
            f"{path} does not say which model it holds. Build that model yourself, then "
            "model.load_state_dict(load_checkpoint(path)['model']); or train with about={'model': {...}}."
        )
    model = deeplab(**about["model"])
    load_state_dict(model, content["model"], path)
    if isinstance(data := about.get("data"), str):  # as the first edition noted it
        about["data"] = {"name": data}
    return model.eval(), about


def load_state_dict(model: torch.nn.Module, state: Mapping[str, torch.Tensor], path: str | Path) -> None:
    """Load `state`, read from `path`, into `model`; CheckpointError names the first parts that do not fit."""
    if not state.keys() & model.state_dict().keys():  # as DataParallel names them
        state = {name.removeprefix("module."): value for name, value in state.items()}
    *wrong, ruined = mismatches(model, state)
    if parts := [phrase for phrases in wrong for phrase in phrases]:
        raise CheckpointError(
            f"{path} holds another model: {len(parts)} parts do not fit, for example {'; '.join(parts[:2])}. "
            "Build the model that it was made with, or pass another path."
        )
    if ruined:
        raise CheckpointError(f"{path} is ruined: {ruined[0]}. Pass another path, or train again.")
    if state.keys() != model.state_dict().keys():
        state = dict(state)  # without torch's notes of versions it may lack batch norm's counters
    model.load_state_dict(state)
