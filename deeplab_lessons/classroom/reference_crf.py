"""pydensecrf, to compare with: the C++ library that most published results went through.

It is optional: `pip install "deeplab-lessons[crf]"` builds it (distribution pydensecrf2) where there is a compiler.
"""

import importlib.util

import numpy as np
import torch
from torch import Tensor

from deeplab_lessons.crf import checks
from deeplab_lessons.crf.parameters import Parameters


def available() -> bool:
    """Return whether pydensecrf can be imported here."""
    return importlib.util.find_spec("pydensecrf") is not None


def pydensecrf_mean_field(
    unary: Tensor,
    picture: Tensor,
    parameters: Parameters,
    compatibility: Tensor | None = None,
    normalisation: str | None = None,
) -> Tensor:
    """Return pydensecrf's marginals `[C, H, W]` of unary `[C, H, W]` and picture `[3, H, W]`.

    `normalisation` overrides the parameters'. Works in float32 on the CPU, without gradients; the result has the number
    type and device of `unary`. The library makes `compatibility` `[C, C]` symmetric. Raises ImportError where it is not
    installed, and ValueError for a picture without whole grey levels.
    """
    try:
        from pydensecrf import densecrf
    except ImportError as error:
        raise ImportError(
            "pydensecrf is not installed here. It is only a reference: crf.DenseCRF gives the same marginals "
            'without it. To compare, run pip install "deeplab-lessons[crf]" (needs a C++ compiler and Python '
            "below 3.13)"
        ) from error
    unary, picture = checks.unary(unary), checks.picture(picture).detach()
    if not torch.equal(picture.round(), picture):
        raise ValueError("pydensecrf takes whole grey levels only: pass picture.round()")
    colours = np.ascontiguousarray(picture.permute(1, 2, 0).to(torch.uint8).cpu().numpy())
    classes, height, width = unary.shape
    model = densecrf.DenseCRF2D(width, height, classes)
    model.setUnaryEnergy(_array(unary.flatten(1)))
    names = {"symmetric": "NORMALIZE_SYMMETRIC", "row": "NORMALIZE_AFTER", "none": "NO_NORMALIZATION"}
    norm = getattr(densecrf, names[normalisation or parameters.normalisation])
    # a number means Potts and is added; a matrix is a cost and is subtracted: the library's two signs
    both = (parameters.w1, parameters.w2)
    w1, w2 = (float(w) if compatibility is None else _array(w * compatibility) for w in both)
    sigmas = {"sxy": parameters.sigma_alpha, "srgb": parameters.sigma_beta}
    model.addPairwiseBilateral(**sigmas, rgbim=colours, compat=w1, normalization=norm)
    model.addPairwiseGaussian(sxy=parameters.sigma_gamma, compat=w2, normalization=norm)
    q = np.array(model.inference(parameters.iterations))
    return torch.from_numpy(q).view(classes, height, width).to(unary)


def _array(values: Tensor) -> np.ndarray:
    """float32 in C order, as the library's typed memory views want it."""
    return np.ascontiguousarray(values.detach().cpu().numpy(), dtype=np.float32)
