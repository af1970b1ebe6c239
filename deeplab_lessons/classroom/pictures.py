"""Photographs with outlines drawn by hand, for lessons and widgets that need labels or scores of one without training.

`portrait` is small enough for a CRF that looks at every pair of pixels. `sketch` has rough scores: what a network
might say of two photographs. No network has seen them. Their outlines were typed in by hand, on purpose too wide in
some places and too narrow in others; then they are averaged over cells of 16 x 16 pixels, so that the scores know no
more of the edges than a map of stride 16 could.
"""

import numpy as np
import torch
from PIL import Image, ImageDraw

from deeplab_lessons.checks import check_choice
from deeplab_lessons.classroom.built_in import photograph
from deeplab_lessons.classroom.redrawing import class_shares

_SHRINK = 4  # one pixel of the portrait is the mean of 4 x 4 pixels of the photograph
_TOP, _LEFT, _SIDE = 0, 128, 256  # the part of the photograph that is shown

# fmt: off
#: Corners (row, column) of the person's outline in the portrait's pixels, drawn by hand, clockwise from the
#: lower left: shoulder, neck, hair, neck, collar, sleeve.
_PERSON = (
    (64, -1), (40, -1), (37.5, 8), (37, 13.5), (32, 12.5), (29.5, 10.5), (25, 7), (20, 5.8), (15, 5.8),
    (11, 9), (7.5, 14.5), (4, 22), (3.8, 29), (6, 34), (9, 39.5), (14, 42), (20, 43.3), (25, 42.8), (29, 40.5),
    (33, 36), (37, 33.5), (41, 31.8), (43.5, 32), (48, 37), (54, 41.5), (58.5, 43.5), (60, 47), (64, 51.5),
)
# fmt: on

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


def portrait() -> tuple[np.ndarray, np.ndarray]:
    """Return the astronaut's portrait, uint8 [64, 64, 3], and labels uint8 [64, 64]: 1 on the person, 0 elsewhere.

    The picture is a part of scikit-image's photograph "astronaut" at a quarter of its size. The outline was
    drawn by hand on these pixels, as labels of real data sets are: it is uncertain by about a pixel.
    """
    from skimage.draw import polygon2mask

    part = photograph("astronaut")[_TOP : _TOP + _SIDE, _LEFT : _LEFT + _SIDE]
    side = _SIDE // _SHRINK
    means = part.reshape(side, _SHRINK, side, _SHRINK, 3).mean((1, 3))
    labels = polygon2mask((side, side), np.array(_PERSON)).astype(np.uint8)
    return np.round(means).astype(np.uint8), labels


def sketch(name: str, score: float = 2.0) -> tuple[np.ndarray, torch.Tensor]:
    """Return a photograph uint8 [H, W, 3] and rough scores of it at stride 16, float32 logits [C, h, w].

    Class 0 is the background, the others follow the names in `OUTLINES`. A cell that is all of one class has the
    scores +`score` for it and -`score` for the others; the cells are centred on the picture. Raises ValueError for a
    name without outlines.
    """
    check_choice("outline", name, OUTLINES)
    picture = photograph(name)
    page = Image.new("L", (picture.shape[1], picture.shape[0]))
    for label, corners in enumerate(OUTLINES[name].values(), 1):
        points = [tuple(map(int, corner.split(","))) for corner in corners.split()]
        ImageDraw.Draw(page).polygon(points, fill=label)
    margins = [(side % STRIDE) // 2 for side in page.size[::-1]]
    whole = [slice(m, m + side // STRIDE * STRIDE) for m, side in zip(margins, page.size[::-1], strict=True)]
    shares = class_shares(np.array(page)[tuple(whole)], STRIDE, len(OUTLINES[name]) + 1)
    return picture, score * (2 * torch.tensor(shares) - 1)
