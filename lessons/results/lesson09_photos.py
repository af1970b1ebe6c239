"""What dilation gains on photographs: one branch of ASPP at a time on a frozen MobileNetV2. Lesson 09 shows it.

    python lessons/results/lesson09_photos.py

needs `weights/mobilenet_v2-imagenet-fp16.pt` and PASCAL VOC in the data folder (see data/README.md), writes
`lesson09_photos.json` next to this file in about half an hour on one core, continues where it stopped, and prints each
run. The stored runs are of a part of VOC, 150 training and 100 validation photographs, whose names are kept.

The backbone stays as ImageNet left it. Its map (stride 16, 21 x 21 cells) is computed once for each view of each
photograph, so a training needs seconds: only a branch of v2 on VGG16 (fc6, fc7, fc8, here with batch norm) learns.
Learning rates are chosen for each head on the last third of the training photographs, with seeds of their own.
"""

from collections.abc import Sequence

import numpy as np
import runs
import torch
from torch import nn

from deeplab_lessons import backbones, datasets, metrics, runtime
from deeplab_lessons.backbones.initialise import init_classifier, init_kaiming
from deeplab_lessons.grid import Grid, upsample
from deeplab_lessons.heads import SummedASPP
from deeplab_lessons.training.losses import upsampled_loss
from deeplab_lessons.training.schedules import poly

WEIGHTS = "mobilenet_v2-imagenet-fp16.pt"
SEEDS = (0, 1, 2, 3, 4)
CHOOSING = (100, 101)  # seeds that choose learning rates, and nothing else
LEARNING_RATES = (0.01, 0.03, 0.1)
SIDE, STRIDE = 321, 16  # pixels: of a photograph, filled up to a square, and between cells
COARSE = 4  # every fourth pixel of the labels is learned and measured
CROPS = 6  # random views of a training photograph, in addition to the whole one and its mirror image
CHANNELS, ITERATIONS, BATCH = 64, 200, 8

#: Kernel and dilations of each head.
HEADS = {
    "kernel 1": (1, (1,)),
    **{f"dilation {rate}": (3, (rate,)) for rate in (1, 3, 6, 12, 24)},
    "sum of 1, 3, 6, 12": (3, (1, 3, 6, 12)),
}


def whole(picture: np.ndarray, labels: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """Return a photograph as a network takes it, its longer side `SIDE`, filled up to a square, and its labels."""
    image, found = datasets.transforms.normalise(picture)[None], torch.from_numpy(labels)[None, None].float()
    size = [max(1, round(side * SIDE / max(labels.shape))) for side in labels.shape]
    image = nn.functional.interpolate(image, size, mode="bilinear", antialias=True)[0]
    found = nn.functional.interpolate(found, size, mode="nearest-exact")[0, 0].long()
    fill = (0, SIDE - size[1], 0, SIDE - size[0])
    return nn.functional.pad(image, fill), nn.functional.pad(found, fill, value=metrics.IGNORE_INDEX)


@torch.inference_mode()
def maps(split: str, crops: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the backbone's maps [photographs, views, 320, h, w], in half precision, and the labels of each view.

    The views of a photograph are the whole one and, with `crops`, its mirror image and random crops.
    """
    backbone = backbones.mobilenet_v2(STRIDE, runs.weights_beside_voc(WEIGHTS)).eval()
    shown = SIDE / 500  # VOC's photographs have 500 pixels on their longer side
    data = datasets.VOC(split=split, transforms=datasets.transforms.train(SIDE, (0.5 * shown, 1.5 * shown)))
    runtime.seed_everything(0)
    features, labels = [], []
    for index in range(len(data)):
        image, label = whole(*data.pair(index))
        seen = [(image, label)]
        if crops:
            seen += [(image.flip(-1), label.flip(-1)), *(data[index] for _ in range(crops))]
        features.append(backbone(torch.stack([torch.as_tensor(image) for image, _ in seen])).half())
        labels.append(torch.stack([torch.as_tensor(label) for _, label in seen]).to(torch.uint8))
    return torch.stack(features), torch.stack(labels)[..., ::COARSE, ::COARSE].contiguous()


def names(split: str) -> str:
    """Return the names of the photographs of a split, in order."""
    return " ".join(picture.stem for picture, _ in datasets.VOC(split=split).files)


def head(name: str, seed: int) -> SummedASPP:
    """Return a head with random weights, drawn from the seed."""
    torch.manual_seed(seed)
    kernel, rates = HEADS[name]
    built = SummedASPP(320, 21, rates, CHANNELS, batch_norm=True, dropout=0.1, kernel_size=kernel)
    init_kaiming(built)
    for last in built.classifiers:
        init_classifier(last)
    return built


def fit(
    name: str, seed: int, lr: float, features: torch.Tensor, labels: torch.Tensor, iterations: int
) -> SummedASPP:
    """Train a head on maps [photographs, views, 320, h, w] and labels: AdamW, poly, loss on enlarged scores."""
    built, draw, order = head(name, seed).train(), np.random.default_rng(seed), []
    optimiser = torch.optim.AdamW(built.parameters(), lr, weight_decay=0.01)
    for iteration in range(iterations):
        while len(order) < BATCH:
            order += draw.permutation(len(features)).tolist()
        chosen, order = torch.tensor(order[:BATCH]), order[BATCH:]
        view = torch.from_numpy(draw.integers(0, features.shape[1], BATCH))
        for group in optimiser.param_groups:
            group["lr"] = lr * poly(iteration, iterations)
        scores = built(features[chosen, view].float())
        loss = upsampled_loss(scores, labels[chosen, view].long(), Grid(STRIDE / COARSE, 0.0))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return built.eval()


@torch.inference_mode()
def mean_iou(built: nn.Module, features: torch.Tensor, labels: torch.Tensor) -> float:
    """Return the mIoU, in per cent, of the first view of each photograph, at the pixels that have labels here."""
    confusion, grid = 0, Grid(STRIDE / COARSE, 0.0)
    for each, true in zip(features[:, 0].float().split(10), labels[:, 0].split(10), strict=True):
        drawn = upsample(built(each), true.shape[1:], grid).argmax(1)
        confusion = confusion + metrics.confusion_matrix(drawn.numpy(), true.numpy(), 21)
    return runs.per_cent(metrics.mean_iou(confusion))


def plan(quick: bool = False) -> dict:
    """Return what the numbers depend on."""
    return {
        "heads": HEADS, "channels": CHANNELS, "iterations": 1 if quick else ITERATIONS, "batch": BATCH,
        "learning_rates": LEARNING_RATES[: 1 if quick else None], "choosing": CHOOSING[: 1 if quick else None],
        "side": SIDE, "stride": STRIDE, "crops": 1 if quick else CROPS, "quick": quick,
    }  # fmt: skip


def choose(name: str, seed: int, learned: tuple, planned: dict) -> dict[str, dict]:
    """Return the mIoU of each learning rate on the last third of the photographs, after training on the others."""
    features, labels = learned
    part, found = 2 * len(features) // 3, {}
    for lr in planned["learning_rates"]:
        built = fit(name, seed, lr, features[:part], labels[:part], planned["iterations"])
        found[str(lr)] = mean_iou(built, features[part:], labels[part:])
    return {name: found}


def run(
    name: str, seed: int, learned: tuple, tested: tuple, tried: list[dict], planned: dict
) -> dict[str, dict]:
    """Train a head on all training photographs with its learning rate, and measure it on the others."""
    lr = max(planned["learning_rates"], key=lambda lr: sum(each[str(lr)] for each in tried))
    built = fit(name, seed, lr, *learned, planned["iterations"])
    return {name: {"mean_iou": mean_iou(built, *tested), "lr": lr}}


def main(arguments: Sequence[str] | None = None) -> None:
    """Choose what learning rates are missing, then train and measure what is missing."""
    options = runs.options(__file__, "Train and measure branches on a frozen backbone.", arguments)
    runs.weights_beside_voc(WEIGHTS)
    planned, seeds = plan(options.quick), SEEDS[: 1 if options.quick else None]
    results = runs.load(options.results, planned)
    if all(len(results.get("runs", {}).get(name, ())) == len(seeds) for name in HEADS):
        return
    learned, tested = maps("train", planned["crops"]), maps("val", 0)
    runs.save(options.results, results | {"photographs": {split: names(split) for split in ("train", "val")}})
    chosen = runs.fill(
        options.results, planned, planned["choosing"], HEADS,
        lambda name, seed: choose(name, seed, learned, planned), "chosen_on",
    )["chosen_on"]  # fmt: skip
    runs.fill(
        options.results, planned, seeds, HEADS,
        lambda name, seed: run(name, seed, learned, tested, chosen[name], planned),
    )  # fmt: skip


if __name__ == "__main__":
    main()
