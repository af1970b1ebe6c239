"""Data sets kept on disk as pictures and label maps: CamVid's layout, and folders of label maps.

The known sets have a `root` (by default a folder of the data folder that has the set's name) and a `split`. They raise
FileNotFoundError with the folder expected and what it lacks, and ValueError, with the choices, for another split.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from deeplab_lessons import runtime
from deeplab_lessons.checks import check_choice
from deeplab_lessons.datasets import finding, palettes, polygons, reading, splits
from deeplab_lessons.datasets.pairs import Pairs
from deeplab_lessons.metrics.label_maps import IGNORE_INDEX
from deeplab_lessons.overlays import padded


class FilePairs(Pairs):
    """Pairs of files. `ids` turns the numbers in the label maps into classes, and into 255 for void.

    `others` is the class of every other number, or 255. `palette` says which number a colour means; without one,
    coloured label maps are refused and classes are drawn in PASCAL VOC's colours. Reading raises FileNotFoundError or
    ValueError naming the file: a picture cut off, a label map of another size, a number that `ids` does not hold.
    """

    def __init__(
        self,
        files: Sequence[tuple[Path, Path]],
        classes: Sequence[str],
        ids: Mapping[int, int],
        palette: np.ndarray | Sequence[Sequence[int]] | None,
        transforms: Callable | None = None,
        others: int | None = None,
    ):
        super().__init__(transforms)
        if isinstance(classes, str):
            raise ValueError(f"classes must be a list of names, got {classes!r}: pass [{classes!r}]")
        if (twice := next((name for name, n in Counter(classes).items() if n > 1), None)) is not None:
            raise ValueError(f"classes must be distinct, got {twice!r} more than once: name each class once")
        if not 1 <= len(classes) <= IGNORE_INDEX:
            raise ValueError(f"classes must be 1 to {IGNORE_INDEX} names, got {len(classes)}: 255 means void")
        self.files, self.classes = list(files), tuple(classes)
        self.colours = None if palette is None else palettes.checked(palette)
        self.palette = palettes.voc_colours() if self.colours is None else padded(self.colours)
        self.table = reading.class_table(ids, len(classes), others)

    def __len__(self) -> int:
        return len(self.files)

    def read(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Read picture, uint8 [H, W, 3], and labels, uint8 [H, W], from their files."""
        path, labels_path = self.files[index]
        picture, labels = reading.as_picture(_listed(path)), self.labels(index)
        check_sizes(path, picture.shape[:2], labels_path, labels.shape)
        return picture, labels

    def labels(self, index: int) -> np.ndarray:
        """Read only the labels of a pair, uint8 [H, W]."""
        path = _listed(self.files[index][1])
        if path.suffix.lower() == ".json":
            return polygons.read_labelme(path, self.classes)
        return reading.to_classes(self.numbers(path), self.table, path)

    def numbers(self, path: Path) -> np.ndarray:
        """Read what a label map's file holds, [H, W], before it is turned into classes."""
        return reading.read_label_map(path, self.colours)


class CamVid(FilePairs):
    """CamVid's street pictures, 480 x 360, 11 classes: SegNet's edition, with its void (11) turned into 255.

    `root` (by default `camvid`) holds `train`, `trainannot` and `train.txt`, and the same for "val" and "test". The
    101 val frames come from one short clip: state a score on "test" as well.
    """

    classes = tuple(palettes.CAMVID_CLASSES)
    palette = padded(list(palettes.CAMVID_CLASSES.values()), void=(0, 0, 0))

    def __init__(self, root=None, split: str = "train", transforms=None):
        check_choice("split", split, ("train", "val", "test"))
        root = set_folder(root, "camvid")
        parts = (split, f"{split}annot", f"{split}.txt")
        require("CamVid", root, parts)
        files, _ = finding.find_pairs(*(root / part for part in parts))
        ids = reading.identity(len(self.classes), void=(11, 255))
        super().__init__(files, self.classes, ids, self.palette, transforms)


class Folder(FilePairs):
    """Any data set kept as one folder of pictures and one of label maps whose names agree.

    - `classes`: names in the order of their labels 0, 1, …
    - `names`, `ending`: which files are pairs, see `finding.find_pairs`; None takes every label map.
    - `ids`: from the number in a file to the class, 255 for void; None: the numbers are the classes.
    - `others`: the class of every number that `ids` does not hold, or 255; None: such numbers are an error.
    - `palette`: uint8 [C, 3] for label maps saved as colours: row n is the colour of number n.

    - `split`: "train", "val" (the fraction `val_share`, in whole groups: `splits.sides`) or "test"; None is all.
    - `longest_side`: larger pictures are reduced to it, and kept in memory.

    Label maps may also be polygons drawn with labelme (.json), in the pictures' own folder too. `left_out` holds the
    pictures without a label map. Raises FileNotFoundError naming what is missing, ValueError for two files of one name,
    for `ids` out of range, and for a line of a text file that cannot be read, with its number.
    """

    def __init__(
        self,
        images: str | Path,
        labels: str | Path,
        classes: Sequence[str],
        names: Iterable[str] | str | Path | None = None,
        ids: Mapping[int, int] | None = None,
        palette: np.ndarray | Sequence[Sequence[int]] | None = None,
        transforms: Callable | None = None,
        ending: str | None = None,
        others: int | None = None,
        split: str | None = None,
        val_share: float = 0.2,
        longest_side: int | None = None,
    ):
        check_choice("split", split, ("train", "val", "test", None))
        if Path(labels).is_file():
            coco = "COCO's JSON is for datasets.Coco in Python, whose help shows how to make label maps of it"
            raise ValueError(f"labels must be a folder, got {labels}: {coco}")
        for kind, folder in (("images", images), ("label maps", labels)):
            require(kind, Path(folder), (), f"Pass the folder of your {kind}.")
        self.root, self.split, self.val_share = Path(images), split, val_share
        self.longest_side = longest_side
        names = names if names is None or isinstance(names, str | Path) else list(names)
        self._given: dict[str, Any] = {
            "images": images, "labels": labels, "names": names, "ids": ids, "palette": palette, "ending": ending,
            "others": others, "val_share": val_share,
        }  # fmt: skip
        files, self.left_out = finding.find_pairs(self.root, Path(labels), names, ending)
        ids = reading.identity(len(classes)) if ids is None else ids
        super().__init__(files, classes, ids, palette, transforms, others)
        if self.colours is not None:  # of numbers; a class has the colour of the first number that means it
            shown = {label: self.colours[n] for n, label in reversed([*ids.items()]) if n < len(self.colours)}
            self.palette = padded([shown.get(c, (255, 255, 255)) for c in range(len(self.classes))])
        if split:
            self.files = [pair for pair, side in zip(files, self.sides(), strict=True) if side == split]
            if not self.files:
                raise ValueError(
                    f"no pair in {images} is in the split {split!r}: put some into a folder called {split}"
                )

    @property
    def folder(self) -> dict[str, Any]:
        """What this folder was made with, to make it again: plain values, without the classes and the split."""
        given = {**self._given, "longest_side": self.longest_side}
        given |= {name: str(value) for name, value in given.items() if isinstance(value, Path)}
        return {n: np.asarray(v).tolist() if n == "palette" else v for n, v in given.items() if v is not None}

    def names(self) -> list[str]:
        """Return the names of the images, "town/a" for town/a.png."""
        return [path.relative_to(self.root).with_suffix("").as_posix() for path, _ in self.files]

    def sides(self) -> list[str]:
        """Return the split that each pair belongs to: "train", "val", or "test" (see `splits.sides`)."""
        return splits.sides(self.names(), self.val_share)


LabelMapFolder = Folder  # as it was called before


def check_sizes(path: Path, shape: tuple[int, ...], labels_path: Path, labels: tuple[int, ...]) -> None:
    """Raise ValueError, with both sizes, unless a picture and its label map have one shape, [H, W]."""
    if shape != labels:
        raise ValueError(
            f"{labels_path} is {labels[1]} x {labels[0]} pixels (width x height), but its picture {path} is "
            f"{shape[1]} x {shape[0]}. Each pixel needs its label: are the two a pair, and was one resized, or turned "
            "without the other (the camera's note, EXIF, turns a picture)?"
        )


def set_folder(root: str | Path | None, name: str) -> Path:
    """Return a set's folder: `root`, or by default `name` in the data folder."""
    return runtime.data_dir() / name if root is None else Path(root)


def require(name: str, root: Path, parts: Sequence[str], how: str = "") -> None:
    """Raise FileNotFoundError, naming the exact folder expected and what it lacks, unless all `parts` are there."""
    missing = [part for part in parts if not (root / part).exists()]
    if missing or not root.is_dir():
        inside = f" with {', '.join(parts)} in it" if parts else ""
        lacks = f"it lacks {', '.join(missing)}" if root.is_dir() else "there is no such folder"
        how = how or "Put it there, or pass the folder as the first argument."
        raise FileNotFoundError(f"no {name} found. Expected the folder {root}{inside}; {lacks}. {how}")


def _listed(path: Path) -> Path:
    if not path.is_file():
        raise FileNotFoundError(f"there is no {path}, though the data set's list names it")
    return path
