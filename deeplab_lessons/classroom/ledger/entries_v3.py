"""What the course states of DeepLab v3 (2017, arXiv 1706.05587)."""

from deeplab_lessons import heads
from deeplab_lessons.classroom.ledger.counted import cells, traced
from deeplab_lessons.classroom.ledger.entry import cite, compute, difference, measure
from deeplab_lessons.classroom.ledger.rows import published, weight_decay
from deeplab_lessons.classroom.ledger.twins import Twin

_STRIDES = {8: "75.18", 16: "73.88", 32: "70.06", 64: "59.99", 128: "42.34", 256: "20.29"}
_RESNET_50 = ("64.81", "72.14", "74.29", "73.88")
_GRIDS = {
    "(1, 1, 1)": ("68.39", "73.21", "75.34", "75.76"), "(1, 2, 1)": ("70.23", "75.67", "76.09", "76.66"),
    "(1, 2, 3)": ("73.14", "75.78", "75.96", "76.11"), "(1, 2, 4)": ("73.45", "75.74", "75.85", "76.02"),
    "(2, 2, 2)": ("71.45", "74.30", "74.70", "74.62"),
}  # fmt: skip
_REPLICAS = {2: "77.15", 4: "76.79", 8: "77.02", 16: "77.18", 32: "76.69"}
_BATCHES = {4: "64.43", 8: "75.76", 12: "76.49"}


def _block4() -> list[int]:
    """Dilations of the 3 x 3 in block4 at output stride 16 with multi-grid (1, 2, 4)."""
    table = traced(513, "v3", backbone="resnet101", output_stride=16, multi_grid=(1, 2, 4))
    return [table[f"backbone.layer4.{block}.conv2"].dilation[0] for block in range(3)]


ENTRIES = [
    # what is built
    cite("v3, sections 3.2.1 and 4.2", "(1, 2, 4)", "multi-grid in use", near="grid|block4|unit|ResNet-101"),
    *(
        cite("v3, table 3", grid, "multi-grid that is tried", near="grid|table_3|tries|paper's|cascade")
        for grid in _GRIDS
    ),
    compute("v3, section 3.2.1", "(2, 4, 8)", "dilations of block4 at 16", _block4, near="block4"),
    compute(
        "v3, section 3.3",
        "(6, 12, 18)",
        "dilations of the pyramid at 16",
        lambda: heads.atrous_rates(16),
        near="rate|dilation|pyramid|branch",
    ),
    compute(
        "v3, sections 3.3 and 4.1",
        "12, 24, 36",
        "the dilations doubled, at 8",
        lambda: heads.atrous_rates(8),
        near="8",
    ),
    cite(
        "v3, table 5",
        "24",
        "dilation of the fourth branch that is tried",
        near="rate|dilation|fourth|branch|24 ",
    ),
    cite("v3, section 3.3", "256", "channels of each branch", near="channels|branch|features"),
    compute(
        "v3, figure 4",
        "65 × 65",
        "map at output stride 8",
        cells(513, 8),
        near="cells|map|figure",
        also=["65"],
    ),
    compute(
        "v3, section 4.1",
        "33",
        "cells per side of a crop at output stride 16",
        cells(513, 16),
        near="cells|33 × 33|map",
    ),
    cite("v3, section 3.2", "256", "output stride where every block strides", near="stride"),
    cite(
        "v3, section 4.1; v3+, section 4", "16", "output stride in training", near="stride|at 16|16 pictures"
    ),
    cite("v3, section 4.1; v3+, section 4.2", "8", "output stride in testing", near="stride|at 8|eight"),
    # how it is trained
    cite("v3, section 4.1; v3+, section 4", "513", "crop (pixels)"),
    cite("v3, section 4.1", "16", "images in a batch", near="batch|pictures"),
    cite("v3, appendix A", "6", "images that fit at output stride 8", near="fit|these 6"),
    cite("v3, section 4.1", "0.9997", "decay of batch norm"),
    cite("v3, section 4.1; v3+, section 4", "0.007", "first learning rate", near="rate"),
    compute(
        "v3, released train script",
        "0.0001",
        "weight decay, ResNet",
        weight_decay("v3_resnet101"),
        near="decay",
    ),
    cite("v3, section 4.1", "0.001", "first learning rate of the second stage", near="rate"),
    cite("v3, section 4.1", "0.9", "power of poly", near="poly|power"),
    cite("v3, section 4.1", "30K", "iterations of each stage"),
    cite("v3, section 4.1", "0.5 to 2.0", "random scaling", near="scal"),
    cite("v3, released train script", "0.25", "steps of the random scaling", near="scal"),
    cite(
        "v3, section 4.2",
        "{0.5, 0.75, 1.0, 1.25, 1.5, 1.75}",
        "sizes in testing",
        near="sizes|scales",
        also=["0.5, 0.75, 1, 1.25, 1.5, 1.75"],
    ),
    # what it reaches
    *(
        cite("v3, table 1", iou, f"mIoU (%) of ResNet-50 with block7, stride {s}")
        for s, iou in _STRIDES.items()
    ),
    *(
        cite("v3, table 2", iou, f"mIoU (%) of ResNet-50 up to block{b}")
        for b, iou in enumerate(_RESNET_50, 4)
    ),
    *(
        cite(
            "v3, table 3" + "; table 2" * (grid == "(1, 1, 1)"),
            iou,
            f"mIoU (%) with multi-grid {grid} up to block{b}",
        )
        for grid, row in _GRIDS.items()
        for b, iou in enumerate(row, 4)
    ),
    *published("v3", without=("v3_cascade", "v3_mg121")),  # one stands above, the other in no lesson
    measure(
        "v3, tables 6 and 10; v3+, table 3", "78.51", "mIoU (%) at output stride 8", Twin("11", "v3", "8")
    ),
    measure(
        "v3, table 6; v3+, table 3",
        "79.77",
        "mIoU (%) at 8, scales, flip",
        Twin("11", "v3", "8, scales, mirrored"),
    ),
    cite("v3, table 8", "75.95", "mIoU (%) with batch norm as it was"),
    cite("v3, table 8", "67.22", "mIoU (%) with crops of 321 pixels"),
    *(cite("v3, table 9", iou, f"mIoU (%) with batches of {size}") for size, iou in _BATCHES.items()),
    cite("v3, table 9", "4, 8, 12, 16", "sizes of batches that are tried", near="batch"),
    cite("v3, table 10", "75.62", "mIoU (%) trained and tested at output stride 8"),
    cite("v3, table 7", "85.7", "mIoU (%) on VOC test"),
    *(cite("v3, table 11", iou, f"mIoU (%) with {count} replicas") for count, iou in _REPLICAS.items()),
    cite("v3, table 11", "1 to 32", "replicas", near="replicas"),
    cite("v3, appendix B", "3.65", "days of training on one K80"),
    cite("v3, appendix B", "2.74", "hours of training with 32 replicas"),
    difference(
        "v3, section 4.3",
        "1.3",
        "gain of output stride 8 in testing",
        "78.51",
        "77.21",
        near="16 to 8|stride 8",
    ),
    difference(
        "v3, section 4.3", "0.12", "loss by dilation 24", "76.58", "76.46", also=["0.1"], near="branch|rate"
    ),
]
