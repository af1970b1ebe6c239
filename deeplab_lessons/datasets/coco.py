"""Label maps drawn from COCO's JSON, https://cocodataset.org/#format-data, by pycocotools."""

import contextlib
import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from deeplab_lessons.checks import check_choice
from deeplab_lessons.datasets.folders import FilePairs, require
from deeplab_lessons.datasets.reading import identity
from deeplab_lessons.metrics.label_maps import IGNORE_INDEX
from deeplab_lessons.overlays import background_of


class Coco(FilePairs):
    """Images in a folder, and COCO's annotations of them (things or stuff), each drawn over those before it.

    `classes` are names of categories, the first perhaps "background"; by default that and all. `others` is the class of
    the other categories. Crowds are void, and what nothing covers is class 0 if that is background, else void. Raises
    ImportError without pycocotools, FileNotFoundError, and ValueError for a class that is not a category. For `Folder`,
    and so for the command line, write label maps (`labels` is a new folder), and pass these classes:

        for number, (picture, _) in enumerate(coco.files):
            Image.fromarray(coco.labels(number)).save(Path(labels, picture.stem + ".png"))
    """

    def __init__(
        self, images: str | Path, annotations: str | Path, classes: Sequence[str] | None = None,
        transforms: Callable | None = None, others: int = IGNORE_INDEX,
    ):  # fmt: skip
        try:
            from pycocotools.coco import COCO
        except ImportError as error:
            raise ImportError("COCO's JSON needs pycocotools: pip install 'deeplab-lessons[coco]'") from error
        require("images", Path(images), (), "Pass the folder of your images.")
        with contextlib.redirect_stdout(io.StringIO()):  # it prints how long it took
            self.coco = COCO(str(annotations))
        categories = {each["id"]: each["name"] for each in self.coco.loadCats(sorted(self.coco.getCatIds()))}
        classes = tuple(classes or ("background", *categories.values()))
        for name in classes[background_of(classes) is not None :]:
            check_choice("class", name, categories.values())
        self.image_ids = sorted(self.coco.getImgIds())
        pictures = [Path(images, info["file_name"]) for info in self.coco.loadImgs(self.image_ids)]
        self._id_of = dict(zip(pictures, self.image_ids, strict=True))
        files = [(path, Path(annotations)) for path in pictures]
        super().__init__(files, classes, identity(len(classes)), None, transforms)
        self.label_of = {i: classes.index(n) if n in classes else others for i, n in categories.items()}

    def labels(self, index: int) -> np.ndarray:
        """Draw the labels of a pair, uint8 [H, W]."""
        (info,) = self.coco.loadImgs([self._id_of[self.files[index][0]]])
        ground = IGNORE_INDEX if background_of(self.classes) is None else 0
        labels = np.full((info["height"], info["width"]), ground, np.uint8)
        for shape in self.coco.loadAnns(self.coco.getAnnIds(imgIds=[info["id"]])):
            label = IGNORE_INDEX if shape.get("iscrowd") else self.label_of[shape["category_id"]]
            labels[self.coco.annToMask(shape) > 0] = label
        return labels
