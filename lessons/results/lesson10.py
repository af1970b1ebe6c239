"""The comparisons of lesson 10: twins of DeepLab v2's table 2 (policies) and table 4 (the ladder); three seeds.

    python lessons/results/lesson10.py

writes `lesson10.json` beside this file in about 50 minutes on one core, continues where it stopped, and prints each
run. Every network is the class twin of a published experiment (`deeplab_lessons.classroom.experiments`).

The rungs of the ladder, each with everything above it, except that ASPP takes the place of LargeFOV:

| name | what |
|---|---|
| ResNet | the plain network: one 1 x 1 classifier |
| MSC | the scene at 0.5, 0.75 and 1 of its size, maximum, a loss on each |
| more scenes | the backbone was trained before on `FURTHER` other scenes: stands for MS-COCO |
| Aug | scenes are scaled at random, 0.5 to 1.5 |
| LargeFOV | one 3 x 3 classifier, dilation 6 |
| ASPP | four 3 x 3 classifiers, dilations 3, 6, 9, 12 |
| CRF | the network of "ASPP" with a dense CRF behind it, its numbers chosen on training scenes |

"VGG16, CRF" is the last of the policies with a dense CRF behind it, likewise.
"""

import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import cache

import runs
import torch

from deeplab_lessons import crf, training
from deeplab_lessons.classroom.built_in import Embedded
from deeplab_lessons.classroom.experiments import TWIN_CROP, TWIN_SCENES, Experiment, experiment
from deeplab_lessons.datasets import transforms
from deeplab_lessons.models.with_crf import CRFNetwork

SEEDS = (0, 1, 2)
SCENES = 100  # of the validation split
WIDTHS = (1, 2, 4, 8, 16)  # of the bands around the boundaries, in pixels
FURTHER = 1000  # training scenes after the first `TWIN_SCENES`

#: First rates where the twin's own does not suit. Four 3 x 3 classifiers add up 36 weights for each channel where a
#: 1 x 1 has one, and a step moves their sum as many times as far: at 0.01 "ASPP" reached 53 % (seed 0), here 66 %.
RATES = {"LargeFOV": 0.003, "ASPP": 0.003}
LADDER: dict[str, Experiment] = {
    name: replace(twin, lr=RATES.get(name, twin.lr))
    for name, twin in {
        "ResNet": experiment("v2_resnet101", "class"),
        "MSC": experiment("v2_resnet101_msc", "class"),
        "more scenes": experiment("v2_resnet101_msc_coco", "class"),
        "Aug": experiment("v2_resnet101_msc_aug", "class"),
        "LargeFOV": experiment("v2_resnet101_msc_largefov", "class"),
        "ASPP": experiment("v2_resnet101_msc_aspp", "class"),
    }.items()
}

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

#: Networks that get a CRF behind them, and what they are called then.
WITH_CRF = {"ASPP": "CRF", "poly, batch 2, 2000": "VGG16, CRF"}


def trained(which: Experiment, seed: int, quick: bool, backbone: dict | None = None, scenes=None):
    """Train the network of an experiment; its `backbone` may be given, the head is always new."""
    model = which.model(seed)
    inner = getattr(model, "model", model)
    if backbone:
        inner.backbone.load_state_dict(backbone)
    settings = which.settings | ({"iterations": 1} if quick else {})
    history = training.train(model, scenes or which.data_sets()[0], seed=seed, progress=False, **settings)
    return model.eval(), history


@cache
def backbone_from_further_scenes(seed: int, quick: bool) -> dict:
    """State of the backbone of "MSC" after a training on scenes that the ladder doesn't train on."""
    change = transforms.train(TWIN_CROP, None)
    scenes = Embedded("train", TWIN_SCENES + FURTHER, TWIN_CROP, change)
    scenes = torch.utils.data.Subset(scenes, range(TWIN_SCENES, TWIN_SCENES + FURTHER))
    model, _ = trained(LADDER["MSC"], 100 + seed, quick, scenes=scenes)
    return model.model.backbone.state_dict()


def measured(model: torch.nn.Module, quick: bool) -> dict:
    """mIoU, IoU of the classes, and mIoU in bands around the boundaries, in per cent."""
    val = Embedded("val", 2 if quick else SCENES, TWIN_CROP)
    return runs.measured(training.evaluate(model, val, trimap=WIDTHS))


def run(name: str, seed: int, quick: bool) -> dict[str, dict]:
    """Train the network of that name and measure it, for `WITH_CRF` with the CRF as well: {name: numbers}."""
    which, began = {**LADDER, **POLICIES}[name], time.monotonic()
    further = name in LADDER and name not in ("ResNet", "MSC")
    model, history = trained(
        which, seed, quick, backbone_from_further_scenes(seed, quick) if further else None
    )
    took = {"loss": round(history.smooth()[-1], 4), "seconds": round(time.monotonic() - began)}
    found = {name: measured(model, quick) | took}
    if name in WITH_CRF:
        setting = runs.tuned(model, TWIN_CROP, quick)
        refined = CRFNetwork(model, crf.DenseCRF(setting), frozen=True)
        found[WITH_CRF[name]] = measured(refined.eval(), quick) | {"parameters": asdict(setting)}
    return found


def plan(quick: bool = False) -> dict:
    """Return what the numbers depend on."""
    networks = {name: asdict(each) for name, each in {**LADDER, **POLICIES}.items()}
    return {"networks": networks, "further": FURTHER, "scenes": SCENES, "widths": WIDTHS, "quick": quick}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what is missing."""
    options = runs.options(__file__, "Train and measure what lesson 10 compares.", arguments)
    runs.fill(
        options.results, plan(options.quick), SEEDS[: 1 if options.quick else None], [*LADDER, *POLICIES],
        lambda name, seed: run(name, seed, options.quick),
    )  # fmt: skip


if __name__ == "__main__":
    main()
