"""`KernelExplorer`: one pixel of a small picture, and whom it listens to in the fully connected CRF."""

import base64
import math
import operator

import anywidget
import numpy as np
import torch
import traitlets

from deeplab_lessons import crf
from deeplab_lessons.classroom.widgets.page import SavesHtml, module, read
from deeplab_lessons.classroom.widgets.words_mean_field import KERNELS
from deeplab_lessons.datasets.portrait import portrait

_SIGMAS = ("sigma_alpha", "sigma_beta", "sigma_gamma")
_LARGEST = 96  # pixels a side: a browser computes a row of the kernel in every frame


class KernelExplorer(SavesHtml, anywidget.AnyWidget):
    """A picture, and one row of each of the two kernels: how much `pixel` listens to every other pixel.

    `picture` is uint8 [H, W, 3], at most 96 pixels a side, and `probability` [H, W] that of one class,
    called `name`; by default a small portrait and its labels. Traits: `pixel` [row, column], `sigma_alpha`
    and `sigma_gamma` in pixels, `sigma_beta` in grey levels. Properties say what comes of it: `appearance`
    and `smoothness` [H, W], `listens` and `votes`. Raises ValueError for a width that is not above 0 and
    IndexError for a pixel outside the picture.
    """

    _esm = module("arithmetic.js", "common.js", "mean_field.js")
    _css = read("widgets.css", "mean_field.css")

    pixel = traitlets.Any().tag(sync=True)
    sigma_alpha = traitlets.Float(16.0).tag(sync=True)
    sigma_beta = traitlets.Float(13.0).tag(sync=True)
    sigma_gamma = traitlets.Float(2.0).tag(sync=True)
    _shape = traitlets.List().tag(sync=True)
    _picture = traitlets.Unicode().tag(sync=True)
    _probability = traitlets.Unicode().tag(sync=True)
    _name = traitlets.Unicode().tag(sync=True)
    _words = traitlets.Dict(KERNELS).tag(sync=True)

    def __init__(self, picture=None, probability=None, name: str = "person", pixel=None, **sigmas: float):
        """Begin in the middle of the picture, or with `pixel` and the widths given."""
        if (picture is None) != (probability is None):
            raise ValueError("a picture needs the probability of a class at each pixel: give both, or none")
        if picture is None:
            picture, probability = portrait()
        unknown = sorted(set(sigmas) - set(_SIGMAS))
        if unknown:
            raise TypeError(f"there is no width {unknown[0]!r}; there are: {', '.join(_SIGMAS)}")
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
        """Mean probability of the class among the other pixels, weighted by each kernel; NaN if none is heard."""
        there = torch.tensor(self.probability).double()
        own = there[tuple(self.pixel)]
        heard = {name: ((row * there).sum() - own, row.sum() - 1) for name, row in self._rows()}
        return {
            name: (votes / most).item() if most > 1e-12 else math.nan for name, (votes, most) in heard.items()
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
        try:
            row, column = map(operator.index, proposal["value"])
        except (TypeError, ValueError):
            raise TypeError(
                f"pixel must be [row, column] in whole numbers, got {proposal['value']!r}"
            ) from None
        height, width = self.probability.shape
        if not (0 <= row < height and 0 <= column < width):
            raise IndexError(
                f"the picture has rows 0 to {height - 1} and columns 0 to {width - 1}, got {[row, column]}"
            )
        return [row, column]

    def __repr__(self) -> str:
        """Short and the same in every run, so that stored notebooks compare."""
        widths = ", ".join(f"{name}={getattr(self, name):g}" for name in _SIGMAS)
        return f"{type(self).__name__}(pixel={list(self.pixel)}, {widths})"


def _checked(picture, probability) -> tuple[np.ndarray, np.ndarray]:
    """The picture as uint8 [H, W, 3] and the probability as float32 [H, W], if they fit together."""
    picture, probability = np.asarray(picture), np.asarray(probability, np.float32)
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
        raise ValueError(f"picture must be uint8 [H, W, 3], got {picture.dtype} {list(picture.shape)}")
    if probability.shape != picture.shape[:2]:
        raise ValueError(
            f"probability must be one number a pixel, {list(picture.shape[:2])}, got {list(probability.shape)}"
        )
    if max(probability.shape) > _LARGEST:
        raise ValueError(
            f"a picture may have at most {_LARGEST} pixels a side here, got {list(probability.shape)}: "
            "give it a part of yours, or a smaller copy"
        )
    return picture, probability


def _packed(array: np.ndarray) -> str:
    """The array's bytes as text, for the browser."""
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
