"""`KernelExplorer`: one pixel of a small picture, and whom it listens to in the fully connected CRF."""

import base64
import math

import anywidget
import numpy as np
import torch
import traitlets

from deeplab_lessons import crf
from deeplab_lessons.classroom.pictures import portrait
from deeplab_lessons.classroom.widgets.mean_field.words import WORDS
from deeplab_lessons.classroom.widgets.shared.checks import checked_position, unknown
from deeplab_lessons.classroom.widgets.shared.page import SavesHtml, module, style
from deeplab_lessons.classroom.widgets.shared.pictures import checked_picture

_SIGMAS = ("sigma_alpha", "sigma_beta", "sigma_gamma")
_LARGEST = 96  # pixels per side: a browser computes a row of the kernel in every frame


class KernelExplorer(SavesHtml, anywidget.AnyWidget):
    """A picture, and one row of each of the two kernels: how much `pixel` listens to every other pixel.

    `picture` is uint8 [H, W, 3], at most 96 pixels per side, and `probability` [H, W] that of one class,
    called `name`; by default a small portrait and its labels. Traits: `pixel` [row, column], `sigma_alpha`
    and `sigma_gamma` in pixels, `sigma_beta` in grey levels. Properties say what comes of it: `appearance`
    and `smoothness` [H, W], `listens` and `votes`. Raises ValueError for a width that is not above 0 and
    IndexError for a pixel outside the picture.
    """

    _esm = module(__file__)
    _css = style(__file__)

    pixel = traitlets.Any().tag(sync=True)
    sigma_alpha = traitlets.Float(16.0).tag(sync=True)
    sigma_beta = traitlets.Float(13.0).tag(sync=True)
    sigma_gamma = traitlets.Float(2.0).tag(sync=True)
    _shape = traitlets.List().tag(sync=True)
    _picture = traitlets.Unicode().tag(sync=True)
    _probability = traitlets.Unicode().tag(sync=True)
    _name = traitlets.Unicode().tag(sync=True)
    _words = traitlets.Dict(WORDS).tag(sync=True)

    def __init__(self, picture=None, probability=None, name: str = "person", pixel=None, **sigmas: float):
        if (picture is None) != (probability is None):
            raise ValueError(
                "a picture needs the probability of a class at each pixel: pass both, or neither"
            )
        if picture is None:
            picture, probability = portrait()
        if others := sorted(set(sigmas) - set(_SIGMAS)):
            raise TypeError(unknown("width", others[0], _SIGMAS))
        self.picture, self.probability = _checked(picture, probability)
        height, width = self.probability.shape
        super().__init__(
            _shape=[height, width],
            _picture=_packed(self.picture),
            _probability=_packed(self.probability),
            _name=name,
            pixel=[height // 2, width // 2] if pixel is None else pixel,
            **sigmas,
        )

    @property
    def appearance(self) -> torch.Tensor:
        """The appearance kernel between `pixel` and every pixel, float64 [H, W]; 1 at the pixel itself."""
        features = crf.bilateral_features(
            torch.tensor(self.picture).permute(2, 0, 1).double(), self.sigma_alpha, self.sigma_beta
        )
        return self._row(features)

    @property
    def smoothness(self) -> torch.Tensor:
        """The smoothness kernel between `pixel` and every pixel, float64 [H, W]; 1 at the pixel itself."""
        return self._row(crf.spatial_features(self.probability.shape, self.sigma_gamma))

    @property
    def listens(self) -> dict[str, float]:
        """Sum of each kernel over all other pixels."""
        return {name: row.sum().item() - 1 for name, row in self._rows()}

    @property
    def votes(self) -> dict[str, float]:
        """Mean probability of the class among the other pixels, weighted by each kernel; NaN if it is 0 at all."""
        probability = torch.tensor(self.probability).double()
        own = probability[tuple(self.pixel)]
        sums = {name: ((row * probability).sum() - own, row.sum() - 1) for name, row in self._rows()}
        return {
            name: (votes / weight).item() if weight > 1e-12 else math.nan
            for name, (votes, weight) in sums.items()
        }

    def _rows(self):
        return ("appearance", self.appearance), ("smoothness", self.smoothness)

    def _row(self, features: torch.Tensor) -> torch.Tensor:
        """exp(-|f_i - f_j|² / 2) for the chosen pixel i and all j, from features [d, N]."""
        features = features.double()
        chosen = features[:, self.pixel[0] * self._shape[1] + self.pixel[1]]
        return torch.exp(-(features - chosen[:, None]).square().sum(0) / 2).view(*self._shape)

    @traitlets.validate(*_SIGMAS)
    def _valid_sigma(self, proposal):
        if not (0 < proposal["value"] < math.inf):
            raise ValueError(
                f"{proposal['trait'].name} is a width, so it must be above 0, got {proposal['value']}"
            )
        return proposal["value"]

    @traitlets.validate("pixel")
    def _valid_pixel(self, proposal):
        return checked_position("pixel", proposal["value"], self.probability.shape, "picture")

    def __repr__(self) -> str:
        widths = ", ".join(f"{name}={getattr(self, name):g}" for name in _SIGMAS)
        return f"{type(self).__name__}(pixel={list(self.pixel)}, {widths})"


def _checked(picture, probability) -> tuple[np.ndarray, np.ndarray]:
    """The picture as uint8 [H, W, 3] and the probability as float32 [H, W], if they fit together."""
    picture, probability = checked_picture("picture", picture, _LARGEST), np.asarray(probability, np.float32)
    if probability.shape != picture.shape[:2]:
        raise ValueError(
            f"probability must be [H, W] as the picture, {list(picture.shape[:2])}, got {list(probability.shape)}"
        )
    return picture, probability


def _packed(array: np.ndarray) -> str:
    """The array's bytes as text, for the browser."""
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
