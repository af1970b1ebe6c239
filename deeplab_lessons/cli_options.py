"""The options of the command line: what each may be, and what it needs of the others."""

import argparse
import re
import sys
from collections.abc import Callable, Collection, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from deeplab_lessons import crf, files, runtime
from deeplab_lessons.backbones.encoders import OPTIONS as ENCODERS
from deeplab_lessons.cli_values import CLASS_WEIGHTS, CLASSES, DEVICE, IDS, PALETTE, PATH, number
from deeplab_lessons.datasets import SETS
from deeplab_lessons.models import V1_TABLE, VERSIONS

_EXAMPLES = """examples:
  deeplab-lessons check --data folder --images photos --labels masks --classes background,cup --sheet sheet.png
  deeplab-lessons train --data folder --images photos --labels masks --classes background,cup --checkpoint mine.pt
  deeplab-lessons segment holiday.jpg --checkpoint mine.pt
  deeplab-lessons train --checkpoint scenes.pt
  deeplab-lessons train --data camvid --backbone mobilenet_v2 --weights mobilenet_v2.pt --checkpoint camvid.pt
  deeplab-lessons train --experiment v2_vgg_aspp_l --checkpoint twin.pt
  deeplab-lessons train --experiment v2_resnet101_msc_aspp --scale full --weights imagenet --checkpoint paper.pt
  deeplab-lessons train --experiment v3_stage2 --scale full --start v3.pt --checkpoint v3-stage2.pt
  deeplab-lessons evaluate scenes.pt --split test --trimap 1 5 20
  deeplab-lessons evaluate paper.pt --flip --crf v2_resnet101
  deeplab-lessons segment photo.jpg --checkpoint camvid.pt

A training that was stopped continues when the same command is given again. On several GPUs, which then share each
batch, put "torchrun --nproc-per-node 4 --no-python" before "deeplab-lessons"."""


#: The trainings that --experiment knows by name, each a function of --scale: the classroom puts the papers' here.
EXPERIMENTS: dict[str, Callable[[str | None], Any]] = {}


class UsageError(ValueError):
    """What was typed does not fit; nothing was begun."""


# An option: flag, default, help, and what else argparse is told. Then rules for where it is given: a function of all
# options, and what to say of this one if it returns False.
_Option = tuple[Any, ...]

# fmt: off
_REQUIRED, _SIDE = PATH | {"required": True}, number(int, 16, 4096)
_MANY, _FACTOR, _POSITIVE = number(int, 1, 10**9), number(float, 0.1, 16), number(float, 1e-12, 10**6)
_FLAG, _EITHER = {"action": "store_true"}, {"action": argparse.BooleanOptionalAction}  # --name; --name and --no-name
_DEVICE: _Option = ("--device", "auto",
                    "auto (DEEPLAB_LESSONS_DEVICE, or a GPU if there is one), cpu, cuda, cuda:1, mps", DEVICE)
_KNOWN = (lambda o: o.data not in ("embedded", "folder"),
          "is for a real data set: choose one with --data (your own files: --data folder --images DIR --labels DIR)")
_ROOT: _Option = ("--root", None, "folder of a known data set, if it is not in the data folder", PATH, _KNOWN,
                  (lambda o: o.command != "evaluate" or len(SETS.get(o.data, ())) < 4,
                   "is the folder to train on: name the set to measure on with --data (for sbd: voc)"))
_COUNT: _Option = ("--count", None, "use only the first N pairs of the data set", number(int, 1, 10**6))
_SCENES = (lambda o: o.data in (None, "embedded"), "is for the built-in scenes only: leave it out")
_ALONE = (lambda o: not o.experiment, "and --experiment do not go together: the experiment says which network it is")
_TABLE_2 = (lambda o: not o.recipe, "is for DeepLab v1 without --version and --data folder: leave it out")
_OWN = (lambda o: o.data in (None, "folder"), "is for files of your own: add --data folder")
_DRAWN = (lambda o: o.format == "overlay", "is for --format overlay: leave it out")
_NEEDS = [(lambda o, name=name: o.data != "folder" or o.command == "evaluate" or getattr(o, name),
           f"folder needs {what}: add --{name} {kind}")
          for name, what, kind in (("images", "the photographs", "DIR"), ("labels", "their label maps", "DIR"),
                                   ("classes", "the names of the classes", "background,cup"))]
#: Files of your own, as `datasets.Folder` is given them.
FOLDER: list[_Option] = [
    ("--images", None, "folder of photographs", PATH, _OWN),
    ("--labels", None, "folder of label maps with the same names (of COCO's JSON: see datasets.Coco)", PATH, _OWN),
    ("--classes", None, "names of the classes 0, 1, … with commas between them, or a text file with one on each line",
     CLASSES, _OWN),
    ("--ids", None, "classes of the numbers in the label maps: 0:0,255:1 (class 255 is void)", IDS, _OWN),
    ("--others", None, "class of all other numbers, or 255 for void", number(int, 0, 255), _OWN),
    ("--palette", None, "colours of the numbers 0, 1, … in coloured label maps: 0,0,0:255,0,0, or a text file", PALETTE,
     _OWN),
    ("--ending", None, "what a label map's name has more than its photograph's: _mask", {}, _OWN),
    ("--names", None, "text file that lists the pairs to use", PATH, _OWN),
]
#: What `training.train` is given under the same name.
TRAINING: list[_Option] = [
    ("--iterations", 1000, "steps of SGD", _MANY),
    ("--batch-size", 8, "images per step", number(int, 1, 4096)),
    ("--lr", 0.02, "first learning rate of the backbone; the classifier has 10 times it", _POSITIVE),
    ("--schedule", "poly", "how the learning rate falls", {"choices": ("poly", "step")}),
    ("--loss", "subsample", "labels of the map", {"choices": ("subsample", "area", "upsampled")}),
    ("--seed", None, "seed of weights, data order and dropout (else DEEPLAB_LESSONS_SEED, or 0)",
     number(int, 0, 2**32 - 1)),
    ("--weight-decay", 5e-4, "of the weights", number(float, 0, 1)),
    ("--released-groups", False, "twice the learning rate for biases; no decay of them, batch norm, depthwise kernels",
     _EITHER),
    ("--class-weights", None, "weights of the classes in the loss: median-frequency, or 1,2.5,…", CLASS_WEIGHTS),
    ("--clip", None, "largest norm of the gradient", _POSITIVE),
    ("--amp", False, "half precision, on CUDA", _FLAG),
    ("--channels-last", False, "keep the channels of a pixel side by side in memory", _EITHER),
    ("--compiled", False, "through torch.compile", _FLAG),
    ("--save-every", 100, "iterations between two savings", _MANY),
]
#: Every command with its help and its options. In `train` an experiment may set another default.
COMMANDS: dict[str, tuple[str, list[_Option]]] = {
    "check": ("look at a data set before training: files, sizes, numbers, classes, faults", [
        ("--data", None, "data set", {"choices": SETS, "required": True}, *_NEEDS),
        *FOLDER, _ROOT, _COUNT,
        ("--scene-size", 96, "side of the built-in scenes, in pixels", _SIDE, _SCENES),
        ("--split", None, "part of the data set (else all of a folder, or the part to measure on)", {}),
        ("--sheet", None, "PNG to write: pairs with their labels drawn over them", PATH,
         (lambda o: o.sheet.suffix.lower() == ".png", "must be a PNG: pass a name that ends in .png")),
        ("--overwrite", False, "replace an older sheet, but no other file", _FLAG),
    ]),
    "train": ("train a network and keep it in a checkpoint", [
        ("--experiment", None, "a published experiment with its network, data and training; other options change it",
         {"choices": EXPERIMENTS, "metavar": "NAME"}),
        ("--scale", None, "its small twin, or the paper's size (else DEEPLAB_LESSONS_SCALE, or class)",
         {"choices": ("class", "full")}, (lambda o: o.experiment, "is the size of an --experiment: choose one")),
        ("--data", "embedded", "data set", {"choices": SETS}, *_NEEDS),
        *FOLDER,
        ("--val-share", 0.2, "fraction of a folder's pairs to measure on; clips and subfolders stay together",
         number(float, 0.01, 0.9), _OWN),
        ("--longest-side", None, "reduce larger photographs of a folder to it (else the recipe's)", _SIDE, _OWN),
        _ROOT, _COUNT,
        ("--scene-size", 96, "side of the built-in scenes, in pixels", _SIDE, _SCENES),
        ("--checkpoint", None, "file to keep the training in (and to continue from)", _REQUIRED,
         (lambda o: not o.checkpoint.is_dir(), "must be a file, and this is a folder: add a name"),
         (lambda o: not files.closed_above(o.checkpoint), "cannot be written in this folder: choose another one")),
        ("--new", False, "begin afresh even if the checkpoint is there", _FLAG),
        ("--split", "train", "part of the data set to train on", {}),
        ("--start", None, "checkpoint, or torchvision's DeepLabV3, to begin with; what fits is kept", PATH,
         (lambda o: not o.weights, "and --weights do not go together: choose one of the two"),
         (lambda o: o.start.resolve() != o.checkpoint.resolve(), "and --checkpoint must be two files"),
         (lambda o: o.start.resolve() != o.checkpoint.with_stem(f"{o.checkpoint.stem}-best").resolve(),
          "is the best state of --checkpoint, which this training would replace: pass another --checkpoint")),
        ("--freeze-batch-norm", False, "leave batch norm as it is", _EITHER,
         (lambda o: not (o.freeze_batch_norm and o.no_batch_norm), "and --no-batch-norm do not go together")),
        ("--crop", [96], "side of the training crop, or height and width", _SIDE | {"nargs": "+"},
         (lambda o: len(o.crop) < 3, "must be a side, or height and width")),
        ("--random-scale", [0.5, 1.5], "range of random scaling; 1 1 leaves the size",
         _FACTOR | {"nargs": 2, "metavar": ("LOW", "HIGH")},
         (lambda o: o.random_scale[0] <= o.random_scale[1], "must be the smaller number and then the larger one")),
        ("--version", None, "DeepLab version, and settings for few images instead of the defaults (--data folder: v3)",
         {"choices": VERSIONS}, _ALONE),
        ("--backbone", None, "backbone (default: mobilenet_v2 with --data folder or --version, else vgg16)",
         {"choices": ("vgg16", *ENCODERS)}, _ALONE,
         (lambda o: o.recipe or o.backbone in ("vgg16", "mobilenet_v2"), "needs --version: choose one")),
        ("--output-stride", None, "image pixels per cell of the last map (else the recipe's)", number(int, 8, 32),
         (lambda o: o.recipe, "needs --version: choose one"),
         (lambda o: o.output_stride in (8, 16, 32), "must be 8, 16 or 32")),
        ("--head", "CRF-LargeFOV", "row of the paper's table 2", {"choices": sorted(V1_TABLE)}, _ALONE, _TABLE_2),
        ("--width", None, "multiplies every number of channels (default: 1, or 0.125 for a v1 without --weights)",
         number(float, 0.001, 8), _ALONE,
         (lambda o: o.weights != "imagenet" or o.width == 1, "must be 1 with --weights imagenet")),
        ("--no-batch-norm", False, "as in the paper; needs ImageNet weights to learn well", _FLAG, _ALONE, _TABLE_2,
         (lambda o: o.backbone == "vgg16", "is for --backbone vgg16: every MobileNetV2 has batch norm")),
        ("--weights", None, 'ImageNet weights: a file, or "imagenet" to download torchvision\'s', {},
         (lambda o: Path(o.weights).resolve() != o.checkpoint.resolve(), "and --checkpoint must be two files")),
        *TRAINING, _DEVICE,
    ]),
    "evaluate": ("measure mIoU of a checkpoint on a data set", [
        ("checkpoint", None, "file that train wrote", PATH),
        ("--data", None, "data set (else the checkpoint's)", {"choices": SETS}),
        *(option for option in FOLDER if option[0] != "--classes"), _ROOT, _COUNT,
        ("--scene-size", None, "side of the built-in scenes, in pixels (else the checkpoint's)", _SIDE, _SCENES),
        ("--split", None, "part of the data set (else the one to measure on)", {}),
        ("--trimap", None, "widths of bands around boundaries, in pixels", number(int, 1, 4096) | {"nargs": "+"}),
        ("--scales", [1.0], "sizes at which each image is shown", _FACTOR | {"nargs": "+"}),
        ("--flip", False, "show each image mirrored as well", _FLAG),
        ("--crf", None, "a dense CRF after the network, by its preset", {"choices": crf.PRESETS}),
        _DEVICE,
    ]),
    "segment": ("write photographs with the predicted classes in colour", [
        ("pictures", None, "photographs (JPEG, PNG, …), or folders of them", PATH | {"nargs": "+"}),
        ("--checkpoint", None, "file that train wrote", _REQUIRED),
        ("--output", None, "PNG to write (one photograph), or a folder (else NAME-segmented.png next to each)", PATH,
         (lambda o: o.output.resolve() != o.checkpoint.resolve(), "and --checkpoint must be two files")),
        ("--overwrite", False, "replace older files of these names, but never a photograph", _FLAG),
        ("--format", "overlay", "colours over the photograph, or a PNG of the class numbers (NAME-labels.png)",
         {"choices": ("overlay", "labels")}),
        ("--opacity", 0.6, "of the colours: 0 photograph, 1 labels", number(float, 0, 1), _DRAWN),
        ("--no-legend", False, "draw no legend", _FLAG, _DRAWN),
        ("--longest-side", None, "show the network larger photographs reduced to it (else the checkpoint's)", _SIDE),
        _DEVICE,
    ]),
}
ALIASES = {"--experiment": ["--configuration"]}  # as it was called before
# fmt: on


class _Parser(argparse.ArgumentParser):
    def error(self, message: str):
        known = [str(each) for a in self._actions for each in (*a.option_strings, *(a.choices or ()))]
        wrong = re.findall(r"invalid choice: '(.*?)'", message) or [
            word
            for word in self.typed
            if word.startswith("--") and not any(k.startswith(word) for k in known)
        ]
        near = [match for word in wrong for match in get_close_matches(word, known, 1, 0.7)]
        hint = f": did you mean {near[0]}?" if near else ""
        raise UsageError(f"{message.removeprefix('argument ')}{hint} (see {self.prog} --help)")

    def parse_known_args(self, args=None, namespace=None):
        """Refuse what is unknown here, where the command is known, instead of one floor up."""
        self.typed = [word.partition("=")[0] for word in (sys.argv[1:] if args is None else args)]
        found, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return found, unknown


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
            name, help=about, aliases=ALIASES.get(name, []), argument_default=argparse.SUPPRESS
        )
        command.set_defaults(command=name)
        for flag, default, words, told, *_ in options:
            shown = " ".join(map(str, default)) if isinstance(default, list) else default
            words += f" (default: {shown})" if default not in (None, False) else ""
            command.add_argument(flag, *ALIASES.get(flag, []), help=words, **told)
    return top


def name_of(flag: str) -> str:
    """Return an option's name in Python."""
    return flag.lstrip("-").replace("-", "_")


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the options of a command: the defaults, over them the experiment's, over them what was given.

    Those of `train` have the experiment itself, or None, as `which`, and as `recipe` whether what is not `given` comes
    from a recipe for few pictures. Raises UsageError for options that are out of range or do not go together.
    """
    given = vars(_parser().parse_args(arguments))
    options = {name_of(flag): default for flag, default, *_ in COMMANDS[given["command"]][1]}
    if given["command"] == "train":
        name = given.get("experiment")
        options["which"] = which = EXPERIMENTS[name](given.get("scale")) if name else None
        options |= set_by(which) if which else {}
        options["recipe"] = recipe = not name and (given.get("data") == "folder" or "version" in given)
        options |= {"version": "v3", "backbone": "mobilenet_v2"} if recipe else {"backbone": "vgg16"}
        options["width"] = 1.0 if given.get("weights") or recipe else 0.125
        options["seed"] = given["seed"] if "seed" in given else runtime.seed()
    result = argparse.Namespace(**options | given, given=tuple(given))
    if getattr(result, "data", None) == "embedded" and "embedded" not in SETS:  # the classroom adds it
        raise UsageError(f"--data is needed: choose from {', '.join(SETS)}")
    check(result, given)
    return result


def check(options: argparse.Namespace, given: Collection[str]) -> None:
    """Raise UsageError if one of the options that were `given` breaks its rules."""
    for flag, _, _, _, *rules in COMMANDS[options.command][1]:
        for fits, words in rules:
            if name_of(flag) in given and not fits(options):
                raise UsageError(f"{flag} {words}")


def set_by(which: Any) -> dict[str, object]:
    """Return the options that an experiment sets."""
    return {
        "data": which.data, "split": which.split, "count": which.count, **settings_of(which),
        "scene_size": which.scene_size or (which.crop if isinstance(which.crop, int) else max(which.crop)),
    }  # fmt: skip


def settings_of(which: Any) -> dict[str, object]:
    """Return the options that say how an experiment is trained."""
    crop = [which.crop] if isinstance(which.crop, int) else list(which.crop)
    return {"crop": crop, "random_scale": list(which.scale or (1, 1)), **which.settings}
