"""Pictures and label maps: files of your own, and the real sets that are on this machine."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from deeplab_lessons.checks import check_choice
from deeplab_lessons.datasets import transforms
from deeplab_lessons.datasets.coco import Coco
from deeplab_lessons.datasets.folders import CamVid, Folder, LabelMapFolder
from deeplab_lessons.datasets.pairs import Pairs
from deeplab_lessons.datasets.palettes import VOC_CLASSES, colours_to_indices, voc_colours
from deeplab_lessons.datasets.reading import as_picture
from deeplab_lessons.datasets.report import Report, check
from deeplab_lessons.datasets.sheets import sheet
from deeplab_lessons.datasets.voc import VOC, find_voc
from deeplab_lessons.metrics.label_maps import IGNORE_INDEX

__all__ = [
    "IGNORE_INDEX", "SETS", "VOC", "VOC_CLASSES", "CamVid", "Coco", "Folder", "LabelMapFolder", "Pairs", "Report",
    "as_picture", "check", "colours_to_indices", "find_voc", "named", "sheet", "transforms", "voc_colours",
]  # fmt: skip

#: Name on the command line -> class, split to train on, split to measure on, and of which class that is if of another
#: one. The classroom adds the built-in scenes and the sets of the papers.
SETS: dict[str, tuple[Any, ...]] = {
    "camvid": (CamVid, "train", "val"),
    "voc": (VOC, "train", "val"),
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

    `count` cuts it to its first pairs; `size` is the side of the built-in scenes in pixels. "folder" is a `Folder` of
    what is in `folder`: images, labels, classes; its split "all" is train and val. Raises ValueError for an unknown
    name or split, FileNotFoundError.
    """
    check_choice("data set", name, SETS)
    if count is not None and count < 1:
        raise ValueError(f"count must be at least 1, got {count}: pass None for all pairs")
    kind, to_train, to_measure, *other = SETS[name]
    if other and split in (None, to_measure):
        (kind,), root = other, None
    if split in (None, "train"):
        split = to_train if split else to_measure
    if name == "embedded":
        return kind(split, count, size, transforms)
    if (name == "folder") != bool(folder):
        raise ValueError("folder={'images': …, 'labels': …, 'classes': …} and the set folder need each other")
    where = {"root": root} if folder is None else folder
    pairs = kind(**where, split=None if folder and split == "all" else split, transforms=transforms)
    if count:
        pairs.files = pairs.files[:count]
    return pairs
