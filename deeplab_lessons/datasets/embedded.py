"""The built-in scenes as a data set to train on: made when first needed, and kept."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np

from deeplab_lessons import files, runtime
from deeplab_lessons.checks import check_choice
from deeplab_lessons.datasets import scenes
from deeplab_lessons.datasets.pairs import Pairs
from deeplab_lessons.datasets.palettes import palette_of

COUNTS = {"train": 1000, "val": 200, "test": 200}

#: Raise it by 1 whenever `scenes.scene` draws anything else for an index and a size (other shapes, other draws,
#: other photographs): files of kept scenes carry it in their name, so an older file is not read again.
EDITION = 1

#: Colours of the classes: grey ground, then Okabe and Ito's, distinct for colour-blind readers too.
CLASS_COLOURS = ((217, 217, 217), (0, 114, 178), (213, 94, 0), (0, 158, 115), (204, 121, 167), (0, 0, 0))


class Embedded(Pairs):
    """`count` scenes of a split ("train", "val" or "test"), `size` x `size` pixels: see `scene`.

    `cache` is None (each scene is made afresh), "memory", or "disk": then all are made at once, written to one file
    under `folder` (by default `embedded` in the data folder), and read from there next time. Raises ValueError for an
    unknown split or cache, OSError in words.
    """

    classes = scenes.CLASSES
    palette = palette_of(CLASS_COLOURS)

    def __init__(
        self,
        split: str = "train",
        count: int | None = None,
        size: int = 128,
        transforms: Callable | None = None,
        cache: str | None = "memory",
        folder: str | Path | None = None,
    ):
        check_choice("split", split, scenes.SPLITS)
        super().__init__(transforms, "memory" if cache == "disk" else cache)
        self.split, self.size = split, size
        self.count = COUNTS[split] if count is None else count
        if cache == "disk":
            self._from_disk(runtime.data_dir() / "embedded" if folder is None else Path(folder))

    def __len__(self) -> int:
        return self.count

    def read(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Make scene `index`: picture, uint8 [size, size, 3], and labels, uint8 [size, size]."""
        return scenes.scene(index, self.size, self.split)

    def _from_disk(self, folder: Path) -> None:
        path = folder / f"{self.split}-{self.count}x{self.size}-edition{EDITION}.npy"
        shape = (self.count, self.size, self.size, 4)
        stored = _load(path, shape)
        if stored is None:
            self.fill(progress=True)
            every = [np.dstack(self.pair(index)) for index in range(len(self))]
            content = io.BytesIO()  # written by numpy itself, a full disk would give a fault without errno
            np.save(content, np.array(every, np.uint8).reshape(shape))
            files.folder(folder)
            with files.explained(path), files.whole_file(path) as part:
                part.write_bytes(content.getvalue())
            stored = np.load(path, mmap_mode="r")
        self._kept = {index: (each[..., :3], each[..., 3]) for index, each in enumerate(stored)}


def _load(path: Path, shape: tuple[int, ...]) -> np.ndarray | None:
    """What the file holds, mapped into memory; None where it is missing, cut off or of another shape."""
    try:
        stored = np.load(path, mmap_mode="r")
    except (OSError, ValueError, EOFError):
        return None
    return stored if stored.shape == shape and stored.dtype == np.uint8 else None
