"""The comparisons of lesson 10: twins of DeepLab v2's table 2 (policies) and table 4 (the ladder); three seeds.

    python lessons/results/lesson10.py

writes `lesson10.json` beside this file in about 50 minutes on one core, goes on where it stopped, and prints each
run. Every network is the class twin of a published configuration (`deeplab_lessons.training.configurations`).

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
from dataclasses import asdict, replace
from functools import cache

import lesson08
import runs
import torch

from deeplab_lessons import crf, training
from deeplab_lessons.datasets import Embedded, transforms
from deeplab_lessons.models.with_crf import CRFNetwork
from deeplab_lessons.training.configurations import TWIN_CROP, TWIN_SCENES, Configuration, configuration

SEEDS = (0, 1, 2)
SCENES = 100  # of the validation split
WIDTHS = (1, 2, 4, 8, 16)  # of the bands around the boundaries, in pixels
FURTHER = 1000  # training scenes after the first `TWIN_SCENES`

#: First rates where the twin's own does not suit. Four 3 x 3 classifiers add up 36 weights for each channel where a
#: 1 x 1 has one, and a step moves their sum as many times as far: at 0.01 "ASPP" reached 53 % (seed 0), here 66 %.
RATES = {"LargeFOV": 0.003, "ASPP": 0.003}
LADDER: dict[str, Configuration] = {
    name: replace(twin, lr=RATES.get(name, twin.lr))
    for name, twin in {
        "ResNet": configuration("v2_resnet101", "class"),
        "MSC": configuration("v2_resnet101_msc", "class"),
        "more scenes": configuration("v2_resnet101_msc_coco", "class"),
        "Aug": configuration("v2_resnet101_msc_aug", "class"),
        "LargeFOV": configuration("v2_resnet101_msc_largefov", "class"),
        "ASPP": configuration("v2_resnet101_msc_aspp", "class"),
    }.items()
}

_LARGE_FOV = configuration("v2_vgg_largefov", "class")
#: Rows of table 2 with a tenth of its iterations and a fifth of its batches: policy, batch, iterations.
POLICIES: dict[str, Configuration] = {
    f"{schedule}, batch {batch}, {iterations}": replace(
        _LARGE_FOV, schedule=schedule, batch_size=batch, iterations=iterations
    )
    for schedule, batch, iterations in (
        ("step", 6, 600), ("poly", 6, 600), ("poly", 6, 1000), ("poly", 2, 1000), ("poly", 2, 2000),
    )
}  # fmt: skip

#: Networks that get a CRF behind them, and what they are called then.
WITH_CRF = {"ASPP": "CRF", "poly, batch 2, 2000": "VGG16, CRF"}


def trained(which: Configuration, seed: int, quick: bool, backbone: dict | None = None, scenes=None):
    """Train the network of a configuration; its `backbone` may be given, the head is always new."""
    model = which.model(seed)
    inner = getattr(model, "model", model)
    if backbone:
        inner.backbone.load_state_dict(backbone)
    settings = which.settings | ({"iterations": 3} if quick else {})
    history = training.train(
        model, scenes or which.data_sets()[0], seed=seed, channels_last=True, progress=False, **settings
    )
    return model.eval(), history


@cache
def backbone_from_further_scenes(seed: int, quick: bool) -> dict:
    """State of the backbone of "MSC" after a training on scenes that the ladder doesn't train on."""
    change = transforms.train(TWIN_CROP, None)
    scenes = Embedded("train", TWIN_SCENES + FURTHER, TWIN_CROP, change)
    scenes = torch.utils.data.Subset(scenes, range(TWIN_SCENES, TWIN_SCENES + FURTHER))
    model, _ = trained(LADDER["MSC"], 100 + seed, quick, scenes=scenes)
    return model.model.backbone.state_dict()


def measured(model: torch.nn.Module) -> dict:
    """mIoU, IoU of the classes, and mIoU in bands around the boundaries, in per cent."""
    scores = training.evaluate(model, Embedded("val", SCENES, TWIN_CROP), trimap=WIDTHS)
    return {
        "mean_iou": lesson08.per_cent(scores.mean_iou),
        "iou": {label: lesson08.per_cent(value) for label, value in scores.iou.items()},
        "trimap": {str(width): lesson08.per_cent(value) for width, value in scores.trimap_mean_iou.items()},
    }


def run(name: str, seed: int, quick: bool) -> dict[str, dict]:
    """Train the network of that name and measure it, for `WITH_CRF` with the CRF as well: {name: numbers}."""
    which, began = {**LADDER, **POLICIES}[name], time.monotonic()
    further = name in LADDER and name not in ("ResNet", "MSC")
    model, history = trained(
        which, seed, quick, backbone_from_further_scenes(seed, quick) if further else None
    )
    told = {"loss": round(history.smooth()[-1], 4), "seconds": round(time.monotonic() - began)}
    found = {name: measured(model) | told}
    if name in WITH_CRF:
        setting = lesson08.tuned(model, TWIN_CROP, quick)
        behind = CRFNetwork(model, crf.DenseCRF(setting), frozen=True)
        found[WITH_CRF[name]] = measured(behind.eval()) | {"parameters": asdict(setting)}
    return found


def main() -> None:
    """Run what is missing."""
    options = runs.asked(__file__, "Train and measure what lesson 10 compares.")
    networks = {name: asdict(each) for name, each in {**LADDER, **POLICIES}.items()}
    plan = {
        "networks": networks,
        "further": FURTHER,
        "scenes": SCENES,
        "widths": WIDTHS,
        "quick": options.quick,
    }
    runs.fill(options.results, plan, SEEDS, networks, lambda name, seed: run(name, seed, options.quick))


if __name__ == "__main__":
    main()
