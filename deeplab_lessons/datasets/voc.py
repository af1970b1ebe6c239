"""PASCAL VOC 2012 as its archive is unpacked, and where it is on this machine."""

from pathlib import Path

from deeplab_lessons import runtime
from deeplab_lessons.checks import check_choice
from deeplab_lessons.datasets import reading
from deeplab_lessons.datasets.finding import read_list
from deeplab_lessons.datasets.folders import FilePairs, require
from deeplab_lessons.datasets.palettes import VOC_CLASSES, voc_colours

_VOC = Path("VOCdevkit", "VOC2012")
_VOC_PARTS = ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation")
_HOW = (
    "Unpack VOCtrainval_11-May-2012.tar there or one folder deeper (torchvision.datasets.VOCSegmentation fetches it), "
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

    `root` is the folder that holds `VOCdevkit`; by default the one that `find_voc` finds. Errors as in
    `folders`.
    """

    def __init__(self, root=None, split: str = "train", transforms=None):
        check_choice("split", split, ("train", "val", "trainval"))
        root = Path(root) if root is not None else find_voc() or runtime.data_dir()
        parts = (*_VOC_PARTS[:2], f"{_VOC_PARTS[2]}/{split}.txt")
        require("PASCAL VOC 2012", root / _VOC, parts, _HOW)
        files = listed(root / _VOC, parts[2], "JPEGImages/{}.jpg", "SegmentationClass/{}.png")
        super().__init__(files, VOC_CLASSES, reading.identity(21), voc_colours(), transforms)


def listed(root: Path, names: str, images: str, labels: str) -> list[tuple[Path, Path]]:
    """Return the pairs of files that a list of names in `root` means."""
    return [(root / images.format(name), root / labels.format(name)) for name in read_list(root / names)]
