"""A network's numbers: a dict, a file, torchvision's ImageNet files (fetched only when asked for), or random ones.

A network is built on the meta device, shapes only, and filled once, by `materialise`.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlparse

import torch
from torch import nn

from deeplab_lessons.backbones.initialise import init_kaiming

Network = TypeVar("Network", bound=nn.Module)
Weights = Mapping[str, torch.Tensor] | str | Path | None


def load_weights(weights: Weights, imagenet) -> dict[str, torch.Tensor]:
    """Return a state dict from a dict, a path, or the word "imagenet"; half-precision tensors become float32.

    `imagenet` is the entry of torchvision's list that the word stands for. Its file is downloaded once, with a
    progress bar, into torch's own cache. Raises FileNotFoundError, RuntimeError (no network, broken file) or
    TypeError, saying what to do.
    """
    if isinstance(weights, (str, Path)):
        path = _download(imagenet) if weights == "imagenet" else Path(weights).expanduser()
        if not path.is_file():
            raise FileNotFoundError(f'there is no weights file {path}: pass a path, state dict or "imagenet"')
        weights = _read(path)
    if not isinstance(weights, Mapping):
        raise TypeError(
            f'weights must be a state dict, a path, "imagenet" or None, got {type(weights).__name__}'
        )
    half = (torch.float16, torch.bfloat16)
    return {key: tensor.float() if tensor.dtype in half else tensor for key, tensor in weights.items()}


def weights_file(imagenet) -> Path:
    """Return where the file of a torchvision weights entry is kept, whether or not it is there."""
    return Path(torch.hub.get_dir()) / "checkpoints" / Path(urlparse(imagenet.url).path).name


def _download(imagenet) -> Path:
    path = weights_file(imagenet)
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        beginning = path.stem.rpartition("-")[2]  # torchvision's names end with the checksum's first digits
        try:  # torch writes to a temporary file, checks it, and only then gives it its name
            torch.hub.download_url_to_file(imagenet.url, str(path), beginning, progress=True)
        except (OSError, RuntimeError) as error:
            raise RuntimeError(
                f"{path.name} could not be fetched ({error}). It was looked for at {path}. "
                f"With a network, try again. Without one, bring the file from {imagenet.url} and put it there, "
                "or pass its path as weights=…; with weights=None the network starts from random weights."
            ) from error
    return path


def _read(path: Path) -> Mapping[str, torch.Tensor]:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
        raise RuntimeError(
            f"{path} is {path.stat().st_size:,} bytes (sha256 {digest}…) and cannot be read as weights "
            f"({type(error).__name__}): the file is broken or of another kind. Delete it and fetch it again."
        ) from error


def mismatches(model: nn.Module, state: Mapping[str, torch.Tensor]) -> tuple[list[str], list[str], list[str]]:
    """Return what keeps a state dict from fitting a model: what is missing, unexpected, and of another shape.

    Batch norm's `num_batches_tracked` may be missing, as in old files of torchvision: torch then counts from 0.
    """
    own = model.state_dict()
    needed = (key for key in own if not key.endswith("num_batches_tracked"))
    shapes = [
        f"{key} is {list(state[key].shape)}, the network needs {list(tensor.shape)}"
        for key, tensor in own.items()
        if key in state and state[key].shape != tensor.shape
    ]
    missing = [f"missing {key}" for key in needed if key not in state]
    return missing, [f"unexpected {key}" for key in state if key not in own], shapes


def fill(model: nn.Module, state: Mapping[str, torch.Tensor]) -> None:
    """Load a state dict, also into a model on the meta device; every parameter is then trained.

    Raises ValueError naming the first missing, unexpected or misshapen keys.
    """
    wrong = [phrase for phrases in mismatches(model, state) for phrase in phrases[:3]]
    if wrong:
        raise ValueError(
            f"these weights are not those of this {type(model).__name__}: {'; '.join(wrong)}. "
            "Do width, batch_norm and num_classes agree with the file?"
        )
    model.load_state_dict(state, assign=True)
    model.requires_grad_(True)


def materialise(
    net: Network, weights: Weights = None, imagenet=None, unused: tuple[str, ...] = (), prefix: str = ""
) -> Network:
    """Fill a network that was built on the meta device, and return it: with `load_weights`, or by `init_kaiming`.

    Keys of the weights lose `prefix`; those that then begin with one of `unused` are left out. The network goes to
    the default device. If that is the meta device itself, weights are only checked and the network stays without
    numbers. Raises ValueError for weights of another network.
    """
    device = torch.get_default_device()
    if weights is not None:
        state = {k.removeprefix(prefix): value for k, value in load_weights(weights, imagenet).items()}
        fill(net, {key: value for key, value in state.items() if not key.startswith(unused)})
        return net.to(device) if device.type == "meta" else net
    if device.type != "meta":
        net = net.to_empty(device=device)
        init_kaiming(net)
    return net
