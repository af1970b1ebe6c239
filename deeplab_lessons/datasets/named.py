"""The data sets by their names on the command line, with the split to train on and the one to measure on."""

from collections.abc import Callable
from pathlib import Path

from deeplab_lessons.datasets.embedded import Embedded
from deeplab_lessons.datasets.folders import CamVid, PascalContext, PersonPart
from deeplab_lessons.datasets.pairs import Pairs
from deeplab_lessons.datasets.torchvision_sets import SBD, VOC, Cityscapes, OxfordPet

#: Name -> (class, split to train on, split to measure on).
SETS: dict[str, tuple[type[Pairs], str, str]] = {
    "embedded": (Embedded, "train", "val"),
    "camvid": (CamVid, "train", "val"),
    "voc": (VOC, "train", "val"),
    "sbd": (SBD, "trainaug", "val"),
    "context": (PascalContext, "train", "val"),
    "person-part": (PersonPart, "train", "val"),
    "cityscapes": (Cityscapes, "train", "val"),
    "pet": (OxfordPet, "trainval", "test"),
}


def named(
    name: str,
    split: str | None = None,
    transforms: Callable | None = None,
    root: str | Path | None = None,
    count: int | None = None,
    size: int = 96,
) -> Pairs:
    """The data set called `name`; `split` is "train", another one of its own, or None: the one to measure on.

    `count` cuts it to its first pairs; `size` is the side of embedded scenes in pixels. "sbd" is VOC's trainaug;
    it is measured on VOC's val, since SBD's own val holds pictures of trainaug. Raises ValueError for an
    unknown name or split, FileNotFoundError with the folder expected.
    """
    if name not in SETS:
        raise ValueError(f"no data set named {name!r}; there are: {', '.join(SETS)}")
    kind, to_train, to_measure = SETS[name]
    if name == "sbd" and split in (None, to_measure):
        kind, root = VOC, None
    split = {"train": to_train, None: to_measure}.get(split, split)
    if kind is Embedded:
        return Embedded(split, count, size, transforms)
    found = kind(root=root, split=split, transforms=transforms)
    if count and len(found) > count:
        found.files = found.files[:count]
    return found
