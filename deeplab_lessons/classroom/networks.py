"""The lessons' networks: trained once and then kept, and what must be on this machine for those on CamVid."""

import hashlib
import itertools
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

import filelock
import torch

from deeplab_lessons import runtime
from deeplab_lessons.classroom import built_in
from deeplab_lessons.classroom.experiments import Experiment, experiment
from deeplab_lessons.training import CheckpointError, History, train
from deeplab_lessons.training.history import Watcher

#: Part of the name of every kept network. Raise it when a change of code leads to other weights: in the scenes, the
#: transforms, the networks and their random start, the losses, schedules, optimiser, loop or order of the data.
EDITION = 1


def cache_path(which: Experiment, seed: int | None = None) -> Path:
    """Return the file of the trained network: another setting, or edition of code or scenes, has another name."""
    seed = runtime.seed() if seed is None else seed
    printed = ("name", "row", "crf", "mean_iou", "with_crf")  # what does not change the weights
    parts = {key: value for key, value in asdict(which).items() if key not in printed}
    # newer than the kept files: they count where they differ
    for name in ("weight_decay", "released_groups"):
        if parts[name] == getattr(Experiment, name):
            del parts[name]
    if which.is_second_stage:
        parts["starts_from"] = cache_path(experiment(which.starts_from, "class"), seed).stem
    content = json.dumps([EDITION, built_in.EDITION, parts], sort_keys=True)
    mark = hashlib.sha256(content.encode()).hexdigest()[:8]
    return runtime.cache_dir() / f"{which.name}-seed{seed}-{mark}.pt"


def trained(
    which: Experiment | str, seed: int | None = None, progress: bool | Watcher = True
) -> tuple[torch.nn.Module, History]:
    """Return the network of an experiment, trained and ready to predict on the CPU, and its history.

    A name stands for its twin. The network is trained once, in one to three minutes, and then kept at `cache_path`.
    While another notebook trains it, this one waits.
    """
    which = experiment(which, "class") if isinstance(which, str) else which
    network, path = which.model(seed), cache_path(which, seed)
    if which.is_second_stage and not path.exists():
        network.load_state_dict(trained(which.starts_from, seed, progress)[0].state_dict())
    for tries in itertools.count():
        try:
            history = train(
                network, which.data_sets()[0], seed=seed, checkpoint=path, progress=progress, **which.settings
            )
            return network.cpu().eval(), history
        except CheckpointError as error:
            if not isinstance(error.__cause__, filelock.Timeout):
                raise
            if not tries:
                print(f"Another notebook trains {which.name} now: waiting for its end.", file=sys.stderr)
            time.sleep(1)


def mobilenet_weights() -> Path | None:
    """Return the file of MobileNetV2's ImageNet weights in the data folder, or None if it is not there."""
    path = runtime.data_dir() / "weights" / "mobilenet_v2-imagenet-fp16.pt"
    return path if path.is_file() else None


def camvid_ready() -> bool:
    """Return whether the data folder has CamVid and MobileNetV2's ImageNet weights."""
    return mobilenet_weights() is not None and (runtime.data_dir() / "camvid" / "train.txt").is_file()
