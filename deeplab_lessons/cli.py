"""`deeplab-lessons train | evaluate | segment | configurations`: the lessons' functions, from the command line."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

_EXAMPLES = """examples:
  deeplab-lessons train --checkpoint scenes.pt
  deeplab-lessons train --data camvid --backbone mobilenet_v2 --weights mobilenet_v2.pt --checkpoint camvid.pt
  deeplab-lessons train --configuration v2_vgg_aspp_l --checkpoint twin.pt
  deeplab-lessons train --configuration v2_resnet101_msc_aspp --scale full --weights imagenet --checkpoint paper.pt
  deeplab-lessons train --configuration v3_stage2 --scale full --start v3.pt --checkpoint v3-stage2.pt
  deeplab-lessons evaluate scenes.pt --split test --trimap 1 5 20
  deeplab-lessons evaluate paper.pt --flip --crf v2_resnet101
  deeplab-lessons segment photo.jpg --checkpoint camvid.pt

A training that was stopped goes on when the same command is given again. On several GPUs, put
"torchrun --nproc-per-node 4 -m deeplab_lessons.cli" in the place of "deeplab-lessons": they share each batch."""


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    top = argparse.ArgumentParser(
        prog="deeplab-lessons",
        description="Train DeepLab, measure it, and let it draw on photographs.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="command")
    for name, words in (
        ("train", "train a network and keep it in a checkpoint"),
        ("evaluate", "measure mIoU of a checkpoint on a data set"),
        ("segment", "write photographs with the predicted classes in colour"),
        ("configurations", "list the papers' experiments that train knows by name"),
    ):
        command = commands.add_parser(
            name, help=words, formatter_class=argparse.ArgumentDefaultsHelpFormatter
        )
        if name == "configurations":
            continue
        if name == "train":
            top.trainer = command
        {"train": _training_options, "evaluate": _measuring_options, "segment": _drawing_options}[name](
            command
        )
        command.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    return top


def _data_options(command: argparse.ArgumentParser) -> None:
    from deeplab_lessons.datasets.named import SETS

    command.add_argument("--data", choices=SETS, help="data set (None: embedded, or the checkpoint's)")
    command.add_argument("--root", type=Path, help="folder of the data set, if it is not in the data folder")
    command.add_argument("--count", type=int, help="use so many pairs of the data set only")
    command.add_argument(
        "--scene-size", type=int, help="side of embedded scenes, in pixels (None: 96, or the checkpoint's)"
    )


def _training_options(command: argparse.ArgumentParser) -> None:
    from deeplab_lessons.models import V1_TABLE
    from deeplab_lessons.training.configurations import CONFIGURATIONS

    _data_options(command)
    add = command.add_argument
    add(
        "--configuration",
        choices=CONFIGURATIONS,
        metavar="NAME",
        help="a published experiment: its network, data and training; other options given change it",
    )
    add(
        "--scale",
        choices=("class", "full"),
        help="with --configuration: its small twin, or the paper's size (None: DEEPLAB_LESSONS_SCALE, or class)",
    )
    add("--checkpoint", type=Path, required=True, help="file to keep the training in (and to go on from)")
    add("--new", action="store_true", help="begin anew even if the checkpoint is there")
    add("--split", default="train", help="part of the data set to train on")
    add(
        "--start",
        type=Path,
        help="checkpoint of another training whose network goes on, as in a second stage",
    )
    add("--frozen-norms", action="store_true", help="leave batch norm as it is")
    add("--crop", type=int, nargs="+", default=[96], help="side of the training crop, or height and width")
    add(
        "--random-scale",
        type=float,
        nargs=2,
        default=[0.5, 1.5],
        metavar=("LOW", "HIGH"),
        help="range of random scaling; 1 1 leaves the size",
    )
    add("--backbone", choices=("vgg16", "mobilenet_v2"), default="vgg16", help="backbone")
    add("--weights", help='ImageNet weights: a file, or "imagenet" to download torchvision\'s')
    add("--head", choices=sorted(V1_TABLE), default="CRF-LargeFOV", help="row of the paper's table 2")
    add("--width", type=float, default=0.125, help="multiplies every number of channels; the paper's is 1")
    add("--no-batch-norm", action="store_true", help="as in the paper; needs ImageNet weights to learn well")
    add("--iterations", type=int, default=1000, help="steps of SGD")
    add("--batch-size", type=int, default=8, help="pictures a step")
    add(
        "--lr",
        type=float,
        default=0.02,
        help="first learning rate of the backbone; the classifier has 10 times it",
    )
    add("--schedule", choices=("poly", "step"), default="poly", help="how the rate falls")
    add("--loss", choices=("subsample", "area", "upsampled"), default="subsample", help="labels of the map")
    add("--seed", type=int, default=0, help="seed of weights, data order and dropout")
    add("--clip", type=float, help="largest norm of the gradient")
    add("--amp", action="store_true", help="half precision, on CUDA")
    add("--channels-last", action="store_true", help="keep the channels of a pixel side by side in memory")
    add("--compiled", action="store_true", help="through torch.compile")
    add("--save-every", type=int, default=100, help="iterations between two savings")


def _measuring_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("checkpoint", type=Path, help="file that train wrote")
    from deeplab_lessons.crf import PRESETS

    _data_options(command)
    add = command.add_argument
    add("--split", help="part of the data set (None: the one to measure on)")
    add("--trimap", type=int, nargs="*", help="widths of bands around boundaries, in pixels")
    add("--scales", type=float, nargs="+", default=[1.0], help="sizes at which each picture is shown")
    add("--flip", action="store_true", help="show each picture mirrored, too")
    add("--crf", choices=PRESETS, help="a dense CRF behind the network, by its preset")


def _drawing_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("pictures", type=Path, nargs="+", help="photographs (JPEG, PNG, …)")
    command.add_argument("--checkpoint", type=Path, required=True, help="file that train wrote")
    command.add_argument("--output", type=Path, help="PNG to write (one picture), or a folder (several)")
    command.add_argument("--opacity", type=float, default=0.6, help="of the colours: 0 photograph, 1 labels")


def data_set(options: argparse.Namespace, split: str | None, transforms=None):
    """The data set that the options name; what its class raises where it is not there."""
    from deeplab_lessons.datasets.named import named

    return named(
        options.data or "embedded", split, transforms, options.root, options.count, options.scene_size or 96
    )


_NETWORK_OPTIONS = ("backbone", "head", "width", "no_batch_norm")


def network_of(options: argparse.Namespace, num_classes: int) -> dict:
    """Arguments of `models.deeplab`: those of the configuration, or from the single options.

    Raises ValueError where both are given.
    """
    from deeplab_lessons.models import V1_TABLE
    from deeplab_lessons.training.configurations import configuration

    if options.configuration is None:
        shape = {"version": "v1", "width": options.width, "backbone": options.backbone}
        shape |= {"batch_norm": not options.no_batch_norm, **V1_TABLE[options.head]}
        return shape | {"num_classes": num_classes}
    usual = parser().parse_args(["train", "--checkpoint", "none"])
    given = [name for name in _NETWORK_OPTIONS if getattr(options, name) != getattr(usual, name)]
    if given:
        raise ValueError(
            f"--{given[0].replace('_', '-')} and --configuration don't go together: the configuration says "
            "which network it is"
        )
    return configuration(options.configuration, options.scale).network | {"num_classes": num_classes}


def configured(options: argparse.Namespace) -> dict[str, object]:
    """Options of `train` as the configuration sets them."""
    from deeplab_lessons.training.configurations import configuration

    which = configuration(options.configuration, options.scale)
    crop, scale = [which.crop], list(which.scale or (1, 1))
    return {
        "data": which.data, "split": which.split, "count": which.count, "scene_size": which.crop, "crop": crop,
        "random_scale": scale, **which.settings,
    }  # fmt: skip


def model_of(options: argparse.Namespace, shape: dict):
    """The network that `train` begins with: from `--start`, or new with the backbone's `--weights`.

    Raises ValueError where a second stage is asked for and nothing to start from.
    """
    from deeplab_lessons.models import deeplab
    from deeplab_lessons.training import checkpoints, norms
    from deeplab_lessons.training.configurations import configuration

    which = options.configuration and configuration(options.configuration, options.scale)
    resumed = options.checkpoint.exists() and not options.new
    if which and which.goes_on and not options.start and not resumed:
        raise ValueError(
            f"{which.name} goes on with what {which.starts_from} has trained: give its checkpoint, --start FILE"
        )
    model = deeplab(**shape, weights=options.weights)
    if which:
        norms.keep(model, which.batch_norm_decay)
    if options.start:
        checkpoints.fit(model, checkpoints.load_checkpoint(options.start)["model"], options.start)
    return model


def train(options: argparse.Namespace) -> None:
    """`deeplab-lessons train`."""
    from deeplab_lessons import datasets, parallel, runtime, training

    crop, scale = tuple(options.crop * 2)[:2], tuple(options.random_scale)
    change = datasets.transforms.train(crop, None if scale == (1, 1) else scale)
    dataset = data_set(options, options.split, change)
    # what is trained on trainval has no picture left to be measured on
    validation = None if options.split == "trainval" else data_set(options, None)
    shape = network_of(options, len(dataset.classes))
    about = {"model": shape, "data": options.data or "embedded", "classes": list(dataset.classes)}
    about |= {"palette": dataset.palette.tolist(), "configuration": options.configuration}
    about |= {"scene_size": options.scene_size}
    runtime.seed_everything(options.seed)
    names = ("iterations", "batch_size", "lr", "schedule", "loss", "seed", "clip", "amp", "save_every")
    names += ("channels_last", "compiled", "frozen_norms", "checkpoint")
    with parallel.process_group(_device(options)) as device:
        history = training.train(
            model_of(options, shape),
            dataset,
            validation,
            **{name: getattr(options, name) for name in names},
            resume=not options.new,
            about=about,
            device=device,
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


def configurations(options: argparse.Namespace) -> None:
    """`deeplab-lessons configurations`."""
    from deeplab_lessons.training.configurations import table

    print(table().to_string(na_rep="–"))


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
    top = parser()
    options = top.parse_args(arguments)
    commands = {"train": train, "evaluate": evaluate, "segment": segment, "configurations": configurations}
    try:
        if getattr(options, "configuration", None):
            # once more, with its settings where nothing else is given
            top.trainer.set_defaults(**configured(options))
            options = top.parse_args(arguments)
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
