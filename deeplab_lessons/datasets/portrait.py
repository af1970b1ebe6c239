"""A small photograph with an outline drawn by hand: small enough for a CRF that looks at every pair of pixels."""

import numpy as np

from deeplab_lessons.datasets.photographs import photograph

_SHRINK = 4  # one pixel of the portrait is the mean of 4 x 4 pixels of the photograph
_TOP, _LEFT, _SIDE = 0, 128, 256  # the part of the photograph that is shown

#: Corners (row, column) of the person's outline in the portrait's pixels, drawn by hand, clockwise from the
#: lower left: shoulder, neck, hair, neck, collar, sleeve.
_OUTLINE = (
    *((64, -1), (40, -1), (37.5, 8), (37, 13.5), (32, 12.5), (29.5, 10.5), (25, 7), (20, 5.8), (15, 5.8)),
    *(
        (11, 9),
        (7.5, 14.5),
        (4, 22),
        (3.8, 29),
        (6, 34),
        (9, 39.5),
        (14, 42),
        (20, 43.3),
        (25, 42.8),
        (29, 40.5),
    ),
    *((33, 36), (37, 33.5), (41, 31.8), (43.5, 32), (48, 37), (54, 41.5), (58.5, 43.5), (60, 47), (64, 51.5)),
)


def portrait() -> tuple[np.ndarray, np.ndarray]:
    """The astronaut's portrait, uint8 [64, 64, 3], and labels uint8 [64, 64]: 1 on the person, 0 elsewhere.

    The picture is a part of scikit-image's photograph "astronaut" at a quarter of its size. The outline was
    drawn by hand on these pixels, as labels of real data sets are: it is about a pixel wide in doubt.
    """
    from skimage.draw import polygon2mask

    part = photograph("astronaut")[_TOP : _TOP + _SIDE, _LEFT : _LEFT + _SIDE]
    side = _SIDE // _SHRINK
    means = part.reshape(side, _SHRINK, side, _SHRINK, 3).mean((1, 3))
    labels = polygon2mask((side, side), np.array(_OUTLINE)).astype(np.uint8)
    return np.round(means).astype(np.uint8), labels
