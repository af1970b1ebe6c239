"""`deeplab-lessons train | evaluate | segment | experiments`: the lessons' functions, from the command line."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

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

#: What `train` does where neither the command line nor an experiment says otherwise.
_DEFAULTS = {
    "experiment": None, "scale": None, "data": "embedded", "root": None, "count": None, "scene_size": 96, "new": False,
    "split": "train", "start": None, "crop": [96], "random_scale": [0.5, 1.5], "backbone": "vgg16", "weights": None,
    "head": "CRF-LargeFOV", "width": 0.125, "no_batch_norm": False, "iterations": 1000, "batch_size": 8, "lr": 0.02,
    "schedule": "poly", "loss": "subsample", "freeze_batch_norm": False, "seed": 0, "clip": None, "amp": False,
    "channels_last": False, "compiled": False, "save_every": 100, "device": "auto",
}  # fmt: skip


class _Help(argparse.HelpFormatter):
    """Help with the defaults; those of `train` are not argparse's."""

    def _get_help_string(self, action: argparse.Action) -> str:
        default = _DEFAULTS.get(action.dest) if action.default is argparse.SUPPRESS else action.default
        shown = not action.required and action.dest != "help" and default not in (None, False)
        return f"{action.help} (default: {default})" if shown else str(action.help)


def parser() -> argparse.ArgumentParser:
    """Return the commands and their options; of those of `train`, only the given ones are in the namespace."""
    top = argparse.ArgumentParser(
        prog="deeplab-lessons",
        description="Train DeepLab, measure it, and let it draw on photographs.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="command")
    train = commands.add_parser(
        "train", help="train a network and keep it in a checkpoint", formatter_class=_Help,
        argument_default=argparse.SUPPRESS,
    )  # fmt: skip
    _training_options(train)
    evaluate = commands.add_parser(
        "evaluate", help="measure mIoU of a checkpoint on a data set", formatter_class=_Help
    )
    _measuring_options(evaluate)
    segment = commands.add_parser(
        "segment", help="write photographs with the predicted classes in colour", formatter_class=_Help
    )
    _drawing_options(segment)
    for command in (train, evaluate, segment):
        command.add_argument("--device", help="auto, cpu, cuda or mps")
    evaluate.set_defaults(device="auto")
    segment.set_defaults(device="auto")
    commands.add_parser(
        "experiments",
        aliases=["configurations"],
        help="list the papers' experiments that train knows by name",
    )
    return top


def _data_options(command: argparse.ArgumentParser, otherwise: str) -> None:
    from deeplab_lessons.datasets import SETS

    add = command.add_argument
    add("--data", choices=SETS, help=f"data set{otherwise}")
    add("--root", type=Path, help="folder of the data set, if it is not in the data folder")
    add("--count", type=int, help="use only so many pairs of the data set")
    add("--scene-size", type=int, help=f"side of the built-in scenes, in pixels{otherwise}")


def _training_options(command: argparse.ArgumentParser) -> None:
    from deeplab_lessons.models import V1_TABLE
    from deeplab_lessons.training.experiments import EXPERIMENTS

    _data_options(command, "")
    add, either = command.add_argument, argparse.BooleanOptionalAction
    add(
        "--experiment", "--configuration", choices=EXPERIMENTS, metavar="NAME",
        help="a published experiment: its network, data and training; other options given change it",
    )  # fmt: skip
    add(
        "--scale", choices=("class", "full"),
        help="with --experiment: its small twin, or the paper's size (else DEEPLAB_LESSONS_SCALE, or class)",
    )  # fmt: skip
    add("--checkpoint", type=Path, required=True, help="file to keep the training in (and to continue from)")
    add("--new", action="store_true", help="begin afresh even if the checkpoint is there")
    add("--split", help="part of the data set to train on")
    add(
        "--start", type=Path,
        help="checkpoint of another training whose network is trained further, as in a second stage",
    )  # fmt: skip
    add("--freeze-batch-norm", action=either, help="leave batch norm as it is")
    add("--crop", type=int, nargs="+", help="side of the training crop, or height and width")
    add(
        "--random-scale", type=float, nargs=2, metavar=("LOW", "HIGH"),
        help="range of random scaling; 1 1 leaves the size",
    )  # fmt: skip
    add("--backbone", choices=("vgg16", "mobilenet_v2"), help="backbone")
    add("--weights", help='ImageNet weights: a file, or "imagenet" to download torchvision\'s')
    add("--head", choices=sorted(V1_TABLE), help="row of the paper's table 2")
    add("--width", type=float, help="multiplies every number of channels; the paper's is 1")
    add("--no-batch-norm", action="store_true", help="as in the paper; needs ImageNet weights to learn well")
    add("--iterations", type=int, help="steps of SGD")
    add("--batch-size", type=int, help="images per step")
    add("--lr", type=float, help="first learning rate of the backbone; the classifier has 10 times it")
    add("--schedule", choices=("poly", "step"), help="how the learning rate falls")
    add("--loss", choices=("subsample", "area", "upsampled"), help="labels of the map")
    add("--seed", type=int, help="seed of weights, data order and dropout")
    add("--clip", type=float, help="largest norm of the gradient")
    add("--amp", action="store_true", help="half precision, on CUDA")
    add("--channels-last", action=either, help="keep the channels of a pixel side by side in memory")
    add("--compiled", action="store_true", help="through torch.compile")
    add("--save-every", type=int, help="iterations between two savings")


def _measuring_options(command: argparse.ArgumentParser) -> None:
    from deeplab_lessons.crf import PRESETS

    add = command.add_argument
    add("checkpoint", type=Path, help="file that train wrote")
    _data_options(command, " (else the checkpoint's)")
    add("--split", help="part of the data set (else the one to measure on)")
    add("--trimap", type=int, nargs="*", help="widths of bands around boundaries, in pixels")
    add("--scales", type=float, nargs="+", default=[1.0], help="sizes at which each image is shown")
    add("--flip", action="store_true", help="show each image mirrored as well")
    add("--crf", choices=PRESETS, help="a dense CRF after the network, by its preset")


def _drawing_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("pictures", type=Path, nargs="+", help="photographs (JPEG, PNG, …)")
    command.add_argument("--checkpoint", type=Path, required=True, help="file that train wrote")
    command.add_argument("--output", type=Path, help="PNG to write (one photograph), or a folder (several)")
    command.add_argument("--opacity", type=float, default=0.6, help="of the colours: 0 photograph, 1 labels")


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the options of a command: the defaults, over them the experiment's, over them what was given.

    Raises ValueError where an option and the experiment both say which network it is.
    """
    options = parser().parse_args(arguments)
    if options.command != "train":
        return options
    given = vars(options)
    if "experiment" in given:
        for name in ("backbone", "head", "width", "no_batch_norm"):
            if name in given:
                raise ValueError(
                    f"--{name.replace('_', '-')} and --experiment don't go together: the experiment says which "
                    "network it is"
                )
    return argparse.Namespace(**_DEFAULTS | _experiment_options(given) | given)


def _experiment_options(given: dict) -> dict[str, object]:
    """The options of `train` that the experiment given sets."""
    which = _experiment(given)
    if which is None:
        return {}
    crop = [which.crop] if isinstance(which.crop, int) else list(which.crop)
    return {
        "data": which.data, "split": which.split, "count": which.count, "scene_size": which.scene_size or max(crop),
        "crop": crop, "random_scale": list(which.scale or (1, 1)), **which.settings,
    }  # fmt: skip


def _experiment(given: dict):
    """The experiment that the options given name, or None."""
    from deeplab_lessons.training.experiments import experiment

    return experiment(given["experiment"], given.get("scale")) if given.get("experiment") else None


def data_set(options: argparse.Namespace, split: str | None, transforms=None):
    """Return the data set that the options name; raises what its class raises where it is not there."""
    from deeplab_lessons.datasets import named

    return named(
        options.data or "embedded", split, transforms, options.root, options.count, options.scene_size or 96
    )


def train(options: argparse.Namespace) -> None:
    """`deeplab-lessons train`: raises ValueError for a second stage without anything to start from."""
    from deeplab_lessons import datasets, parallel, runtime, training
    from deeplab_lessons.models import V1_TABLE, deeplab
    from deeplab_lessons.training import checkpoints

    which, resumed = _experiment(vars(options)), options.checkpoint.exists() and not options.new
    if which and which.is_second_stage and not options.start and not resumed:
        raise ValueError(
            f"{which.name} continues what {which.starts_from} has trained: pass its checkpoint, --start FILE"
        )
    crop, scale = tuple(options.crop * 2)[:2], tuple(options.random_scale)
    change = datasets.transforms.train(crop, None if scale == (1, 1) else scale)
    dataset = data_set(options, options.split, change)
    # what is trained on trainval has no image left to be measured on
    validation = None if options.split == "trainval" else data_set(options, None)
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
    names = (
        "iterations", "batch_size", "lr", "schedule", "loss", "seed", "clip", "amp", "save_every", "channels_last",
        "compiled", "freeze_batch_norm", "checkpoint",
    )  # fmt: skip
    settings = {name: getattr(options, name) for name in names}
    with parallel.process_group(_device(options)) as device:
        history = training.train(
            model, dataset, validation, **settings, resume=not options.new, about=about, device=device
        )
        if parallel.rank() == 0:
            print(history)


def evaluate(options: argparse.Namespace) -> None:
    """`deeplab-lessons evaluate`."""
    from deeplab_lessons import crf, inference, parallel, training
    from deeplab_lessons.models.with_crf import CRFNetwork

    model, about = training.load_model(options.checkpoint)
    options.data = options.data or about.get("data")
    options.scene_size = options.scene_size or about.get("scene_size")
    dataset = data_set(options, options.split)
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
    from deeplab_lessons.training.experiments import table

    rows = [{"name": name, **row} for name, row in table().items()]
    cells = [
        list(rows[0]),
        *(["–" if value in (None, "") else str(value) for value in row.values()] for row in rows),
    ]
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    for line in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def segment(options: argparse.Namespace) -> None:
    """`deeplab-lessons segment`."""
    import numpy as np

    from deeplab_lessons import inference, training

    if options.output and len(options.pictures) > 1 and options.output.suffix:
        raise ValueError(
            f"{len(options.pictures)} pictures do not go into one file {options.output}: name a folder"
        )
    model, about = training.load_model(options.checkpoint)
    model, palette = model.to(_device(options)), np.array(about["palette"], np.uint8)
    for picture in options.pictures:
        output = options.output
        if output and not output.suffix:
            output = output / f"{picture.stem}-segmented.png"
        print(inference.segment(model, picture, output, palette, options.opacity))


def _device(options: argparse.Namespace):
    import torch

    from deeplab_lessons import runtime

    return runtime.device() if options.device == "auto" else torch.device(options.device)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return 0, or 1 after a message on stderr for what went wrong."""
    commands = {"train": train, "evaluate": evaluate, "segment": segment}
    try:
        options = parse(arguments)
        commands.get(options.command, experiments)(options)
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
    except (ValueError, OSError, RuntimeError, ArithmeticError) as error:
        print(f"deeplab-lessons: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
