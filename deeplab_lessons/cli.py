"""`deeplab-lessons train | evaluate | segment | experiments`: the lessons' functions, from the command line."""

import argparse
import contextlib
import hashlib
import io
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from deeplab_lessons import crf, inference, parallel, runtime, training
from deeplab_lessons.cli_options import TRAINING, UsageError, check, in_options, name_of, parse
from deeplab_lessons.datasets import SETS, Pairs, named, transforms
from deeplab_lessons.models import V1_TABLE, deeplab
from deeplab_lessons.models.with_crf import CRFNetwork
from deeplab_lessons.training import checkpoints
from deeplab_lessons.training.experiments import table


def _data_set(options: argparse.Namespace, split: str | None, change=None) -> Pairs:
    try:
        return named(options.data, split, change, options.root, options.count, options.scene_size or 96)
    except ValueError as error:
        raise UsageError(in_options(str(error), options)) from None


def _device(options: argparse.Namespace) -> torch.device:
    return runtime.device() if options.device == "auto" else torch.device(options.device)


def _start(options: argparse.Namespace, resumed: bool) -> torch.device:
    """The device to train on, if the training can begin there and at its checkpoint; UsageError if not."""
    which, device = options.which, _device(options)
    if options.amp and device.type != "cuda":
        raise UsageError(f"--amp is for CUDA, and the device is {device}: leave it out")
    if which and which.is_second_stage and not options.start and not resumed:
        raise UsageError(
            f"{which.name} continues what {which.starts_from} has trained: pass its checkpoint, --start FILE"
        )
    if options.new and options.checkpoint.exists():
        training.load_checkpoint(options.checkpoint)  # raises for any other file, which is never replaced
    return device


def train(options: argparse.Namespace) -> int:
    """`deeplab-lessons train`."""
    which, resumed = options.which, options.checkpoint.exists() and not options.new
    device = _start(options, resumed)
    crop, scale = tuple(options.crop * 2)[:2], tuple(options.random_scale)
    dataset = _data_set(options, options.split, transforms.train(crop, None if scale == (1, 1) else scale))
    # what is trained on these pictures has none left to be measured on
    measured = SETS[options.data][2]
    validation = None if options.split in (measured, f"train{measured}") else _data_set(options, None)
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
        "experiment": options.experiment, "settings": _agreed(options, resumed),
    }  # fmt: skip
    names = [name_of(flag) for flag, *_ in TRAINING] + ["freeze_batch_norm", "checkpoint"]
    settings = {name: getattr(options, name) for name in names}
    with parallel.process_group(device) as device:
        history = training.train(
            model, dataset, validation, **settings, resume=not options.new, about=about, device=device
        )
        if parallel.rank() == 0:
            print(history)
    return 0 if history.finished else 130


#: What may change when a training is continued: where it is kept and computed. What `--scale` sets is compared.
_MAY_CHANGE = {"command", "which", "scale", "checkpoint", "new", "save_every", "root", "device", "compiled"}


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


def evaluate(options: argparse.Namespace) -> int:
    """`deeplab-lessons evaluate`."""
    device, (model, about) = _device(options), training.load_model(options.checkpoint)
    options.data = options.data or about.get("data")
    if not options.data:
        raise UsageError(f"{options.checkpoint} does not say what it was trained on: pass --data")
    check(options, [name for name, value in vars(options).items() if value is not None])
    options.scene_size = options.scene_size or about.get("scene_size")
    dataset = _data_set(options, options.split)
    if list(about.get("classes", dataset.classes)) != list(dataset.classes):
        raise UsageError(f"{options.checkpoint} knows other classes than {options.data}: pass another --data")
    if options.flip or options.scales != [1.0]:
        model = inference.ManyViews(model, options.scales, options.flip)
    if options.crf:
        model = CRFNetwork(model, crf.DenseCRF(options.crf), frozen=True).eval()
    with parallel.process_group(device) as device:
        scores = training.evaluate(model.to(device), dataset, options.trimap, progress=parallel.rank() == 0)
        if parallel.rank() == 0:
            print(scores)
    return 0


def experiments(options: argparse.Namespace) -> int:
    """`deeplab-lessons experiments`."""
    rows = [{"name": name, **row} for name, row in table().items()]
    cells = [list(rows[0])]
    cells += [["–" if value in (None, "") else str(value) for value in row.values()] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    return 0


def segment(options: argparse.Namespace) -> int:
    """`deeplab-lessons segment`: a picture that cannot be drawn on does not stop the others."""
    try:
        outputs = inference.overlay_paths(options.pictures, options.output, options.overwrite)
    except (ValueError, OSError) as error:
        raise UsageError(in_options(str(error), options)) from None
    device, (model, about) = _device(options), training.load_model(options.checkpoint)
    model, code = model.to(device), 0
    palette = np.array(about["palette"], np.uint8) if "palette" in about else None
    for picture, output in outputs.items():
        try:
            inference.segment(model, picture, output, palette, options.opacity, overwrite=options.overwrite)
        except (ValueError, OSError, RuntimeError) as error:
            named = str(picture) in f"{error}" or getattr(error, "filename", None)
            _complain(error if named else ValueError(f"{picture}: {error}"), options)
            code = 1
        else:
            print(output)
    return code


def _complain(what: Exception, options: argparse.Namespace) -> None:
    """Say on stderr what went wrong, on one line and in the words of the command."""
    message = str(what)
    if isinstance(what, OSError) and what.strerror:
        message = f"{what.filename}: {what.strerror}" if what.filename else what.strerror
    print(f"deeplab-lessons: {in_options(message, options)}", file=sys.stderr)


def main(arguments: Sequence[str] | None = None, **more: Callable) -> int:
    """Run one command; return 0, or after a line on stderr 1 for a failure and 2 for options that do not fit.

    After Ctrl-C it is 130, and 141 if nobody reads the output any more. `more` are commands by name, next to ours.
    """
    commands = {"train": train, "evaluate": evaluate, "segment": segment, "experiments": experiments} | more
    options = argparse.Namespace(command="train")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # file names may hold what the terminal cannot show
    try:
        with warnings.catch_warnings(), contextlib.ExitStack() as at_the_end:
            at_the_end.callback(print, end="", flush=True)  # a closed pipe is noticed here, also after --help
            warnings.showwarning = lambda warning, *where: _complain(warning, options)
            options = parse(arguments)
            return commands[options.command](options)
    except UsageError as error:
        print(f"deeplab-lessons: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or Python tries again at its end, and complains
        return 141
    except (ValueError, OSError, RuntimeError, ArithmeticError, ImportError, MemoryError) as error:
        _complain(error, options)
        return 1


if __name__ == "__main__":
    sys.exit(main())
