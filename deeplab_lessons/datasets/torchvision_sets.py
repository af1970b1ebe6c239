"""VOC 2012, SBD and Cityscapes: torchvision finds the files, `FilePairs` reads and checks them.

`root`, `split` and errors as in `folders`. With `download=True` torchvision fetches a set that is not there, with its
own addresses and checksums; OSError says what to do where it cannot.
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
from deeplab_lessons.datasets import reading
from deeplab_lessons.datasets.finding import read_list
from deeplab_lessons.datasets.folders import FilePairs, require, set_folder
from deeplab_lessons.datasets.palettes import VOC_CLASSES, palette_of, voc_colours

_VOC = Path("VOCdevkit", "VOC2012")
_VOC_PARTS = ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation")
_DOWNLOAD = "Pass download=True to fetch it, or put it there by hand."
_VOC_DOWNLOAD = (
    "Pass download=True to fetch it, or unpack VOCtrainval_11-May-2012.tar there or one folder deeper, "
    "or set DEEPLAB_LESSONS_DATA to the folder that holds VOCdevkit."
)


def find_voc() -> Path | None:
    """Return the `root` for torchvision's `VOCSegmentation`, or None where there is no PASCAL VOC 2012.

    Looks for `VOCdevkit/VOC2012` in `runtime.data_dir()` and in each folder directly inside it.
    """
    home = runtime.data_dir()
    roots = (home, *sorted(home.glob("*/")))
    return next((root for root in roots if all((root / _VOC / part).is_dir() for part in _VOC_PARTS)), None)


class VOC(FilePairs):
    """PASCAL VOC 2012 segmentation, "train", "val" or "trainval": 20 classes and background; the archive has 2 GB.

    `root` is the folder that holds `VOCdevkit`; by default the one that `find_voc` finds.
    """

    def __init__(self, root=None, split: str = "train", download=False, transforms=None):
        check_choice("split", split, ("train", "val", "trainval"))
        root = Path(root) if root is not None else find_voc() or runtime.data_dir()
        if download and not (root / _VOC).is_dir():
            source = DATASET_YEAR_DICT["2012"]
            _fetch(source["url"], root, source["md5"], source["filename"])
        parts = (*_VOC_PARTS[:2], f"{_VOC_PARTS[2]}/{split}.txt")
        require("PASCAL VOC 2012", root / _VOC, parts, _VOC_DOWNLOAD)
        files = _listed(root / _VOC, parts[2], "JPEGImages/{}.jpg", "SegmentationClass/{}.png")
        super().__init__(files, VOC_CLASSES, reading.identity(21), voc_colours(), transforms)


class SBD(FilePairs):
    """Hariharan's extra labels for VOC pictures. `split`: "train", "val", or "trainaug".

    "trainaug" is what DeepLab trains on: VOC's train, with SBD's labels for all further pictures that are not
    in VOC's val (10,582 pairs in the full sets); it also needs `voc`, the root of `VOC`. `root` (by default `sbd`)
    holds `img`, `cls`, `train.txt` and `val.txt`. SBD's own labels hold no void. Source: DeepLab v1, section 5.
    """

    def __init__(self, root=None, split: str = "trainaug", voc=None, download=False, transforms=None):
        check_choice("split", split, ("train", "val", "trainaug"))
        root = set_folder(root, "sbd")
        if download:
            _download_sbd(root)
        require("SBD", root, ("img", "cls", "train.txt", "val.txt"), _DOWNLOAD)
        files = _trainaug_files(root, voc, download) if split == "trainaug" else _sbd_files(root, split)
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
        palette = palette_of([c.color for c in scored], void=(0, 0, 0))
        super().__init__(files, [c.name for c in scored], ids, palette, transforms)


def _fetch(url: str, root: Path, md5: str, name: str | None = None) -> None:
    """Download an archive into `root`, unpack it beside its place and move it in; OSError says what to do instead."""
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


def _listed(root: Path, names: str, images: str, labels: str) -> list[tuple[Path, Path]]:
    """The pairs of files that a list of names in `root` means."""
    return [(root / images.format(name), root / labels.format(name)) for name in read_list(root / names)]


def _sbd_files(root: Path, split: str) -> list[tuple[Path, Path]]:
    return _listed(root, f"{split}.txt", "img/{}.jpg", "cls/{}.mat")


def _trainaug_files(root: Path, voc, download: bool) -> list[tuple[Path, Path]]:
    """VOC's train pairs first, then SBD's pairs of pictures in neither VOC's train nor its val."""
    train, val = (VOC(voc, split, download).files for split in ("train", "val"))
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
