"""The built-in scenes as a data set to train on: made when first needed, and kept in memory."""

from collections.abc import Callable

import numpy as np

from deeplab_lessons.checks import check_choice
from deeplab_lessons.datasets import scenes
from deeplab_lessons.datasets.pairs import Pairs
from deeplab_lessons.datasets.palettes import palette_of

COUNTS = {"train": 1000, "val": 200, "test": 200}

#: Raise it by 1 whenever `scenes.scene` draws anything else for an index and a size (other shapes, other draws,
#: other photographs): kept networks carry it in their name, so one that saw older scenes is not taken again.
EDITION = 1

#: Colours of the classes: grey ground, then Okabe and Ito's, distinct for colour-blind readers too.
CLASS_COLOURS = ((217, 217, 217), (0, 114, 178), (213, 94, 0), (0, 158, 115), (204, 121, 167), (0, 0, 0))


class Embedded(Pairs):
    """`count` scenes of a split ("train", "val" or "test"), `size` x `size` pixels: see `scene`.

    A scene takes size * size * 4 bytes; worker processes share what is made before they start. Raises ValueError for
    an unknown split.
    """

    classes = scenes.CLASSES
    palette = palette_of(CLASS_COLOURS)

    def __init__(
        self,
        split: str = "train",
        count: int | None = None,
        size: int = 128,
        transforms: Callable | None = None,
    ):
        check_choice("split", split, scenes.SPLITS)
        super().__init__(transforms)
        self.split, self.size = split, size
        self.count = COUNTS[split] if count is None else count
        self._kept: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def __len__(self) -> int:
        return self.count

    def read(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Make scene `index`, once: picture, uint8 [size, size, 3], and labels, uint8 [size, size]."""
        if index not in self._kept:
            self._kept[index] = scenes.scene(index, self.size, self.split)
        return self._kept[index]
