"""What is in the files of a data set: kinds, sizes, numbers, colours, faults, and images that are alike."""

import contextlib
import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from deeplab_lessons.datasets import reading
from deeplab_lessons.datasets.folders import FilePairs, check_sizes
from deeplab_lessons.metrics.label_maps import IGNORE_INDEX


class Look:
    """What was seen so far of the files of pairs, or of label maps only.

    `numbers` and `colours` count pixels by what the files hold, and `classes` by class, -1 for none. `drawn` has the
    colours of each number in files with a palette, and where each was first. `faults` are (path, message). `same` are
    the paths of each image, `thumbnails` unit vectors whose products are correlations, `voids` classes next to void.
    """

    def __init__(self) -> None:
        self.maps, self.classes, self.numbers = 0, Counter[int](), Counter[int]()
        self.colours, self.kinds = Counter[tuple[int, int, int]](), defaultdict[str, Counter[str]](Counter)
        self.drawn: defaultdict[int, dict[tuple[int, int, int], Path]] = defaultdict(dict)
        self.voids: list[set[int]] = []
        self.faults: list[tuple[Path, str]] = []
        self.same: dict[bytes, list[Path]] = defaultdict(list)
        self.thumbnails: dict[Path, np.ndarray] = {}

    def at_map(self, numbers: np.ndarray, table: np.ndarray | None = None) -> list[int]:
        """Count the pixels of a map [H, W] by number, and by class in `table` (None: the same); return the numbers."""
        self.maps += 1
        values, counts = np.unique(numbers, return_counts=True)
        held = set()
        for number, pixels in zip(values.tolist(), counts.tolist(), strict=True):
            label = label_of(number, table)
            self.numbers[number] += pixels
            self.classes[label] += pixels
            held.add(label)
        if IGNORE_INDEX in held:
            self.voids.append(held)
        return values.tolist()

    def at_files(self, dataset: FilePairs, index: int, pixels: bool) -> None:
        """Look at an image, with or without its `pixels`, and at its label map."""
        (path, labels), shape = dataset.files[index], None
        with self._noting(path):
            shape = self._image(path, pixels)
        with self._noting(labels):
            found = self._labels(dataset, index, labels)
            check_sizes(path, shape or found, labels, found)

    @contextlib.contextmanager
    def _noting(self, path: Path) -> Iterator[None]:
        """Within this block a fault of a file is noted."""
        try:
            yield
        except (ValueError, OSError) as error:
            self.faults.append((path, str(error) if str(path) in str(error) else f"{path}: {error}"))

    def _image(self, path: Path, pixels: bool) -> tuple[int, ...]:
        """Note an image's kind, and what tells it from others; its [H, W]."""
        kind, height, width = reading.shape_of(path)
        if pixels:
            picture = reading.as_picture(path)
            self.same[hashlib.sha256(picture.tobytes()).digest()].append(path)
            grey = Image.fromarray(picture).convert("L").resize((16, 16), Image.Resampling.BOX)
            small = np.asarray(grey, np.float64).ravel()
            small -= small.mean()
            self.thumbnails[path] = small / max(float(np.linalg.norm(small)), 1e-9)
        self.kinds["images"][f"{kind} {width} x {height}"] += 1
        return height, width

    def _labels(self, dataset: FilePairs, index: int, path: Path) -> tuple[int, ...]:
        """Count what a label map holds; its [H, W]."""
        table = None if path.suffix.lower() == ".json" else dataset.table
        try:
            numbers = dataset.labels(index) if table is None else dataset.numbers(path)
        except ValueError:
            self.colours.update(reading.lossless_colours(path))
            raise
        kind = path.suffix[1:] if path.suffix.lower() in (".json", ".mat") else reading.shape_of(path)[0]
        self.kinds["label maps"][kind] += 1
        held = self.at_map(numbers, table)
        if kind.endswith(" P") and not kind.startswith("GIF"):  # whose numbers are new
            colours = reading.palette_of(path)
            for number in held:
                self.drawn[number].setdefault(colours[number], path)
        if table is not None:
            reading.to_classes(numbers, table, path)
        return numbers.shape


def label_of(number: int, table: np.ndarray | None) -> int:
    """Return the class of a number in a file, 255 for void, -1 for none."""
    return number if table is None else int(table[number if 0 <= number < 65536 else 65536])
