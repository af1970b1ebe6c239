"""The papers' experiments by name: what is built, how it is trained, and what the paper reports.

`CONFIGURATIONS["v2_vgg_aspp_l"]` is the experiment at the paper's size; its `.twin()` is the same one for a class:
pictures, crop and dilations divided by 2 (v1, v2) or 3 (v3, v3+), a narrow network from random weights, the
embedded scenes.
"""

import hashlib
import inspect
import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import torch

from deeplab_lessons import runtime
from deeplab_lessons.datasets import Pairs, scenes, transforms
from deeplab_lessons.datasets.named import named
from deeplab_lessons.heads.pyramid import pyramid_rates
from deeplab_lessons.models import deeplab
from deeplab_lessons.training import norms
from deeplab_lessons.training.loop import train
from deeplab_lessons.training.published import ROWS
from deeplab_lessons.training.report import History

TWIN_CROP = 161  # pixels: about half of the papers' 321, a third of their 513
TWIN_SCENES = 1000

#: What changes in a twin's network, by family and backbone: batch norm takes the place of ImageNet weights.
_TWINS = {
    ("v1", "vgg16"): {"width": 1 / 8, "batch_norm": True, "dropout": 0.0},
    ("v2", "resnet101"): {"backbone": "resnet50", "width": 1 / 4, "blocks": (1, 1, 1, 1), "frozen": False},
    ("v3", "resnet101"): {"backbone": "resnet50", "width": 1 / 4, "blocks": (1, 1, 1, 3)},
    ("v3", "xception"): {"width": 1 / 8, "middle_blocks": 2},
}
_TWINS[("v2", "vgg16")] = _TWINS[("v1", "vgg16")]
_TWIN_TRAINING = {  # learning rates chosen on seed 0
    ("v1", "vgg16"): {"iterations": 1200, "lr": 0.02},
    ("v2", "vgg16"): {"iterations": 1200, "lr": 0.02},
    ("v2", "resnet101"): {"iterations": 800, "lr": 0.01},
    ("v3", "resnet101"): {"iterations": 500, "lr": 0.1},
    ("v3", "xception"): {"iterations": 500, "lr": 0.1},
}


@dataclass(frozen=True)
class Configuration:
    """One published row: a network, its training, its data, and the numbers printed.

    `network` holds the arguments of `models.deeplab`. `lr` is the backbone's first rate. `crop` is the side of
    the training crop in pixels, `scale` the range of random scaling or None. `mean_iou` and `with_crf` are the
    paper's, in per cent, before and after the CRF, None where it prints none; `crf` names the CRF's preset.
    `starts_from` may name another configuration, whose trained network goes on; `frozen_norms` then leaves batch
    norm as it is. `batch_norm_decay` is the share of the old average that batch norm keeps at each iteration, None:
    torch's own.
    """

    name: str
    row: str
    network: dict
    iterations: int
    batch_size: int
    lr: float
    schedule: str = "poly"
    loss: str = "subsample"
    crop: int = 321
    scale: tuple[float, float] | None = None
    data: str = "sbd"
    num_classes: int = 21
    starts_from: str = "ImageNet"
    split: str = "train"
    frozen_norms: bool = False
    batch_norm_decay: float | None = None
    crf: str | None = "v2_vgg"
    mean_iou: float | None = None
    with_crf: float | None = None
    count: int | None = field(default=None, repr=False)

    @property
    def backbone(self) -> str:
        """Name of the backbone."""
        return self.network.get("backbone", "vgg16")

    @property
    def goes_on(self) -> bool:
        """Whether it trains on what another configuration has trained."""
        return self.starts_from in CONFIGURATIONS

    def twin(self) -> "Configuration":
        """The same experiment at class size: what is measured in pixels or cells is halved, from v3 on a third.

        The paper's numbers do not belong to it and are left out. A start from MS-COCO has no twin of its own:
        the twin starts from random weights. A second stage goes on from the first one's twin, at a rate as many
        times smaller as the paper's.
        """
        family = (self.network["version"].removesuffix("plus"), self.backbone)
        network = {**self.network, **_TWINS[family], **_shrunk(self.network)}
        training = dict(_TWIN_TRAINING[family])
        if self.goes_on:
            training["lr"] *= self.lr / CONFIGURATIONS[self.starts_from].lr
        return replace(
            self, **training, network=network, batch_size=4, crop=TWIN_CROP, data="embedded", split="train",
            count=TWIN_SCENES, num_classes=len(scenes.CLASSES), batch_norm_decay=None,
            starts_from=self.starts_from if self.goes_on else "random weights", mean_iou=None, with_crf=None,
        )  # fmt: skip

    def model(self, seed: int | None = None, weights=None) -> torch.nn.Module:
        """The network; `weights` are the backbone's, `seed` (the course's by default) draws everything else."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(runtime.seed() if seed is None else seed)
            model = deeplab(**self.network, num_classes=self.num_classes, weights=weights)
        norms.keep(model, self.batch_norm_decay)
        return model

    def data_sets(self, root: str | Path | None = None) -> tuple[Pairs, Pairs]:
        """What it is trained on, scaled, cut and mirrored at random, and what it is measured on."""
        change = transforms.train(self.crop, self.scale)
        return (
            named(self.data, self.split, change, root, self.count, self.crop),
            named(self.data, None, None, root, self.count and self.count // 10, self.crop),
        )

    @property
    def settings(self) -> dict:
        """What `train` is given."""
        names = ("iterations", "batch_size", "lr", "schedule", "loss", "frozen_norms")
        return {name: getattr(self, name) for name in names}


def _shrunk(network: dict) -> dict:
    """The dilations of a network for a twin's map: halved for v1 and v2, a third for v3 and v3+."""
    by, rates, changed = 2, network.get("rates"), {}
    if network["version"] in ("v3", "v3plus"):
        by = 3
        if rates is None and network.get("cascade", 4) == 4:
            rates = pyramid_rates(network["output_stride"])
    if "rate" in network:
        changed["rate"] = network["rate"] // by
    if rates is not None:
        changed["rates"] = tuple(rate // by for rate in rates)
    return changed


CONFIGURATIONS = {row["name"]: Configuration(**row) for row in ROWS}


def configuration(name: str, scale: str | None = None) -> Configuration:
    """The configuration called `name`: at `scale` "full" the paper's, at "class" its twin (by default `runtime`'s).

    Raises KeyError listing the names there are.
    """
    if name not in CONFIGURATIONS:
        raise KeyError(f"no configuration is called {name!r}; there are: {', '.join(CONFIGURATIONS)}")
    found = CONFIGURATIONS[name]
    return found if (scale or runtime.scale()) == "full" else found.twin()


def table():
    """All configurations as a pandas table, one row each: what, where printed, how trained, what it reached."""
    import pandas

    columns = {
        "printed in": "row", "data": "data", "starts from": "starts_from", "policy": "schedule",
        "batch": "batch_size", "iterations": "iterations", "lr": "lr", "mIoU (%)": "mean_iou",
        "with CRF (%)": "with_crf",
    }  # fmt: skip
    rows = {
        name: {title: getattr(each, key) for title, key in columns.items()}
        for name, each in CONFIGURATIONS.items()
    }
    return pandas.DataFrame.from_dict(rows, orient="index")


def kept_as(which: Configuration, seed: int | None = None) -> Path:
    """File in which the trained twin is kept: another setting or other scenes have another name."""
    told = json.dumps(asdict(which), sort_keys=True) + inspect.getsource(scenes)
    edition = hashlib.sha256(told.encode()).hexdigest()[:8]
    return runtime.cache_dir() / f"{which.name}-seed{runtime.seed() if seed is None else seed}-{edition}.pt"


def trained(
    name: str, seed: int | None = None, progress: bool = True
) -> tuple[torch.nn.Module, History, Configuration]:
    """The twin of `name`, trained and ready to predict on the CPU, with its history and configuration.

    It is trained once, in one to three minutes, and then kept (`kept_as`); a training that was interrupted
    goes on.
    """
    which = configuration(name, "class")
    network, (scenes_to_train, _) = which.model(seed), which.data_sets()
    if which.goes_on and not kept_as(which, seed).exists():
        network.load_state_dict(trained(which.starts_from, seed, progress)[0].state_dict())
    history = train(
        network, scenes_to_train, seed=seed, checkpoint=kept_as(which, seed), channels_last=True,
        progress=progress, **which.settings,
    )  # fmt: skip
    return network.cpu().eval(), history, which
