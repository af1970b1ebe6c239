"""What the course states of the CRF: in DeepLab v1 and v2, in CRF-as-RNN, and in the paper that it comes from."""

from deeplab_lessons.classroom.ledger.entry import cite, measure
from deeplab_lessons.classroom.ledger.twins import Gain, Twin

_RNN = "CRF-as-RNN"
_SIGMA = "σ|w"

ENTRIES = [
    cite("v1, section 5; v2, section 4.1.1", "3", "w2, and σγ (pixels)", near="σγ|w₂|w2"),
    cite("v1, section 5", "5 … 10", "range of w1", near="w₁|w1"),
    cite("v1, section 5", "50 … 100", "range of σα (pixels)", near="σα"),
    cite("v1, section 5", "3 … 10", "range of σβ (grey levels)", near="σβ"),
    cite("v2, section 4.1.1", "3 … 6", "range of w1 and of σβ", near="w₁|σβ"),
    cite("v2, section 4.1.1", "30 … 100", "range of σα (pixels)", near="σα"),
    cite("v1, section 5; v2, section 4.1.1", "10", "mean-field iterations", near="iterations"),
    cite("v1, section 5; v2, section 4.1.1", "100", "validation images to tune on", near="pictures|images"),
    cite(
        "v2, released configuration",
        "4, 67, 3 and 3, 1",
        "w1, σα, σβ and w2, σγ on ResNet-101",
        near="released",
    ),
    cite("v2, section 1", "0.5", "seconds of a CPU for an image's CRF", near="second"),
    cite("Krähenbühl and Koltun 2011, figure 1", "0.2", "seconds for an image", near="second"),
    cite("Krähenbühl and Koltun 2011, figure 1", "36", "hours of sampling", near="hours"),
    cite(f"{_RNN}, section 6", "5", "updates in training", near="updates|training"),
    cite(f"{_RNN}, section 6", "10", "updates in testing", near="updates|testing|training"),
    cite(f"{_RNN}, section 7.1", "0.7", "points lost by 10 updates in training", near="points|lost"),
    cite(f"{_RNN}, section 7.1", "0.2", "points gained by 10 updates in testing", near="points|lost"),
    measure(
        f"{_RNN}, section 7.1",
        "1",
        "points gained by learning only the CRF",
        Gain(Twin("08", "frozen"), Twin("08", "after")),
        near="frozen",
    ),
    measure(
        f"{_RNN}, section 7.1",
        "3.4",
        "points gained by training end to end",
        Gain(Twin("08", "joint"), Twin("08", "after")),
        near="end to end",
    ),
    cite(f"{_RNN}, section 7.1", "1.8", "points gained by a weight for each class", near="weight"),
    cite(f"{_RNN}, section 7.1", "0.9", "points gained by a μ that is not symmetric", near="symmetric"),
    cite(f"{_RNN}, section 7", "346", "images of its validation set"),
    measure(f"{_RNN}, table 1", "61.3", "mIoU (%) of FCN-8s alone", Twin("08", "alone")),
    measure(f"{_RNN}, table 1", "63.7", "mIoU (%) with a CRF after it", Twin("08", "after")),
    measure(f"{_RNN}, table 1", "69.6", "mIoU (%) trained end to end", Twin("08", "joint")),
    cite(f"{_RNN}, table 1", "68.3", "mIoU (%) of FCN-8s without CRF, with COCO"),
    cite(f"{_RNN}, table 1", "69.5", "mIoU (%) with a CRF after it, with COCO"),
    cite(f"{_RNN}, table 1", "72.9", "mIoU (%) trained end to end, with COCO"),
    cite(f"{_RNN}, released layer", "160", "σα at the start (pixels)", near="σα"),
]
