"""Label maps drawn as polygons: the JSON files of labelme, https://github.com/wkentaro/labelme."""

import json
from collections.abc import Sequence
from math import dist
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from deeplab_lessons.datasets.palettes import few
from deeplab_lessons.metrics.label_maps import IGNORE_INDEX
from deeplab_lessons.overlays import background_of

#: Words of labelme's own for void and for the class that lies below all polygons.
_VOID, _BACKGROUND = "__ignore__", "_background_"


def read_labelme(path: str | Path, classes: Sequence[str]) -> np.ndarray:
    """Return the label map, uint8 [H, W], that labelme's shapes draw, each over those before it.

    Their words are `classes`, or "__ignore__" for void. What no shape covers is class 0 if that is called background,
    else void. Polygons, rectangles and circles cover pixels. Raises ValueError, naming the file, for other shapes,
    for a word that is not a class, and for a file that labelme did not write.
    """
    try:
        content = json.loads(Path(path).read_bytes())
        size = int(content["imageWidth"]), int(content["imageHeight"])
        shapes = [
            (s["label"], s.get("shape_type", "polygon"), [(float(x), float(y)) for x, y in s["points"]])
            for s in content["shapes"]
        ]
    except (ValueError, TypeError, KeyError) as error:
        kind = f"({type(error).__name__}: {error})"
        if isinstance(error, KeyError) and "annotations" in content:
            kind = "but looks like COCO's, which datasets.Coco reads: pass that one file, not a folder"
        raise ValueError(f"{path} is not a file of labelme {kind}") from None
    numbers = {name: label for label, name in enumerate(classes)} | {_VOID: IGNORE_INDEX}
    first = background_of(classes) is not None
    if first:
        numbers |= {"background": 0, _BACKGROUND: 0}
    if strange := sorted({str(word) for word, _, _ in shapes if word not in numbers}):
        raise ValueError(f"{path} has shapes called {few(strange)}, but the classes are {few(list(classes))}")
    labels = Image.new("L", size, 0 if first else IGNORE_INDEX)
    draw = ImageDraw.Draw(labels)
    for word, kind, points in shapes:
        if kind == "polygon" and len(points) >= 3:
            draw.polygon(points, fill=numbers[word])
        elif kind == "rectangle" and len(points) == 2:
            (left, right), (top, bottom) = (sorted(ends) for ends in zip(*points, strict=True))
            draw.rectangle((left, top, right, bottom), fill=numbers[word])
        elif kind == "circle" and len(points) == 2:
            draw.circle(points[0], dist(*points), fill=numbers[word])
        else:
            raise ValueError(
                f"{path} has a {kind} of {len(points)} points, which covers no pixels: draw a polygon"
            )
    return np.array(labels)
