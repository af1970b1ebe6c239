"""`deeplab-lessons train`: what is trained, on what, from which weights, and what may change when it is continued."""

import argparse
import hashlib
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from deeplab_lessons import backbones, parallel, runtime, training
from deeplab_lessons.cli_options import FOLDER, TRAINING, UsageError, name_of, settings_of
from deeplab_lessons.cli_words import as_usage
from deeplab_lessons.datasets import SETS, Pairs, named, transforms
from deeplab_lessons.models import V1_TABLE

#: What may change when a training is continued: where it is kept and computed. What `--scale` sets is compared, and of
#: folders the names of their files.
_MAY_CHANGE = {
    "command", "which", "given", "recipe", "scale", "checkpoint", "new", "save_every", "root", "images", "labels",
    "names", "device", "compiled",
}  # fmt: skip


def data_set(options: argparse.Namespace, split: str | None) -> Pairs:
    """Return the data set that the options name; UsageError where they do not fit together."""
    folder = folder_of(options) if options.data == "folder" else None
    typed = (ValueError,) if folder is None else ()  # else the fault is in the files
    size = options.scene_size or 96
    with as_usage(options, *typed):
        return named(options.data, split, None, options.root, options.count, size, folder)


def folder_of(options: argparse.Namespace) -> dict[str, Any]:
    """Return what `datasets.Folder` is given, by name: plain values, paths as they were typed."""
    names = [*(name_of(flag) for flag, *_ in FOLDER), "val_share", "longest_side"]
    given = {name: getattr(options, name, None) for name in names}
    return {
        n: str(value) if isinstance(value, Path) else value for n, value in given.items() if value is not None
    }


def device_of(options: argparse.Namespace) -> torch.device:
    """Return the device to compute on."""
    return runtime.device() if options.device == "auto" else torch.device(options.device)


def train(options: argparse.Namespace) -> int:
    """`deeplab-lessons train`."""
    resumed = options.checkpoint.exists() and not options.new
    device, dataset, validation = _start(options, resumed), data_set(options, options.split), None
    measured = SETS[options.data][2]
    if options.split not in (measured, f"train{measured}", "all"):  # those have none left to be measured on
        validation = data_set(options, None)
    weights, count = options.class_weights, len(dataset.classes)
    if isinstance(weights, list) and len(weights) != count:
        raise UsageError(f"--class-weights must be {count} numbers, one for each class, got {len(weights)}")
    with parallel.process_group(device) as device:
        which = (
            _by_recipe(options, dataset, resumed) if options.recipe else options.which or _table_2(options)
        )
        model = replace(which, num_classes=count).model(options.seed, options.weights)
        for pairs in (dataset, *([validation] if validation else [])):
            pairs.longest_side = options.longest_side
        crop, scale = tuple(options.crop * 2)[:2], tuple(options.random_scale)
        dataset.transforms = transforms.train(crop, None if scale == (1, 1) else scale)
        names = [name_of(flag) for flag, *_ in TRAINING] + ["freeze_batch_norm", "checkpoint"]
        settings = {name: getattr(options, name) for name in names} | {"device": device}
        settings["about"] = {
            "data": {"name": options.data, "count": options.count}, "scene_size": options.scene_size,
            "experiment": options.experiment, "settings": _agreed(options, resumed),
        }  # fmt: skip
        if options.start and not resumed:
            _say(training.start_from(model, options.start, dataset.classes))
        if options.recipe and not resumed:
            seconds = training.time_needed(model, dataset, validation, **settings)
            _say(_plan(options, dataset, validation, seconds))
        history = training.train(model, dataset, validation, **settings, resume=not options.new)
        _say(history)
        if options.recipe and history.finished:
            _say(_next(options.checkpoint, validation is not None))
    return 0 if history.finished else 130


def _say(what: object) -> None:
    """Print, if this is the first process."""
    if parallel.rank() == 0:
        print(what)


def _start(options: argparse.Namespace, resumed: bool) -> torch.device:
    """The device to train on, if the training can begin there and at its checkpoint; UsageError if not."""
    which, device = options.which, device_of(options)
    if options.amp and device.type != "cuda":
        raise UsageError(f"--amp is for CUDA, and the device is {device}: leave it out")
    if which and which.is_second_stage and not options.start and not resumed:
        raise UsageError(
            f"{which.name} continues what {which.starts_from} has trained: pass its checkpoint, --start FILE"
        )
    if options.new and options.checkpoint.exists():
        training.load_checkpoint(options.checkpoint)  # raises for any other file, which is never replaced
    return device


def _by_recipe(options: argparse.Namespace, dataset: Pairs, resumed: bool) -> training.Recipe:
    """The recipe for this many pairs; it sets what was not given, unless the training began otherwise."""
    if not (resumed or options.weights or options.start or options.width != 1):
        options.weights = backbones.at_hand(options.backbone)
        if options.weights is None and options.backbone != "xception":  # of which torchvision has none
            warnings.warn(
                f"no ImageNet weights of {options.backbone} are on this machine, and from random ones a network learns "
                "little of few photographs: pass --weights imagenet, which downloads them once",
                stacklevel=2,
            )
    begun = training.load_checkpoint(options.checkpoint)["about"].get("settings", {}) if resumed else {}
    trained = options.weights or options.start or begun.get("weights") or begun.get("start")
    stride, classes = options.output_stride, len(dataset.classes)
    recipe = training.recipe(options.version, options.backbone, len(dataset), bool(trained), stride, classes)
    size = {"longest_side": training.recipes.LONGEST_SIDE} if options.data == "folder" else {}
    for name, value in (settings_of(recipe) | size).items():
        if name not in options.given:
            setattr(options, name, begun.get(name, value))
    network = recipe.network | {"width": options.width}
    if source := options.checkpoint if resumed else options.start:
        content = training.checkpoints.read(source)
        of = content.get("about", {}).get("model", {}) if isinstance(content, dict) else {}
        network |= {name: of[name] for name in network.keys() & of.keys() & {"batch_norm"}}
    return replace(recipe, network=network)


def _table_2(options: argparse.Namespace) -> training.Recipe:
    """A v1 with one of the heads of the paper's table 2, trained as the options say."""
    network = {"version": "v1", "backbone": options.backbone, "width": options.width}
    network |= V1_TABLE[options.head] | {"batch_norm": not options.no_batch_norm}
    return training.Recipe(options.head, network, options.iterations, options.batch_size, options.lr)


def _plan(options: argparse.Namespace, dataset: Pairs, validation: Pairs | None, seconds: float) -> str:
    """What will be trained on what, from where, and for how long."""
    minutes = max(round(seconds / 60), 1)
    time = "less than a minute" if seconds < 50 else f"about {minutes} minute{'s' if minutes > 1 else ''}"
    shown = f", shown with at most {options.longest_side} pixels per side" if options.longest_side else ""
    return (
        f"{len(dataset)} pairs to train on, {len(validation or ())} to measure on{shown}.\n"
        f"DeepLab {options.version} on {options.backbone}, from "
        f"{options.start or options.weights or 'random weights'}: {options.iterations} iterations of "
        f"{options.batch_size} crops take {time} on this machine."
    )


def _next(last: Path, measured: bool) -> str:
    """The commands to type after a training, on the better of its two checkpoints."""
    best = last.with_stem(f"{last.stem}-best")
    kept = best if best.exists() else last
    commands = [f"evaluate {kept}"] * measured + [f"segment PHOTO.jpg --checkpoint {kept}"]
    return "\n".join(["Next:", *(f"  deeplab-lessons {command}" for command in commands)])


def _agreed(options: argparse.Namespace, resumed: bool) -> dict[str, object]:
    """What a continued training must share with its beginning, by option: files by their content, if given again."""
    agreed = {name: value for name, value in vars(options).items() if name not in _MAY_CHANGE}
    agreed["crop"] = (options.crop * 2)[:2]
    for name in ("weights", "start"):
        file = agreed.pop(name)
        if file and Path(file).is_file():
            file = "sha256 " + hashlib.sha256(Path(file).read_bytes()).hexdigest()[:8]
        if file or not resumed:
            agreed[name] = file
    return agreed
