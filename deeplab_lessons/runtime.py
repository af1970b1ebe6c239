"""Where a lesson runs: device, size of the work, seed and data folder, all set in one place.

| environment variable | values | default |
|---|---|---|
| `DEEPLAB_LESSONS_DEVICE` | `auto`, `cpu`, `cuda`, `mps` | `auto`: cuda, else mps, else cpu |
| `DEEPLAB_LESSONS_SCALE` | `class` (two cores, minutes), `full` (the papers' sizes) | `class` |
| `DEEPLAB_LESSONS_SEED` | a whole number | `0` |
| `DEEPLAB_LESSONS_DATA` | folder of real data sets | `data/` beside the package's folder |
| `DEEPLAB_LESSONS_CACHE` | folder for what the course makes and keeps | `data/cache/` there, else in the home folder |
"""

import os
import random
from pathlib import Path

_DEVICES = ("auto", "cpu", "cuda", "mps")
_SCALES = ("class", "full")


def _choice(variable: str, allowed: tuple[str, ...]) -> str:
    value = os.environ.get(variable, allowed[0]).strip().lower()
    if value not in allowed:
        raise ValueError(f"{variable} is {value!r}; expected one of {', '.join(allowed)}")
    return value


def device():
    """The `torch.device` to compute on; RuntimeError if the one asked for is not there."""
    import torch

    asked = _choice("DEEPLAB_LESSONS_DEVICE", _DEVICES)
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if asked == "auto":
        asked = next(name for name in ("cuda", "mps", "cpu") if there[name])
    if not there[asked]:
        found = ", ".join(name for name, yes in there.items() if yes)
        raise RuntimeError(
            f"DEEPLAB_LESSONS_DEVICE asks for {asked!r}, but torch {torch.__version__} finds only: {found}. "
            "Unset the variable to use what is there."
        )
    return torch.device(asked)


def scale() -> str:
    """`"class"` for sizes that two cores train in minutes, `"full"` for the papers' sizes."""
    return _choice("DEEPLAB_LESSONS_SCALE", _SCALES)


def seed() -> int:
    """The course's seed, 0 unless `DEEPLAB_LESSONS_SEED` says otherwise."""
    value = os.environ.get("DEEPLAB_LESSONS_SEED", "0")
    try:
        return int(value)
    except ValueError:
        raise ValueError(f"DEEPLAB_LESSONS_SEED is {value!r}; expected a whole number") from None


def seed_everything(value: int | None = None) -> int:
    """Seed Python, numpy and torch with `value` (or the course's seed) and return it."""
    import numpy as np
    import torch

    value = seed() if value is None else value
    random.seed(value)
    np.random.seed(value % 2**32)
    torch.manual_seed(value)
    return value


def data_dir() -> Path:
    """Folder in which real data sets are looked for; it need not exist."""
    default = Path(__file__).resolve().parent.parent / "data"
    return Path(os.environ.get("DEEPLAB_LESSONS_DATA", default)).expanduser()


def cache_dir() -> Path:
    """Folder for what the course made itself and keeps, such as trained networks; it may be deleted."""
    beside = Path(__file__).resolve().parent.parent / "data"
    default = beside / "cache" if beside.is_dir() else Path.home() / ".cache" / "deeplab-lessons"
    return Path(os.environ.get("DEEPLAB_LESSONS_CACHE", default)).expanduser()


def report() -> str:
    """What a lesson will run on, one line each: versions, device, cores, size of the work, data folder."""
    import platform

    import torch
    import torchvision

    folder = Path(os.path.relpath(data_dir()))
    lines = {
        "Python": platform.python_version(),
        "torch": f"{torch.__version__}, torchvision {torchvision.__version__}",
        "device": f"{device()}, {torch.get_num_threads()} threads",
        "scale": scale(),
        "seed": seed(),
        "data": f"{folder} ({'there' if folder.is_dir() else 'not there; the course does not need it'})",
    }
    return "\n".join(f"{name:<8}{value}" for name, value in lines.items())
