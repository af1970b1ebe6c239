"""Which pairs are trained on and which are measured on: never frames of one clip on both sides."""

import re
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from pathlib import PurePosixPath
from unicodedata import normalize

from deeplab_lessons.datasets.finding import shared_ending

#: Folders that people sort their images into already, and the split that each is.
_SORTED = {
    "train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val",
    "test": "test", "testing": "test",
}  # fmt: skip
#: What Roboflow puts behind the name of an image, which it exports several times.
_ROBOFLOW = re.compile(r"[._](jpe?g|png)\.rf\.[0-9a-f]{20,}$", re.IGNORECASE)


def groups(names: Sequence[str]) -> list[str]:
    """Return what each image belongs to, by its name: "ulm/" for ulm/a_0012, "street_" for street_0012.

    That is its folder; where there is none, or the same for all, the name up to its last number. If this too is the
    same for all, as a camera's IMG_0001, IMG_0002, …, each image is a group of its own.
    """
    names = [_ROBOFLOW.sub("", normalize("NFC", name)) for name in names]
    originals = [re.sub(r" ?\(\d+\)$", "", name) for name in names]  # of a copy "IMG_3 (1)"
    if len(set(originals)) > 1:
        names = [o if o in set(names) else name for o, name in zip(originals, names, strict=True)]
    paths = [PurePosixPath(name) for name in names]
    shared = shared_ending([path.name for path in paths])  # "_leftImg8bit", "_1920x1080"
    if re.search("[A-Za-z]", shared):
        paths = [path.with_name(path.name.removesuffix(shared) or path.name) for path in paths]
    nested = len({path.parent for path in paths}) > 1
    found = [f"{p.parent}/" if nested and p.parent.name else re.sub(r"\d+\D*$", "", p.name) for p in paths]
    return found if len(set(found)) > 1 else [str(path) for path in paths]


def sides(names: Sequence[str], val_share: float = 0.2) -> list[str]:
    """Return "train", "val" or "test" for each image by its name, without its folders before the data set's.

    Folders called train and val (or valid, validation) decide where all images are in such ones. Else whole `groups`
    are drawn, the same on every machine, so that about the fraction `val_share` of the images is "val". Raises
    ValueError for another fraction, and where no two groups are there.
    """
    if not 0 < val_share < 1:
        raise ValueError(f"val_share must be between 0 and 1, got {val_share!r}: pass 0.2 for a fifth")
    given = [_SORTED.get(name.partition("/")[0].lower() if "/" in name else "", "") for name in names]
    if {"train", "val"} <= set(given):
        return [side or "train" for side in given]
    if "test" in given and set(given) != {"test"}:  # never trained on
        rest = iter(sides([n for n, side in zip(names, given, strict=True) if side != "test"], val_share))
        return [side if side == "test" else next(rest) for side in given]
    group_of = groups(names)
    sizes = Counter(group_of)
    if len(sizes) < 2:
        raise ValueError(f"{len(names)} image cannot be split for training and for measuring: add more")
    order = sorted(sizes, key=lambda group: sha256(group.encode()).digest())
    wanted, val = max(round(val_share * len(names)), 1), set[str]()
    wanted = min(wanted, len(names) - min(sizes.values()))
    for group in order:
        if sizes[group] <= wanted:
            val.add(group)
            wanted -= sizes[group]
    left = sorted(order, key=lambda group: (group in val, sizes[group]))
    more = len(val) < len(sizes) - 1 and left[0] not in val and sizes[left[0]] < 2 * wanted
    if more or not val:  # nearer with one more than without
        val.add(left[0])
    return ["val" if group in val else "train" for group in group_of]
