"""Label maps on their way into a widget: checked, and packed for the scripts in label_maps.js."""

import base64
import zlib

import numpy as np

from deeplab_lessons import metrics
from deeplab_lessons.classroom.built_in import Embedded
from deeplab_lessons.classroom.widgets.shared.pictures import checked_picture, data_url
from deeplab_lessons.datasets import palettes
from deeplab_lessons.metrics.label_maps import one_map


def packed(numbers: np.ndarray) -> dict:
    """Return an array, uint8 or else as float32, as compressed text that lives in a stored notebook."""
    numbers = numbers if numbers.dtype == np.uint8 else numbers.astype("<f4")
    data = base64.b64encode(zlib.compress(numbers.tobytes(), 9)).decode()
    return {"type": str(numbers.dtype), "data": data}


def checked_maps(
    picture: np.ndarray, labels: np.ndarray, num_classes: int, palette: np.ndarray | None
) -> tuple[np.ndarray, dict]:
    """Return the labels, and what the browser needs of picture, labels and colours.

    Raises ValueError if the picture isn't uint8 [H, W, 3], if the labels aren't a map of its size with classes below
    `num_classes` and void, or if the palette (by default the built-in scenes') lacks a colour for one of them.
    """
    picture, labels = checked_picture("picture", picture), one_map(labels)
    if labels.shape != picture.shape[:2]:
        raise ValueError(
            f"labels must be [H, W] of the picture's size {list(picture.shape[:2])}, got {list(labels.shape)}: "
            "pass the labels of this picture"
        )
    metrics.check_labels(labels, num_classes)
    labels, colours = (
        labels.astype(np.uint8),
        palettes.checked(Embedded.palette if palette is None else palette),
    )
    needed = max(num_classes, int(labels.max()) + 1)
    if len(colours) < needed:
        raise ValueError(
            f"palette must have a colour for labels 0 to {needed - 1}, got {len(colours)} colours"
        )
    maps = {
        "photo": data_url(picture, "jpeg", quality=90, subsampling=0),
        "labels": packed(labels),
        "palette": packed(colours),
        "size": list(labels.shape),
        "classes": num_classes,
    }
    return labels, maps
