"""Every version of DeepLab on one backbone and one data set: what lesson 13 compares.

All four stand on MobileNetV2 at output stride 16, so that the heads are what differs. A crop of 256 x 320 pixels
is a map of 16 x 20 cells, about half of v3's 33, so the dilations are half of the papers'; v3+ takes separable
convolutions, as on the paper's Xception.
"""

import time
from collections.abc import Sequence
from pathlib import Path

import torch

from deeplab_lessons import runtime
from deeplab_lessons.datasets import CamVid, Embedded, Pairs, transforms
from deeplab_lessons.inference import ManyViews, evaluate
from deeplab_lessons.models import deeplab
from deeplab_lessons.receptive_field import trace

_ON_MOBILENET = {"backbone": "mobilenet_v2", "output_stride": 16}
NETWORKS: dict[str, dict] = {
    "v1": {
        "version": "v1", **_ON_MOBILENET, "rate": 6, "channels": 256, "batch_norm": True, "dropout": 0.0,
    },
    "v2": {"version": "v2", **_ON_MOBILENET, "rates": (3, 6, 9, 12)},
    "v3": {"version": "v3", **_ON_MOBILENET, "rates": (3, 6, 9)},
    "v3+": {"version": "v3plus", **_ON_MOBILENET, "rates": (3, 6, 9), "separable": True},
}  # fmt: skip

CROP, SCALE = (256, 320), (0.75, 1.75)  # pixels; range of random scaling
ZOOM = 1.5  # size at which a picture is shown when it is measured: the middle of what training saw
WIDTHS = (1, 2, 4, 8, 16)  # of the bands around the boundaries, in pixels
RECIPE = {"batch_size": 8, "loss": "upsampled", "schedule": "poly", "channels_last": True}


def ready() -> bool:
    """Whether the data folder has CamVid and MobileNetV2's ImageNet weights."""
    return imagenet().is_file() and (runtime.data_dir() / "camvid" / "train.txt").is_file()


def imagenet() -> Path:
    """Path at which the data folder keeps MobileNetV2's ImageNet weights."""
    return runtime.data_dir() / "weights" / "mobilenet_v2-imagenet-fp16.pt"


def sets(crop: tuple[int, int] = CROP, scale: tuple[float, float] = SCALE) -> tuple[Pairs, Pairs]:
    """What the versions are trained on, cut to `crop`, and measured on: CamVid where it is `ready`, or scenes."""
    change = transforms.train(crop, scale)
    if ready():
        return CamVid(split="train", transforms=change), CamVid(split="val")
    return Embedded("train", 1000, 161, change), Embedded("val", 100, 161)


def build(name: str, num_classes: int, seed: int = 0) -> torch.nn.Module:
    """The version of that name, its backbone from ImageNet where `imagenet()` is there, else random."""
    if name not in NETWORKS:
        raise KeyError(f"no version is called {name!r}; there are: {', '.join(NETWORKS)}")
    weights = imagenet() if imagenet().is_file() else None
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return deeplab(**NETWORKS[name], num_classes=num_classes, weights=weights)


def row(model: torch.nn.Module, data: Sequence, zoom: float = ZOOM) -> dict:
    """mIoU, mIoU in bands around the boundaries {width in pixels: …}, and IoU of the classes, in per cent."""
    scores = evaluate(ManyViews(model.eval(), (zoom,)), data, trimap=WIDTHS)
    return {
        "mean_iou": round(100 * scores.mean_iou, 2),
        "trimap": {width: round(100 * share, 2) for width, share in scores.trimap_mean_iou.items()},
        "iou": {label: round(100 * share, 1) for label, share in scores.iou.items()},
    }


def cost(name: str, num_classes: int, size: tuple[int, int]) -> dict[str, float]:
    """Parameters in millions, and multiply-adds in thousand millions for one picture of `size` pixels."""
    with torch.device("meta"):
        found = trace(deeplab(**NETWORKS[name], num_classes=num_classes), size)
    return {"parameters (10⁶)": found.parameters / 1e6, "multiply-adds (10⁹)": found.multiply_adds / 1e9}


def milliseconds(networks: dict[str, torch.nn.Module], size: tuple[int, int], rounds: int = 5) -> dict:
    """Milliseconds for one picture of `size` pixels by each network, {name: [one number for each round]}.

    The networks take turns, so that whatever else the computer does befalls all of them alike.
    """
    times: dict[str, list[float]] = {name: [] for name in networks}
    for turn in range(rounds + 1):
        for name, network in networks.items():
            picture = torch.randn(1, 3, *size, device=next(network.parameters()).device)
            began = time.perf_counter()
            with torch.inference_mode():
                float(network.eval()(picture).sum())  # waits for a GPU to finish
            if turn:  # the first turn warms up
                times[name].append(1000 * (time.perf_counter() - began))
    return times
