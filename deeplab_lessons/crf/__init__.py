"""The fully connected CRF of Krähenbühl and Koltun (2011), as DeepLab v1 and v2 use it.

`refine(scores, picture)` in one call; `DenseCRF`, the trainable layer; the definitions, with all pairs of pixels
(`ExactFilter`, `mean_field`); and lattice filters (`fast_mean_field`: `mean_field`'s numbers).
C classes, N = H·W pixels in row order, q the marginals. Pictures have grey levels of 0 … 255.
"""

from deeplab_lessons.crf.fast import fast_mean_field
from deeplab_lessons.crf.filters import (
    ExactFilter,
    LatticeFilter,
    bilateral_features,
    exact_kernel,
    normalise,
    spatial_features,
)  # fmt: skip
from deeplab_lessons.crf.layer import DenseCRF, refine
from deeplab_lessons.crf.mean_field import mean_field, update
from deeplab_lessons.crf.parameters import PRESETS, Parameters, preset
from deeplab_lessons.crf.unary import potts, unary_from_logits, unary_from_probabilities

__all__ = [
    "PRESETS", "DenseCRF", "ExactFilter", "LatticeFilter", "Parameters", "bilateral_features",
    "exact_kernel", "fast_mean_field", "mean_field", "normalise", "potts", "preset", "refine",
    "spatial_features", "unary_from_logits", "unary_from_probabilities", "update",
]  # fmt: skip
