"""The options of the command line: what each may be, what it needs of the others, and its name in messages."""

import argparse
import contextlib
import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import torch

from deeplab_lessons import crf, runtime
from deeplab_lessons.datasets import SETS
from deeplab_lessons.models import V1_TABLE
from deeplab_lessons.training.experiments import EXPERIMENTS, Experiment, experiment

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
"torchrun --nproc-per-node 4 -m deeplab_lessons.cli" instead of "deeplab-lessons": they share each batch."""


class UsageError(ValueError):
    """What was typed does not fit; nothing was begun."""


def number(kind: type, least: float, most: float) -> dict[str, Any]:
    """What argparse is told of an option that has a range."""

    def read(text: str) -> float:
        with contextlib.suppress(ValueError):
            if least <= (value := kind(text)) <= most:
                return value
        noun = "whole number" if kind is int else "number"
        raise argparse.ArgumentTypeError(f"must be a {noun} from {least} to {most}, got {text!r}")

    return {"type": read}


def _device(text: str) -> str:
    with contextlib.suppress(RuntimeError, AssertionError):  # of torch: one is unknown, one is absent
        if text == "auto" or torch.zeros(1, device=text).device.type in ("cpu", "cuda", "mps"):
            return text
    raise argparse.ArgumentTypeError(f"must be auto or a device of this machine, got {text!r}")


# An option: flag, default, help, and what else argparse is told. Then rules for where it is given: a function of all
# options, and what to say of this one if it returns False.
_Option = tuple[Any, ...]

# fmt: off
PATH: dict[str, Any] = {"type": lambda text: Path(text).expanduser()}
_REQUIRED, _SIDE = PATH | {"required": True}, number(int, 16, 4096)
_MANY, _FACTOR, _POSITIVE = number(int, 1, 10**9), number(float, 0.1, 16), number(float, 1e-12, 10**6)
_FLAG, _EITHER = {"action": "store_true"}, {"action": argparse.BooleanOptionalAction}  # --name; --name and --no-name
_DEVICE: _Option = ("--device", "auto",
                    "auto (DEEPLAB_LESSONS_DEVICE, or a GPU if there is one), cpu, cuda, cuda:1, mps",
                    {"type": _device})
_ROOT: _Option = ("--root", None, "folder of the data set, if it is not in the data folder", PATH,
                  (lambda o: o.data != "embedded", "is for a real data set: choose one with --data"),
                  (lambda o: (o.command, o.data) != ("evaluate", "sbd"), "is VOC's folder here: pass --data voc"))
_COUNT: _Option = ("--count", None, "use only the first so many pairs of the data set", number(int, 1, 10**6))
_SCENES = (lambda o: o.data in (None, "embedded"), "is for the built-in scenes only: leave it out")
_ALONE = (lambda o: not o.experiment, "and --experiment do not go together: the experiment says which network it is")
#: What `training.train` is given under the same name.
TRAINING: list[_Option] = [
    ("--iterations", 1000, "steps of SGD", _MANY),
    ("--batch-size", 8, "images per step", number(int, 1, 4096)),
    ("--lr", 0.02, "first learning rate of the backbone; the classifier has 10 times it", _POSITIVE),
    ("--schedule", "poly", "how the learning rate falls", {"choices": ("poly", "step")}),
    ("--loss", "subsample", "labels of the map", {"choices": ("subsample", "area", "upsampled")}),
    ("--seed", None, "seed of weights, data order and dropout (else DEEPLAB_LESSONS_SEED, or 0)",
     number(int, 0, 2**32 - 1)),
    ("--clip", None, "largest norm of the gradient", _POSITIVE),
    ("--amp", False, "half precision, on CUDA", _FLAG),
    ("--channels-last", False, "keep the channels of a pixel side by side in memory", _EITHER),
    ("--compiled", False, "through torch.compile", _FLAG),
    ("--save-every", 100, "iterations between two savings", _MANY),
]
#: Every command with its help and its options. In `train` an experiment may set another default.
COMMANDS: dict[str, tuple[str, list[_Option]]] = {
    "train": ("train a network and keep it in a checkpoint", [
        ("--experiment", None, "a published experiment with its network, data and training; other options change it",
         {"choices": EXPERIMENTS, "metavar": "NAME"}),
        ("--scale", None, "its small twin, or the paper's size (else DEEPLAB_LESSONS_SCALE, or class)",
         {"choices": ("class", "full")}, (lambda o: o.experiment, "is the size of an --experiment: choose one")),
        ("--data", "embedded", "data set", {"choices": SETS}),
        _ROOT, _COUNT,
        ("--scene-size", 96, "side of the built-in scenes, in pixels", _SIDE, _SCENES),
        ("--checkpoint", None, "file to keep the training in (and to continue from)", _REQUIRED,
         (lambda o: not o.checkpoint.is_dir(), "must be a file, and this is a folder: add a name")),
        ("--new", False, "begin afresh even if the checkpoint is there", _FLAG),
        ("--split", "train", "part of the data set to train on", {}),
        ("--start", None, "checkpoint of another training whose network is trained further (second stage)", PATH,
         (lambda o: not o.weights, "and --weights do not go together: choose one of the two"),
         (lambda o: o.start.resolve() != o.checkpoint.resolve(), "and --checkpoint must be two files")),
        ("--freeze-batch-norm", False, "leave batch norm as it is", _EITHER,
         (lambda o: not (o.freeze_batch_norm and o.no_batch_norm), "and --no-batch-norm do not go together")),
        ("--crop", [96], "side of the training crop, or height and width", _SIDE | {"nargs": "+"},
         (lambda o: len(o.crop) < 3, "must be a side, or height and width")),
        ("--random-scale", [0.5, 1.5], "range of random scaling; 1 1 leaves the size",
         _FACTOR | {"nargs": 2, "metavar": ("LOW", "HIGH")},
         (lambda o: o.random_scale[0] <= o.random_scale[1], "must be the smaller number and then the larger one")),
        ("--backbone", "vgg16", "backbone", {"choices": ("vgg16", "mobilenet_v2")}, _ALONE),
        ("--head", "CRF-LargeFOV", "row of the paper's table 2", {"choices": sorted(V1_TABLE)}, _ALONE),
        ("--width", None, "multiplies every number of channels (default: 0.125, or with --weights the paper's 1)",
         number(float, 0.001, 8), _ALONE,
         (lambda o: o.weights != "imagenet" or o.width == 1, "must be 1 with --weights imagenet")),
        ("--no-batch-norm", False, "as in the paper; needs ImageNet weights to learn well", _FLAG,
         _ALONE, (lambda o: o.backbone == "vgg16", "is for --backbone vgg16: every MobileNetV2 has batch norm")),
        ("--weights", None, 'ImageNet weights: a file, or "imagenet" to download torchvision\'s', {},
         (lambda o: Path(o.weights).resolve() != o.checkpoint.resolve(), "and --checkpoint must be two files")),
        *TRAINING, _DEVICE,
    ]),
    "evaluate": ("measure mIoU of a checkpoint on a data set", [
        ("checkpoint", None, "file that train wrote", PATH),
        ("--data", None, "data set (else the checkpoint's)", {"choices": SETS}),
        _ROOT, _COUNT,
        ("--scene-size", None, "side of the built-in scenes, in pixels (else the checkpoint's)", _SIDE, _SCENES),
        ("--split", None, "part of the data set (else the one to measure on)", {}),
        ("--trimap", None, "widths of bands around boundaries, in pixels", number(int, 1, 4096) | {"nargs": "+"}),
        ("--scales", [1.0], "sizes at which each image is shown", _FACTOR | {"nargs": "+"}),
        ("--flip", False, "show each image mirrored as well", _FLAG),
        ("--crf", None, "a dense CRF after the network, by its preset", {"choices": crf.PRESETS}),
        _DEVICE,
    ]),
    "segment": ("write photographs with the predicted classes in colour", [
        ("pictures", None, "photographs (JPEG, PNG, …)", PATH | {"nargs": "+"}),
        ("--checkpoint", None, "file that train wrote", _REQUIRED),
        ("--output", None, "PNG to write (one photograph), or a folder (else NAME-segmented.png next to each)", PATH,
         (lambda o: o.output.resolve() != o.checkpoint.resolve(), "and --checkpoint must be two files")),
        ("--overwrite", False, "replace older files of these names, but never a photograph", _FLAG),
        ("--opacity", 0.6, "of the colours: 0 photograph, 1 labels", number(float, 0, 1)),
        _DEVICE,
    ]),
    "experiments": ("list the papers' experiments that train knows by name", []),
}
_ALIASES = {"experiments": ["configurations"], "--experiment": ["--configuration"]}  # as they were called before
# fmt: on


class _Parser(argparse.ArgumentParser):
    def error(self, message: str):
        raise UsageError(f"{message.removeprefix('argument ')} (see {self.prog} --help)")


def _parser() -> argparse.ArgumentParser:
    """The commands and their options; only the given ones are in the namespace."""
    top = _Parser(
        prog="deeplab-lessons",
        description="Train DeepLab, measure it, and let it draw on photographs.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="command")
    for name, (about, options) in COMMANDS.items():
        command = commands.add_parser(
            name, help=about, aliases=_ALIASES.get(name, []), argument_default=argparse.SUPPRESS
        )
        command.set_defaults(command=name)
        for flag, default, words, told, *_ in options:
            shown = " ".join(map(str, default)) if isinstance(default, list) else default
            words += f" (default: {shown})" if default not in (None, False) else ""
            command.add_argument(flag, *_ALIASES.get(flag, []), help=words, **told)
    return top


def name_of(flag: str) -> str:
    """Return an option's name in Python."""
    return flag.lstrip("-").replace("-", "_")


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the options of a command: the defaults, over them the experiment's, over them what was given.

    Those of `train` have the experiment itself, or None, as `which`. Raises UsageError for options out of range
    or do not go together.
    """
    given = vars(_parser().parse_args(arguments))
    options = {name_of(flag): default for flag, default, *_ in COMMANDS[given["command"]][1]}
    if given["command"] == "train":
        name = given.get("experiment")
        options["which"] = which = experiment(name, given.get("scale")) if name else None
        options |= _set_by(which) if which else {}
        options["width"] = 1.0 if given.get("weights") else 0.125
        options["seed"] = given["seed"] if "seed" in given else runtime.seed()
    result = argparse.Namespace(**options | given)
    check(result, given)
    return result


def check(options: argparse.Namespace, given: Collection[str]) -> None:
    """Raise UsageError if one of the options that were `given` breaks its rules."""
    for flag, _, _, _, *rules in COMMANDS[options.command][1]:
        for fits, words in rules:
            if name_of(flag) in given and not fits(options):
                raise UsageError(f"{flag} {words}")


def _set_by(which: Experiment) -> dict[str, object]:
    crop = [which.crop] if isinstance(which.crop, int) else list(which.crop)
    return {
        "data": which.data, "split": which.split, "count": which.count, "scene_size": which.scene_size or max(crop),
        "crop": crop, "random_scale": list(which.scale or (1, 1)), **which.settings,
    }  # fmt: skip


#: What the library says to somebody who writes Python, and what the command line says instead.
_PHRASES = {
    "resume=False": "--new",
    "the folder as the first argument": "the folder with --root",
    "Pass download=True to fetch it, or": "Get it, and",
    "Build that model yourself, then model.load_state_dict(load_checkpoint(path)['model']); or train with "
    "about={'model': {...}}": "Pass one that deeplab-lessons train wrote",
}


def in_options(message: str, options: argparse.Namespace) -> str:
    """Say a message of the library in the words of a command, on one line: `lr=1` as --lr 1, `amp=True` as --amp."""
    flags = {name_of(flag): flag for flag, *_ in COMMANDS[options.command][1]}
    typed = str([value for name, value in vars(options).items() if name != "which"])

    def option(found: re.Match) -> str:
        name, value = found.groups()
        if (
            found[0] in typed or name in EXPERIMENTS or not (value or "_" in name)
        ):  # part of a name, or a word
            return found[0]
        flag = flags.get(name, name.replace("_", " "))
        plain = {None: flag, "True": flag, "False": f"no {flag}", "None": f"no {flag}"}
        return plain.get(value, f"{flag} {value}")

    message = message.strip().partition("\n")[0]
    for name, flag in flags.items():
        message = re.sub(rf"(?<=[:;] ){name} was ", f"{flag} was ", message)
    for python, shell in _PHRASES.items():
        message = message.replace(python, shell)
    value = r"\{.*?\}|[^\s,;)]*[^\s,;:.)]"
    return re.sub(rf"(?<![\w./\\-])([a-z_]+)(?:=({value}))?(?![\w(/]|\.\w)", option, message)
