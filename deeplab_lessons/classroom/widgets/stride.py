"""A slider for the stride of a map: the picture, what the map can draw, and where that is wrong."""

import ipywidgets
import numpy as np
import traitlets

from deeplab_lessons import metrics
from deeplab_lessons.classroom import built_in, drawing, redrawing
from deeplab_lessons.classroom.widgets.shared.checks import unknown
from deeplab_lessons.classroom.widgets.shared.key_box import KeyBox, StepSlider
from deeplab_lessons.classroom.widgets.shared.panels import Panels
from deeplab_lessons.metrics import label_maps

STRIDES = (1, 2, 4, 8, 16, 32)
READINGS = {
    "one label per cell: the middle pixel": "subsample",
    "one label per cell: the majority": "majority",
    "class shares, enlarged bilinearly": "shares",
}
_WRONG = (213, 94, 0)  # vermillion of the course's palette


class StrideExplorer(KeyBox):
    """Shrink true labels to a map of some stride, draw them again, and see what is lost.

    `picture` is uint8 [H, W, 3] and `labels` uint8 [H, W]; by default a built-in scene. Traits: `stride`
    (input pixels a cell, one of 1, 2, 4, 8, 16, 32), `reading` ("subsample", "majority" or "shares") and,
    to be read, `mean_iou` (in %). All keys of sliders and lists work.
    """

    stride = traitlets.Int(8, help="input pixels from one cell to the next")
    reading = traitlets.Enum(redrawing.READINGS, default_value="majority")
    mean_iou = traitlets.Float(help="mean IoU of the drawn map, in %", read_only=True)
    caption = traitlets.Unicode(help="the picture in words", read_only=True)

    def __init__(
        self, picture=None, labels=None, num_classes=None, palette=None, stride=8, reading="majority"
    ):
        if (picture is None) != (labels is None):
            raise ValueError("a picture needs its labels: pass both, or neither for a built-in scene")
        if picture is None:
            picture, labels = built_in.scene(3, size=224, split="val")
        self._picture, self._labels = np.asarray(picture), np.asarray(labels)
        self._num_classes = len(built_in.CLASSES) if num_classes is None else num_classes
        self._palette = palette
        self._slider = StepSlider(options=STRIDES, value=8, description="stride")
        self._list = ipywidgets.Dropdown(options=READINGS, value="majority", description="drawn by")
        self._panels = Panels()
        super().__init__([ipywidgets.HBox([self._slider, self._list]), self._panels])
        self.stride, self.reading = stride, reading
        traitlets.link((self, "stride"), (self._slider, "value"))
        traitlets.link((self, "reading"), (self._list, "value"))
        self.observe(self._draw, names=["stride", "reading"])
        self._draw()

    def __repr__(self, *_) -> str:
        return (
            f"StrideExplorer(stride={self.stride}, reading={self.reading!r}, mean_iou={self.mean_iou:.1f} %)"
        )

    @traitlets.validate("stride")
    def _check_stride(self, proposal):
        if proposal["value"] not in STRIDES:
            raise traitlets.TraitError(unknown("stride", proposal["value"], STRIDES))
        return proposal["value"]

    def _draw(self, _change=None) -> None:
        """Redraw the labels at the present stride; score, picture and caption follow."""
        drawn = redrawing.redraw(self._labels, self.stride, self._num_classes, self.reading)
        confusion = metrics.confusion_matrix(drawn, self._labels, self._num_classes)
        self.set_trait("mean_iou", 100 * metrics.mean_iou(confusion))
        wrong = (drawn != self._labels) & (self._labels != label_maps.IGNORE_INDEX)
        rows, columns = (-(-side // self.stride) for side in self._labels.shape)
        self.set_trait(
            "caption",
            f"Stride {self.stride}: {rows} × {columns} cells draw the map with a mean IoU of "
            f"{self.mean_iou:.1f} %; {100 * wrong.mean():.1f} % of the pixels are wrong. "
            "From left to right: picture, drawn map, wrong pixels.",
        )
        faint = (self._picture // 3 + 170).astype(np.uint8)
        faint[wrong] = _WRONG
        self._panels.show([self._picture, drawing.colour_labels(drawn, self._palette), faint], self.caption)
