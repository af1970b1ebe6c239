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
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path

import lesson08
import torch

from deeplab_lessons import crf, training
from deeplab_lessons.datasets import Embedded, transforms
from deeplab_lessons.end_to_end import CRFNetwork
from deeplab_lessons.training.configurations import TWIN_CROP, TWIN_SCENES, Configuration, configuration

SEEDS = (0, 1, 2)
SCENES = 100  # of the validation split
WIDTHS = (1, 2, 4, 8, 16)  # of the bands around the boundaries, in pixels
FURTHER = 1000  # training scenes after the first `TWIN_SCENES`

LADDER: dict[str, Configuration] = {
    name: configuration(f"v2_resnet101{ending}", "class")
    for name, ending in {
        "ResNet": "", "MSC": "_msc", "more scenes": "_msc_coco", "Aug": "_msc_aug", "LargeFOV": "_msc_largefov",
        "ASPP": "_msc_aspp",
    }.items()
}  # fmt: skip

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
    """Train the network of that name and measure it: {name: numbers}, for ASPP with the CRF as well."""
    which, began = {**LADDER, **POLICIES}[name], time.monotonic()
    further = name in LADDER and name not in ("ResNet", "MSC")
    model, history = trained(
        which, seed, quick, backbone_from_further_scenes(seed, quick) if further else None
    )
    told = {"loss": round(history.smooth()[-1], 4), "seconds": round(time.monotonic() - began)}
    runs = {name: measured(model) | told}
    if name == "ASPP":
        setting = lesson08.tuned(model, TWIN_CROP, quick)
        behind = CRFNetwork(model, crf.DenseCRF(setting), frozen=True)
        runs["CRF"] = measured(behind.eval()) | {"parameters": asdict(setting)}
    return runs


def main() -> None:
    """Run what is missing, seed by seed, and save after each."""
    options = argparse.ArgumentParser(description="Train and measure what lesson 10 compares.")
    options.add_argument("results", type=Path, nargs="?", default=Path(__file__).with_suffix(".json"))
    options.add_argument("--quick", action="store_true", help="tiny: does everything run?")
    options = options.parse_args()
    networks = {name: asdict(each) for name, each in {**LADDER, **POLICIES}.items()}
    plan = {"networks": networks, "further": FURTHER, "scenes": SCENES, "widths": WIDTHS}
    plan = json.loads(json.dumps(plan | {"quick": options.quick}))
    results = json.loads(options.results.read_text()) if options.results.is_file() else {}
    if {key: results.get(key) for key in plan} != plan:
        results = {**plan, "runs": {}}
    for seed in SEEDS:
        for name in networks:
            if seed in [done["seed"] for done in results["runs"].get(name, [])]:
                continue
            for told, numbers in run(name, seed, options.quick).items():
                results["runs"].setdefault(told, []).append({"seed": seed, **numbers})
                print(f"{told:<22}", results["runs"][told][-1], flush=True)
            options.results.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
