"""Drawings that compare networks: results near boundaries, results by class, and what each predicts."""

import base64
import io
from collections.abc import Container, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

from deeplab_lessons.classroom.drawing.style import show_image, show_labels


def stored_labels(text: str) -> np.ndarray:
    """Return the label map [H, W] that a results file keeps as `text`."""
    return np.array(Image.open(io.BytesIO(base64.b64decode(text))))


def show_bands(
    ax, runs: Mapping[str, Sequence[Mapping]], title: str = "", dashed: Container[str] = ()
) -> None:
    """Draw mIoU inside bands around the boundaries, by the bands' width: a line for each version.

    `runs` maps a version to one measurement for each seed, {"trimap": {width in pixels: mIoU in per cent}}. A point is
    the mean over the seeds and its bar their standard deviation. The lines of the versions in `dashed` are dashed.
    """
    for name, measured in runs.items():
        bands = np.array([list(each["trimap"].values()) for each in measured])
        widths = [int(width) for width in measured[0]["trimap"]]
        ax.errorbar(
            widths,
            bands.mean(0),
            _spread(bands),
            fmt="o--" if name in dashed else "o-",
            capsize=3,
            label=name,
        )
    ax.set(title=title, xlabel="width of the band (pixels)", ylabel="mIoU inside (%)")
    ax.set_xscale("log", base=2)
    ax.set_xticks(widths, widths)
    ax.legend()


def show_classes(ax, runs: Mapping[str, Sequence[Mapping]], title: str = "") -> None:
    """Draw the IoU of each class, a point for each version: mean and standard deviation over the seeds.

    `runs` is as in `show_bands`, with {"iou": {class: IoU in per cent}}.
    """
    for place, (name, measured) in enumerate(runs.items()):
        ious = np.array([list(each["iou"].values()) for each in measured])
        positions = np.arange(ious.shape[1]) + 0.16 * (place - (len(runs) - 1) / 2)
        ax.errorbar(positions, ious.mean(0), _spread(ious), fmt="o", capsize=2, label=name)
    classes = list(measured[0]["iou"])
    ax.set_xticks(range(len(classes)), classes, rotation=60, ha="right")
    ax.set(title=title, ylim=(0, 100))


def _spread(values: np.ndarray) -> np.ndarray:
    """The standard deviation over the first axis; 0 for a single run."""
    return values.std(0, ddof=len(values) > 1)


def show_versions(
    predicted: Mapping[str, np.ndarray],
    palette: np.ndarray,
    image: np.ndarray | None = None,
    truth: np.ndarray | None = None,
) -> None:
    """Show four versions' label maps of one image, with the image and its true labels where they are there."""
    _, axes = plt.subplots(2, 3, figsize=(8, 4.4), dpi=72)
    for ax, (name, labels) in zip(axes.flat[1:], predicted.items(), strict=False):
        show_labels(ax, labels, name, palette)
    for ax in (axes[0, 0], axes[1, 2]):
        ax.axis("off" if image is None or truth is None else "on")
    if image is not None and truth is not None:
        show_image(axes[0, 0], image, "image")
        show_labels(axes[1, 2], truth, "true labels", palette)
    plt.show()
