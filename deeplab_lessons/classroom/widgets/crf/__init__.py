"""`CRFExplorer`: the five numbers of the dense CRF as sliders, on a real photograph."""

import math
from collections.abc import Mapping
from dataclasses import asdict, replace

import anywidget
import numpy as np
import torch
import traitlets
from PIL import Image
from torch.nn import functional as F

from deeplab_lessons import crf, metrics
from deeplab_lessons.classroom.built_in import Embedded
from deeplab_lessons.classroom.pictures import STRIDE, sketch
from deeplab_lessons.classroom.widgets.crf.words import SCORE, WORDS
from deeplab_lessons.classroom.widgets.shared.checks import unknown
from deeplab_lessons.classroom.widgets.shared.page import SavesHtml, module, style
from deeplab_lessons.classroom.widgets.shared.pictures import checked_picture, data_url
from deeplab_lessons.grid import Grid, upsample
from deeplab_lessons.metrics.label_maps import IGNORE_INDEX

OWN = "own"
NUMBERS = ("w1", "sigma_alpha", "sigma_beta", "w2", "sigma_gamma", "iterations")
#: Least value, largest value and step of each slider; from Python any value works that `crf.Parameters` takes.
RANGES = {
    "w1": (0, 20, 0.5),
    "sigma_alpha": (1, 160, 1),
    "sigma_beta": (1, 60, 1),
    "w2": (0, 20, 0.5),
    "sigma_gamma": (0.5, 20, 0.5),
    "iterations": (0, 20, 1),
}
_SETTING = (*NUMBERS, "normalisation")
_DRAGGED = 256  # longest side of the picture that is computed while a slider moves, in pixels
_IN_BROWSER = (
    2200  # most pixels of the picture that the browser computes where Python is silent: it takes all pairs
)
_MOST_COST = 25.5  # of the unary there: its costs are stored as grey levels
_MARK = (213, 94, 0)  # vermillion of the course's palette


class CRFExplorer(SavesHtml, anywidget.AnyWidget):
    """A photograph, a network's scores of it, and the dense CRF between them, with a slider for each number.

    picture: uint8 [H, W, 3]; scores: logits [C, H, W]; both together, or neither for a photograph of an astronaut
        with rough scores drawn by hand (`classroom.pictures`).
    labels: true labels uint8 [H, W], if there are any: then the mean IoU is shown too.
    preset: a name in `crf.PRESETS` to begin with; numbers given by name (`w1=5`) replace its own.
    palette: colours uint8 [256, 3]. background: class that is left without colour, or None.

    Traits: `w1`, `sigma_alpha`, `sigma_beta`, `w2`, `sigma_gamma`, `iterations`, `normalisation` of the kernels (a
    preset sets it, the sliders leave it), `preset` and, to be read, `changed` (% of the pixels), `mean_iou` (before and
    after, in %) and `caption`. Raises `crf.Parameters`' errors.
    """

    _esm = module(__file__)
    _css = style(__file__)

    w1 = traitlets.Any().tag(sync=True)
    sigma_alpha = traitlets.Any().tag(sync=True)
    sigma_beta = traitlets.Any().tag(sync=True)
    w2 = traitlets.Any().tag(sync=True)
    sigma_gamma = traitlets.Any().tag(sync=True)
    iterations = traitlets.Any().tag(sync=True)
    normalisation = traitlets.Any("symmetric").tag(sync=True)
    preset = traitlets.Unicode(OWN).tag(sync=True)
    changed = traitlets.Float(help="% of the pixels whose best class changed", read_only=True)
    mean_iou = traitlets.Tuple(help="before and after, in %; empty without true labels", read_only=True)
    caption = traitlets.Unicode(help="the picture in words", read_only=True).tag(sync=True)
    _request = traitlets.Dict().tag(sync=True)
    _answer = traitlets.Dict().tag(sync=True)
    _pictures = traitlets.Dict().tag(sync=True)
    _drawn = traitlets.Dict().tag(sync=True)
    _small = traitlets.Dict().tag(sync=True)
    _presets = traitlets.Dict().tag(sync=True)
    _ranges = traitlets.Dict({name: list(limits) for name, limits in RANGES.items()}).tag(sync=True)
    _words = traitlets.Dict(WORDS).tag(sync=True)

    def __init__(
        self,
        picture: np.ndarray | None = None,
        scores: torch.Tensor | None = None,
        labels: np.ndarray | None = None,
        preset: str = "pydensecrf_readme",
        palette: np.ndarray | None = None,
        background: int | None = 0,
        **numbers: float,
    ):
        if (picture is None) != (scores is None):
            raise ValueError("a picture needs its scores: pass both, or neither for the astronaut")
        if picture is None:
            picture, cells = sketch("astronaut")
            scores = upsample(cells[None], picture.shape[:2], Grid(STRIDE, start=None))[0]
        self._labels = None if labels is None else np.asarray(labels)
        self._palette = Embedded.palette if palette is None else np.asarray(palette)
        self._background = background
        self._sizes = _two_sizes(*_checked(picture, scores))
        self._before = self._sizes[False][1].argmax(0).numpy().astype(np.uint8)
        self._quiet = True
        if others := sorted(set(numbers) - set(NUMBERS)):
            raise TypeError(unknown("number", others[0], NUMBERS))
        start = asdict(crf.preset(preset)) | numbers
        super().__init__(**asdict(crf.Parameters(**start)), preset=OWN if numbers else preset)
        self._presets = {name: asdict(setting) for name, setting in crf.PRESETS.items()}
        self._pictures = {
            "photo": data_url(np.asarray(picture), "jpeg", quality=75),
            "confidence": data_url(self._confidence()[::2, ::2], "jpeg", quality=75),
            "before": self._coloured(self._before),
        }
        self._small = self._for_browser()
        self._quiet = False
        self._compute()

    @property
    def parameters(self) -> crf.Parameters:
        """The current numbers."""
        return crf.Parameters(**{name: getattr(self, name) for name in _SETTING})

    @property
    def unary(self) -> torch.Tensor:
        """What the network says about each pixel alone: -log of its probabilities, [C, H, W]."""
        return crf.unary_from_logits(self._sizes[False][1])

    def marginals(self, reduced: bool = False) -> torch.Tensor:
        """Probabilities after the CRF, [C, H, W]; with `reduced`, on the picture that is computed in a drag.

        There one pixel stands for `factor` × `factor`, so both widths in pixels are divided by it.
        """
        picture, scores, factor = self._sizes[reduced]
        now = self.parameters
        setting = replace(now, sigma_alpha=now.sigma_alpha / factor, sigma_gamma=now.sigma_gamma / factor)
        with torch.inference_mode():
            return crf.DenseCRF(setting)(scores, picture)

    def _compute(self, reduced: bool = False, number: str = "") -> None:
        """Run the CRF; picture, fraction, mIoU and words follow in one message to the browser."""
        after = self.marginals(reduced).argmax(0).numpy().astype(np.uint8)
        whole = _enlarged(after, self._before.shape)
        changed = whole != self._before
        with self.hold_sync():
            self.set_trait("changed", 100 * float(changed.mean()))
            self.set_trait("mean_iou", self._score(whole))
            self.set_trait("caption", self._describe())
            self._drawn = {"after": self._coloured(after), "changed": _marks(changed)}
            size = f"{after.shape[1]} × {after.shape[0]} px"
            iou = [f"{value:.1f}" for value in self.mean_iou]
            facts = {"changed": f"{self.changed:.1f}", "iou": iou, "size": size}
            self._answer = {"number": number, "reduced": reduced, "numbers": asdict(self.parameters), **facts}

    def _score(self, after: np.ndarray) -> tuple[float, ...]:
        if self._labels is None:
            return ()
        num_classes = len(self._sizes[False][1])
        pairs = (
            metrics.confusion_matrix(m, self._labels, num_classes, IGNORE_INDEX)
            for m in (self._before, after)
        )
        return tuple(100 * metrics.mean_iou(confusion) for confusion in pairs)

    def _describe(self) -> str:
        numbers = {name: f"{getattr(self, name):g}" for name in NUMBERS}
        normalised = WORDS[f"by_{self.normalisation}"]
        words = WORDS["caption"].format(**numbers, changed=f"{self.changed:.1f}", normalised=normalised)
        return words + (
            SCORE.format(before=self.mean_iou[0], after=self.mean_iou[1]) if self.mean_iou else ""
        )

    def _confidence(self) -> np.ndarray:
        """Probability of the best class, from 1 / C (black) to 1 (white), uint8 [H, W]."""
        best = self._sizes[False][1].softmax(0)
        least = 1 / len(best)
        return (255 * (best.amax(0) - least) / (1 - least)).round().numpy().astype(np.uint8)

    def _for_browser(self) -> dict:
        """The unary of a picture small enough for all pairs, as grey levels: the classes one below another."""
        picture, scores, _ = self._sizes[False]
        factor = math.ceil(math.sqrt(picture[0].numel() / _IN_BROWSER))
        costs = crf.unary_from_logits(_averaged(scores, factor)).clamp(max=_MOST_COST)
        classes, height, width = costs.shape
        step = max(costs.max().item(), 1e-3) / 255
        grey = (costs / step).round().to(torch.uint8).numpy().reshape(-1, width)
        opaque = [0 if label == self._background else 255 for label in range(classes)]
        return {
            "width": width,
            "height": height,
            "factor": factor,
            "step": step,
            "costs": data_url(grey, "png", compress_level=9),
            "colours": [[*self._palette[label].tolist(), opaque[label]] for label in range(classes)],
        }

    def _coloured(self, labels: np.ndarray) -> str:
        return _label_picture(labels, self._palette, self._background)

    @traitlets.validate(*_SETTING)
    def _valid_number(self, proposal):
        now = {name: self._trait_values.get(name, 1) or 1 for name in NUMBERS}
        crf.Parameters(**now | {proposal["trait"].name: proposal["value"]})
        return proposal["value"]

    @traitlets.validate("preset")
    def _valid_preset(self, proposal):
        if proposal["value"] not in {OWN, *crf.PRESETS}:
            raise traitlets.TraitError(unknown("preset", proposal["value"], crf.PRESETS))
        return proposal["value"]

    @traitlets.observe(*_SETTING)
    def _number_set(self, change):
        """A number set from Python: the whole picture is computed, and a preset's name goes when it is untrue."""
        if self._quiet:
            return
        self._name_numbers()
        self._compute()

    @traitlets.observe("preset")
    def _use_preset(self, change):
        if self._quiet or change["new"] == OWN:
            return
        self._set_all(asdict(crf.PRESETS[change["new"]]))
        self._compute()

    @traitlets.observe("_request")
    def _answer_request(self, change):
        """A gesture in the browser: it waits for this answer before it sends its newest state, so none queue up."""
        request = change["new"]
        if request:
            self._set_all(request["numbers"])
            self._compute(bool(request["reduced"]), request["number"])

    def _set_all(self, numbers: Mapping) -> None:
        """Set all numbers together, without computing in between."""
        setting = asdict(crf.Parameters(**{"normalisation": self.normalisation, **numbers}))
        self._quiet = True
        try:
            with self.hold_sync():
                for name, value in setting.items():
                    setattr(self, name, value)
                self._name_numbers()
        finally:
            self._quiet = False

    def _name_numbers(self) -> None:
        """Let `preset` name the numbers, if it can."""
        quiet, self._quiet = self._quiet, True
        names = [name for name, setting in crf.PRESETS.items() if setting == self.parameters]
        self.preset = names[0] if names else OWN
        self._quiet = quiet

    def __repr__(self) -> str:
        numbers = ", ".join(f"{name}={getattr(self, name):g}" for name in NUMBERS)
        return f"{type(self).__name__}({numbers})"


def _checked(picture, scores) -> tuple[torch.Tensor, torch.Tensor]:
    """Picture [3, H, W] float in 0 … 255 and scores [C, H, W]; ValueError where they do not belong together."""
    picture, scores = checked_picture("picture", picture), torch.as_tensor(scores).detach().float().cpu()
    if scores.ndim != 3 or tuple(scores.shape[1:]) != picture.shape[:2]:
        raise ValueError(
            f"scores must be logits [C, H, W] of the picture's size {picture.shape[0]} × {picture.shape[1]}, got "
            f"{list(scores.shape)}; enlarge them with grid.upsample first"
        )
    return torch.tensor(picture).permute(2, 0, 1).float(), scores


def _two_sizes(picture: torch.Tensor, scores: torch.Tensor) -> dict[bool, tuple]:
    """False: (picture, scores, 1), True: both averaged over squares of `factor` pixels, (…, …, factor)."""
    factor = math.ceil(max(picture.shape[1:]) / _DRAGGED)
    return {
        False: (picture, scores, 1),
        True: (_averaged(picture, factor), _averaged(scores, factor), factor),
    }


def _averaged(channels: torch.Tensor, factor: int) -> torch.Tensor:
    """The means over squares of `factor` pixels: [C, H, W] -> [C, H // factor, W // factor], at least one pixel."""
    size = [max(1, side // factor) for side in channels.shape[1:]]
    return F.interpolate(channels[None], size=size, mode="area")[0]


def _enlarged(labels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Labels [h, w] at `size` (H, W): each pixel takes the label of the small pixel in which it lies."""
    rows, columns = (np.arange(n) * m // n for n, m in zip(size, labels.shape, strict=True))
    return labels[rows[:, None], columns]


def _label_picture(labels: np.ndarray, palette: np.ndarray, background: int | None) -> str:
    """Labels as a PNG of few colours; the background is see-through."""
    image = Image.fromarray(labels)
    image.putpalette(np.asarray(palette, np.uint8)[: labels.max() + 1].tobytes())
    see_through = {} if background is None else {"transparency": background}
    return data_url(image, "png", compress_level=8, **see_through)


def _marks(changed: np.ndarray) -> str:
    palette = np.zeros((256, 3), np.uint8)
    palette[1] = _MARK
    return _label_picture(changed.astype(np.uint8), palette, 0)
