"""Predictions of lesson 14: two rankings, a batch on several GPUs, and means that are wrong."""

import shlex

import numpy as np
import torch

import deeplab_lessons.classroom.experiments  # noqa: F401 - it tells the command line of them
from deeplab_lessons import cli
from deeplab_lessons.classroom.course import stored_results
from deeplab_lessons.classroom.predictions.framework import Answer, choice, number
from deeplab_lessons.metrics.label_maps import IGNORE_INDEX

VERSIONS = ("v1", "v2", "v3", "v3+")


def _val(results: str) -> dict[str, list[float]]:
    """mIoU on the validation images, run by run, of each version."""
    runs = stored_results(results)["runs"]
    return {name: [run["val"]["mean_iou"] for run in runs[name]] for name in VERSIONS}


@choice(
    "After 400 iterations, which of the four versions has the highest mIoU?",
    VERSIONS,
    slips={
        "v1": "The head of v1 is three layers deep and starts from random numbers. A shallower head is useful sooner.",
        "v3": "The pyramid of v3 has more layers to train than v2's head, and 400 iterations are few.",
        "v3+": "The newest head has the most layers to train, and 400 iterations are few.",
    },
)
def best_after_400():
    reached = _val("lesson14")
    best = max(VERSIONS, key=lambda name: np.mean(reached[name]))
    return Answer(best, shows=f"{np.mean(reached[best]):.1f} ± {np.std(reached[best], ddof=1):.1f}")


@choice(
    "After 2000 iterations, five times as many, which of the four has the lowest mIoU on val?",
    VERSIONS,
    slips={
        "v1": "Its deeper head needed the time, and v1 gains more than v2 does.",
        "v3": "Its pyramid needed the time, and v3 gains more than v1 and v2 do.",
        "v3+": "It was the last after 400 iterations. Its many layers needed the time, and v3+ gains the most.",
    },
)
def last_after_2000():
    reached = _val("camvid")
    last = min(VERSIONS, key=lambda name: np.mean(reached[name]))
    return Answer(last, shows=", ".join(f"{each:.1f}" for each in reached[last]))


@number(
    "Four GPUs share a batch of 10 crops, as v2 has. How many of them does the first GPU get?",
    unit="crops",
    slips={
        10: "Each GPU would see the whole batch. A batch is shared, not multiplied.",
        4 * 10: "You multiplied. A batch is shared by the GPUs.",
        10 / 4: "A crop cannot be cut in pieces here: two GPUs get one more than the others.",
        10 // 4: "With two crops on each GPU, two of the ten would be left out.",
    },
)
def crops_of_the_first():
    options = cli.parse(
        shlex.split("train --experiment v2_resnet101_msc_aspp --scale full --checkpoint v2.pt")
    )
    crops = len(range(options.batch_size)[::4])
    return Answer(crops, shows=f"at most {crops} on each of 4 GPUs")


@choice(
    "Is the mean of the two halves' gradients the gradient of the whole batch?",
    ("yes", "no, the first half counts too much", "no, the second half counts too much"),
    slips={
        "yes": "Each half divided by its own number of labelled pixels, and those numbers differ.",
        "no, the first half counts too much": (
            "The first half has most of the labelled pixels, and the mean gives it only a half of the weight."
        ),
    },
)
def mean_of_the_halves():
    labels = torch.zeros(4, 8, 8)
    labels[2:, 1:] = IGNORE_INDEX
    first, second = (int((half != IGNORE_INDEX).sum()) for half in labels.split(2))
    counts = {first: "no, the first half counts too much", second: "no, the second half counts too much"}
    found = "yes" if first == second else counts[min(counts)]
    return Answer(found, shows=f"labelled pixels: {first} and {second}")


@number(
    "One process sees 1, 2, 3, the other 7, 8, 9. Each has variance 0.67. What is the variance of all six?",
    tolerance=0.2,
    slips={
        2 / 3: "You took the mean of the variances. It says nothing of the distance between the two groups.",
        4 / 3: "You added the variances. It says nothing of the distance between the two groups.",
        3**2: "You counted how far the two means are from 5. The spread inside each group comes on top.",
        6**2: "You squared the distance of the two means. Each is only 3 away from the mean of all.",
        58 / 5: "You divided by 5. Batch norm divides by the number of values, 6.",
    },
)
def variance_of_all():
    variance = torch.tensor([1.0, 2, 3, 7, 8, 9]).var(correction=0).item()
    return Answer(round(variance, 2), shows=f"variance of the whole {variance:.2f}")
