"""`UnrolledExplorer`: the iterations of the dense CRF on one picture, with sliders for the weights of its kernels."""

import anywidget
import numpy as np
import torch
import traitlets

from deeplab_lessons import crf, metrics
from deeplab_lessons.classroom.widgets.shared.label_maps import checked_maps, packed
from deeplab_lessons.classroom.widgets.shared.page import SavesHtml, module, style
from deeplab_lessons.classroom.widgets.unrolled.words import WORDS

VIEWS = ("labels", "confidence", "changes")


class UnrolledExplorer(SavesHtml, anywidget.AnyWidget):
    """One picture, the scores of a network, and what each iteration of the CRF makes of them.

    `picture` is uint8 [H, W, 3], `scores` are logits [C, H, W], `labels` uint8 [H, W] with 255 for void,
    `parameters` the dense CRF's numbers or the name of a preset (all iterations up to its number are
    kept), `compatibility` [C, C] (Potts by default). Traits: `step` from 0 (the network alone), `w1`, `w2`,
    `view` ("labels", "confidence" or "changes"); to be read: `mean_iou` (in %, of this image only),
    `changed` (pixels with another label than the network alone gives) and `caption`.
    """

    _esm = module(__file__)
    _css = style(__file__)

    step = traitlets.Int(0, help="iterations done").tag(sync=True)
    w1 = traitlets.Float(help="weight of the appearance kernel").tag(sync=True)
    w2 = traitlets.Float(help="weight of the smoothness kernel").tag(sync=True)
    view = traitlets.Enum(VIEWS, default_value="labels").tag(sync=True)
    mean_iou = traitlets.Float(help="mean IoU of this picture, in %", read_only=True)
    changed = traitlets.Int(help="pixels with another label than at step 0", read_only=True)
    caption = traitlets.Unicode(help="the picture in words", read_only=True)
    _maps = traitlets.Dict().tag(sync=True)
    _steps = traitlets.Dict().tag(sync=True)
    _last = traitlets.Int().tag(sync=True)
    _most = traitlets.Dict().tag(sync=True)
    _views = traitlets.List(VIEWS).tag(sync=True)
    _mark = traitlets.List((230, 159, 0)).tag(
        sync=True
    )  # orange of the course's palette, the colour of no class
    _words = traitlets.Dict(WORDS).tag(sync=True)

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
        self._labels, maps = checked_maps(picture, labels, len(scores), palette)
        image = torch.tensor(np.asarray(picture)).permute(2, 0, 1)
        features = (
            crf.bilateral_features(image, settings.sigma_alpha, settings.sigma_beta),
            crf.spatial_features(image.shape[1:], settings.sigma_gamma),
        )
        self._filters = [crf.LatticeFilter(each, settings.normalisation) for each in features]
        self._unary, self._compatibility = crf.unary_from_logits(scores.detach().float()), compatibility
        weights = {"w1": settings.w1, "w2": settings.w2}
        most = {name: max(10.0, 2 * value) for name, value in weights.items()}
        super().__init__(_maps=maps, _last=settings.iterations, _most=most, **weights)
        self._run()
        self.observe(self._run, names=["w1", "w2"])
        self.observe(self._measure, names=["step", "view"])

    def __repr__(self) -> str:
        return f"UnrolledExplorer(step={self.step}, w1={self.w1:g}, w2={self.w2:g}, view={self.view!r})"

    @traitlets.validate("step")
    def _check_step(self, proposal):
        if not 0 <= proposal["value"] <= self._last:
            raise traitlets.TraitError(f"step must be from 0 to {self._last}, got {proposal['value']}")
        return proposal["value"]

    @traitlets.validate("w1", "w2")
    def _check_weight(self, proposal):
        if not 0 <= proposal["value"] < float("inf"):
            name = proposal["trait"].name
            raise traitlets.TraitError(f"{name} must be a weight, at least 0, got {proposal['value']}")
        return proposal["value"]

    def _run(self, _change=None) -> None:
        """Compute all iterations with the present weights, in one message to the browser; then measure."""
        self._marginals: list[torch.Tensor] = []
        weights = self.w1, self.w2
        with torch.no_grad():
            crf.mean_field(
                self._unary,
                list(zip(weights, self._filters, strict=True)),
                self._compatibility,
                self._last,
                watch=lambda _, q: self._marginals.append(q.clone()),
            )
        marginals = torch.stack(self._marginals)
        confidence = marginals.amax(1)
        self._drawn = marginals.argmax(1).numpy().astype(np.uint8)
        self._sure = confidence.mean((1, 2)).tolist()
        self._steps = {
            "weights": list(weights),
            "steps": packed(self._drawn),
            "confidence": packed((255 * confidence).numpy().astype(np.uint8)),
            "sure": self._sure,
        }
        self._measure()

    def _measure(self, _change=None) -> None:
        """Set mIoU, count and caption of the present step."""
        start, before, now = (self._drawn[i] for i in (0, max(self.step - 1, 0), self.step))
        confusion = metrics.confusion_matrix(now, self._labels, len(self._unary))
        self.set_trait("mean_iou", 100 * metrics.mean_iou(confusion))
        self.set_trait("changed", int((now != start).sum()))
        counts = {"changed": self.changed, "moved": int((now != before).sum())}
        shown = {"iou": f"{self.mean_iou:.1f}", "sure": f"{100 * self._sure[self.step]:.0f}"}
        view = WORDS[f"view_{self.view}"]
        words = WORDS["caption"].format(step=self.step, last=self._last, view=view, **counts, **shown)
        self.set_trait("caption", words)
