"""Small pictures and label maps on disk, for the tests of data sets."""

import numpy as np
from PIL import Image

from deeplab_lessons.datasets import Folder, voc_colours

GREY = np.full((6, 8, 3), 90, np.uint8)
LABELS = np.array([[0, 1, 2, 255] * 2] * 6, np.uint8)


def save_labels(path, labels=LABELS, palette=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    file = Image.fromarray(labels)
    if palette is not None:
        file.putpalette(palette.tobytes())
    file.save(path)
    return path


def save_picture(path, picture=GREY):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path)
    return path


def open_folder(root, **more):
    return Folder(root / "images", root / "labels", ("ground", "a", "b"), **more)


def save_voc(root, train=("a", "b"), val=("v",)):
    base = root / "VOCdevkit" / "VOC2012"
    for name in (*train, *val):
        save_picture(base / "JPEGImages" / f"{name}.jpg")
        save_labels(base / "SegmentationClass" / f"{name}.png", palette=voc_colours())
    lists = base / "ImageSets" / "Segmentation"
    lists.mkdir(parents=True)
    for split, members in {"train": train, "val": val, "trainval": train + val}.items():
        (lists / f"{split}.txt").write_text("\n".join(members) + "\n")
    return root
