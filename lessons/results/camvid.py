"""CamVid in about twenty minutes on two quiet cores: MobileNetV2 from ImageNet under DeepLab v1's head.

    python lessons/results/camvid.py --checkpoint camvid.pt

needs CamVid and `weights/mobilenet_v2-imagenet-fp16.pt` in the data folder (see data/README.md), goes on where
it stopped, measures val and test, writes `camvid.json` beside this file, and keeps the network in the checkpoint.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from deeplab_lessons import datasets, runtime, training
from deeplab_lessons.models import deeplab_v1

MODEL = {
    "backbone": "mobilenet_v2",
    "channels": 256,
    "output_stride": 16,
    "rate": 6,
    "batch_norm": True,
    "dropout": 0.0,
}
CROP, SCALE = (256, 320), (0.75, 1.75)
RECIPE = {"iterations": 2000, "batch_size": 8, "lr": 0.01, "loss": "upsampled", "channels_last": True}
ZOOMS = (1.0, 1.5)  # size at which a picture is shown to the network when it is measured


class Zoomed(nn.Module):
    """The network on pictures enlarged by `zoom`: its cells lie closer together on the picture."""

    def __init__(self, network: nn.Module, zoom: float):
        """Wrap `network`."""
        super().__init__()
        self.network, self.zoom = network, zoom
        self.output_stride = network.output_stride / zoom

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits of pictures [N, 3, H, W], on the enlarged pictures' map."""
        return self.network(F.interpolate(x, scale_factor=self.zoom, mode="bilinear", align_corners=False))


def main() -> None:
    """Train what is missing, measure, write."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--checkpoint", type=Path, required=True, help="file to keep the training in")
    options = options.parse_args()
    weights = runtime.data_dir() / "weights" / "mobilenet_v2-imagenet-fp16.pt"
    crops = datasets.transforms.train(CROP, scale=SCALE)
    streets = datasets.CamVid(split="train", transforms=crops)
    torch.manual_seed(0)
    network = deeplab_v1(len(streets.classes), weights=weights, **MODEL)
    training.train(network, streets, checkpoint=options.checkpoint, **RECIPE)
    results = {"model": MODEL, "crop": CROP, "scale": SCALE, "recipe": RECIPE, "runs": []}
    for zoom in ZOOMS:
        for split in ("val", "test"):
            scores = training.evaluate(Zoomed(network, zoom), datasets.CamVid(split=split))
            shares = {name: round(100 * value, 1) for name, value in scores.iou.items()}
            run = {"zoom": zoom, "split": split, "mean_iou": round(100 * scores.mean_iou, 1), "iou": shares}
            results["runs"].append(run)
            print(run, flush=True)
    Path(__file__).with_suffix(".json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
