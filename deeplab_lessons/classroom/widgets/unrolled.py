"""Step through the iterations of the dense CRF on one picture, with sliders for the weights of its kernels."""

import ipywidgets
import numpy as np
import torch
import traitlets

from deeplab_lessons import crf, metrics
from deeplab_lessons.classroom import drawing
from deeplab_lessons.classroom.widgets.shared.key_box import KeyBox
from deeplab_lessons.classroom.widgets.shared.panels import Panels

_VIEWS = {"labels": "labels", "how confident it is": "confidence", "what has changed": "changes"}
_CHANGED = np.array([230, 159, 0], np.uint8)  # orange of the course's palette, the colour of no class


class UnrolledExplorer(KeyBox):
    """One picture, the scores of a network, and what each iteration of the CRF makes of them.

    `picture` is uint8 [H, W, 3], `scores` are logits [C, H, W], `labels` uint8 [H, W] with 255 for void,
    `parameters` the dense CRF's numbers or the name of a preset (all iterations up to its number are
    kept), `compatibility` [C, C] (Potts by default). Traits: `step` from 0 (the network alone), `w1`, `w2`,
    `view` ("labels", "confidence" or "changes"); to be read: `mean_iou` (in %, of this image only),
    `changed` (pixels with another label than the network alone gives) and `caption`.
    """

    step = traitlets.Int(0, help="iterations done")
    w1 = traitlets.Float(help="weight of the appearance kernel")
    w2 = traitlets.Float(help="weight of the smoothness kernel")
    view = traitlets.Enum(tuple(_VIEWS.values()), default_value="labels")
    mean_iou = traitlets.Float(help="mean IoU of this picture, in %", read_only=True)
    changed = traitlets.Int(help="pixels with another label than at step 0", read_only=True)
    caption = traitlets.Unicode(help="the picture in words", read_only=True)

    def __init__(
        self,
        picture: np.ndarray,
        scores: torch.Tensor,
        labels: np.ndarray,
        parameters: crf.Parameters | str,
        compatibility: torch.Tensor | None = None,
        palette: np.ndarray | None = None,
    ):
        settings = crf.preset(parameters)
        image = torch.tensor(np.asarray(picture)).permute(2, 0, 1)
        features = (
            crf.bilateral_features(image, settings.sigma_alpha, settings.sigma_beta),
            crf.spatial_features(image.shape[1:], settings.sigma_gamma),
        )
        self._filters = [crf.LatticeFilter(each, settings.normalisation) for each in features]
        self._picture, self._labels, self._palette = np.asarray(picture), np.asarray(labels), palette
        self._unary, self._compatibility = crf.unary_from_logits(scores.detach().float()), compatibility
        self._steps = settings.iterations
        self._slider = ipywidgets.IntSlider(0, 0, self._steps, description="step")
        self._weights = [
            ipywidgets.FloatSlider(value, min=0, max=max(10.0, 2 * value), step=0.5, description=name)
            for name, value in (("w1", settings.w1), ("w2", settings.w2))
        ]
        self._list = ipywidgets.Dropdown(options=_VIEWS, value="labels", description="view")
        self._panels = Panels()
        rows = ipywidgets.HBox([self._slider, self._list]), ipywidgets.HBox(self._weights)
        super().__init__([*rows, self._panels])
        self.w1, self.w2 = settings.w1, settings.w2
        for name, control in zip(
            ("step", "view", "w1", "w2"), (self._slider, self._list, *self._weights), strict=True
        ):
            traitlets.link((self, name), (control, "value"))
        self._run()
        self.observe(self._run, names=["w1", "w2"])
        self.observe(self._draw, names=["step", "view"])

    def __repr__(self, *_) -> str:
        return f"UnrolledExplorer(step={self.step}, w1={self.w1:g}, w2={self.w2:g}, view={self.view!r})"

    @traitlets.validate("step")
    def _check_step(self, proposal):
        if not 0 <= proposal["value"] <= self._steps:
            raise traitlets.TraitError(f"step must be from 0 to {self._steps}, got {proposal['value']}")
        return proposal["value"]

    @traitlets.validate("w1", "w2")
    def _check_weight(self, proposal):
        if not 0 <= proposal["value"] < float("inf"):
            name = proposal["trait"].name
            raise traitlets.TraitError(f"{name} must be a weight, at least 0, got {proposal['value']}")
        return proposal["value"]

    def _run(self, _change=None) -> None:
        """All iterations with the present weights; then draw."""
        self._marginals: list[torch.Tensor] = []
        filters = list(zip((self.w1, self.w2), self._filters, strict=True))
        with torch.no_grad():
            crf.mean_field(
                self._unary,
                filters,
                self._compatibility,
                self._steps,
                watch=lambda _, q: self._marginals.append(q.clone()),
            )
        self._draw()

    def _draw(self, _change=None) -> None:
        """Redraw for the present step; score, count and caption follow."""
        start, now = (self._marginals[i].argmax(0).numpy().astype(np.uint8) for i in (0, self.step))
        before = self._marginals[max(self.step - 1, 0)].argmax(0).numpy()
        confidence = self._marginals[self.step].amax(0).numpy()
        confusion = metrics.confusion_matrix(now, self._labels, len(self._unary))
        self.set_trait("mean_iou", 100 * metrics.mean_iou(confusion))
        self.set_trait("changed", int((now != start).sum()))
        words = next(words for words, view in _VIEWS.items() if view == self.view)
        self.set_trait(
            "caption",
            f"Step {self.step} of {self._steps}: {self.changed} pixels have another label than the network alone "
            f"gives, {int((now != before).sum())} another than one step before; mean IoU {self.mean_iou:.1f} % on "
            f"this image; the best class of a pixel has a probability of {100 * confidence.mean():.0f} % on average. "
            f"From left to right: image, {words}, true labels.",
        )
        drawn, truth = (drawing.colour_labels(each, self._palette) for each in (now, self._labels))
        middle = {
            "labels": drawn,
            "confidence": np.repeat((255 * confidence).astype(np.uint8)[..., None], 3, axis=2),
            "changes": np.where((now != start)[..., None], _CHANGED, drawn // 3 + 170).astype(np.uint8),
        }[self.view]
        scale = np.ones((2 if len(drawn) <= 160 else 1,) * 2 + (1,), np.uint8)
        self._panels.show([np.kron(panel, scale) for panel in (self._picture, middle, truth)], self.caption)
