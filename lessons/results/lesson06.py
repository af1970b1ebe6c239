"""A dense CRF after a finished network, on real photographs: lesson 06 shows the table.

    python lessons/results/lesson06.py

needs PASCAL VOC and `weights/deeplabv3_mobilenet_v2_tf-voc-fp16.pt` in the data folder (see data/README.md), writes
`lesson06.json` next to this file in about 4 minutes on one quiet core, continues where it stopped, and prints each row.

| name | what |
|---|---|
| network | DeepLab v3 on MobileNetV2 alone |
| v2_resnet101 | with the CRF of DeepLab v2's released run, as it is |

Measured on the first `IMAGES` images of val (the file names them): mIoU, and mIoU in bands around VOC's void borders.
"gain" is the difference to the network alone, with the 2.5 % and 97.5 % points of `DRAWS` bootstrap samples of the
images. Only these draws are random. Which images the network was trained on is not known. "drawn" is the label map of
`PHOTO`, one of scikit-image's.
"""

from collections.abc import Sequence
from dataclasses import asdict
from functools import cache

import numpy as np
import runs
import torch

from deeplab_lessons import crf, datasets, inference
from deeplab_lessons.classroom import built_in
from deeplab_lessons.classroom.mobile_deeplab import MobileDeepLabV3, mobile_deeplab_v3

WEIGHTS = "deeplabv3_mobilenet_v2_tf-voc-fp16.pt"
NAMES = ("network", "v2_resnet101")
WIDTHS = (1, 2, 4, 8, 16)  # of the bands, in pixels
IMAGES, DRAWS = 100, 1000
DROP_BELOW = 1e-3  # labels less likely than this at every pixel stay out, which halves the time
PHOTO = "astronaut"


@cache
def network() -> MobileDeepLabV3:
    """Return the finished network."""
    return mobile_deeplab_v3(runs.weights_beside_voc(WEIGHTS))


@cache
def voc() -> datasets.VOC:
    """Return the images to measure on."""
    runs.weights_beside_voc(WEIGHTS)
    return datasets.VOC(split="val")


@cache
def count(name: str, images: int) -> np.ndarray:
    """Return confusion matrices [images, 1 + widths, 21, 21] of a row: of all pixels, then of each band."""
    return np.stack([count_one(name, index) for index in range(images)])


def count_one(name: str, index: int) -> np.ndarray:
    """Return the confusion matrices [1 + widths, 21, 21] of one image."""
    image, labels = voc().pair(index)
    return runs.counts(label_map(name, image), labels, 21, WIDTHS)


def label_map(name: str, image: np.ndarray) -> np.ndarray:
    """Return the label map uint8 [H, W] of `image`, without or with the CRF."""
    found = inference.scores(network(), datasets.transforms.normalise(image)).clone()
    if name != "network":
        found = crf.refine(found, torch.tensor(image).permute(2, 0, 1), name, drop_below=DROP_BELOW)
    return found.argmax(0).numpy().astype(np.uint8)


def run(name: str, seed: int, planned: dict) -> dict[str, dict]:
    """Return the row of that name."""
    before, after = (count(each, planned["images"]) for each in ("network", name))
    found = numbers(after)
    if name == "network":
        found["images"] = " ".join(path.stem for path, _ in voc().files[: planned["images"]])
    else:
        right = [np.trace(counts[:, 0], axis1=1, axis2=2) for counts in (before, after)]
        rows = runs.gain(before, after, planned["draws"]).round(2).tolist()
        found["gain"] = dict(zip(("all", *map(str, WIDTHS)), rows, strict=True))
        found["parameters"] = asdict(crf.preset(name))
        found |= {"better": int((right[1] > right[0]).sum()), "worse": int((right[1] < right[0]).sum())}
    photo = built_in.photograph(PHOTO)[:: planned["step"], :: planned["step"]].copy()
    return {name: found | {"drawn": runs.as_text(label_map(name, photo))}}


def numbers(counts: np.ndarray) -> dict:
    """Return mIoU, IoU of the classes and mIoU in the bands of counts [images, 1 + widths, C, C]."""
    whole, *bands = torch.from_numpy(counts.sum(0))
    trimap = dict(zip(WIDTHS, bands, strict=True))
    return runs.measured(inference.Scores(whole, datasets.VOC_CLASSES, trimap=trimap))


def plan(quick: bool = False) -> dict:
    """Return what the numbers depend on."""
    sizes = {"images": 2, "draws": 2, "step": 8} if quick else {"images": IMAGES, "draws": DRAWS, "step": 1}
    return {
        "weights": WEIGHTS, "drop_below": DROP_BELOW, "widths": WIDTHS, "photo": PHOTO, **sizes, "quick": quick,
    }  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what is missing, and save after each row."""
    options = runs.options(__file__, "Measure a CRF after a finished network.", arguments)
    planned = plan(options.quick)
    runs.fill(options.results, planned, (0,), NAMES, lambda name, seed: run(name, seed, planned))


if __name__ == "__main__":
    main()
