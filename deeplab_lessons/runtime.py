"""Where a lesson runs: device, size of the work, seed and data folder, all set in one place.

| environment variable | values | default |
|---|---|---|
| `DEEPLAB_LESSONS_DEVICE` | `auto`, `cpu`, `cuda`, `mps` | `auto`: cuda, else mps, else cpu |
| `DEEPLAB_LESSONS_SCALE` | `class` (two cores, minutes), `full` (the papers' sizes) | `class` |
| `DEEPLAB_LESSONS_SEED` | a whole number | `0` |
| `DEEPLAB_LESSONS_DATA` | folder of real data sets | in a checkout `data/`, else `~/deeplab-lessons/data` |
| `DEEPLAB_LESSONS_CACHE` | folder for trained networks | in a checkout `data/cache/`, else `~/.cache/deeplab-lessons` |

An installed package looks in the home folder, so that the same data are found from every working folder.
"""

import os
import random
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from deeplab_lessons.checks import check_choice

if TYPE_CHECKING:
    import torch


def _choice(variable: str, *allowed: str) -> str:
    value = (os.environ.get(variable) or allowed[0]).strip().lower()
    check_choice(variable, value, allowed)
    return value


def device() -> "torch.device":
    """Return the `torch.device` to compute on. Raises RuntimeError if the chosen one is not available."""
    import torch

    name = _choice("DEEPLAB_LESSONS_DEVICE", "auto", "cpu", "cuda", "mps")
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    available = [kind for kind, is_there in present.items() if is_there]
    if name not in ("auto", *available):
        raise RuntimeError(
            f"DEEPLAB_LESSONS_DEVICE is {name!r}, but torch {torch.__version__} finds only: {', '.join(available)}. "
            "Unset the variable to use what is available."
        )
    return torch.device(available[0] if name == "auto" else name)


def scale() -> str:
    """Return `"class"` for sizes that two cores train in minutes, `"full"` for the papers' sizes."""
    return _choice("DEEPLAB_LESSONS_SCALE", "class", "full")


def seed() -> int:
    """Return the course's seed."""
    value = os.environ.get("DEEPLAB_LESSONS_SEED") or "0"
    try:
        return int(value)
    except ValueError:
        raise ValueError(f"DEEPLAB_LESSONS_SEED must be a whole number, got {value!r}") from None


def seed_everything(value: int | None = None) -> int:
    """Seed Python, numpy and torch with `value` (or the course's seed) and return it."""
    import numpy as np
    import torch

    value = seed() if value is None else value
    random.seed(value)
    np.random.seed(value % 2**32)
    torch.manual_seed(value)
    return value


def full_precision() -> None:
    """Let CUDA convolve and multiply with all 23 bits of a float32's fraction, as other devices do.

    By default cuDNN rounds what a convolution reads to TF32, 10 bits: faster, but two ways to one number then differ
    in the fourth digit. Every lesson calls this, because lessons compare; the package itself does not.
    """
    import torch

    # not `fp32_precision`: where only that is set, torch.compile and cudnn.flags raise when they read these
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False


def checkout() -> Path | None:
    """Return the folder of this project's `pyproject.toml`, next to the package; None for an installed package."""
    root = Path(__file__).resolve().parent.parent
    try:
        project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8")).get("project", {})
    except (OSError, ValueError):
        return None
    return root if project.get("name") == "deeplab-lessons" else None


def _folder(variable: str, in_checkout: str, in_home: str) -> Path:
    root = checkout()
    default = root / in_checkout if root else Path.home() / in_home
    return Path(os.environ.get(variable) or default).expanduser()


def data_dir() -> Path:
    """Return the folder in which real data sets are looked for; it need not exist."""
    return _folder("DEEPLAB_LESSONS_DATA", "data", "deeplab-lessons/data")


def cache_dir() -> Path:
    """Return the folder for what the course makes and keeps, such as trained networks; it may be deleted."""
    return _folder("DEEPLAB_LESSONS_CACHE", "data/cache", ".cache/deeplab-lessons")
