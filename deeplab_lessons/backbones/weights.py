"""A network's numbers: a dict, a file, torchvision's ImageNet files (downloaded only on request), or random ones.

A network is built on the meta device, shapes only, and filled once, by `materialise`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlparse

import torch
from torch import nn

from deeplab_lessons import runtime
from deeplab_lessons.backbones import stored
from deeplab_lessons.backbones.initialise import init_kaiming

Network = TypeVar("Network", bound=nn.Module)
Weights = Mapping[str, torch.Tensor] | str | Path | None


def load_weights(weights: Weights, imagenet) -> dict[str, torch.Tensor]:
    """Return a state dict from a dict, a path, or the word "imagenet"; half-precision tensors become float32.

    `imagenet` is the entry of torchvision's list that the word stands for. Its file is downloaded once, with a
    progress bar, into torch's own cache. A dict may hold the state dict under a name, as in `{"state_dict": …}`, and
    names may begin with "module." and the like. Raises FileNotFoundError, RuntimeError (no network, a file of
    another kind) or TypeError, saying what to do.
    """
    source = "the dict"
    if isinstance(weights, (str, Path)):
        path = _download(imagenet) if weights == "imagenet" else Path(weights).expanduser()
        if not path.is_file():
            what = "is a folder, not a weights file" if path.is_dir() else "is not a file"
            raise FileNotFoundError(f'{path} {what}: pass the path of one, a state dict or "imagenet"')
        source, weights = str(path), stored.read(path)
    elif not isinstance(weights, Mapping):
        kind = type(weights).__name__ + ": pass its state_dict()" * isinstance(weights, nn.Module)
        raise TypeError(f'weights must be a state dict, a path, "imagenet" or None, got {kind}')
    if isinstance(weights, Mapping) and str(weights.get("format")).startswith(stored.FORMAT):
        raise RuntimeError(
            f"{source} is a checkpoint of this course, which holds a whole trained network: pass it to load_model "
            "or, on the command line, as --start; weights are those of a backbone"
        )
    half = (torch.float16, torch.bfloat16)
    state = stored.state_dict_in(weights, source)
    # a copy of the caller's tensors, since the network will train what it is given
    return {key: value.float() if value.dtype in half else value.clone() for key, value in state.items()}


def at_hand(backbone: str) -> Path | None:
    """Return the file of a backbone's ImageNet weights that is on this machine already, or None; nothing is fetched.

    It is `weights/NAME-imagenet….pt` in the data folder, or in torch's own cache.
    """
    cache = Path(torch.hub.get_dir()) / "checkpoints"
    ours = (runtime.data_dir() / "weights").glob(f"{backbone}-imagenet*.pt")
    return next(iter([*sorted(ours), *sorted(cache.glob(f"{backbone}-*.pth"))]), None)


def _download(imagenet) -> Path:
    path = Path(torch.hub.get_dir()) / "checkpoints" / Path(urlparse(imagenet.url).path).name
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


def mismatches(model: nn.Module, state: Mapping[str, torch.Tensor]) -> list[list[str]]:
    """Return what keeps a state dict from fitting: what is missing, unexpected, of another shape, and not finite.

    Batch norm's `num_batches_tracked` may be missing, as in old files of torchvision: torch then counts from 0.
    """
    own = model.state_dict()
    needed = (key for key in own if not key.endswith("num_batches_tracked"))
    shared = {key: value for key, value in state.items() if key in own}
    shapes = [
        f"{key} is {list(value.shape)}, the network needs {list(own[key].shape)}"
        for key, value in shared.items()
        if value.shape != own[key].shape
    ]
    numbers = {key: value for key, value in shared.items() if value.is_floating_point() and not value.is_meta}
    ruined = [f"{key} holds NaN or infinity" for key, value in numbers.items() if not value.isfinite().all()]
    missing = [f"missing {key}" for key in needed if key not in state]
    return [missing, [f"unexpected {key}" for key in state if key not in own], shapes, ruined]


def fill(model: nn.Module, state: Mapping[str, torch.Tensor]) -> None:
    """Load a state dict, also into a model on the meta device; every parameter is then trained.

    Raises ValueError naming the first missing, unexpected, misshapen or ruined keys.
    """
    *wrong, ruined = mismatches(model, state)
    if few := [phrase for phrases in wrong for phrase in phrases[:3]]:
        raise ValueError(
            f"these weights are not those of this {type(model).__name__}: {sum(map(len, wrong))} parts do not fit, "
            f"for example {'; '.join(few)}. Do width, batch_norm and num_classes agree with the file?"
        )
    if ruined:
        raise ValueError(f"{len(ruined)} of {len(state)} weights are ruined: {ruined[0]}. Pass another file")
    model.load_state_dict(dict(state), assign=True)
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
