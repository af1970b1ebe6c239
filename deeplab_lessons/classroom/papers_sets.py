"""The papers' other data sets, which only the published experiments use: SBD, Cityscapes, PASCAL-Context, Person-Part.

`root`, `split` and errors as in `datasets.folders`. `SETS` knows them by the names of the command line.
"""

import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from torchvision import datasets as sets
from torchvision.datasets.utils import download_and_extract_archive
from torchvision.datasets.voc import DATASET_YEAR_DICT

from deeplab_lessons import runtime
from deeplab_lessons.checks import check_choice
from deeplab_lessons.datasets import SETS, VOC, VOC_CLASSES, find_voc, finding, reading, voc_colours
from deeplab_lessons.datasets.folders import FilePairs, require, set_folder
from deeplab_lessons.datasets.voc import listed
from deeplab_lessons.overlays import padded

# fmt: off
PERSON_PARTS = ("background", "head", "torso", "upper arms", "lower arms", "upper legs", "lower legs")
CONTEXT_CLASSES = (
    "background", "aeroplane", "bag", "bed", "bedclothes", "bench", "bicycle", "bird", "boat", "book", "bottle",
    "building", "bus", "cabinet", "car", "cat", "ceiling", "chair", "cloth", "computer", "cow", "cup",
    "curtain", "dog", "door", "fence", "floor", "flower", "food", "grass", "ground", "horse", "keyboard",
    "light", "motorbike", "mountain", "mouse", "person", "plate", "platform", "pottedplant", "road", "rock",
    "sheep", "shelves", "sidewalk", "sign", "sky", "snow", "sofa", "table", "track", "train", "tree", "truck",
    "tvmonitor", "wall", "water", "window", "wood",
)
# fmt: on


class SBD(FilePairs):
    """Hariharan's extra labels for VOC pictures. `split`: "train", "val", or "trainaug".

    "trainaug" is what DeepLab trains on: VOC's train, with SBD's labels for all further pictures that are not
    in VOC's val (10,582 pairs in the full sets); it also needs `voc`, the root of `VOC`. `root` (by default `sbd`)
    holds `img`, `cls`, `train.txt` and `val.txt`. SBD's own labels hold no void. With `download=True` the
    archives are fetched, VOC's too. Source: DeepLab v1, section 5.
    """

    def __init__(self, root=None, split: str = "trainaug", voc=None, download=False, transforms=None):
        check_choice("split", split, ("train", "val", "trainaug"))
        root = set_folder(root, "sbd")
        if download:
            download_voc(voc)
            _download_sbd(root)
        how = "Put it there by hand; torchvision.datasets.SBDataset fetches it."
        require("SBD", root, ("img", "cls", "train.txt", "val.txt"), how)
        files = _trainaug_files(root, voc) if split == "trainaug" else _sbd_files(root, split)
        super().__init__(files, VOC_CLASSES, reading.identity(21), voc_colours(), transforms)

    def numbers(self, path: Path) -> np.ndarray:
        """Read the classes in a `.mat` file of SBD, or in a label map of VOC."""
        if path.suffix != ".mat":
            return super().numbers(path)
        from scipy.io import loadmat

        try:
            return loadmat(path)["GTcls"][0]["Segmentation"][0]
        except Exception as error:  # loadmat has no one kind of error for a file that is cut off
            raise ValueError(f"{path} is cut off or damaged ({error}): unpack the archive again") from error


class Cityscapes(FilePairs):
    """Cityscapes with fine labels, "train" or "val" ("test" is not public): the 19 scored classes; others are void.

    `root` (by default `cityscapes`) holds `leftImg8bit` and `gtFine`. The makers require an account: no download.
    """

    def __init__(self, root=None, split: str = "train", transforms=None):
        check_choice("split", split, ("train", "val"))
        how = "Get leftImg8bit_trainvaltest.zip and gtFine_trainvaltest.zip with an account of the makers' site."
        root = set_folder(root, "cityscapes")
        require("Cityscapes", root, (f"leftImg8bit/{split}", f"gtFine/{split}"), how)
        found = sets.Cityscapes(root, split, target_type="semantic")
        files = sorted((Path(p), Path(t[0])) for p, t in zip(found.images, found.targets, strict=True))
        scored = sorted((c for c in found.classes if 0 <= c.train_id < 255), key=lambda c: c.train_id)
        ids = {c.id: c.train_id for c in found.classes if c.id >= 0}
        palette = padded([c.color for c in scored], void=(0, 0, 0))
        super().__init__(files, [c.name for c in scored], ids, palette, transforms)


class _Listed(FilePairs):
    """A set as two folders, `images` and `labels`, and `<split>.txt`, the list of names."""

    name: str

    def __init__(self, root=None, split: str = "val", transforms=None):
        parts = ("images", "labels", f"{split}.txt")
        root = set_folder(root, self.name)
        require(self.name, root, parts)
        files, _ = finding.find_pairs(*(root / part for part in parts))
        super().__init__(files, self.classes, reading.identity(len(self.classes)), None, transforms)


class PersonPart(_Listed):
    """PASCAL-Person-Part: 6 parts of the body and background. Data set: DeepLab v2, section 4.3."""

    name, classes = "person-part", PERSON_PARTS


class PascalContext(_Listed):
    """PASCAL-Context: the 59 most frequent classes as 1 … 59, and background as 0. DeepLab v2, section 4.2."""

    name, classes = "pascal-context", CONTEXT_CLASSES


def _sbd_files(root: Path, split: str) -> list[tuple[Path, Path]]:
    return listed(root, f"{split}.txt", "img/{}.jpg", "cls/{}.mat")


def _trainaug_files(root: Path, voc) -> list[tuple[Path, Path]]:
    """VOC's train pairs first, then SBD's pairs of pictures in neither VOC's train nor its val."""
    train, val = (VOC(voc, split).files for split in ("train", "val"))
    taken = {image.stem for image, _ in train + val}
    extra = {pair[0].stem: pair for split in ("train", "val") for pair in _sbd_files(root, split)}
    return train + [pair for stem, pair in sorted(extra.items()) if stem not in taken]


def _download_sbd(root: Path) -> None:
    """Fetch SBD's archive and move its parts where torchvision looks for them, unless they are there."""
    if (root / "val.txt").is_file():
        return
    source = sets.SBDataset
    _fetch(source.url, root, source.md5, source.filename)
    for part in ("img", "cls", "inst", "train.txt", "val.txt"):  # val.txt last: it marks the end
        (root / "benchmark_RELEASE" / "dataset" / part).rename(root / part)


def download_voc(root: str | Path | None = None) -> None:
    """Fetch PASCAL VOC 2012 (2 GB) into `root`, by default the data folder, unless it is there.

    The address and the checksum are torchvision's. Raises OSError, which says what to do instead.
    """
    root = Path(root) if root is not None else find_voc() or runtime.data_dir()
    if not (root / "VOCdevkit" / "VOC2012").is_dir():
        source = DATASET_YEAR_DICT["2012"]
        _fetch(source["url"], root, source["md5"], source["filename"])


def _fetch(url: str, root: Path, md5: str, name: str | None = None) -> None:
    """Download an archive into `root`, unpack it next to its place and move it in; OSError says what to do instead."""
    try:
        root.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".unpacking-", dir=root) as staging:
            download_and_extract_archive(url, root, staging, name, md5)
            shutil.copytree(staging, root, dirs_exist_ok=True, copy_function=os.replace)
    except (OSError, RuntimeError, EOFError) as error:
        raise OSError(
            f"{url} could not be fetched into {root} ({error}): look at the network and the room on the disk and try "
            "again, or put the file there yourself, and it is unpacked from there"
        ) from error


SETS |= {
    "sbd": (SBD, "trainaug", "val", VOC),  # whose own val holds pictures of trainaug
    "context": (PascalContext, "train", "val"),
    "person-part": (PersonPart, "train", "val"),
    "cityscapes": (Cityscapes, "train", "val"),
}
