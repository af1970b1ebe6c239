"""The three-seed comparisons of lesson 05: heads, losses, a longer training, class weights: 24 small-scale trainings.

    python lessons/results/lesson05.py

writes `lesson05.json` next to this file, continues where it stopped, and prints each run.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import runs
import torch
from scipy import ndimage

from deeplab_lessons import inference, training
from deeplab_lessons.classroom import objects
from deeplab_lessons.classroom.experiments import experiment
from deeplab_lessons.datasets import Pairs
from deeplab_lessons.grid import upsample

SEEDS = (0, 1, 2)
HEADS = {"7x7": "small_7x7", "small field": "small_3x3", "LargeFOV": "small_largefov"}
LOSSES = ("area", "upsampled")  # besides "subsample", which "LargeFOV" has
EDGES = (8, 16, 32, 64)  # diameters in pixels that part the sizes of objects
SIZES = ["below 8", "8 to 16", "16 to 32", "32 to 64"]
WINDOWS = (8, 16, 32, 64, 128)  # sides in pixels of the part of the scene that a network is shown
LONGER = 4  # times the iterations of the recipe
COMPACT = (1, 2, 3)  # discs, boxes, triangles: shapes that have a diameter


def found_by_size(network: torch.nn.Module, dataset: Pairs) -> list[float]:
    """Per cent of the pixels of discs, boxes and triangles that get their class, by size of the visible part.

    The diameter is that of a disc with as many pixels.
    """
    right, total = np.zeros(len(SIZES)), np.zeros(len(SIZES))
    for index in range(len(dataset)):
        drawn, labels = inference.predict(network, dataset[index][0]), dataset.pair(index)[1]
        for label in COMPACT:
            parts, count = ndimage.label(labels == label)
            for part in range(1, count + 1):
                inside = parts == part
                place = min(np.searchsorted(EDGES, 2 * np.sqrt(inside.sum() / np.pi)), len(SIZES) - 1)
                total[place] += inside.sum()
                right[place] += (drawn[inside] == label).sum()
    return (100 * right / np.maximum(total, 1)).round(2).tolist()


def seen_through(network: torch.nn.Module, dataset: Pairs) -> list[float]:
    """Per cent of pixels of large signs (32 pixels or more) told right when only a window around them is shown.

    Four pixels of each scene, drawn at random but the same for every network; outside the window the scene
    is painted in the mean colour.
    """
    rng, right, count = np.random.default_rng(0), np.zeros(len(WINDOWS)), 0
    for index in range(len(dataset)):
        image, labels = dataset[index][0], dataset.pair(index)[1]
        large = np.argwhere(objects.object_sides(labels) >= 32)
        for row, column in rng.choice(large, min(4, len(large)), replace=False) if len(large) else ():
            shown = torch.stack([windowed(image, row, column, side) for side in WINDOWS])
            with torch.inference_mode():
                drawn = upsample(network(shown), labels.shape, network.grid)[:, :, row, column].argmax(1)
            right += drawn.numpy() == labels[row, column]
            count += 1
    return (100 * right / max(count, 1)).round(2).tolist()


def windowed(image: torch.Tensor, row: int, column: int, side: int) -> torch.Tensor:
    """The image [3, H, W] with only a square of `side` pixels around one pixel; side 128 shows all."""
    shown = torch.zeros_like(image)
    top, left, reach = max(row - side // 2, 0), max(column - side // 2, 0), side // 2 + 1
    part = (slice(None), slice(top, row + reach), slice(left, column + reach))
    shown[part] = image[part]
    return image if side >= image.shape[1] else shown


def by_class(scores: inference.Scores) -> dict[str, dict[str, float]]:
    """Per cent of each class's pixels that are found, and of the pixels painted as it that are right."""
    confusion = scores.confusion.double()
    parts = {"found": confusion.sum(1), "right": confusion.sum(0)}
    return {
        part: dict(
            zip(
                scores.classes,
                (100 * confusion.diag() / total.clamp(min=1)).round(decimals=1).tolist(),
                strict=True,
            )
        )
        for part, total in parts.items()
    }


def run(
    seed: int,
    quick: bool,
    head: str = "LargeFOV",
    loss: str = "subsample",
    longer: int = 1,
    weights: str | None = None,
) -> dict:
    """Train one network by the small recipe and measure it on the validation scenes."""
    which = replace(experiment(HEADS[head]), **{"count": 20} if quick else {})
    network, (scenes, val) = which.model(seed), which.data_sets()
    for index in range(len(scenes)):  # made before the clock starts, and kept
        scenes.pair(index)
    settings = which.settings | {"loss": loss, "iterations": 2 if quick else longer * which.iterations}
    settings |= {"class_weights": weights}
    history = training.train(network, scenes, seed=seed, progress=False, **settings)
    scores = training.evaluate(network, val)
    return {
        **runs.measured(scores, digits=1),
        **by_class(scores),
        "found_by_size": found_by_size(network.eval(), val),
        "seen_through": seen_through(network, val),
        "loss": round(history.smooth()[-1], 4),
        "seconds": round(history.seconds),
    }


def plan(quick: bool = False) -> dict:
    """Return what the numbers depend on."""
    heads = {head: experiment(name) for head, name in HEADS.items()}
    which = heads["LargeFOV"]
    recipe = ("iterations", "batch_size", "lr", "schedule", "channels_last")
    return {
        "recipe": {key: which.settings[key] for key in recipe}, "size": which.crop,
        "heads_tried": {
            head: {key: each.network[key] for key in ("kernel_size", "rate")} for head, each in heads.items()
        },
        "sizes": SIZES, "windows": WINDOWS, "quick": quick,
    }  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what is missing, seed by seed, and save after each."""
    options = runs.options(__file__, "Train and measure what lesson 05 compares.", arguments)
    choices = {
        "heads": {head: {"head": head} for head in HEADS},
        "losses": {loss: {"loss": loss} for loss in LOSSES},
        "budgets": {f"{LONGER} times as long": {"longer": LONGER}},
        "weights": {"none": {}, "median frequency": {"weights": "median-frequency"}},
    }
    for seed in SEEDS[: 1 if options.quick else None]:
        for group, names in choices.items():
            results = runs.fill(
                options.results, plan(options.quick), (seed,), names,
                lambda name, seed, names=names: {name: run(seed, options.quick, **names[name])}, group,
            )  # fmt: skip
    results["losses"]["subsample"] = results["budgets"]["as in the lesson"] = results["heads"]["LargeFOV"]
    runs.save(options.results, results)


if __name__ == "__main__":
    main()
