"""The embedded scenes as a data set to train on: made when first asked for, and kept."""

import hashlib
import inspect
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np

from deeplab_lessons import runtime
from deeplab_lessons.datasets import scenes
from deeplab_lessons.datasets.files import whole_file
from deeplab_lessons.datasets.pairs import Pairs, palette_of

COUNTS = {"train": 1000, "val": 200, "test": 200}

#: Colours of the classes: grey ground, then Okabe and Ito's, told apart by colour-blind readers too.
CLASS_COLOURS = ((217, 217, 217), (0, 114, 178), (213, 94, 0), (0, 158, 115), (204, 121, 167), (0, 0, 0))


class Embedded(Pairs):
    """`count` scenes of a split ("train", "val" or "test"), `size` x `size` pixels: see `scene`.

    `cache` is None (each scene is made afresh), "memory", or "disk": then all scenes are made at once, put
    into one file under `folder` (by default `embedded` in the data folder), and read from there next time.
    Raises ValueError for an unknown split or cache, OSError in words where the file can't be written.
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
        """Keep the numbers; make all scenes now if they go to the disk."""
        if split not in scenes.SPLITS:
            raise ValueError(f"no split named {split!r}; there are: {', '.join(scenes.SPLITS)}")
        super().__init__(transforms, "memory" if cache == "disk" else cache)
        self.split, self.size = split, size
        self.count = COUNTS[split] if count is None else count
        if cache == "disk":
            self._from_disk(runtime.data_dir() / "embedded" if folder is None else Path(folder))

    def __len__(self) -> int:
        """Number of scenes."""
        return self.count

    def read(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Make scene `index`: picture, uint8 [size, size, 3], and labels, uint8 [size, size]."""
        return scenes.scene(index, self.size, self.split)

    def _from_disk(self, folder: Path) -> None:
        path = folder / f"{self.split}-{self.count}x{self.size}-{_edition()}.npy"
        shape = (self.count, self.size, self.size, 4)
        stored = _load(path, shape)
        if stored is None:
            self.fill(progress=True)
            every = [np.dstack(self.pair(index)) for index in range(len(self))]
            content = io.BytesIO()  # written by numpy itself, a full disk would give a fault without errno
            np.save(content, np.array(every, np.uint8).reshape(shape))
            with whole_file(path) as part:
                part.write_bytes(content.getvalue())
            stored = np.load(path, mmap_mode="r")
        self._kept = {index: (each[..., :3], each[..., 3]) for index, each in enumerate(stored)}


def object_sides(labels: np.ndarray, classes: tuple[int, ...] = (1, 2, 3)) -> np.ndarray:
    """How large the object at each pixel is: the longer side of its visible part in pixels, int32 [H, W].

    An object is what hangs together in one class; 0 stands where there is none of `classes` (by default disc,
    box and triangle). A wire in front of a disc leaves two parts. With it a score can be taken over large
    objects alone: set the labels of all other pixels to 255.
    """
    from skimage.measure import label, regionprops

    sides = np.zeros(labels.shape, np.int32)
    for each in classes:
        for part in regionprops(label(labels == each)):
            top, left, bottom, right = part.bbox
            sides[tuple(part.coords.T)] = max(bottom - top, right - left)
    return sides


def _load(path: Path, shape: tuple[int, ...]) -> np.ndarray | None:
    """What the file holds, mapped into memory; None where it is missing, cut off or of another shape."""
    try:
        stored = np.load(path, mmap_mode="r")
    except (OSError, ValueError, EOFError):
        return None
    return stored if stored.shape == shape and stored.dtype == np.uint8 else None


def _edition() -> str:
    """A mark of the code and the photographs behind the scenes, so that an old file is never taken for new."""
    import skimage

    told = inspect.getsource(scenes) + skimage.__version__ + np.__version__
    return hashlib.sha256(told.encode()).hexdigest()[:8]
