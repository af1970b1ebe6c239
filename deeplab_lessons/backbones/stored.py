"""What a file of weights holds: read as data only, without what others wrap around it, or named for what it is."""

import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch

#: What a checkpoint of this course says of itself, before the number of its version.
FORMAT = "deeplab-lessons checkpoint, version "
#: Numbers of numpy's, which some checkpoints hold.
_NUMBERS: list = [np.dtype, np.float64(0).__reduce__()[0], *(type(np.dtype(kind)) for kind in "?bhilBHILefd")]
#: What DataParallel, torch.compile and a class around a network put before the name of every weight.
_WRAPPERS = {"module", "_orig_mod", "model", "net", "network"}
#: How files begin that are passed by mistake.
_BEGINNINGS = {
    (b"version https://git-lfs",): "is a Git LFS pointer instead of the file itself: run git lfs pull",
    (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"RIFF", b"BM", b"II*\0", b"MM\0*"): "is a picture",
    (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"Rar!"): "is an archive: unpack it first",
    (b"<", b"\xef\xbb\xbf<", b"\n<"): "is a web page that came instead of the file",
    (b"\x89HDF", b"\x93NUMPY", b"%PDF"): "is a file of another program (Keras, numpy or a PDF)",
}


def read(path: str | Path) -> Any:
    """Return what `torch.save` wrote to `path`, on the CPU; nothing in the file is executed (`weights_only=True`).

    Raises OSError for a file that cannot be opened, and RuntimeError, with what it is, for another kind of file.
    """
    with open(path, "rb") as file, torch.serialization.safe_globals(_NUMBERS), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return torch.load(file, map_location="cpu", weights_only=True)
        except Exception as error:  # what a damaged file raises depends on where the damage is
            file.seek(0)
            raise RuntimeError(f"{path} {_kind(file.read(1000), error)}") from error


def _kind(head: bytes, error: Exception) -> str:
    """What a file is that torch did not read, from its first bytes and torch's complaint."""
    for beginnings, kind in _BEGINNINGS.items():
        if head.startswith(beginnings):
            return kind
    if head[8:9] == b"{":
        return "is a safetensors file: load it with safetensors.torch.load_file, and torch.save what that returns"
    if all(byte >= 32 or byte in b"\t\n\r\f" for byte in head):
        return "is a text" if head else "is empty"
    pickled = isinstance(error, UnpicklingError) and head.startswith((b"PK", b"\x80"))
    if pickled or "TorchScript" in str(error):
        return "holds more than tensors, such as a whole model: where it was made, save model.state_dict() instead"
    return "is damaged, cut off or of another kind: bring a whole copy, or pass another file"


def state_dict_in(content: Any, source: str) -> dict[str, torch.Tensor]:
    """Return the one state dict in `content`, however deep, its names without a wrapper's; `source` says where from.

    Raises RuntimeError where there is none, or more than one.
    """
    found = dict(_state_dicts(content, "")) if content != {} else {"": content}
    if not found:
        raise RuntimeError(f"{source} holds no weights, but: {contents(content)}")
    if len(found) > 1:
        raise RuntimeError(f"{source} holds several sets of weights, {' and '.join(found)}: pass one")
    (state,) = found.values()
    while len(starts := {name.partition(".")[0] for name in state}) == 1 and starts <= _WRAPPERS:
        state = {name.partition(".")[2]: tensor for name, tensor in state.items()}
    return {name.replace("_orig_mod.", ""): tensor for name, tensor in state.items()}


def contents(content: Any) -> str:
    """Return in words what a file holds: its first keys, or the name of its type."""
    return ", ".join(map(str, list(content)[:4])) if isinstance(content, Mapping) else type(content).__name__


def _state_dicts(content: Any, name: str) -> Iterator[tuple[str, Mapping[str, torch.Tensor]]]:
    """Every state dict in nested dicts, with its place; an optimiser's state is numbered, and none."""
    if isinstance(content, Mapping) and content and all(isinstance(key, str) for key in content):
        tensors = {key: value for key, value in content.items() if isinstance(value, torch.Tensor)}
        others = (value for key, value in content.items() if key not in tensors)
        if tensors and all(isinstance(value, (int, float, str)) or value is None for value in others):
            yield name, tensors
        for key, value in content.items():
            yield from _state_dicts(value, f"{name}[{key!r}]")
