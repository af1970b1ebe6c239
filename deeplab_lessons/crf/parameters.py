"""The five numbers of the dense CRF, the number of iterations, and the sets that were published.

    k(i, j) = w1 exp(-|p_i - p_j|² / 2σα² - |I_i - I_j|² / 2σβ²)  +  w2 exp(-|p_i - p_j|² / 2σγ²)

is the papers' kernel between pixels i and j at places p with colours I (pixels; grey levels of 0 … 255). The published
weights are meant for *normalised* kernels, which the formula does not show: by row in the authors' code (`densecrf.cpp`
and the Caffe layer around it), symmetrically in pydensecrf. `LatticeFilter` says what that is.
"""

import math
from dataclasses import dataclass
from numbers import Real

from deeplab_lessons.checks import check_choice
from deeplab_lessons.crf.filters import NORMALISATIONS


@dataclass(frozen=True)
class Parameters:
    """One setting: weights `w1` and `w2`, at least 0, widths in pixels, `sigma_beta` in grey levels of 0 … 255.

    `normalisation` is that of `LatticeFilter`. Source: DeepLab v1, section 4.2, equation (2); Krähenbühl and Koltun
    2011, equation (3), where σα, σβ and σγ are called θα, θβ and θγ. Raises TypeError or ValueError for an impossible
    number.
    """

    w1: float
    sigma_alpha: float
    sigma_beta: float
    w2: float
    sigma_gamma: float
    iterations: int = 10
    normalisation: str = "symmetric"

    def __post_init__(self):
        check_choice("normalisation", self.normalisation, NORMALISATIONS)
        for name in ("w1", "w2", "sigma_alpha", "sigma_beta", "sigma_gamma"):
            value, weight = getattr(self, name), name.startswith("w")
            if isinstance(value, bool) or not isinstance(value, Real):
                raise TypeError(f"{name} must be a number, got {value!r} ({type(value).__name__})")
            if not math.isfinite(value) or value < 0 or (value == 0 and not weight):
                hint = "at least 0: 0 switches" if weight else "above 0: a weight of 0 switches"
                raise ValueError(f"{name} must be a finite number, got {value}: pass one {hint} a kernel off")
        if isinstance(self.iterations, bool) or not hasattr(type(self.iterations), "__index__"):
            raise TypeError(f"iterations must be a whole number, got {self.iterations!r}")
        if self.iterations < 0:
            raise ValueError(f"iterations must be at least 0, got {self.iterations}")


PRESETS = {
    # DeepLab v1's LargeFOV: the run script released with the model.
    "v1_largefov": Parameters(w1=4, sigma_alpha=49, sigma_beta=5, w2=3, sigma_gamma=3, normalisation="row"),
    # DeepLab v2 on VGG16: the released run of the dense CRF on VOC 2012.
    "v2_vgg": Parameters(w1=4, sigma_alpha=65, sigma_beta=3, w2=2, sigma_gamma=2, normalisation="row"),
    # DeepLab v2 on ResNet-101: the released run; the common PyTorch ports carry it on.
    "v2_resnet101": Parameters(w1=4, sigma_alpha=67, sigma_beta=3, w2=3, sigma_gamma=1, normalisation="row"),
    # DeepLab v1's other networks: copies of `run_densecrf.sh`, one of them MSc-LargeFOV's.
    "v1_caffe": Parameters(w1=5, sigma_alpha=50, sigma_beta=3, w2=3, sigma_gamma=3, normalisation="row"),
    # The example of pydensecrf's README, tuned for no paper: wide in colour, five iterations.
    "pydensecrf_readme": Parameters(w1=10, sigma_alpha=80, sigma_beta=13, w2=3, sigma_gamma=3, iterations=5),
}
"""Published settings by name. The papers print ranges only (DeepLab v1, section 5; v2, section 4.1): w1 in
3 … 10, σα 30 … 100, σβ 3 … 10, with w2 = σγ = 3 fixed in the text; these values are in released code. DeepLab's four
are normalised by row, as the code that they ran in."""


def preset(setting: Parameters | str) -> Parameters:
    """Return the published setting of that name (KeyError, with the choices, for none); `Parameters` as they are."""
    if isinstance(setting, Parameters):
        return setting
    if setting not in PRESETS:
        raise KeyError(f"unknown preset {setting!r}: choose from {', '.join(PRESETS)}")
    return PRESETS[setting]
