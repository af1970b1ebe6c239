"""CamVid by every version of DeepLab, five times as long as in lesson 14's table. Lessons 05 and 14 show it.

    python lessons/results/camvid.py --keep networks

needs CamVid and `weights/mobilenet_v2-imagenet-fp16.pt` in the data folder (see data/README.md), takes about three
and a half hours on one quiet core, measures each network on val and test, writes `camvid.json` next to this file after
each, and prints it. The trainings are kept in the folder `networks`, and continue where they stopped. The networks are
those of `lesson14.py`.
"""

from collections.abc import Sequence
from pathlib import Path

import lesson14
import runs
import torch

from deeplab_lessons import datasets, training
from deeplab_lessons.classroom.experiments import Experiment
from deeplab_lessons.classroom.networks import mobilenet_weights

ITERATIONS = 2000
#: The versions that are trained with each seed: one again, to see how far two runs of a version lie apart.
SEEDS = {0: tuple(lesson14.VERSIONS), 1: ("v2",)}


def run(which: Experiment, seed: int, path: Path, quick: bool) -> dict:
    """Train one version, kept in `path`, and measure it on val and test: shown at `lesson14.ZOOM`, and as they are."""
    network, (streets, val) = which.model(seed, mobilenet_weights()), which.data_sets()
    history = training.train(network, streets, seed=seed, progress=False, checkpoint=path, **which.settings)
    found: dict = {"loss": round(history.smooth()[-1], 4), "as it is": {}}
    for split in ("val", "test"):
        data = datasets.CamVid(split=split)
        data = torch.utils.data.Subset(data, range(2)) if quick else data
        found[split] = lesson14.measured(network, data)
        found["as it is"][split] = runs.per_cent(training.evaluate(network, data).mean_iou)
    return found | {"drawn": lesson14.drawn(network, val[0 if quick else lesson14.SHOWN][0])}


def plan(quick: bool = False) -> dict:
    """Return what the numbers depend on."""
    return lesson14.plan(quick, ITERATIONS)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what is missing, and save after each run."""
    about, keep = "Train every version on CamVid for long.", "folder for the trainings"
    options = runs.options(__file__, about, arguments, keep)
    lesson14.need_data()
    tested = lesson14.versions(options.quick, ITERATIONS)
    options.keep.mkdir(parents=True, exist_ok=True)
    for seed, names in SEEDS.items():
        runs.fill(
            options.results, plan(options.quick), (seed,), names,
            lambda name, seed: {
                name: run(tested[name], seed, options.keep / f"{name}-{seed}.pt", options.quick)
            },
        )  # fmt: skip


if __name__ == "__main__":
    main()
