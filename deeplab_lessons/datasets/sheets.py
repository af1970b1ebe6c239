"""Pairs of a data set on one sheet, to be looked at before a training."""

import math
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from deeplab_lessons import overlays
from deeplab_lessons.datasets.pairs import Pairs

_SIDE, _LINE, _GAP = 320, 28, 8  # of an image, of the name below it, and between images, in pixels


def sheet(dataset: Pairs, count: int = 12) -> np.ndarray:
    """Return overlays of `count` pairs spread over a data set, with names and a legend, uint8 [H, W, 3].

    A pair that cannot be read has a tile that says so (`check` says why). Raises ValueError if there is none to show.
    """
    if not len(dataset) or count < 1:
        raise ValueError(f"a sheet shows at least 1 pair, got {len(dataset)} pairs and count={count}")
    palette, ground = overlays.bright(dataset.palette), overlays.background_of(dataset.classes)
    tiles, seen = [], [np.zeros((1, 0), np.uint8)]
    for index in np.linspace(0, len(dataset) - 1, min(count, len(dataset))).round().astype(int).tolist():
        tile, name = Image.new("RGB", (_SIDE + _GAP, _SIDE + _LINE), "white"), f"{index}"
        if hasattr(dataset, "files"):
            name = Path(dataset.files[index][0]).name
        try:
            picture, labels = dataset.pair(index)
            # ValueError for a line of pixels
            image = ImageOps.contain(Image.fromarray(picture), (_SIDE, _SIDE))
        except (ValueError, OSError):
            name = f"cannot be read: {name}"
        else:
            small = np.array(Image.fromarray(labels).resize(image.size, Image.Resampling.NEAREST))
            drawn = overlays.overlay(np.array(image), small, palette, background=ground, bright=False)
            tile.paste(Image.fromarray(drawn), (0, _SIDE - image.height))
            seen.append(small.reshape(1, -1))
        draw, font = ImageDraw.Draw(tile), ImageFont.load_default(14)
        while draw.textlength(name, font) > _SIDE:
            name = f"…{name[2:]}"
        draw.text((2, _SIDE + 2), name, "black", font)
        tiles.append(np.array(tile))
    columns = math.ceil(math.sqrt(len(tiles)))
    tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % columns)
    rows = [np.concatenate(tiles[i : i + columns], 1) for i in range(0, len(tiles), columns)]
    legend = overlays.legend_of(np.concatenate(seen, 1), dataset.classes, palette, ground)
    return overlays.with_legend(np.concatenate(rows), legend)
