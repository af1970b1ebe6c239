"""The policies of lesson 10: twins of DeepLab v2's table 2 on VGG16 with LargeFOV, three seeds.

    python lessons/results/lesson10.py

writes `lesson10.json` next to this file in about 20 minutes on one core, continues where it stopped, and prints each
run. Every network is the class twin of a published experiment (`deeplab_lessons.classroom.experiments`).

"VGG16, CRF" is the last of the policies with a dense CRF after it, its numbers chosen on training scenes.
"""

import time
from collections.abc import Sequence
from dataclasses import asdict, replace

import runs
import torch

from deeplab_lessons import crf, training
from deeplab_lessons.classroom.built_in import Embedded
from deeplab_lessons.classroom.experiments import TWIN_CROP, Experiment, experiment
from deeplab_lessons.models.with_crf import CRFNetwork

SEEDS = (0, 1, 2)
SCENES = 100  # of the validation split
WIDTHS = (1, 2, 4, 8, 16)  # of the bands around the boundaries, in pixels

_LARGE_FOV = experiment("v2_vgg_largefov", "class")
#: Rows of table 2 with a tenth of its iterations and a fifth of its batches: policy, batch, iterations.
POLICIES: dict[str, Experiment] = {
    f"{schedule}, batch {batch}, {iterations}": replace(
        _LARGE_FOV, schedule=schedule, batch_size=batch, iterations=iterations
    )
    for schedule, batch, iterations in (
        ("step", 6, 600), ("poly", 6, 600), ("poly", 6, 1000), ("poly", 2, 1000), ("poly", 2, 2000),
    )
}  # fmt: skip

#: Networks that get a CRF after them, and what they are called then.
WITH_CRF = {"poly, batch 2, 2000": "VGG16, CRF"}


def measured(model: torch.nn.Module, quick: bool) -> dict:
    """mIoU, IoU of the classes, and mIoU in bands around the boundaries, in per cent."""
    val = Embedded("val", 2 if quick else SCENES, TWIN_CROP)
    return runs.measured(training.evaluate(model, val, trimap=WIDTHS))


def run(name: str, seed: int, quick: bool) -> dict[str, dict]:
    """Train the network of that name and measure it, for `WITH_CRF` with the CRF as well: {name: numbers}."""
    which, began = POLICIES[name], time.monotonic()
    model = which.model(seed)
    settings = which.settings | ({"iterations": 1} if quick else {})
    history = training.train(model, which.data_sets()[0], seed=seed, progress=False, **settings)
    took = {"loss": round(history.smooth()[-1], 4), "seconds": round(time.monotonic() - began)}
    found = {name: measured(model.eval(), quick) | took}
    if name in WITH_CRF:
        setting = runs.tuned(model, TWIN_CROP, quick)
        refined = CRFNetwork(model, crf.DenseCRF(setting), frozen=True)
        found[WITH_CRF[name]] = measured(refined.eval(), quick) | {"parameters": asdict(setting)}
    return found


def plan(quick: bool = False) -> dict:
    """Return what the numbers depend on."""
    networks = {name: asdict(each) for name, each in POLICIES.items()}
    return {"networks": networks, "scenes": SCENES, "widths": WIDTHS, "quick": quick}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what is missing."""
    options = runs.options(__file__, "Train and measure what lesson 10 compares.", arguments)
    runs.fill(
        options.results, plan(options.quick), SEEDS[: 1 if options.quick else None], POLICIES,
        lambda name, seed: run(name, seed, options.quick),
    )  # fmt: skip


if __name__ == "__main__":
    main()
