"""`StrideExplorer`: a slider for the stride of a map: the picture, what the map can draw, and where that is wrong."""

import anywidget
import traitlets

from deeplab_lessons import metrics
from deeplab_lessons.classroom import built_in, redrawing
from deeplab_lessons.classroom.widgets.shared.checks import unknown
from deeplab_lessons.classroom.widgets.shared.label_maps import checked_maps
from deeplab_lessons.classroom.widgets.shared.page import SavesHtml, module, style
from deeplab_lessons.classroom.widgets.stride.words import WORDS
from deeplab_lessons.metrics.label_maps import IGNORE_INDEX

STRIDES = (1, 2, 4, 8, 16, 32)


class StrideExplorer(SavesHtml, anywidget.AnyWidget):
    """Shrink true labels to a map of some stride, draw them again, and see what is lost.

    `picture` is uint8 [H, W, 3] and `labels` uint8 [H, W]; by default a built-in scene. Traits: `stride`
    (input pixels per cell, one of 1, 2, 4, 8, 16, 32), `reading` ("subsample", "majority" or "shares") and,
    to be read, `mean_iou` (in %) and `caption`. Raises ValueError for labels that don't belong to the picture.
    """

    _esm = module(__file__)
    _css = style(__file__)

    stride = traitlets.Int(8, help="input pixels from one cell to the next").tag(sync=True)
    reading = traitlets.Enum(redrawing.READINGS, default_value="majority").tag(sync=True)
    mean_iou = traitlets.Float(help="mean IoU of the drawn map, in %", read_only=True)
    caption = traitlets.Unicode(help="the picture in words", read_only=True)
    _maps = traitlets.Dict().tag(sync=True)
    _strides = traitlets.List(STRIDES).tag(sync=True)
    _readings = traitlets.List(redrawing.READINGS).tag(sync=True)
    _mark = traitlets.List((213, 94, 0)).tag(sync=True)  # vermillion of the course's palette
    _words = traitlets.Dict(WORDS).tag(sync=True)

    def __init__(
        self, picture=None, labels=None, num_classes=None, palette=None, stride=8, reading="majority"
    ):
        if (picture is None) != (labels is None):
            raise ValueError("a picture needs its labels: pass both, or neither for a built-in scene")
        if picture is None:
            picture, labels = built_in.scene(3, size=224, split="val")
        self._num_classes = len(built_in.CLASSES) if num_classes is None else num_classes
        self._labels, maps = checked_maps(picture, labels, self._num_classes, palette)
        super().__init__(stride=stride, reading=reading, _maps=maps)
        self._measure()

    def __repr__(self) -> str:
        return (
            f"StrideExplorer(stride={self.stride}, reading={self.reading!r}, mean_iou={self.mean_iou:.1f} %)"
        )

    @traitlets.validate("stride")
    def _check_stride(self, proposal):
        if proposal["value"] not in STRIDES:
            raise traitlets.TraitError(unknown("stride", proposal["value"], STRIDES))
        return proposal["value"]

    @traitlets.observe("stride", "reading")
    def _measure(self, _change=None) -> None:
        """Redraw the labels at the present stride; mIoU and caption follow."""
        drawn = redrawing.redraw(self._labels, self.stride, self._num_classes, self.reading)
        confusion = metrics.confusion_matrix(drawn, self._labels, self._num_classes)
        self.set_trait("mean_iou", 100 * metrics.mean_iou(confusion))
        wrong = (drawn != self._labels) & (self._labels != IGNORE_INDEX)
        rows, columns = (-(-side // self.stride) for side in self._labels.shape)
        shown = {"iou": f"{self.mean_iou:.1f}", "wrong": f"{100 * wrong.mean():.1f}"}
        words = WORDS["caption"].format(stride=self.stride, rows=rows, columns=columns, **shown)
        self.set_trait("caption", words)
