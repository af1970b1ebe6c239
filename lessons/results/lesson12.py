"""The comparison of lesson 12: DeepLab v3 and v3+ on one backbone, and who draws boundaries better; three seeds.

    python lessons/results/lesson12.py

writes `lesson12.json` next to this file in about 20 minutes on one core, continues where it stopped, and prints each
run. All networks of a seed have the same backbone with the same random start, and see the same scenes in the same
order. The dilations of the pyramid are a third of the paper's, as the map is: 11 cells where the paper has 33.

| name | what |
|---|---|
| v3, OS 16 | the encoder alone, its scores enlarged 16 times |
| v3, OS 8 | the encoder at output stride 8: twice as many cells per side, dilations doubled |
| v3+ | the encoder at 16 and the decoder of the paper: two 3 x 3 |
| v3+, one 3x3 | the decoder with one 3 x 3 |
| v3+, separable | pyramid and decoder with atrous separable convolutions |
| v3, OS 16, CRF | the network of "v3, OS 16" with a dense CRF after it, its numbers chosen on training scenes |
"""

import time
from collections.abc import Sequence
from dataclasses import asdict

import runs
import torch

from deeplab_lessons import crf, inference, training
from deeplab_lessons.classroom.built_in import Embedded
from deeplab_lessons.datasets import transforms
from deeplab_lessons.models import deeplab
from deeplab_lessons.models.with_crf import CRFNetwork

SEEDS = (0, 1, 2)
SIZE = 161  # pixels a side of a scene
TRAIN, VAL = 1000, 100  # scenes
WIDTHS = (1, 2, 4, 8, 16)  # of the bands around the boundaries, in pixels
SHOWN = 3  # the validation scene whose labels are kept

#: Small-scale: a quarter of ResNet-50's width, one block in each stage but the last, where multi-grid needs three.
BACKBONE = {
    "num_classes": len(Embedded.classes),
    "backbone": "resnet50",
    "width": 1 / 4,
    "blocks": (1, 1, 1, 3),
}
AT_16 = {"output_stride": 16, "rates": (2, 4, 6)}
NETWORKS: dict[str, dict] = {
    "v3, OS 16": {"version": "v3", **AT_16},
    "v3+": {"version": "v3plus", **AT_16},
    "v3, OS 8": {"version": "v3", "output_stride": 8, "rates": (4, 8, 12)},
    "v3+, one 3x3": {"version": "v3plus", **AT_16, "decoder_convolutions": 1},
    "v3+, separable": {"version": "v3plus", **AT_16, "separable": True},
}
#: As in lesson 11: one learning rate for all weights, and no ImageNet, so a large one.
TRAINING = {"iterations": 500, "batch_size": 4, "lr": 0.1, "schedule": "poly", "loss": "upsampled"}


def network(name: str, seed: int) -> torch.nn.Module:
    """The network of that name; the backbone's random start depends only on the seed."""
    torch.manual_seed(seed)
    return deeplab(**NETWORKS[name], **BACKBONE)


def measured(model: torch.nn.Module, quick: bool) -> dict:
    """mIoU, IoU of the classes and mIoU in bands around the boundaries, in per cent; the labels of one scene."""
    val = Embedded("val", SHOWN + 1 if quick else VAL, SIZE)
    scores = training.evaluate(model.eval(), val, trimap=WIDTHS)
    return runs.measured(scores) | {"drawn": runs.as_text(inference.predict(model, val[SHOWN][0]))}


def run(name: str, seed: int, settings: dict, quick: bool) -> dict[str, dict]:
    """Train the network of that name and measure it: {name: numbers}, for "v3, OS 16" with the CRF as well."""
    model, began = network(name, seed), time.monotonic()
    scenes = Embedded("train", TRAIN, SIZE, transforms.train(SIZE, scale=None))
    history = training.train(model, scenes, seed=seed, channels_last=True, progress=False, **settings)
    took = {"loss": round(history.smooth()[-1], 4), "seconds": round(time.monotonic() - began)}
    found = {name: measured(model, quick) | took}
    if name == "v3, OS 16":
        setting = runs.tuned(model.eval(), SIZE, quick)
        refined = CRFNetwork(model, crf.DenseCRF(setting), frozen=True)
        found["v3, OS 16, CRF"] = measured(refined, quick) | {"parameters": asdict(setting)}
    return found


def settings(quick: bool) -> dict:
    """Return what `train` is given."""
    return TRAINING | ({"iterations": 1} if quick else {})


def plan(quick: bool = False) -> dict:
    """Return what the numbers depend on."""
    return {
        "networks": NETWORKS, "backbone": BACKBONE, "training": settings(quick), "scenes": [TRAIN, VAL],
        "size": SIZE, "widths": WIDTHS, "shown": SHOWN, "quick": quick,
    }  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what is missing, seed by seed, and save after each."""
    options = runs.options(__file__, "Train and measure what lesson 12 compares.", arguments)
    runs.fill(
        options.results, plan(options.quick), SEEDS[: 1 if options.quick else None], NETWORKS,
        lambda name, seed: run(name, seed, settings(options.quick), options.quick),
    )  # fmt: skip


if __name__ == "__main__":
    main()
