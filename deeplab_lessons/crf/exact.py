"""Gaussian filtering without any approximation: the whole N by N matrix. The referee for small pictures."""

import torch
from torch import Tensor

from deeplab_lessons.crf import checks

MOST_PIXELS = 6400
"""N up to which the matrix is built, an 80 x 80 picture: 164 MB in float32, and a few of them at a time."""

NORMALISATIONS = ("symmetric", "row", "none")


def exact_kernel(features: Tensor, self_term: bool = True) -> Tensor:
    """`k(i, j) = exp(-|f_i - f_j|² / 2)` between all pixels: features `[d, N]` -> `[N, N]`.

    Differentiable in the features. With `self_term=False` the diagonal, where a pixel meets itself, is 0.
    Source: Krähenbühl and Koltun 2011, equation (2). Raises ValueError above `MOST_PIXELS` pixels.
    """
    _few_enough(features)
    squared = sum((row[:, None] - row[None, :]) ** 2 for row in features)
    kernel = torch.exp(-squared / 2)
    return kernel if self_term else kernel - torch.diag_embed(kernel.diagonal())


def _few_enough(features: Tensor):
    """Say what the matrix would need before it is asked for."""
    if features.dim() != 2:
        raise ValueError(f"features must be [d, N], got {checks.size(features.shape)}")
    pixels = features.shape[1]
    if pixels > MOST_PIXELS:
        gigabytes = pixels**2 * features.element_size() / 1e9
        raise ValueError(
            f"the exact kernel of {pixels:,} pixels holds {pixels:,}² numbers, {gigabytes:,.1f} GB for each "
            f"kernel; it is meant for pictures up to {MOST_PIXELS:,} pixels, such as 80 x 80. Use a smaller "
            'picture, or the lattice: LatticeFilter, backend="lattice"'
        )


def normalise(kernel: Tensor, normalisation: str = "symmetric") -> Tensor:
    """The kernel as it is used: `[N, N]` -> `[N, N]`. `s_i = Σ_j k(i, j)` is how much weight pixel i meets.

    - "none": as the papers print it. Pixels in large even regions then hear far more voices than others.
    - "symmetric": `k(i, j) / sqrt(s_i s_j)`, pydensecrf's default, with its 1e-20 against division by zero.
      Still symmetric, so that an energy belongs to it. The published weights are meant with it.
    - "row": `k(i, j) / s_i`, a weighted mean, as bilateral filters and common ports of CRF-as-RNN take it. Not
      symmetric: mean field runs, but it descends no energy.
    """
    if normalisation not in NORMALISATIONS:
        raise ValueError(f"normalisation must be one of {', '.join(NORMALISATIONS)}, got {normalisation!r}")
    sums = kernel.sum(1)
    if normalisation == "none":
        return kernel
    if normalisation == "row":
        return kernel / (sums[:, None] + 1e-20)
    scale = 1 / torch.sqrt(sums + 1e-20)
    return scale[:, None] * kernel * scale[None, :]


class ExactFilter:
    """Gaussian filter by the whole matrix: values `[C, N]` -> `[C, N]`, `out_i = Σ_j k(i, j) value_j`.

    `.kernel` is the normalised matrix `[N, N]`, ready for `energy` and `free_energy`.
    `self_term`: whether a pixel hears itself. The papers' sum runs over j ≠ i, so without; the libraries
    filter the whole picture and keep it, and parallel updates need it to descend (see `mean_field`).
    With `self_term=False` the diagonal goes before the sums are taken.
    """

    def __init__(self, features: Tensor, normalisation: str = "symmetric", self_term: bool = True):
        """Build the matrix; features `[d, N]`."""
        self.kernel = normalise(exact_kernel(features, self_term), normalisation)

    def __call__(self, values: Tensor) -> Tensor:
        """Filter each row of `values`, `[C, N]`; differentiable in values and features."""
        return values @ self.kernel.T
