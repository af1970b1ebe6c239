"""Real data sets, read where they lie under `runtime.data_dir()`; nothing here downloads."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from deeplab_lessons import runtime

_VOC = Path("VOCdevkit") / "VOC2012"
_VOC_PARTS = ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation")


def find_voc() -> Path | None:
    """Folder to give torchvision's `VOCSegmentation` as `root`, or None where there is no PASCAL VOC 2012.

    Looks for `VOCdevkit/VOC2012` in `runtime.data_dir()` and in each folder directly inside it.
    """
    home = runtime.data_dir()
    inside = sorted(entry for entry in home.iterdir() if entry.is_dir()) if home.is_dir() else []
    for root in (home, *inside):
        if all((root / _VOC / part).is_dir() for part in _VOC_PARTS):
            return root
    return None


def voc_root() -> Path:
    """Same as `find_voc`; FileNotFoundError naming the folder expected where there is none."""
    root = find_voc()
    if root is None:
        raise FileNotFoundError(
            f"no PASCAL VOC 2012 found. Expected the folder {runtime.data_dir() / _VOC} "
            f"(or one folder deeper) with {', '.join(_VOC_PARTS)} in it. "
            "Unpack VOCtrainval_11-May-2012.tar there, or set DEEPLAB_LESSONS_DATA "
            "to the folder that holds VOCdevkit."
        )
    return root


def real_label_maps(limit: int | None = None, image_set: str = "val") -> Iterator[np.ndarray]:
    """Label maps of PASCAL VOC 2012 in the list's order, uint8 [H, W]: classes 0 … 20, and 255 for void.

    `limit` is the largest number of maps. Raises FileNotFoundError as `voc_root` does.
    """
    from torchvision.datasets import VOCSegmentation

    found = VOCSegmentation(str(voc_root()), year="2012", image_set=image_set, download=False)
    return map(read_labels, islice(found.masks, limit))


def read_labels(path: str | Path) -> np.ndarray:
    """Read a label map stored as a palette or grey PNG, uint8 [H, W]: the indices, not the colours."""
    with Image.open(path) as file:
        if file.mode not in ("P", "L"):
            raise ValueError(
                f"{path} holds {file.mode} colours, but a label map holds one class index a pixel "
                "(mode P or L). Was it saved as a coloured picture?"
            )
        return np.array(file)
