"""What the course states of DeepLab v2 (TPAMI 2017, arXiv 1606.00915)."""

from deeplab_lessons.classroom.ledger.counted import cells
from deeplab_lessons.classroom.ledger.entry import cite, compute, difference, measure
from deeplab_lessons.classroom.ledger.rows import published
from deeplab_lessons.classroom.ledger.twins import Twin

_BATCH = "batch"

ENTRIES = [
    # what is built
    cite("v2, sections 3.2 and 4.1.2", "{0.5, 0.75, 1}", "sizes of MSC's inputs", near="MSC|size|scale"),
    cite("v2, section 4.1.2", "{2, 4, 8, 12}", "dilations of ASPP-S", near="rate|dilation|ASPP"),
    cite("v2, section 4.1.2", "{6, 12, 18, 24}", "dilations of ASPP-L", near="rate|dilation|ASPP|branch"),
    compute("v2, released networks", "321", "crop (pixels)", lambda: 8 * 40 + 1),
    compute(
        "v2, released networks",
        "41",
        "cells per side of the map of a crop",
        cells(321, 8),
        near="cells|map|321",
    ),
    # how it is trained
    cite("v2, table 2", "6K", "iterations of step, as in v1"),
    cite("v2, table 2", "10K", "iterations of poly"),
    cite("v2, table 2; section 4.1.2", "20K", "iterations of poly, as used later"),
    cite("v2, table 2", "30", "images in a batch, step", near=_BATCH),
    cite("v2, section 4.1.1", "20", "images in a batch, step", near="batch|with 20"),
    cite("v2, table 2; section 4.1.2", "10", "images in a batch, poly", near=_BATCH),
    cite("v2, released files", "104.008, 116.669, 122.675", "mean of the images, in BGR", near="BGR"),
    cite("v2, section 4.1.2", "0.9", "power of poly", near="poly|power"),
    cite("v2, section 4.1.1", "10", "how many times faster the classifier learns", near="rate|times"),
    cite("v2, released networks", "20", "how many times faster the new biases learn", near="rate|times|bias"),
    cite(
        "v2, released networks",
        "2.5e-4",
        "first learning rate of ResNet-101",
        near="rate|lr",
        also=["0.00025"],
    ),
    cite("v2, section 4.1.2", "0.5 to 1.5", "random scaling (Aug)", near="scale|Aug"),
    # the data sets
    cite(
        "v1, section 5; v2, section 4.1",
        "20",
        "classes of VOC 2012, without background",
        near="class|background",
    ),
    cite("v1, section 5; v2, section 4.1", "10,582", "training images of VOC 2012 with SBD's labels"),
    cite("v1, section 5; v2, section 4.1", "1,449", "validation images of VOC 2012"),
    cite("v2, section 4.2", "59", "classes of PASCAL-Context, without background", near="Context"),
    cite("v2, section 4.2", "4998", "training images of PASCAL-Context"),
    cite("v2, section 4.2", "5105", "validation images of PASCAL-Context"),
    cite("v2, section 4.3", "6", "classes of PASCAL-Person-Part, without background", near="Person-Part"),
    cite("v2, section 4.3", "1716", "training images of PASCAL-Person-Part"),
    cite("v2, section 4.3", "1817", "validation images of PASCAL-Person-Part"),
    cite("v2, section 4.4", "19", "classes of Cityscapes", near="Cityscapes"),
    cite("v2, section 4.4", "2975", "training images of Cityscapes"),
    cite("v2, section 4.4", "500", "validation images of Cityscapes", near="Cityscapes"),
    cite("v2, section 4.4", "2048×1024", "pixels of an image of Cityscapes", also=["2048", "1024"]),
    # what it reaches
    measure("v2, table 2", "62.25", "mIoU (%) of LargeFOV under step", Twin("10", "step, batch 6, 600")),
    measure(
        "v2, table 2", "65.88", "mIoU (%) of LargeFOV under poly, 20K", Twin("10", "poly, batch 2, 2000")
    ),
    *published("v2"),
    cite("v2, table 5", "79.7", "mIoU (%) on VOC test, best", also=["79.7 %"]),
    cite("v2, table 8", "70.4", "mIoU (%) on Cityscapes test"),
    # gains that the text prints
    difference(
        "v2, section 4.1.2", "1.17", "gain of poly over step", "63.42", "62.25", also=["1.2"], near="poly"
    ),
    difference(
        "v2, section 4.1.2",
        "1.48",
        "gain of 10K iterations over 6K",
        "64.90",
        "63.42",
        also=["1.5"],
        near="poly|longer",
    ),
    difference(
        "v2, section 4.1.2",
        "3.63",
        "gain of poly, 20K, over step",
        "65.88",
        "62.25",
        also=["3.6"],
        near="step|points",
    ),
    difference("v2, section 4.1.2", "1.22", "gain of ASPP-S over LargeFOV", "66.98", "65.76"),
    difference("v2, section 4.1.2", "2.55", "gain of MSC", "71.27", "68.72", also=["2.6"], near="MSC"),
    difference("v2, section 4.1.2", "2.01", "gain of MS-COCO", "73.28", "71.27", also=["2.0"], near="COCO"),
    difference("v2, section 4.1.2", "1.6", "gain of Aug", "74.87", "73.28", near="Aug"),
    difference("v2, section 4.1.2", "0.8", "gain of ASPP over LargeFOV", "76.35", "75.54", near="ASPP"),
    difference(
        "v2, section 4.1.2",
        "0.6",
        "gain of LargeFOV on ResNet-101",
        "75.54",
        "74.87",
        ours="0.7",
        also=["0.7"],
        why='The text says "about 0.6"; the rows of its table 4 are 0.67 apart.',
        near="LargeFOV",
    ),
]
