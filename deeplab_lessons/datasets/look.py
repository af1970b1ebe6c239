"""What is in the files of a data set: kinds, sizes, numbers, colours, faults, and pictures that are alike."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from deeplab_lessons.datasets import reading
from deeplab_lessons.datasets.folders import FilePairs, check_sizes

_SIDE = 16  # of the thumbnails that are compared


class Look:
    """What was seen so far of the files of pairs, or of label maps alone.

    `numbers` and `colours` count pixels by what the files hold, and `classes` by class, -1 for none. `faults` are
    (path, message). `same` are the paths of each picture, `thumbnails` unit vectors whose products are correlations.
    """

    def __init__(self) -> None:
        self.maps, self.classes, self.numbers = 0, Counter[int](), Counter[int]()
        self.colours, self.kinds = Counter[tuple[int, int, int]](), defaultdict[str, Counter[str]](Counter)
        self.faults: list[tuple[Path, str]] = []
        self.same: dict[bytes, list[Path]] = defaultdict(list)
        self.thumbnails: dict[Path, np.ndarray] = {}

    def at_map(self, numbers: np.ndarray, table: np.ndarray | None = None) -> None:
        """Count the pixels of one map [H, W], whose classes are in a `table` (`reading.class_table`) or the numbers."""
        self.maps += 1
        for number, pixels in _counted(numbers):
            label = number if table is None else int(table[number if 0 <= number < 65536 else 65536])
            self.numbers[number] += pixels
            self.classes[label] += pixels

    def at_files(self, dataset: FilePairs, index: int, pixels: bool) -> None:
        """Look at a picture, with or without its `pixels`, and at its label map."""
        path, labels = dataset.files[index]
        shape, shape_of_labels = (
            self._tried(path, self._picture, path, pixels),
            self._tried(labels, self._labels, dataset, index, labels),
        )
        if shape and shape_of_labels:
            self._tried(labels, check_sizes, path, shape, labels, shape_of_labels)

    def _tried(self, path: Path, read: Callable, *given: Any) -> Any:
        """What `read(*given)` returns; or None, and the fault is noted."""
        try:
            return read(*given)
        except (ValueError, OSError) as error:
            words = str(error)
            self.faults.append((path, words if str(path) in words else f"{path}: {words}"))
            return None

    def _picture(self, path: Path, pixels: bool) -> tuple[int, int]:
        """Note a picture's kind, and what tells it from others; its [H, W]."""
        kind, height, width = reading.shape_of(path)
        if pixels:
            picture = reading.as_picture(path)
            self.same[hashlib.sha256(picture.tobytes()).digest()].append(path)
            grey = Image.fromarray(picture).convert("L").resize((_SIDE, _SIDE), Image.Resampling.BOX)
            small = np.asarray(grey, np.float64).ravel()
            small -= small.mean()
            self.thumbnails[path] = small / max(float(np.linalg.norm(small)), 1e-9)
        self.kinds["pictures"][f"{kind} {width} x {height}"] += 1
        return height, width

    def _labels(self, dataset: FilePairs, index: int, path: Path) -> tuple[int, ...]:
        """Count what a label map holds; its [H, W]."""
        kind, table = path.suffix.removeprefix("."), None
        if path.suffix == ".json":
            numbers = dataset.labels(index)
        else:
            try:
                numbers, table = dataset.numbers(path), dataset.table
            except ValueError:
                self.colours.update(reading.lossless_colours(path))
                raise
            kind = kind if kind == "mat" else reading.shape_of(path)[0]
        self.kinds["label maps"][kind] += 1
        self.at_map(numbers, table)
        if table is not None:
            self._tried(path, reading.to_classes, numbers, table, path)
        return numbers.shape


def _counted(numbers: np.ndarray) -> list[tuple[int, int]]:
    """How many pixels have each number."""
    numbers = np.asarray(numbers).ravel()
    if numbers.size and numbers.min() >= 0 and numbers.max() < 65536:
        counts = np.bincount(numbers.astype(np.uint16))
        return [(int(number), int(counts[number])) for number in np.flatnonzero(counts)]
    values, counts = np.unique(numbers, return_counts=True)
    return list(zip(values.tolist(), counts.tolist(), strict=True))
