"""The comparison of lesson 09: one field, inputs at three sizes, and two pyramids, by size of object; three seeds.

    python lessons/results/lesson09.py

writes `lesson09.json` next to this file in about 25 minutes on one core, continues where it stopped, and prints each
run. Every network is the class twin of a published experiment (`deeplab_lessons.classroom.experiments`).

| name | twin of |
|---|---|
| fixed field | v2_vgg_largefov: one branch |
| MSC | the same network on the scene at 0.5, 0.75 and 1 of its size, maximum |
| MSC, own statistics | that trained network; batch norm's averages taken again, for each size separately |
| MSC, mean | that trained network, with the mean of the three instead of the maximum |
| ASPP-S, ASPP-L | v2_vgg_aspp_s, v2_vgg_aspp_l: four branches, sum |
| ASPP-L, maximum | the same four branches, their maximum instead of their sum, in training too |
"""

import copy
import time
from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np
import runs
import torch

from deeplab_lessons import inference, training
from deeplab_lessons.classroom import objects
from deeplab_lessons.classroom.built_in import Embedded
from deeplab_lessons.classroom.experiments import TWIN_CROP, Experiment, experiment
from deeplab_lessons.datasets import Pairs
from deeplab_lessons.heads import SummedASPP
from deeplab_lessons.models import MultiScale
from deeplab_lessons.models.multi_scale import rescaled

SEEDS = (0, 1, 2)
SIGNS = (1, 2, 3)  # disc, box, triangle: objects that have a size
EDGES = (20, 40)  # longer sides in pixels that part small, medium and large objects
SHOWN_AT = (
    TWIN_CROP // 2,
    TWIN_CROP,
    2 * TWIN_CROP,
)  # sides of the scenes in pixels: the same scenes, drawn anew
SCENES = 100  # of the validation split
STATISTICS = 100  # training scenes over which batch norm's averages are taken anew

_LARGE_FOV = experiment("v2_vgg_largefov", "class")
NETWORKS: dict[str, Experiment] = {
    "fixed field": _LARGE_FOV,
    "MSC": replace(_LARGE_FOV, network={**_LARGE_FOV.network, "multi_scale": True}),
    "ASPP-S": experiment("v2_vgg_aspp_s", "class"),
    "ASPP-L": experiment("v2_vgg_aspp_l", "class"),
    "ASPP-L, maximum": experiment("v2_vgg_aspp_l", "class"),
}


class MaximumASPP(SummedASPP):
    """The branches of ASPP, with the maximum of their scores instead of the sum."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Maximum of the branches' logits."""
        return torch.stack([branch(x) for branch in self.branches]).amax(0)


class MeanOfScales(torch.nn.Module):
    """A trained `MultiScale` that takes the mean over the scales."""

    def __init__(self, trained: MultiScale):
        """Keep the trained network."""
        super().__init__()
        self.trained, self.grid = trained, trained.grid

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Mean of the scales' logits."""
        return self.trained.each_scale(x).mean(0)


class OwnStatistics(torch.nn.Module):
    """A trained `MultiScale` with batch norm statistics for each scale, averaged over training scenes of that size."""

    def __init__(self, trained: MultiScale, scenes: Pairs, batch_size: int = 4):
        """Copy the network for each scale and show each copy the scenes; no weight learns."""
        super().__init__()
        self.trained, self.grid = trained, trained.grid
        self.networks = torch.nn.ModuleList(copy.deepcopy(trained.model) for _ in trained.scales)
        for network, scale in zip(self.networks, trained.scales, strict=True):
            for part in network.modules():
                if isinstance(part, torch.nn.BatchNorm2d):
                    part.reset_running_stats()
                    part.momentum = None  # a plain mean over all batches
            network.train()
            for first in range(0, len(scenes), batch_size):
                images = torch.stack([scenes[index][0] for index in range(first, first + batch_size)])
                with torch.no_grad():
                    network(rescaled(images, scale))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Maximum of the scales' logits."""
        pairs = zip(self.networks, self.trained.scales, strict=True)
        return self.trained.stack([network(rescaled(x, scale)) for network, scale in pairs]).amax(0)


def measured(model: torch.nn.Module, count: int) -> dict:
    """mIoU, IoU of the classes, mean IoU of the objects of each size, and mIoU of the scenes at other sizes."""
    at = {size: training.evaluate(model, Embedded("val", count, size)) for size in SHOWN_AT}
    return {
        **runs.measured(at[TWIN_CROP]),
        "by_size": by_size(model, Embedded("val", count, TWIN_CROP)),
        "shown_at": {str(size): runs.per_cent(scores.mean_iou) for size, scores in at.items()},
    }


def by_size(model: torch.nn.Module, dataset: Pairs) -> list[float]:
    """Mean IoU of the objects of each size, in per cent; sizes are parted at `EDGES`."""
    found = [
        pair
        for index in range(len(dataset))
        for pair in objects.object_ious(
            inference.predict(model, dataset[index][0]), dataset.pair(index)[1], SIGNS
        )
    ]
    sides, ious = (np.array(column) for column in zip(*found, strict=True))
    places = np.searchsorted(EDGES, sides, side="right")
    return [runs.per_cent(ious[places == place].mean()) for place in range(len(EDGES) + 1)]


def counts_by_size(dataset: Pairs) -> list[int]:
    """Number of objects of each size."""
    pairs = (dataset.pair(index)[1] for index in range(len(dataset)))
    sides = [side for labels in pairs for side, _ in objects.object_ious(labels, labels, SIGNS)]
    return np.bincount(np.searchsorted(EDGES, sides, side="right"), minlength=len(EDGES) + 1).tolist()


def run(name: str, seed: int, quick: bool) -> dict[str, dict]:
    """Train the network of that name and measure it: {name: numbers}, for MSC with its mean as well."""
    which, count = NETWORKS[name], 3 if quick else SCENES
    model, (scenes, _) = which.model(seed), which.data_sets()
    if name.endswith("maximum"):
        model.head.__class__ = MaximumASPP
    settings = which.settings | ({"iterations": 1} if quick else {})
    began = time.monotonic()
    history = training.train(model, scenes, seed=seed, progress=False, **settings)
    took = {"loss": round(history.smooth()[-1], 4), "seconds": round(time.monotonic() - began)}
    found = {name: measured(model.eval(), count) | took}
    if name == "MSC":
        shown = Embedded("train", 4 if quick else STATISTICS, TWIN_CROP)
        found["MSC, own statistics"] = measured(OwnStatistics(model, shown).eval(), count)
        found["MSC, mean"] = measured(MeanOfScales(model).eval(), count)
    return found


def plan(quick: bool = False) -> dict:
    """Return what the numbers depend on."""
    count = 3 if quick else SCENES
    return {
        "networks": {name: asdict(each) for name, each in NETWORKS.items()}, "quick": quick, "edges": EDGES,
        "objects": counts_by_size(Embedded("val", count, TWIN_CROP)), "scenes": count,
    }  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what is missing."""
    options = runs.options(__file__, "Train and measure what lesson 09 compares.", arguments)
    runs.fill(
        options.results, plan(options.quick), SEEDS[: 1 if options.quick else None], NETWORKS,
        lambda name, seed: run(name, seed, options.quick),
    )  # fmt: skip


if __name__ == "__main__":
    main()
