"""The machine that a lesson runs on, in a few lines: for lesson 00, and for reports of a wrong number."""

import os
import platform

import torch
import torchvision

from deeplab_lessons import runtime


def report() -> str:
    """Return what a lesson will run on, one line each: versions, device, cores, size of the work, data folder."""
    folder = runtime.data_dir()
    try:
        shown = os.path.relpath(folder)
    except ValueError:  # Windows: the folder is on another drive
        shown = str(folder)
    lines = {
        "Python": platform.python_version(),
        "torch": f"{torch.__version__}, torchvision {torchvision.__version__}",
        "device": f"{runtime.device()}, {torch.get_num_threads()} threads",
        "scale": runtime.scale(),
        "seed": runtime.seed(),
        "data": f"{shown} ({'there' if folder.is_dir() else 'not there; the course does not need it'})",
    }
    return "\n".join(f"{name:<8}{value}" for name, value in lines.items())
