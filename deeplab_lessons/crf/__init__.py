"""The fully connected CRF of Krähenbühl and Koltun (2011), as DeepLab v1 and v2 use it.

`refine(scores, picture)` in one call; `DenseCRF`, the trainable layer; `mean_field` with any filters, such as
`LatticeFilter`; and `fast_mean_field`, the same numbers sooner.
C classes, N = H·W pixels in row order, q the marginals. Pictures have grey levels of 0 … 255.
"""

from deeplab_lessons.crf.fast import fast_mean_field
from deeplab_lessons.crf.filters import LatticeFilter, bilateral_features, spatial_features
from deeplab_lessons.crf.layer import DenseCRF, refine
from deeplab_lessons.crf.mean_field import mean_field, update
from deeplab_lessons.crf.parameters import PRESETS, Parameters, preset
from deeplab_lessons.crf.unary import potts, unary_from_logits, unary_from_probabilities

__all__ = [
    "PRESETS", "DenseCRF", "LatticeFilter", "Parameters", "bilateral_features", "fast_mean_field", "mean_field",
    "potts", "preset", "refine", "spatial_features", "unary_from_logits", "unary_from_probabilities", "update",
]  # fmt: skip
