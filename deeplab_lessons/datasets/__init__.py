"""Pictures and label maps: photographs, the embedded scenes, and the real sets that lie on this machine."""

from deeplab_lessons.datasets import transforms
from deeplab_lessons.datasets.archives import unpack
from deeplab_lessons.datasets.download import DownloadError, fetch
from deeplab_lessons.datasets.embedded import Embedded, object_sides
from deeplab_lessons.datasets.folders import CamVid, LabelMapFolder, PascalContext, PersonPart
from deeplab_lessons.datasets.pairs import Pairs, class_shares
from deeplab_lessons.datasets.palettes import colours_to_indices, indices_to_colours, voc_colours
from deeplab_lessons.datasets.photographs import photograph, photograph_names
from deeplab_lessons.datasets.pictures import as_picture
from deeplab_lessons.datasets.real import find_voc, real_label_maps, voc_root
from deeplab_lessons.datasets.scenes import CLASSES, IGNORE_INDEX, scene
from deeplab_lessons.datasets.torchvision_sets import SBD, VOC, Cityscapes, OxfordPet

__all__ = [
    "CLASSES",
    "IGNORE_INDEX",
    "SBD",
    "VOC",
    "CamVid",
    "Cityscapes",
    "DownloadError",
    "Embedded",
    "LabelMapFolder",
    "OxfordPet",
    "Pairs",
    "PascalContext",
    "PersonPart",
    "as_picture",
    "class_shares",
    "colours_to_indices",
    "fetch",
    "find_voc",
    "indices_to_colours",
    "object_sides",
    "photograph",
    "photograph_names",
    "real_label_maps",
    "scene",
    "transforms",
    "unpack",
    "voc_colours",
    "voc_root",
]
