"""What the course states of other papers, and the layer table of its source note."""

from deeplab_lessons import arithmetic
from deeplab_lessons.arithmetic import Layer
from deeplab_lessons.classroom import stacks
from deeplab_lessons.classroom.ledger.entry import cite, compute

_FCN = {32: "86.1", 16: "92.8", 8: "96.4", 4: "98.5"}
_FIELDS = "3, 5, 6, 10, 14, 16, 24, 32, 40, 44, 60, 76, 92, 100, 132, 164, 196, 212, 404, 404, 404"


def _note() -> list[arithmetic.Field]:
    """Fields of the 21 layers of the source note's table."""
    layers = [*stacks.deeplab_v1(kernel_size=7, rate=4), Layer(1, name="fc7"), Layer(1, name="fc8")]
    return arithmetic.receptive_fields(layers, 224)[1:]


def _context() -> int:
    """Field of seven 3-tap layers with the dilations of Yu and Koltun."""
    return arithmetic.receptive_fields(stacks.dilated(1, 1, 2, 4, 8, 16, 1))[-1].size


ENTRIES = [
    compute(
        "the source note",
        _FIELDS,
        "fields of the 21 layers (pixels)",
        lambda: [f.size for f in _note()],
        near="note_",
    ),
    compute(
        "the source note",
        "224, 112, 56, 28, 4",
        "sizes of their maps (cells)",
        lambda: sorted({f.out for f in _note()}, reverse=True),
        near="note_",
    ),
    compute(
        "Yu and Koltun 2016, table 1",
        "67×67",
        "field of the context network (pixels)",
        _context,
        near="67",
        also=["67"],
    ),
    *(
        cite("FCN (arXiv), appendix A", iou, f"mIoU (%) of labels shrunk {by} times")
        for by, iou in _FCN.items()
    ),
    cite("FCN (arXiv), appendix A", "32, 16, 8, 4", "factors of shrinking", near="factors|readings"),
    cite("Goyal and others 2017, abstract", "8192", "images in a batch up to which the linear rule held"),
    cite(
        "Kirillov and others 2023, abstract",
        "11M",
        "images that Segment Anything learned from",
        near="masks",
    ),
    cite("He and others 2016, section 3.4", "256", "images in a batch on ImageNet", near="images|pictures"),
]
