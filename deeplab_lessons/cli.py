"""`deeplab-lessons train | evaluate | segment | experiments`: the lessons' functions, from the command line."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from deeplab_lessons import crf, inference, parallel, runtime, training
from deeplab_lessons.datasets import SETS, Pairs, named, transforms
from deeplab_lessons.models import V1_TABLE, deeplab
from deeplab_lessons.models.with_crf import CRFNetwork
from deeplab_lessons.training import checkpoints
from deeplab_lessons.training.experiments import EXPERIMENTS, Experiment, experiment, table

_EXAMPLES = """examples:
  deeplab-lessons train --checkpoint scenes.pt
  deeplab-lessons train --data camvid --backbone mobilenet_v2 --weights mobilenet_v2.pt --checkpoint camvid.pt
  deeplab-lessons train --experiment v2_vgg_aspp_l --checkpoint twin.pt
  deeplab-lessons train --experiment v2_resnet101_msc_aspp --scale full --weights imagenet --checkpoint paper.pt
  deeplab-lessons train --experiment v3_stage2 --scale full --start v3.pt --checkpoint v3-stage2.pt
  deeplab-lessons evaluate scenes.pt --split test --trimap 1 5 20
  deeplab-lessons evaluate paper.pt --flip --crf v2_resnet101
  deeplab-lessons segment photo.jpg --checkpoint camvid.pt

A training that was stopped continues when the same command is given again. On several GPUs, put
"torchrun --nproc-per-node 4 -m deeplab_lessons.cli" in the place of "deeplab-lessons": they share each batch."""

_Option = tuple[str, object, str, dict]  # flag, default, help, and what else argparse is told

# fmt: off
_WHOLE, _REAL, _PATH, _REQUIRED = {"type": int}, {"type": float}, {"type": Path}, {"type": Path, "required": True}
_FLAG, _EITHER = {"action": "store_true"}, {"action": argparse.BooleanOptionalAction}  # --name; --name and --no-name
_DEVICE: _Option = ("--device", "auto", "auto, cpu, cuda or mps", {})
_ROOT: _Option = ("--root", None, "folder of the data set, if it is not in the data folder", _PATH)
_COUNT: _Option = ("--count", None, "use only so many pairs of the data set", _WHOLE)
#: Refused next to an experiment, which says which network it is.
_NETWORK: list[_Option] = [
    ("--backbone", "vgg16", "backbone", {"choices": ("vgg16", "mobilenet_v2")}),
    ("--head", "CRF-LargeFOV", "row of the paper's table 2", {"choices": sorted(V1_TABLE)}),
    ("--width", 0.125, "multiplies every number of channels; the paper's is 1", _REAL),
    ("--no-batch-norm", False, "as in the paper; needs ImageNet weights to learn well", _FLAG),
]
#: What `training.train` is given under the same name.
_TRAINING: list[_Option] = [
    ("--iterations", 1000, "steps of SGD", _WHOLE),
    ("--batch-size", 8, "images per step", _WHOLE),
    ("--lr", 0.02, "first learning rate of the backbone; the classifier has 10 times it", _REAL),
    ("--schedule", "poly", "how the learning rate falls", {"choices": ("poly", "step")}),
    ("--loss", "subsample", "labels of the map", {"choices": ("subsample", "area", "upsampled")}),
    ("--seed", 0, "seed of weights, data order and dropout", _WHOLE),
    ("--clip", None, "largest norm of the gradient", _REAL),
    ("--amp", False, "half precision, on CUDA", _FLAG),
    ("--channels-last", False, "keep the channels of a pixel side by side in memory", _EITHER),
    ("--compiled", False, "through torch.compile", _FLAG),
    ("--save-every", 100, "iterations between two savings", _WHOLE),
]
#: Every command with its help and its options. In `train` an experiment may set another default.
_COMMANDS: dict[str, tuple[str, list[_Option]]] = {
    "train": ("train a network and keep it in a checkpoint", [
        ("--experiment", None, "a published experiment with its network, data and training; other options change it",
         {"choices": EXPERIMENTS, "metavar": "NAME"}),
        ("--scale", None, "its small twin, or the paper's size (else DEEPLAB_LESSONS_SCALE, or class)",
         {"choices": ("class", "full")}),
        ("--data", "embedded", "data set", {"choices": SETS}),
        _ROOT, _COUNT,
        ("--scene-size", 96, "side of the built-in scenes, in pixels", _WHOLE),
        ("--checkpoint", None, "file to keep the training in (and to continue from)", _REQUIRED),
        ("--new", False, "begin afresh even if the checkpoint is there", _FLAG),
        ("--split", "train", "part of the data set to train on", {}),
        ("--start", None, "checkpoint of another training whose network is trained further (second stage)", _PATH),
        ("--freeze-batch-norm", False, "leave batch norm as it is", _EITHER),
        ("--crop", [96], "side of the training crop, or height and width", {"type": int, "nargs": "+"}),
        ("--random-scale", [0.5, 1.5], "range of random scaling; 1 1 leaves the size",
         {"type": float, "nargs": 2, "metavar": ("LOW", "HIGH")}),
        *_NETWORK,
        ("--weights", None, 'ImageNet weights: a file, or "imagenet" to download torchvision\'s', {}),
        *_TRAINING, _DEVICE,
    ]),
    "evaluate": ("measure mIoU of a checkpoint on a data set", [
        ("checkpoint", None, "file that train wrote", _PATH),
        ("--data", None, "data set (else the checkpoint's)", {"choices": SETS}),
        _ROOT, _COUNT,
        ("--scene-size", None, "side of the built-in scenes, in pixels (else the checkpoint's)", _WHOLE),
        ("--split", None, "part of the data set (else the one to measure on)", {}),
        ("--trimap", None, "widths of bands around boundaries, in pixels", {"type": int, "nargs": "*"}),
        ("--scales", [1.0], "sizes at which each image is shown", {"type": float, "nargs": "+"}),
        ("--flip", False, "show each image mirrored as well", _FLAG),
        ("--crf", None, "a dense CRF after the network, by its preset", {"choices": crf.PRESETS}),
        _DEVICE,
    ]),
    "segment": ("write photographs with the predicted classes in colour", [
        ("pictures", None, "photographs (JPEG, PNG, …)", {"type": Path, "nargs": "+"}),
        ("--checkpoint", None, "file that train wrote", _REQUIRED),
        ("--output", None, "PNG to write (one photograph), or a folder (several)", _PATH),
        ("--opacity", 0.6, "of the colours: 0 photograph, 1 labels", _REAL),
        _DEVICE,
    ]),
    "experiments": ("list the papers' experiments that train knows by name", []),
}
_ALIASES = {"experiments": ["configurations"], "--experiment": ["--configuration"]}  # as they were called before
# fmt: on


def _parser() -> argparse.ArgumentParser:
    """The commands and their options; only the given ones are in the namespace."""
    top = argparse.ArgumentParser(
        prog="deeplab-lessons",
        description="Train DeepLab, measure it, and let it draw on photographs.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="command")
    for name, (about, options) in _COMMANDS.items():
        command = commands.add_parser(
            name, help=about, aliases=_ALIASES.get(name, []), argument_default=argparse.SUPPRESS
        )
        command.set_defaults(command=name)
        for flag, default, words, more in options:
            words += f" (default: {default})" if default not in (None, False) else ""
            command.add_argument(flag, *_ALIASES.get(flag, []), help=words, **more)
    return top


def _name(flag: str) -> str:
    return flag.lstrip("-").replace("-", "_")


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the options of a command: the defaults, over them the experiment's, over them what was given.

    Those of `train` have the experiment itself, or None, as `which`. Raises ValueError if both say which network it is.
    """
    given = vars(_parser().parse_args(arguments))
    options = {_name(flag): default for flag, default, _, _ in _COMMANDS[given["command"]][1]}
    if given["command"] == "train":
        name = given.get("experiment")
        options["which"] = which = experiment(name, given.get("scale")) if name else None
        if which:
            for flag, *_ in _NETWORK:
                if _name(flag) in given:
                    reason = "the experiment says which network it is"
                    raise ValueError(f"{flag} and --experiment don't go together: {reason}")
            options |= _set_by(which)
    return argparse.Namespace(**options | given)


def _set_by(which: Experiment) -> dict[str, object]:
    crop = [which.crop] if isinstance(which.crop, int) else list(which.crop)
    return {
        "data": which.data, "split": which.split, "count": which.count, "scene_size": which.scene_size or max(crop),
        "crop": crop, "random_scale": list(which.scale or (1, 1)), **which.settings,
    }  # fmt: skip


def _data_set(options: argparse.Namespace, split: str | None, change=None) -> Pairs:
    size = options.scene_size or 96
    return named(options.data or "embedded", split, change, options.root, options.count, size)


def train(options: argparse.Namespace) -> None:
    """`deeplab-lessons train`: raises ValueError for a second stage without anything to start from."""
    which, resumed = options.which, options.checkpoint.exists() and not options.new
    if which and which.is_second_stage and not options.start and not resumed:
        raise ValueError(
            f"{which.name} continues what {which.starts_from} has trained: pass its checkpoint, --start FILE"
        )
    crop, scale = tuple(options.crop * 2)[:2], tuple(options.random_scale)
    dataset = _data_set(options, options.split, transforms.train(crop, None if scale == (1, 1) else scale))
    # what is trained on trainval has no image left to be measured on
    validation = None if options.split == "trainval" else _data_set(options, None)
    if which:
        which = replace(which, num_classes=len(dataset.classes))
        network, model = which.network, which.model(options.seed, options.weights)
    else:
        network = {
            "version": "v1", "width": options.width, "backbone": options.backbone,
            "batch_norm": not options.no_batch_norm, **V1_TABLE[options.head],
        }  # fmt: skip
        runtime.seed_everything(options.seed)
        model = deeplab(**network, num_classes=len(dataset.classes), weights=options.weights)
    if options.start:
        checkpoints.load_state_dict(model, checkpoints.load_checkpoint(options.start)["model"], options.start)
    about = {
        "model": network | {"num_classes": len(dataset.classes)}, "data": options.data,
        "classes": list(dataset.classes), "palette": dataset.palette.tolist(), "scene_size": options.scene_size,
        "experiment": options.experiment,
    }  # fmt: skip
    names = [_name(flag) for flag, *_ in _TRAINING] + ["freeze_batch_norm", "checkpoint"]
    settings = {name: getattr(options, name) for name in names}
    with parallel.process_group(_device(options)) as device:
        history = training.train(
            model, dataset, validation, **settings, resume=not options.new, about=about, device=device
        )
        if parallel.rank() == 0:
            print(history)


def evaluate(options: argparse.Namespace) -> None:
    """`deeplab-lessons evaluate`."""
    model, about = training.load_model(options.checkpoint)
    options.data = options.data or about.get("data")
    options.scene_size = options.scene_size or about.get("scene_size")
    dataset = _data_set(options, options.split)
    if options.flip or options.scales != [1.0]:
        model = inference.ManyViews(model, options.scales, options.flip)
    if options.crf:
        model = CRFNetwork(model, crf.DenseCRF(options.crf), frozen=True).eval()
    with parallel.process_group(_device(options)) as device:
        scores = training.evaluate(model.to(device), dataset, options.trimap, progress=parallel.rank() == 0)
        if parallel.rank() == 0:
            print(scores)


def experiments(options: argparse.Namespace) -> None:
    """`deeplab-lessons experiments`."""
    rows = [{"name": name, **row} for name, row in table().items()]
    cells = [list(rows[0])]
    cells += [["–" if value in (None, "") else str(value) for value in row.values()] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def segment(options: argparse.Namespace) -> None:
    """`deeplab-lessons segment`."""
    if options.output and len(options.pictures) > 1 and options.output.suffix:
        raise ValueError(
            f"{len(options.pictures)} pictures do not go into one file {options.output}: name a folder"
        )
    model, about = training.load_model(options.checkpoint)
    model, palette = model.to(_device(options)), np.array(about["palette"], np.uint8)
    folder = options.output and not options.output.suffix
    for picture in options.pictures:
        output = options.output / f"{picture.stem}-segmented.png" if folder else options.output
        print(inference.segment(model, picture, output, palette, options.opacity))


def _device(options: argparse.Namespace) -> torch.device:
    return runtime.device() if options.device == "auto" else torch.device(options.device)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return 0, or 1 after a message on stderr for what went wrong."""
    commands = {"train": train, "evaluate": evaluate, "segment": segment, "experiments": experiments}
    try:
        options = parse(arguments)
        commands[options.command](options)
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
    except (ValueError, OSError, RuntimeError, ArithmeticError) as error:
        print(f"deeplab-lessons: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
