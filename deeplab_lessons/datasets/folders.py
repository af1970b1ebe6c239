"""Data sets that lie on disk as pictures and label maps: CamVid's layout, and folders of label maps."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from deeplab_lessons import runtime
from deeplab_lessons.datasets import reading
from deeplab_lessons.datasets.class_names import CAMVID_CLASSES, CONTEXT_CLASSES, PERSON_PARTS
from deeplab_lessons.datasets.pairs import Pairs, palette_of
from deeplab_lessons.datasets.palettes import voc_colours

_PICTURES = (".jpg", ".jpeg", ".png", ".ppm", ".bmp")


class FilePairs(Pairs):
    """Pairs of files. `ids` turns the numbers in the label maps into classes, and into 255 for void.

    Reading raises FileNotFoundError or ValueError naming the file: a picture cut off, a label map of another
    size, a number that `ids` does not hold.
    """

    def __init__(
        self,
        files: Sequence[tuple[Path, Path]],
        classes: Sequence[str],
        ids: Mapping[int, int],
        palette: np.ndarray,
        transforms: Callable | None = None,
        cache: str | None = None,
    ):
        """Keep the list of files; none is opened yet."""
        super().__init__(transforms, cache)
        self.files, self.classes, self.palette = list(files), tuple(classes), palette
        self._table = reading.class_table(ids)

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self.files)

    def read(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Picture, uint8 [H, W, 3], and labels, uint8 [H, W], from their files."""
        picture_path, labels_path = self.files[index]
        picture = reading.read_picture(picture_path)
        labels = reading.to_classes(self.numbers(labels_path), self._table, labels_path)
        reading.same_size(picture, labels, picture_path, labels_path)
        return picture, labels

    def numbers(self, path: Path) -> np.ndarray:
        """What the label map's file holds, [H, W], before it is turned into classes."""
        return reading.read_label_map(path, self.palette)


class CamVid(FilePairs):
    """CamVid's street pictures, 480 x 360, 11 classes: SegNet's edition, with its void (11) turned into 255.

    `root` (by default `camvid` in the data folder) holds `train`, `trainannot` and `train.txt`, and the same
    for "val" and "test". The 101 val frames come from one short clip: state a score on "test" as well.
    Raises FileNotFoundError with the folder expected, ValueError for another split.
    """

    classes = tuple(CAMVID_CLASSES)
    palette = palette_of(list(CAMVID_CLASSES.values()), void=(0, 0, 0))

    def __init__(self, root=None, split: str = "train", transforms=None, cache: str | None = None):
        """Find the files of a split."""
        _known_split(split, ("train", "val", "test"))
        root = runtime.data_dir() / "camvid" if root is None else Path(root)
        require("CamVid", root, (f"{split}.txt", split, f"{split}annot"))
        files = [
            tuple(_inside(root, name) for name in line.split()) for line in _lines(root / f"{split}.txt")
        ]
        ids = reading.identity(len(CAMVID_CLASSES), void=(11, 255))
        super().__init__(files, self.classes, ids, self.palette, transforms, cache)


class LabelMapFolder(FilePairs):
    """Any data set kept as one folder of pictures and one of label maps whose names agree.

    - `classes`: names in the order of their labels 0, 1, …
    - `names`: file names without ending, or a text file with one name a line; None takes every label map.
    - `ids`: from the number in a file to the class, 255 for void; None: the numbers are the classes.
    - `palette`: uint8 [C, 3] for label maps saved as colours; PASCAL VOC's by default.

    Raises FileNotFoundError naming what is missing.
    """

    def __init__(
        self,
        images: str | Path,
        labels: str | Path,
        classes: Sequence[str],
        names: Iterable[str] | str | Path | None = None,
        ids: Mapping[int, int] | None = None,
        palette: np.ndarray | None = None,
        transforms: Callable | None = None,
        cache: str | None = None,
    ):
        """Find the files by their names."""
        for folder in (Path(images), Path(labels)):
            require("label maps", folder, ())
        if isinstance(names, (str, Path)):
            names = _lines(Path(names))
        pictures, maps = _by_stem(Path(images)), _by_stem(Path(labels))
        names = sorted(maps) if names is None else list(names)
        for found, folder in ((maps, labels), (pictures, images)):
            absent = [name for name in names if name not in found]
            if absent:
                raise FileNotFoundError(f"{folder} lacks {len(absent)} of {len(names)} files: {absent[:3]} …")
        files = [(pictures[name], maps[name]) for name in names]
        ids = reading.identity(len(classes)) if ids is None else ids
        super().__init__(
            files, classes, ids, voc_colours() if palette is None else palette, transforms, cache
        )


class PersonPart(LabelMapFolder):
    """PASCAL-Person-Part: 6 parts of the body and background.

    `root` (by default `person-part` in the data folder) holds `images`, `labels` and `<split>.txt`, the list of
    names. Raises FileNotFoundError with the folder expected. Data set: DeepLab v2, section 4.3.
    """

    def __init__(self, root=None, split: str = "val", transforms=None, cache: str | None = None):
        """Find the files of a split."""
        parts = _label_map_parts("person-part", root, split)
        super().__init__(*parts[:2], PERSON_PARTS, parts[2], transforms=transforms, cache=cache)


class PascalContext(LabelMapFolder):
    """PASCAL-Context: the 59 most frequent classes as 1 … 59, and background as 0.

    `root` (by default `pascal-context` in the data folder) holds `images`, `labels` and `<split>.txt`, the list
    of names. Raises FileNotFoundError with the folder expected. Data set: DeepLab v2, section 4.2.
    """

    def __init__(self, root=None, split: str = "val", transforms=None, cache: str | None = None):
        """Find the files of a split."""
        parts = _label_map_parts("pascal-context", root, split)
        super().__init__(*parts[:2], CONTEXT_CLASSES, parts[2], transforms=transforms, cache=cache)


def require(name: str, root: Path, parts: Sequence[str], how: str = "") -> None:
    """Raise FileNotFoundError, naming the exact folder expected and what it lacks, unless all is there."""
    missing = [part for part in parts if not (root / part).exists()] if root.is_dir() else list(parts)
    if missing or not root.is_dir():
        lacks = f"it lacks {', '.join(missing)}" if root.is_dir() else "there is no such folder"
        raise FileNotFoundError(
            f"no {name} found. Expected the folder {root}"
            + (f" with {', '.join(parts)} in it" if parts else "")
            + f"; {lacks}. {how or 'Put it there, or give the folder as the first argument.'}"
        )


def _known_split(split: str, known: Sequence[str]) -> None:
    if split not in known:
        raise ValueError(f"no split named {split!r}; there are: {', '.join(known)}")


def _label_map_parts(name: str, root, split: str) -> tuple[Path, Path, Path]:
    root = runtime.data_dir() / name if root is None else Path(root)
    parts = ("images", "labels", f"{split}.txt")
    require(name, root, parts)
    return tuple(root / part for part in parts)


def _lines(path: Path) -> list[str]:
    return [line.strip() for line in path.read_text().splitlines() if line.strip()]


def _inside(root: Path, name: str) -> Path:
    """A path of a list, under `root`; lists that tell another machine's path keep its last two parts."""
    path = root / name.lstrip("/")
    return path if path.exists() else root / Path(*Path(name).parts[-2:])


def _by_stem(folder: Path) -> dict[str, Path]:
    return {path.stem: path for path in sorted(folder.iterdir()) if path.suffix.lower() in _PICTURES}
