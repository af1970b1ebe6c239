"""Pictures and label maps: photographs, the built-in scenes, and the real sets that are on this machine."""

from collections.abc import Callable, Mapping
from pathlib import Path

from deeplab_lessons.checks import check_choice
from deeplab_lessons.datasets import transforms
from deeplab_lessons.datasets.coco import Coco
from deeplab_lessons.datasets.embedded import Embedded
from deeplab_lessons.datasets.folders import CamVid, Folder, LabelMapFolder, PascalContext, PersonPart
from deeplab_lessons.datasets.pairs import Pairs
from deeplab_lessons.datasets.palettes import VOC_CLASSES, colours_to_indices, voc_colours
from deeplab_lessons.datasets.reading import as_picture
from deeplab_lessons.datasets.report import Report, check
from deeplab_lessons.datasets.scenes import CLASSES, PHOTOGRAPHS, photograph, scene
from deeplab_lessons.datasets.sheets import sheet
from deeplab_lessons.datasets.torchvision_sets import SBD, VOC, Cityscapes, find_voc
from deeplab_lessons.metrics.label_maps import IGNORE_INDEX

__all__ = [
    "CLASSES", "IGNORE_INDEX", "PHOTOGRAPHS", "SBD", "SETS", "VOC", "VOC_CLASSES", "CamVid", "Cityscapes", "Coco",
    "Embedded", "Folder", "LabelMapFolder", "Pairs", "PascalContext", "PersonPart", "Report",
    "as_picture", "check", "colours_to_indices", "find_voc", "named", "photograph", "scene", "sheet", "transforms",
    "voc_colours",
]  # fmt: skip

#: Name on the command line -> (class, split to train on, split to measure on).
SETS: dict[str, tuple[Callable, str, str]] = {
    "embedded": (Embedded, "train", "val"),
    "camvid": (CamVid, "train", "val"),
    "voc": (VOC, "train", "val"),
    "sbd": (SBD, "trainaug", "val"),
    "context": (PascalContext, "train", "val"),
    "person-part": (PersonPart, "train", "val"),
    "cityscapes": (Cityscapes, "train", "val"),
    "folder": (Folder, "train", "val"),
}


def named(
    name: str,
    split: str | None = None,
    transforms: Callable | None = None,
    root: str | Path | None = None,
    count: int | None = None,
    size: int = 96,
    folder: Mapping | None = None,
) -> Pairs:
    """Return the data set called `name`; `split` is "train", another one of its own, or None: the one to measure on.

    `count` cuts it to its first pairs; `size` is the side of the built-in scenes in pixels. "sbd" is measured on VOC's
    val: its own val holds pictures of trainaug. "folder" is a `Folder` of what is in `folder`: images, labels, classes;
    its split "all" is train and val. Raises ValueError for an unknown name or split, FileNotFoundError.
    """
    check_choice("data set", name, SETS)
    if count is not None and count < 1:
        raise ValueError(f"count must be at least 1, got {count}: pass None for all pairs")
    kind, to_train, to_measure = SETS[name]
    if name == "sbd" and split in (None, to_measure):
        kind, root = VOC, None
    if split in (None, "train"):
        split = to_train if split else to_measure
    if name == "embedded":
        return Embedded(split, count, size, transforms)
    if (name == "folder") != bool(folder):
        raise ValueError(
            "folder={'images': …, 'labels': …, 'classes': …} and the data set folder need each other"
        )
    where = {"root": root} if folder is None else folder
    pairs = kind(**where, split=None if folder and split == "all" else split, transforms=transforms)
    if count:
        pairs.files = pairs.files[:count]
    return pairs
