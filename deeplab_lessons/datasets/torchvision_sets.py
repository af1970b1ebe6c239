"""VOC 2012, SBD, Cityscapes and Oxford-IIIT Pet: torchvision finds the files, `FilePairs` reads and checks them.

Nothing is downloaded unless `download=True` is given. Addresses and checksums are torchvision's own.
"""

from pathlib import Path

import numpy as np

from deeplab_lessons import runtime
from deeplab_lessons.datasets import reading
from deeplab_lessons.datasets.archives import unpack
from deeplab_lessons.datasets.class_names import VOC_CLASSES
from deeplab_lessons.datasets.download import fetch
from deeplab_lessons.datasets.folders import FilePairs, require
from deeplab_lessons.datasets.pairs import palette_of
from deeplab_lessons.datasets.palettes import voc_colours
from deeplab_lessons.datasets.real import find_voc, voc_root

_ASK = "Give download=True to fetch it, or put it there by hand."


class VOC(FilePairs):
    """PASCAL VOC 2012 segmentation: 20 classes and background; 255 is void.

    `root` is the folder that holds `VOCdevkit`; by default the one that `find_voc` finds. `split` is "train",
    "val" or "trainval". With `download=True` the archive (2 GB) is fetched unless the set is there. Raises
    FileNotFoundError with the folder expected, ValueError for another split.
    """

    def __init__(self, root=None, split: str = "train", download=False, transforms=None, cache=None):
        """Find the files of a split; fetch the set first if asked to."""
        files = _voc_files(root, split, download)
        super().__init__(files, VOC_CLASSES, reading.identity(21), voc_colours(), transforms, cache)


class SBD(FilePairs):
    """Hariharan's extra labels for VOC pictures. `split`: "train", "val", or "trainaug".

    "trainaug" is what DeepLab trains on: VOC's train, with SBD's labels for all further pictures that are not
    in VOC's val (10,582 pairs in the full sets); it needs `voc`, the root of `VOC`, too. `root` (by default
    `sbd` in the data folder) holds `img`, `cls`, `train.txt` and `val.txt`. SBD's own labels hold no void.
    Raises FileNotFoundError with the folder expected, ValueError for another split. Source: DeepLab v1, section 5.
    """

    def __init__(
        self, root=None, split: str = "trainaug", voc=None, download=False, transforms=None, cache=None
    ):
        """Find the files of a split; fetch the set first if asked to."""
        if split not in ("train", "val", "trainaug"):
            raise ValueError(f"no split named {split!r}; there are: train, val, trainaug")
        root = runtime.data_dir() / "sbd" if root is None else Path(root)
        if download:
            _download_sbd(root)
        require("SBD", root, ("img", "cls", "train.txt", "val.txt"), _ASK)
        files = _trainaug_files(root, voc, download) if split == "trainaug" else _sbd_files(root, split)
        super().__init__(files, VOC_CLASSES, reading.identity(21), voc_colours(), transforms, cache)

    def numbers(self, path: Path) -> np.ndarray:
        """The classes in a `.mat` file of SBD, or in a label map of VOC."""
        if path.suffix != ".mat":
            return super().numbers(path)
        from scipy.io import loadmat

        if not path.is_file():
            raise FileNotFoundError(f"{path} is not there, though the data set's list names it")
        try:
            return loadmat(path)["GTcls"][0]["Segmentation"][0]
        except Exception as fault:  # loadmat has no one kind of error for a file that is cut off
            raise ValueError(f"{path} is cut off or damaged ({fault}). Unpack the archive again") from fault


class OxfordPet(FilePairs):
    """Oxford-IIIT Pet: pet against background, with the border that its makers left open as void.

    `root` (by default the data folder) holds `oxford-iiit-pet`. `split`: "trainval" or "test". Raises
    FileNotFoundError with the folder expected, ValueError for another split.
    """

    def __init__(self, root=None, split: str = "trainval", download=False, transforms=None, cache=None):
        """Find the files of a split; fetch the set first if asked to."""
        from torchvision.datasets import OxfordIIITPet

        root = runtime.data_dir() if root is None else Path(root)
        base = root / "oxford-iiit-pet"
        if download and not (base / "annotations").is_dir():
            for url, md5 in OxfordIIITPet._RESOURCES:
                unpack(fetch(url, base / Path(url).name, md5=md5), base)
        require("Oxford-IIIT Pet", base, ("images", "annotations"), _ASK)
        found = OxfordIIITPet(root, split, "segmentation")
        files = list(zip(found._images, found._segs, strict=True))
        palette = palette_of([(217, 217, 217), (213, 94, 0)])
        ids = {1: 1, 2: 0, 3: 255}  # the files say 1 pet, 2 background, 3 undecided
        super().__init__(files, ("background", "pet"), ids, palette, transforms, cache)


class Cityscapes(FilePairs):
    """Cityscapes with fine labels: the 19 classes that are scored; all others are void.

    `root` (by default `cityscapes` in the data folder) holds `leftImg8bit` and `gtFine`. `split`: "train" or
    "val" (the labels of "test" are not public). The makers ask for an account, so nothing can be fetched from
    here. Raises FileNotFoundError with the folder expected, ValueError for another split.
    """

    def __init__(self, root=None, split: str = "train", transforms=None, cache=None):
        """Find the files of a split."""
        from torchvision.datasets import Cityscapes as Found

        if split not in ("train", "val"):
            raise ValueError(f"no split named {split!r}; there are: train, val")
        root = runtime.data_dir() / "cityscapes" if root is None else Path(root)
        how = "Get leftImg8bit_trainvaltest.zip and gtFine_trainvaltest.zip with an account of the makers' site."
        require("Cityscapes", root, (f"leftImg8bit/{split}", f"gtFine/{split}"), how)
        found = Found(root, split, target_type="semantic")
        files = sorted(
            (Path(image), Path(targets[0]))
            for image, targets in zip(found.images, found.targets, strict=True)
        )
        scored = sorted((c for c in Found.classes if 0 <= c.train_id < 255), key=lambda c: c.train_id)
        ids = {c.id: c.train_id for c in Found.classes if c.id >= 0}
        palette = palette_of([c.color for c in scored], void=(0, 0, 0))
        super().__init__(files, [c.name for c in scored], ids, palette, transforms, cache)


def _voc_files(root, split: str, download: bool = False) -> list[tuple[Path, Path]]:
    from torchvision.datasets import VOCSegmentation
    from torchvision.datasets.voc import DATASET_YEAR_DICT

    if split not in ("train", "val", "trainval"):
        raise ValueError(f"no split named {split!r}; there are: train, val, trainval")
    if root is None and download and find_voc() is None:
        root = runtime.data_dir()
    root = voc_root() if root is None else Path(root)
    base = root / "VOCdevkit" / "VOC2012"
    if download and not base.is_dir():
        source = DATASET_YEAR_DICT["2012"]
        unpack(fetch(source["url"], root / source["filename"], md5=source["md5"]), root)
    parts = ("JPEGImages", "SegmentationClass", f"ImageSets/Segmentation/{split}.txt")
    require("PASCAL VOC 2012", base, parts, _ASK)
    found = VOCSegmentation(str(root), year="2012", image_set=split, download=False)
    return [(Path(image), Path(target)) for image, target in zip(found.images, found.targets, strict=True)]


def _sbd_files(root: Path, split: str) -> list[tuple[Path, Path]]:
    from torchvision.datasets import SBDataset

    found = SBDataset(str(root), split, mode="segmentation")
    return [(Path(image), Path(mask)) for image, mask in zip(found.images, found.masks, strict=True)]


def _trainaug_files(root: Path, voc, download: bool) -> list[tuple[Path, Path]]:
    """VOC's train pairs first, then SBD's pairs of pictures in neither VOC's train nor its val."""
    train, val = _voc_files(voc, "train", download), _voc_files(voc, "val", download)
    taken = {image.stem for image, _ in train + val}
    extra = {
        image.stem: (image, mask) for split in ("train", "val") for image, mask in _sbd_files(root, split)
    }
    return train + [pair for stem, pair in sorted(extra.items()) if stem not in taken]


def _download_sbd(root: Path) -> None:
    """Fetch SBD's archive and lay its parts where torchvision looks for them, unless they are there."""
    from torchvision.datasets import SBDataset

    if (root / "val.txt").is_file():
        return
    unpack(fetch(SBDataset.url, root / SBDataset.filename, md5=SBDataset.md5), root)
    for part in ("img", "cls", "inst", "train.txt", "val.txt"):  # val.txt last: it marks the end
        (root / "benchmark_RELEASE" / "dataset" / part).rename(root / part)
