"""v3's head with and without v3+'s decoder on photographs, over a frozen MobileNetV2. Lesson 12 shows it.

    python lessons/results/lesson12_photos.py

needs `weights/mobilenet_v2-imagenet-fp16.pt` and PASCAL VOC in the data folder (see data/README.md), writes
`lesson12_photos.json` next to this file in about an hour on one core, continues where it stopped, and prints
each run. The stored runs are of a part of VOC, 150 training and 100 validation photographs.

The backbone stays as ImageNet left it. Its last map (output stride 16) and its early one (stride 4) are computed once
for some random crops of each training photograph, and only the heads learn. Both have the same pyramid; its dilations
are half of the paper's, its channels a quarter. Each head has its own learning rate, chosen in shorter trainings on
four fifths of the training photographs by mIoU on the rest, with a seed of its own (the decoder has learned little
by then). Then all of them are learned, and the validation photographs are measured whole, in their own size: all
pixels, and bands around the void borders.

| name | what |
|---|---|
| v3 | the pyramid and a 1 x 1 to the classes, at stride 16 |
| v3+ | the pyramid and the decoder: early map to 12 channels, two 3 x 3 of 32, logits at stride 4 |
"""

from collections.abc import Sequence

import numpy as np
import runs
import torch
from torch import nn

from deeplab_lessons import backbones, datasets, metrics, runtime
from deeplab_lessons.backbones.encoders import low_level_features
from deeplab_lessons.backbones.initialise import init_classifier, init_kaiming
from deeplab_lessons.grid import Grid, upsample
from deeplab_lessons.heads import ASPP, Decoder
from deeplab_lessons.training.losses import upsampled_loss
from deeplab_lessons.training.schedules import poly

WEIGHTS = "mobilenet_v2-imagenet-fp16.pt"
SEEDS = (0, 1, 2, 3, 4)
NAMES = ("v3", "v3+")
CHOOSING = (100,)  # the seed that chooses learning rates, and nothing else
LEARNING_RATES = (0.003, 0.01, 0.03)
WIDTHS = (1, 2, 4, 8, 16)  # of the bands around the void borders, in pixels
CROPS, CROP, SCALE = 6, 257, (0.4, 1.0)  # of each training photograph: how many, pixels a side, sizes
RATES, CHANNELS, EARLY, REFINED = (3, 6, 9), 64, 12, 32
ITERATIONS, CHOOSING_ITERATIONS, BATCH = 1500, 300, 4

#: The maps of one image or more, last and early, and the labels.
Maps = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


class Head(nn.Module):
    """The pyramid and what follows it: the maps of the backbone -> logits at `grid`."""

    def __init__(self, name: str):
        """Draw random weights."""
        super().__init__()
        self.aspp = ASPP(320, CHANNELS, RATES, dropout=0.1)
        self.top = (
            nn.Conv2d(CHANNELS, 21, 1) if name == "v3" else Decoder(24, CHANNELS, 21, 4, EARLY, REFINED)
        )
        init_kaiming(self)
        init_classifier(self.top.classifier if isinstance(self.top, Decoder) else self.top)
        self.grid = Grid(4 if isinstance(self.top, Decoder) else 16, 0.0)

    def forward(self, last: torch.Tensor, early: torch.Tensor) -> torch.Tensor:
        """Return logits at every 16th pixel, or with the decoder at every fourth."""
        last = self.aspp(last)
        return self.top(last, early) if isinstance(self.top, Decoder) else self.top(last)


@torch.inference_mode()
def maps(split: str, crops: int) -> list[Maps]:
    """Return the maps of each photograph in half precision, and its labels: whole, or that many random crops."""
    backbone, found = backbones.mobilenet_v2(16, runs.weights_beside_voc(WEIGHTS)).eval(), []
    transforms = datasets.transforms.train(CROP, SCALE) if crops else datasets.transforms.evaluate()
    data = datasets.VOC(split=split, transforms=transforms)
    runtime.seed_everything(0)
    for index in range(len(data)):
        images, labels = zip(*(data[index] for _ in range(crops or 1)), strict=True)
        early, last = low_level_features(backbone, torch.stack([torch.as_tensor(image) for image in images]))
        labels = torch.stack([torch.as_tensor(each) for each in labels]).to(torch.uint8)
        found.append((last.half(), early.half(), labels))
    return found


def fit(
    name: str, seed: int, lr: float, learned: Sequence[Maps], iterations: int
) -> tuple[Head, list[float]]:
    """Train a head with AdamW and poly, on every fourth pixel of the labels; return it and the losses."""
    torch.manual_seed(seed)
    head, draw, order, losses = Head(name).train(), np.random.default_rng(seed), [], []
    optimiser = torch.optim.AdamW(head.parameters(), lr, weight_decay=0.01)
    grid = Grid(head.grid.stride / 4, 0.0)
    for iteration in range(iterations):
        while len(order) < BATCH:
            order += draw.permutation(len(learned)).tolist()
        views = [(learned[order.pop()], draw.integers(len(learned[0][0]))) for _ in range(BATCH)]
        last, early, labels = (torch.stack([each[part][view] for each, view in views]) for part in range(3))
        for group in optimiser.param_groups:
            group["lr"] = lr * poly(iteration, iterations)
        loss = upsampled_loss(head(last.float(), early.float()), labels[:, ::4, ::4].long(), grid)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return head.eval(), losses


@torch.inference_mode()
def measured(head: Head, tested: Sequence[Maps]) -> dict:
    """Return mIoU and mIoU in bands around the void borders, in per cent, of the first view of each photograph."""
    whole, bands = torch.zeros(21, 21), dict.fromkeys(WIDTHS, torch.zeros(21, 21))
    for last, early, labels in tested:
        true = labels[0].numpy()
        scores = upsample(head(last[:1].float(), early[:1].float()), true.shape, head.grid)
        drawn = scores[0].argmax(0).numpy()
        whole = whole + metrics.confusion_matrix(drawn, true, 21)
        inside = metrics.trimap_confusions(drawn, true, 21, WIDTHS, around="void")
        bands = {width: bands[width] + inside[width] for width in WIDTHS}
    trimap = {str(width): runs.per_cent(metrics.mean_iou(band)) for width, band in bands.items()}
    return {"mean_iou": runs.per_cent(metrics.mean_iou(whole)), "trimap": trimap}


def plan(quick: bool = False) -> dict:
    """Return what the numbers depend on."""
    return {
        "rates": RATES, "channels": [CHANNELS, EARLY, REFINED], "crops": [2 if quick else CROPS, CROP, *SCALE],
        "iterations": [2, 1] if quick else [ITERATIONS, CHOOSING_ITERATIONS], "batch_size": BATCH,
        "learning_rates": LEARNING_RATES, "widths": WIDTHS, "quick": quick,
    }  # fmt: skip


def choose(name: str, seed: int, learned: Sequence[Maps], iterations: int) -> dict[str, dict]:
    """Return the mIoU of each learning rate on every fifth training photograph, learned on the others: {name: mIoU}."""
    rest = [each for index, each in enumerate(learned) if index % 5]
    found = {}
    for lr in LEARNING_RATES:
        found[str(lr)] = measured(fit(name, seed, lr, rest, iterations)[0], learned[::5])["mean_iou"]
    return {name: found}


def run(
    name: str, seed: int, lr: float, learned: Sequence[Maps], tested: Sequence[Maps], iterations: int
) -> dict:
    """Train and measure a head: {name: numbers}, with the mean loss of each fifth of the training."""
    head, losses = fit(name, seed, lr, learned, iterations)
    parts = [round(float(part.mean()), 4) for part in np.array_split(losses, min(5, iterations))]
    return {name: measured(head, tested) | {"lr": lr, "loss": parts}}


def main(arguments: Sequence[str] | None = None) -> None:
    """Choose the learning rates, then train and measure what is missing, seed by seed."""
    options = runs.options(__file__, "Train and measure v3's head and v3+'s on a frozen backbone.", arguments)
    runs.weights_beside_voc(WEIGHTS)
    planned, seeds = plan(options.quick), SEEDS[: 1 if options.quick else None]
    learned, tested = maps("train", planned["crops"][0]), maps("val", 0)
    iterations, short = planned["iterations"]
    tried = runs.fill(
        options.results, planned, CHOOSING, NAMES,
        lambda name, seed: choose(name, seed, learned, short), "chosen_on",
    )["chosen_on"]  # fmt: skip
    best = {name: max(LEARNING_RATES, key=lambda lr: tried[name][0][str(lr)]) for name in NAMES}
    runs.fill(
        options.results, planned, seeds, NAMES,
        lambda name, seed: run(name, seed, best[name], learned, tested, iterations),
    )  # fmt: skip


if __name__ == "__main__":
    main()
