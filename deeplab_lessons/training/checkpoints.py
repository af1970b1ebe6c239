"""Checkpoints: whole or not at all, and refused with a reason where they do not fit.

A checkpoint holds the model, the optimiser, how many iterations are done, the history and the settings. The
seed among the settings is the whole state of the random generators, because each iteration seeds them anew.
"""

import contextlib
import os
from pathlib import Path
from typing import BinaryIO

import torch

FORMAT = "deeplab-lessons checkpoint, version 1"


class CheckpointError(RuntimeError):
    """A checkpoint could not be written, read or used; the message names the file."""


def save_checkpoint(content: dict, path: str | Path) -> None:
    """Write `content` (tensors, numbers, text, lists, dicts) to `path`; the old file stays until all is written.

    The new file is written beside it as `NAME.part`, forced to disk and renamed. Raises CheckpointError if
    the folder cannot be written or the disk is full.
    """
    path = Path(path)
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(part, "wb") as file:
            torch.save({"format": FORMAT, **content}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except (OSError, RuntimeError) as error:
        with contextlib.suppress(OSError):
            part.unlink()
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise CheckpointError(
            f"could not write the checkpoint {path}: {reason}. "
            "An older one under this name is untouched. Is the folder writable, and the disk not full?"
        ) from error


def load_checkpoint(path: str | Path) -> dict:
    """Read a checkpoint to the CPU, as data only: nothing in the file is executed (`weights_only=True`).

    Raises CheckpointError for a missing, broken or foreign file.
    """
    path = Path(path)
    try:
        with open(path, "rb") as file:
            content = _read(file, path)
    except FileNotFoundError:
        raise CheckpointError(
            f"there is no checkpoint {path}. Train one first, or correct the path."
        ) from None
    except OSError as error:
        raise CheckpointError(f"could not read the checkpoint {path}: {error.strerror}") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        keys = ", ".join(map(str, list(content)[:4])) if isinstance(content, dict) else type(content).__name__
        raise CheckpointError(
            f"{path} is a file of torch, but not a checkpoint of this course (it holds: {keys}). "
            "Plain weights are given to the model, not here."
        )
    return content


def _read(file: BinaryIO, path: Path) -> object:
    try:
        return torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # what a damaged file raises depends on where the damage is
        raise CheckpointError(
            f"{path} is not a checkpoint of this course, or it is damaged: it cannot be read as tensors and "
            "numbers. Delete it to train anew, or give another path."
        ) from error


def load_model(path: str | Path) -> tuple[torch.nn.Module, dict]:
    """The trained DeepLab in a checkpoint, ready to predict, and what was noted about it.

    Needs a checkpoint with `about["model"]`, the arguments of `models.deeplab`, as `deeplab-lessons train` writes
    it. Raises CheckpointError.
    """
    from deeplab_lessons.models import deeplab

    content = load_checkpoint(path)
    about = content.get("about", {})
    if "model" not in about:
        raise CheckpointError(
            f"{path} does not say which model it holds. Build that model yourself, then "
            "model.load_state_dict(load_checkpoint(path)['model']); or train with about={'model': {...}}."
        )
    model = deeplab(**about["model"])
    load_state_dict(model, content["model"], path)
    return model.eval(), about


def check_settings(path: str | Path, found: dict, wanted: dict) -> None:
    """Raise CheckpointError, naming each, if a training is resumed with other settings than it was begun."""
    changed = [
        f"{name} was {found.get(name)!r}, now {value!r}"
        for name, value in wanted.items()
        if found.get(name) != value
    ]
    if changed:
        raise CheckpointError(
            f"{path} was begun with other settings: {'; '.join(changed)}. To go on, give the old ones; "
            "to begin anew, pass resume=False or another path."
        )


def load_state_dict(model: torch.nn.Module, weights: dict, path: str | Path) -> None:
    """Load `weights` into `model`; CheckpointError naming the first names or shapes that differ."""
    own = model.state_dict()
    odd = [name for name in [*own, *weights] if (name in own) != (name in weights)]
    odd += [
        f"{name} {list(weights[name].shape)} for {list(own[name].shape)}"
        for name in own
        if name in weights and own[name].shape != weights[name].shape
    ]
    if odd:
        raise CheckpointError(
            f"{path} holds another model: {len(odd)} parts do not fit, for example {'; '.join(odd[:2])}. "
            "Build the model that it was made with, or give another path."
        )
    model.load_state_dict(weights)
