"""Which pairs are trained on and which are measured on: never frames of one clip on both sides."""

import re
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from itertools import takewhile
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


#: The two cameras of a stereo pair, in the name of a folder or of an image.
_STEREO = re.compile(r"(?<![^\W_])(left|right)(?![^\W_])[ ._-]?", re.IGNORECASE)


def groups(names: Sequence[str]) -> list[str]:
    """Return what each image belongs to, by its name: "ulm/" for ulm/left/a_0012, "street_" for street_0012.

    That is the first folder that is not the same for all; without folders, the name up to its first number. If less
    than a tenth of the images is then in another group, the next folder or number decides too. If all names agree, as
    a camera's IMG_0001, IMG_0002, …, each image is a group of its own. "left" and "right" do not part a stereo pair,
    and copies (IMG_3_flip, "IMG_3 (1)") stay with what they are copies of.
    """
    names = [_ROBOFLOW.sub("", normalize("NFC", name)) for name in names]
    pairs = [_STEREO.sub("", name).strip("/") or name for name in names]
    names = pairs if _divides(pairs) else names
    originals = [_original(name, {*names}) for name in names]
    paths = [PurePosixPath(name) for name in (originals if _divides(originals) else names)]
    shared = shared_ending([path.name for path in paths])  # "_leftImg8bit", "_1920x1080"
    if re.search("[A-Za-z]", shared):
        paths = [path.with_name(path.name.removesuffix(shared) or path.name) for path in paths]
    folders = [path.parent.parts for path in paths]
    depths = range(_shared_depth(folders) + 1, max(map(len, folders)) + 1)
    levels = [
        ["/".join([*parts[:depth], ""]) or _up_to(path.name, -1) for path, parts in zip(paths, folders, strict=True)]
        for depth in depths
    ]  # fmt: skip
    if len(set(folders)) == 1:
        count = max(len(re.findall(r"\d+", path.name)) for path in paths)
        levels = [[_up_to(path.name, number) for path in paths] for number in range(count)]
    several = [found for found in levels if len({*found}) > 1] or [[str(path) for path in paths]]
    return next((found for found in several if _divides(found)), several[-1])


def _divides(found: list[str]) -> bool:
    """Whether at least a tenth of the images is outside the largest group."""
    return 10 * (len(found) - max(Counter(found).values(), default=0)) >= len(found)


def _original(name: str, names: set[str]) -> str:
    """The shortest of `names` that `name` continues after a separator, or itself."""
    gaps = (gap.start() for gap in re.finditer(r"[ ._(-]", name))
    return next((name[:gap] for gap in gaps if name[:gap] in names), name)


def _up_to(name: str, number: int) -> str:
    """A name up to one of its numbers, at most the last."""
    starts = [found.start() for found in re.finditer(r"\d+", name)] or [len(name)]
    return name[: starts[min(number, len(starts) - 1)]]


def _shared_depth(folders: Sequence[Sequence[str]]) -> int:
    """How many folders, from the top, are the same for all images that are in one."""
    levels = zip(*[parts for parts in folders if parts], strict=False)
    return len([*takewhile(lambda level: len({*level}) == 1, levels)])


def sides(names: Sequence[str], val_share: float = 0.2) -> list[str]:
    """Return "train", "val" or "test" for each image by its name, without its folders before the data set's.

    Folders called train and val (or valid, validation) decide where all images are in such ones. Else whole `groups`
    are drawn, the same on every machine, so that about the fraction `val_share` of the images is "val". Raises
    ValueError for another fraction, and where no two groups are there.
    """
    if not 0 < val_share < 1:
        raise ValueError(f"val_share must be between 0 and 1, got {val_share!r}: pass 0.2 for a fifth")
    folders = [PurePosixPath(name).parent.parts for name in names]
    depth = _shared_depth(folders)  # images/train, images/val
    tops = ["".join(parts[depth : depth + 1]).lower() for parts in folders]
    given = [_SORTED.get(top.rstrip("_-0123456789"), "") for top in tops]  # train2017 is train
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
