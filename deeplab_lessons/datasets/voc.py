"""PASCAL VOC 2012: `FilePairs` reads and checks the files; torchvision has their address and checksum."""

import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from torchvision.datasets.utils import download_and_extract_archive
from torchvision.datasets.voc import DATASET_YEAR_DICT

from deeplab_lessons import runtime
from deeplab_lessons.checks import check_choice
from deeplab_lessons.datasets import reading
from deeplab_lessons.datasets.finding import read_list
from deeplab_lessons.datasets.folders import FilePairs, require
from deeplab_lessons.datasets.palettes import VOC_CLASSES, voc_colours

_VOC = Path("VOCdevkit", "VOC2012")
_VOC_PARTS = ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation")
_DOWNLOAD = (
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

    `root` is the folder that holds `VOCdevkit`; by default the one that `find_voc` finds. With `download=True` it
    is fetched if it is not there, or OSError says what to do. Other errors as in `folders`.
    """

    def __init__(self, root=None, split: str = "train", download=False, transforms=None):
        check_choice("split", split, ("train", "val", "trainval"))
        root = Path(root) if root is not None else find_voc() or runtime.data_dir()
        if download and not (root / _VOC).is_dir():
            source = DATASET_YEAR_DICT["2012"]
            fetch(source["url"], root, source["md5"], source["filename"])
        parts = (*_VOC_PARTS[:2], f"{_VOC_PARTS[2]}/{split}.txt")
        require("PASCAL VOC 2012", root / _VOC, parts, _DOWNLOAD)
        files = listed(root / _VOC, parts[2], "JPEGImages/{}.jpg", "SegmentationClass/{}.png")
        super().__init__(files, VOC_CLASSES, reading.identity(21), voc_colours(), transforms)


def fetch(url: str, root: Path, md5: str, name: str | None = None) -> None:
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


def listed(root: Path, names: str, images: str, labels: str) -> list[tuple[Path, Path]]:
    """Return the pairs of files that a list of names in `root` means."""
    return [(root / images.format(name), root / labels.format(name)) for name in read_list(root / names)]
