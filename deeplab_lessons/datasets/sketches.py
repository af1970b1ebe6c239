"""Rough scores for two photographs: what a network might say of them, from outlines that were drawn in haste.

No network has seen these pictures. The outlines were typed in by hand, on purpose too wide in some places and
too narrow in others; then they are averaged over cells of 16 × 16 pixels, so that the scores know no more of
the edges than a map of stride 16 could. They stand in for a network wherever the course needs scores of a real
photograph at once.
"""

import numpy as np
import torch
from PIL import Image, ImageDraw

from deeplab_lessons.datasets.photographs import photograph

STRIDE = 16

#: Corners (column, row) of each outline, in pixels; a later one covers an earlier one.
OUTLINES = {
    "astronaut": {
        "person": "150,40 230,0 310,40 320,120 270,190 340,250 400,340 490,360 512,512 20,512 20,290 120,200 190,180",
    },
    "coffee": {
        "saucer": "75,190 150,100 420,90 490,220 420,350 280,390 130,330",
        "cup": "175,60 240,10 340,20 410,80 400,180 340,260 220,250 170,150",
    },
}


def sketch(name: str, sure: float = 2.0) -> tuple[np.ndarray, torch.Tensor]:
    """A photograph uint8 [H, W, 3] and rough scores of it at stride 16, float32 logits [C, h, w].

    Class 0 is the background, the others follow the names in `OUTLINES`. A cell all of one class has the
    scores +`sure` for it and -`sure` for the others. Raises ValueError for a name without outlines.
    """
    if name not in OUTLINES:
        raise ValueError(f"there are no outlines for {name!r}; there are: {', '.join(OUTLINES)}")
    picture = photograph(name)
    shares = _cell_shares(_drawn(name, picture.shape[:2]), len(OUTLINES[name]) + 1)
    return picture, sure * (2 * shares - 1)


def _drawn(name: str, size: tuple[int, int]) -> np.ndarray:
    """The outlines filled with their classes, uint8 [H, W]."""
    page = Image.new("L", size[::-1])
    for label, corners in enumerate(OUTLINES[name].values(), 1):
        points = [tuple(map(int, corner.split(","))) for corner in corners.split()]
        ImageDraw.Draw(page).polygon(points, fill=label)
    return np.array(page)


def _cell_shares(labels: np.ndarray, num_classes: int) -> torch.Tensor:
    """Share of each class in each whole cell, the cells centred on the picture; float32 [C, h, w]."""
    rows, columns = (side // STRIDE for side in labels.shape)
    top, left = (
        (side - STRIDE * cells) // 2 for side, cells in zip(labels.shape, (rows, columns), strict=True)
    )
    inside = labels[top : top + STRIDE * rows, left : left + STRIDE * columns]
    shares = [(inside == c).reshape(rows, STRIDE, columns, STRIDE).mean((1, 3)) for c in range(num_classes)]
    return torch.tensor(np.stack(shares), dtype=torch.float32)
