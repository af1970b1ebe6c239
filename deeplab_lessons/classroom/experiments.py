"""Experiments by name: the papers' rows with their small twins, and what the lessons train.

A twin has images, crop and dilations divided by 2 (v1, v2) or 3 (v3, v3+), a narrow network from random weights, the
built-in scenes, and one weight decay for everything. The `small_…` networks are lesson 05's, the `camvid_…` ones
lesson 14's.
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Self

from deeplab_lessons import cli_options, runtime
from deeplab_lessons.checks import check_choice
from deeplab_lessons.classroom import built_in, papers_sets  # noqa: F401 - by its import the sets have names
from deeplab_lessons.classroom.published import ROWS
from deeplab_lessons.datasets import Pairs, named, transforms
from deeplab_lessons.heads.aspp import atrous_rates
from deeplab_lessons.training.recipes import HEADS, Recipe

TWIN_CROP = 161  # pixels: about half of the papers' 321, a third of their 513
TWIN_SCENES = 1000

#: By family and backbone: what changes in a twin's network (batch norm replaces ImageNet weights), its iterations, and
#: its learning rate, chosen on seed 0.
_TWINS: dict[tuple[str, str], tuple[dict[str, Any], int, float]] = {
    ("v1", "vgg16"): ({"width": 1 / 8, "batch_norm": True, "dropout": 0.0}, 1200, 0.02),
    ("v2", "vgg16"): ({"width": 1 / 8, "batch_norm": True, "dropout": 0.0}, 1200, 0.02),
    ("v2", "resnet101"): (
        {"backbone": "resnet50", "width": 1 / 4, "blocks": (1, 1, 1, 1), "frozen": False}, 800, 0.01,
    ),
    ("v3", "resnet101"): ({"backbone": "resnet50", "width": 1 / 4, "blocks": (1, 1, 1, 3)}, 500, 0.1),
    ("v3", "xception"): ({"width": 1 / 8, "middle_blocks": 2}, 500, 0.1),
}  # fmt: skip


@dataclass(frozen=True)
class Experiment(Recipe):
    """A recipe and its data; for a published row also the numbers printed.

    `count` cuts the data set to its first pairs, and `scene_size` is the side of the built-in scenes (None: the
    crop's). If `starts_from` names another experiment, this one is its second stage. `row` says where the paper prints
    `mean_iou` and `with_crf`, in per cent, before and after the CRF (of the preset `crf`).
    """

    data: str = "sbd"
    split: str = "train"
    count: int | None = None
    scene_size: int | None = None
    starts_from: str = "ImageNet"
    row: str = ""
    crf: str | None = None
    mean_iou: float | None = None
    with_crf: float | None = None

    @property
    def is_second_stage(self) -> bool:
        """Whether it continues what another experiment has trained."""
        return self.starts_from in EXPERIMENTS

    def twin(self) -> Self:
        """Return the same experiment made small; one on the built-in scenes is its own twin.

        The paper's numbers are left out, and a start from MS-COCO becomes random weights. A second stage continues
        the first one's twin, at a learning rate as many times smaller as the paper's.
        """
        if self.data == "embedded":
            return self
        classes = len(built_in.CLASSES)
        small = replace(self, data="embedded", split="train", count=TWIN_SCENES, num_classes=classes)
        if self.data == "camvid":
            return replace(small, scene_size=TWIN_CROP)
        family = (self.network["version"].removesuffix("plus"), self.network.get("backbone", "vgg16"))
        changes, iterations, lr = _TWINS[family]
        if self.is_second_stage:
            lr *= self.lr / EXPERIMENTS[self.starts_from].lr
        network = {**self.network, **changes, **_smaller_rates(self.network)}
        network.pop("released", None)  # a stage of one block has no second one
        return replace(
            small, network=network, iterations=iterations, lr=lr,
            batch_size=4, crop=TWIN_CROP, batch_norm_decay=None, weight_decay=Recipe.weight_decay,
            released_groups=False, mean_iou=None, with_crf=None,
            starts_from=self.starts_from if self.is_second_stage else "random weights",
        )  # fmt: skip

    def data_sets(self) -> tuple[Pairs, Pairs]:
        """Return what it is trained on, scaled, cut and mirrored at random, and what it is measured on."""
        size = self.scene_size or (self.crop if isinstance(self.crop, int) else max(self.crop))
        change = transforms.train(self.crop, self.scale)
        dataset = named(self.data, self.split, change, None, self.count, size)
        return dataset, named(self.data, None, None, None, self.count and max(self.count // 10, 1), size)


def _smaller_rates(network: dict[str, Any]) -> dict[str, Any]:
    """The dilations of a network for a twin's map: halved for v1 and v2, a third for v3 and v3+."""
    by = 3 if network["version"] in ("v3", "v3plus") else 2
    rates = network.get("rates")
    if rates is None and by == 3 and network.get("cascade", 4) == 4:
        rates = atrous_rates(network["output_stride"])
    smaller = {"rate": network["rate"] // by} if "rate" in network else {}
    return smaller | ({} if rates is None else {"rates": tuple(rate // by for rate in rates)})


#: Lesson 05: heads after v1's table 2 with its dilations divided by 4. Batch norm replaces ImageNet weights, without
#: which VGG16 barely begins to learn; a network so small needs no dropout.
_SMALL = [
    Experiment(
        name, {"version": "v1", "width": 1 / 8, "batch_norm": True, "dropout": 0.0, "kernel_size": size, "rate": rate},
        iterations=1200, batch_size=4, lr=0.05, crop=128, data="embedded", count=1000,
        num_classes=len(built_in.CLASSES), starts_from="random weights",
    )
    for name, size, rate in (("small_7x7", 7, 1), ("small_3x3", 3, 1), ("small_largefov", 3, 3))
]  # fmt: skip

#: Lesson 14: every version on one backbone, so that only the heads differ.
_CAMVID = [
    Experiment(
        f"camvid_{version}", {"version": version, "backbone": "mobilenet_v2", "output_stride": 16, **head},
        iterations=400, batch_size=8, lr=lr, loss="upsampled", crop=(256, 320), scale=(0.75, 1.75), data="camvid",
        num_classes=11,
    )
    for version, (lr, head) in HEADS.items()
]  # fmt: skip

EXPERIMENTS = {each.name: each for each in (*(Experiment(**row) for row in ROWS), *_SMALL, *_CAMVID)}


def experiment(name: str, scale: str | None = None) -> Experiment:
    """Return the experiment `name`: at `scale` "full" as it is, at "class" its twin (by default `runtime.scale()`).

    Raises ValueError, with the names, for an unknown one.
    """
    check_choice("experiment", name, EXPERIMENTS)
    return EXPERIMENTS[name] if (scale or runtime.scale()) == "full" else EXPERIMENTS[name].twin()


cli_options.EXPERIMENTS |= {name: partial(experiment, name) for name in EXPERIMENTS}


def table() -> dict[str, dict[str, Any]]:
    """Return all experiments by name: where printed, on what and how trained, what the paper reached."""
    columns = {
        "printed in": "row", "data": "data", "starts from": "starts_from", "policy": "schedule", "batch": "batch_size",
        "iterations": "iterations", "lr": "lr", "mIoU (%)": "mean_iou", "with CRF (%)": "with_crf",
    }  # fmt: skip
    rows = EXPERIMENTS.items()
    return {name: {title: getattr(each, key) for title, key in columns.items()} for name, each in rows}
