"""A slider through the snapshots of a training: image, what the network predicts, true labels."""

from collections.abc import Mapping

import ipywidgets
import numpy as np
import torch
import traitlets

from deeplab_lessons import metrics
from deeplab_lessons.classroom import drawing
from deeplab_lessons.classroom.widgets.shared.checks import unknown
from deeplab_lessons.classroom.widgets.shared.key_box import KeyBox, StepSlider
from deeplab_lessons.classroom.widgets.shared.panels import Panels
from deeplab_lessons.grid import Grid, bilinear_weights, upsample

_VIEWS = {
    "labels from enlarged scores": "labels",
    "labels, one per cell": "cells",
    "confidence of the network": "confidence",
}


class TrainingExplorer(KeyBox):
    """See how a prediction sharpens: one image, the network's logits after some iterations, the true labels.

    `picture` is uint8 [H, W, 3], `labels` uint8 [H, W], `snapshots` maps a number of iterations to logits
    [C, h, w], whose cells lie on `grid`. Traits: `iteration` (one of the snapshots), `view` ("labels", "cells" or
    "confidence") and, to be read, `mean_iou` (in %, of this image only) and `caption`. Raises ValueError without
    snapshots.
    """

    iteration = traitlets.Int(help="iterations done")
    view = traitlets.Enum(tuple(_VIEWS.values()), default_value="labels")
    mean_iou = traitlets.Float(help="mean IoU of this image, in %", read_only=True)
    caption = traitlets.Unicode(help="the panels in words", read_only=True)

    def __init__(
        self,
        picture: np.ndarray,
        labels: np.ndarray,
        snapshots: Mapping[int, torch.Tensor],
        grid: Grid,
        palette: np.ndarray | None = None,
    ):
        if not snapshots:
            raise ValueError(
                "snapshots must hold at least one, got none: pass train(..., watch=...) a function that keeps some"
            )
        self._picture, self._labels = np.asarray(picture), np.asarray(labels)
        self._snapshots, self._grid, self._palette = dict(snapshots), grid, palette
        last = max(self._snapshots)
        self._slider = StepSlider(options=sorted(self._snapshots), value=last, description="iteration")
        self._list = ipywidgets.Dropdown(options=_VIEWS, value="labels", description="view")
        self._panels = Panels()
        super().__init__([ipywidgets.HBox([self._slider, self._list]), self._panels])
        self.iteration = last
        traitlets.link((self, "iteration"), (self._slider, "value"))
        traitlets.link((self, "view"), (self._list, "value"))
        self.observe(self._draw, names=["iteration", "view"])
        self._draw()

    def __repr__(self, *_) -> str:
        return f"TrainingExplorer(iteration={self.iteration}, view={self.view!r})"

    @traitlets.validate("iteration")
    def _check_iteration(self, proposal):
        if proposal["value"] not in self._snapshots:
            raise traitlets.TraitError(unknown("snapshot", proposal["value"], sorted(self._snapshots)))
        return proposal["value"]

    def _draw(self, _change=None) -> None:
        """Redraw for the present snapshot; result, panels and caption follow."""
        logits = self._snapshots[self.iteration].float()[None]
        scores = upsample(logits, self._labels.shape, self._grid)[0]
        drawn, confidence = scores.argmax(0).numpy().astype(np.uint8), scores.softmax(0).amax(0).numpy()
        confusion = metrics.confusion_matrix(drawn, self._labels, len(scores))
        self.set_trait("mean_iou", 100 * metrics.mean_iou(confusion))
        self.set_trait(
            "caption",
            f"After {self.iteration} iterations, mean IoU is {self.mean_iou:.1f} % on this image, and the best class "
            f"of a pixel has a probability of {100 * confidence.mean():.0f} % on average. From left to right: image, "
            f"{next(words for words, view in _VIEWS.items() if view == self.view)}, true labels.",
        )
        if self.view == "cells":
            rows, columns = (
                bilinear_weights(pixels, cells, self._grid).argmax(1)
                for pixels, cells in zip(drawn.shape, logits.shape[2:], strict=True)
            )
            drawn = logits[0].argmax(0)[rows[:, None], columns].numpy().astype(np.uint8)
        middle = drawing.colour_labels(drawn, self._palette)
        if self.view == "confidence":
            middle = np.repeat((255 * confidence).astype(np.uint8)[..., None], 3, axis=2)
        panels = [self._picture, middle, drawing.colour_labels(self._labels, self._palette)]
        self._panels.show([np.kron(panel, np.ones((2, 2, 1), np.uint8)) for panel in panels], self.caption)
