"""Which pairs are trained on and which are measured on: never frames of one clip on both sides."""

import re
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from pathlib import PurePosixPath
from unicodedata import normalize

#: Folders that people sort their images into already, and the split that each is.
_SORTED = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}


def groups(names: Sequence[str]) -> list[str]:
    """Return what each image belongs to, by its name: "ulm/" for ulm/a_0012, "street_" for street_0012.

    That is its folder; where there is none, or the same for all, the name up to its last number. If this too is the
    same for all, as a camera's IMG_0001, IMG_0002, …, each image is a group of its own.
    """
    paths = [PurePosixPath(normalize("NFC", name)) for name in names]
    nested = len({path.parent for path in paths}) > 1
    found = [
        f"{path.parent}/" if nested and path.parent.name else re.sub(r"\d+\D*$", "", path.name)
        for path in paths
    ]
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
    if {"train", "val"} <= set(given) and all(given):
        return given
    group_of = groups(names)
    sizes = Counter(group_of)
    if len(sizes) < 2:
        raise ValueError(
            f"{len(names)} image cannot be split into images to train on and to measure on: add more"
        )
    order = sorted(sizes, key=lambda group: sha256(group.encode()).digest())
    wanted, val = max(round(val_share * len(names)), 1), set[str]()
    for group in order:
        if sizes[group] <= wanted:
            val.add(group)
            wanted -= sizes[group]
    left = sorted(order, key=lambda group: (group in val, sizes[group]))
    if not val or (
        left[0] not in val and sizes[left[0]] < 2 * wanted
    ):  # nearer with one more than without it
        val.add(left[0])
    return ["val" if group in val else "train" for group in group_of]
