"""`deeplab-lessons check | train | evaluate | segment`: the library's functions, from the command line."""

import argparse
import contextlib
import io
import os
import sys
import warnings
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image
from tqdm.auto import tqdm

from deeplab_lessons import crf, datasets, files, inference, parallel, training
from deeplab_lessons.cli_options import UsageError, parse
from deeplab_lessons.cli_options import check as check_options
from deeplab_lessons.cli_train import data_set, device_of, train
from deeplab_lessons.cli_words import as_usage, in_options
from deeplab_lessons.datasets import SETS, Pairs, reading
from deeplab_lessons.models.with_crf import CRFNetwork


def check(options: argparse.Namespace) -> int:
    """`deeplab-lessons check`: 1 if something would stop a training, and 0 with doubts."""
    with as_usage(options, OSError):
        if options.sheet:
            files.check_free(options.sheet, options.overwrite)
    dataset = data_set(options, options.split or ("all" if options.data == "folder" else None))
    report = datasets.check(dataset)
    print("\n".join(in_options(line, options) for line in str(report).splitlines()))
    if options.sheet:
        files.save_png(Image.fromarray(datasets.sheet(dataset)), options.sheet)
        print(options.sheet)
    return int(bool(report.errors))


def evaluate(options: argparse.Namespace) -> int:
    """`deeplab-lessons evaluate`."""
    device, (model, about) = device_of(options), training.load_model(options.checkpoint)
    dataset = _measured(options, about)
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


def _measured(options: argparse.Namespace, about: dict) -> Pairs:
    """The data set to measure on: what was given and, where nothing was, what the checkpoint was trained with."""
    trained = about.get("data", {})
    given = [name for name, value in vars(options).items() if value is not None]
    options.data = options.data or trained.get("name")
    if options.data not in SETS:
        known = f"was trained on {options.data}, which is none of {', '.join(SETS)}"
        says = known if options.data else "does not say what it was trained on"
        raise UsageError(f"{options.checkpoint} {says}: pass --data")
    check_options(options, given)
    options.scene_size = options.scene_size or about.get("scene_size")
    elsewhere = options.images or options.labels or options.names
    if options.data == "folder":
        kept = {"classes": about.get("classes"), **trained.get("folder", {})}
        for name, value in kept.items():
            if name not in given and not (elsewhere and name in ("images", "labels", "names")):
                setattr(options, name, value)
        if not (options.images and options.labels):
            raise UsageError("--data folder needs both --images and --labels: pass the other one too")
        if not (elsewhere or options.split or trained.get("split")):
            raise UsageError(
                f"{options.checkpoint} was trained on all pairs of {options.images}: pass --images and --labels of "
                "others, or --split all to measure on these"
            )
    dataset = data_set(options, options.split or ("all" if elsewhere else None))
    before = trained.get("validation")
    same = not {"data", "images", "labels", "names", "split", "count"} & set(given)
    if before and same and not trained.get("count") and before != len(dataset):
        warnings.warn(
            f"there were {before} pairs to measure on when {options.checkpoint} was trained, and there are "
            f"{len(dataset)} now: some of them may have been trained on",
            stacklevel=2,
        )
    return dataset


def segment(options: argparse.Namespace) -> int:
    """`deeplab-lessons segment`: a picture that cannot be drawn on does not stop the others."""
    with as_usage(options, ValueError, OSError):
        outputs = inference.overlay_paths(options.pictures, options.output, options.overwrite, options.format)
    device, (model, about) = device_of(options), training.load_model(options.checkpoint)
    drawing = {
        "palette": np.array(about["palette"], np.uint8) if "palette" in about else None,
        "classes": about.get("classes", ()), "opacity": options.opacity, "legend": not options.no_legend,
        "longest_side": options.longest_side or about.get("longest_side", inference.LONGEST_SIDE),
        "kind": options.format, "overwrite": options.overwrite,
    }  # fmt: skip
    model, code = model.to(device), 0
    for picture, output in tqdm(outputs.items(), "segmenting", disable=None if len(outputs) > 1 else True):
        try:
            inference.segment(model, picture, output, **drawing)
        except (ValueError, OSError, RuntimeError) as error:
            named = str(picture) in f"{error}" or getattr(error, "filename", None)
            _complain(error if named else ValueError(f"{picture}: {error}"), options)
            code = 1
        else:
            tqdm.write(str(output))
            if max(reading.shape_of(picture)[1:]) > (side := drawing["longest_side"]):
                warnings.warn(
                    f"photographs with a side above {side} pixels are shown to the network reduced to that size, and "
                    "drawn on at their own: --longest-side chooses another",
                    stacklevel=1,
                )  # which is said once
    return code


def _complain(what: Exception, options: argparse.Namespace) -> None:
    """Say on stderr what went wrong, on one line and in the words of the command."""
    message = str(what) or type(what).__name__
    if isinstance(what, OSError) and what.strerror:
        message = f"{what.filename}: {what.strerror}" if what.filename else what.strerror
    print(f"deeplab-lessons: {in_options(message, options)}", file=sys.stderr)


def main(arguments: Sequence[str] | None = None, **more: Callable) -> int:
    """Run one command; return 0, or after a line on stderr 1 for a failure and 2 for options that do not fit.

    After Ctrl-C it is 130, and 141 if the output is no longer read. `more` are commands by name, next to ours.
    """
    ours = (check, train, evaluate, segment)
    commands = {command.__name__: command for command in ours} | more
    options, said = argparse.Namespace(command="train"), set[str]()

    def once(warning: str) -> None:
        if warning not in said:
            _complain(ValueError(warning), options)
        said.add(warning)

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # file names may hold what the terminal cannot show
    try:
        with warnings.catch_warnings(), contextlib.ExitStack() as at_the_end:
            at_the_end.callback(print, end="", flush=True)  # a closed pipe is noticed here, also after --help
            warnings.showwarning = lambda warning, *where: once(str(warning))
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
