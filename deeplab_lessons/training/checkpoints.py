"""Checkpoints: whole or not at all, and refused with a reason where they do not fit.

The seed among the settings is the whole state of the random generators: each iteration seeds them anew.
"""

import io
from pathlib import Path

import torch

from deeplab_lessons.backbones.weights import mismatches
from deeplab_lessons.files import whole_file
from deeplab_lessons.models import deeplab

FORMAT = "deeplab-lessons checkpoint, version 1"


class CheckpointError(RuntimeError):
    """A checkpoint could not be written, read or used; the message names the file."""


def save_checkpoint(content: dict, path: str | Path) -> None:
    """Write `content` (tensors, numbers, text, lists, dicts) to `path`, by way of `NAME.part` beside it.

    Raises CheckpointError if the folder cannot be written or the disk is full; then the old file is left.
    """
    try:
        with whole_file(path, f"{path}.part") as part, open(part, "wb") as file:
            torch.save({"format": FORMAT, **content}, file)
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise CheckpointError(
            f"could not write the checkpoint {path}: {reason}. "
            "An older one under this name is untouched. Is the folder writable, and the disk not full?"
        ) from error


def load_checkpoint(path: str | Path) -> dict:
    """Read a checkpoint to the CPU, as data only: nothing in the file is executed (`weights_only=True`).

    Raises CheckpointError for a missing, broken or foreign file.
    """
    try:
        stored = Path(path).read_bytes()
    except FileNotFoundError:
        raise CheckpointError(
            f"there is no checkpoint {path}: train one first, or correct the path"
        ) from None
    except OSError as error:
        raise CheckpointError(f"could not read the checkpoint {path}: {error.strerror}") from error
    try:
        content = torch.load(io.BytesIO(stored), map_location="cpu", weights_only=True)
    except Exception as error:  # what a damaged file raises depends on where the damage is
        raise CheckpointError(
            f"{path} is not a checkpoint of this course, or it is damaged: it cannot be read as tensors and "
            "numbers. Delete it to train afresh, or pass another path."
        ) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        keys = ", ".join(map(str, list(content)[:4])) if isinstance(content, dict) else type(content).__name__
        raise CheckpointError(
            f"{path} is a file of torch, but not a checkpoint of this course (it holds: {keys}). "
            "Pass plain weights to the model, not here."
        )
    return content


def load_model(path: str | Path) -> tuple[torch.nn.Module, dict]:
    """Return the trained DeepLab in a checkpoint, ready to predict, and what was noted `about` it.

    Raises CheckpointError if `about["model"]`, the arguments of `models.deeplab`, is missing.
    """
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


def load_state_dict(model: torch.nn.Module, state: dict, path: str | Path) -> None:
    """Load `state`, read from `path`, into `model`; CheckpointError names the first parts that do not fit."""
    wrong = [phrase for phrases in mismatches(model, state) for phrase in phrases]
    if wrong:
        raise CheckpointError(
            f"{path} holds another model: {len(wrong)} parts do not fit, for example {'; '.join(wrong[:2])}. "
            "Build the model that it was made with, or pass another path."
        )
    model.load_state_dict(state)
