"""`TrainingExplorer`: the snapshots of a training: image, what the network predicts, true labels."""

from collections.abc import Mapping
from dataclasses import asdict

import anywidget
import numpy as np
import torch
import traitlets

from deeplab_lessons import metrics
from deeplab_lessons.classroom.widgets.shared.checks import unknown
from deeplab_lessons.classroom.widgets.shared.label_maps import checked_maps, packed
from deeplab_lessons.classroom.widgets.shared.page import SavesHtml, module, style
from deeplab_lessons.classroom.widgets.training.words import WORDS
from deeplab_lessons.grid import Grid, upsample

VIEWS = ("labels", "cells", "confidence")


class TrainingExplorer(SavesHtml, anywidget.AnyWidget):
    """See how a prediction sharpens: one image, the network's logits after some iterations, the true labels.

    `picture` is uint8 [H, W, 3], `labels` uint8 [H, W], `snapshots` maps a number of iterations to logits
    [C, h, w], whose cells lie on `grid`. Traits: `iteration` (one of the snapshots), `view` ("labels", "cells" or
    "confidence") and, to be read, `mean_iou` (in %, of this image only) and `caption`. Raises ValueError without
    snapshots, for snapshots of different shapes, and for labels that don't belong to the picture.
    """

    _esm = module(__file__)
    _css = style(__file__)

    iteration = traitlets.Int(help="iterations done").tag(sync=True)
    view = traitlets.Enum(VIEWS, default_value="labels").tag(sync=True)
    mean_iou = traitlets.Float(help="mean IoU of this image, in %", read_only=True)
    caption = traitlets.Unicode(help="the panels in words", read_only=True)
    _maps = traitlets.Dict().tag(sync=True)
    _iterations = traitlets.List().tag(sync=True)
    _views = traitlets.List(VIEWS).tag(sync=True)
    _words = traitlets.Dict(WORDS).tag(sync=True)

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
        self._snapshots = {done: snapshots[done].detach().float().cpu() for done in sorted(snapshots)}
        shapes = {tuple(logits.shape) for logits in self._snapshots.values()}
        if len(shapes) > 1:
            raise ValueError(f"snapshots must be logits [C, h, w] of one shape, got {sorted(shapes)}")
        self._grid, ((classes, *cells),) = grid, shapes
        self._labels, maps = checked_maps(picture, labels, classes, palette)
        stacked = torch.stack(list(self._snapshots.values())).numpy()
        maps |= {"logits": packed(stacked), "cells": cells, "grid": asdict(grid)}
        iterations = list(self._snapshots)
        super().__init__(iteration=iterations[-1], _iterations=iterations, _maps=maps)
        self._measure()

    def __repr__(self) -> str:
        return f"TrainingExplorer(iteration={self.iteration}, view={self.view!r})"

    @traitlets.validate("iteration")
    def _check_iteration(self, proposal):
        if proposal["value"] not in self._snapshots:
            raise traitlets.TraitError(unknown("snapshot", proposal["value"], self._snapshots))
        return proposal["value"]

    @traitlets.observe("iteration", "view")
    def _measure(self, _change=None) -> None:
        """Enlarge the present snapshot; mIoU and caption follow."""
        scores = upsample(self._snapshots[self.iteration][None], self._labels.shape, self._grid)[0]
        confusion = metrics.confusion_matrix(scores.argmax(0), self._labels, len(scores))
        self.set_trait("mean_iou", 100 * metrics.mean_iou(confusion))
        sure = 100 * scores.softmax(0).amax(0).mean().item()
        shown = {"iou": f"{self.mean_iou:.1f}", "sure": f"{sure:.0f}", "view": WORDS[f"view_{self.view}"]}
        self.set_trait("caption", WORDS["caption"].format(iteration=self.iteration, **shown))
