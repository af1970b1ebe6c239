"""The CRF's Gaussian filters: the features, and the filter over them on the lattice.

In features divided by their σ the kernels are plain Gaussians `k(i, j) = exp(-|f_i - f_j|² / 2)`.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from deeplab_lessons.checks import check_choice
from deeplab_lessons.crf import checks
from deeplab_lessons.crf.tables import write_tables

#: Name -> powers of the row sums by which values are divided before and after filtering.
NORMALISATIONS = {"symmetric": (0.5, 0.5), "row": (0, 1), "none": (0, 0)}


def spatial_features(
    size: tuple[int, ...], sigma_gamma: float, *, dtype: torch.dtype = torch.float32, device=None
) -> Tensor:
    """Return column and row of every pixel divided by `sigma_gamma` (pixels): `[2, N]`, N = H·W in row order.

    x comes first, y second, as in pydensecrf: the lattice rounds one axis after the other.
    """
    rows, columns = (torch.arange(side, dtype=dtype, device=device) for side in size)
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    return torch.stack([x, y]).flatten(1) / sigma_gamma


def bilateral_features(picture: Tensor, sigma_alpha: float, sigma_beta: float) -> Tensor:
    """Return position divided by `sigma_alpha` (pixels) and colour by `sigma_beta` (grey levels): `[5, N]`.

    `picture` is `[3, H, W]`, uint8 or float in 0 … 255. Order: x, y, red, green, blue. Differentiable, in the two σ
    too where they are tensors. Source: Krähenbühl and Koltun 2011, equation (3).
    """
    image = checks.picture(picture)
    if image.dim() != 3:
        raise ValueError(f"picture must be one picture [3, H, W], got {list(image.shape)}")
    place = spatial_features(tuple(image.shape[1:]), sigma_alpha, dtype=image.dtype, device=image.device)
    return torch.cat([place, image.flatten(1) / sigma_beta])


class LatticeFilter:
    """Gaussian filter by the lattice's matrix K, self-term included: values [C, N] -> [C, N], differentiable in them.

    `normalisation` divides by the weight `s_i = Σ_j K(i, j)` that pixel i meets:

    - "none": as the papers print it. Pixels in large even regions then hear far more voices than others.
    - "symmetric": `K(i, j) / sqrt(s_i s_j)`, pydensecrf's default, with its 1e-20 against division by zero. Still
      symmetric up to the lattice, so that an energy belongs to it.
    - "row": `K(i, j) / s_i`, a weighted mean: Krähenbühl and Koltun's released code, with which DeepLab v1 and v2 ran,
      and common ports of CRF-as-RNN. Not symmetric: mean field runs, but it descends no energy.

    If the features [d, N] require a gradient they get one, through the barycentric weights, and the filter is slower.
    Raises ValueError for another normalisation, features that make no lattice, and values of another shape or type.
    Source: Adams, Baek & Davis 2010; normalisation as in Krähenbühl & Koltun 2013 and pydensecrf.
    """

    def __init__(self, features: Tensor, normalisation: str = "symmetric"):
        check_choice("normalisation", normalisation, NORMALISATIONS)
        self.normalisation, self.points = normalisation, features.shape[-1]
        tables = write_tables(features)
        self._matrix: Callable[[Tensor], Tensor] = lambda values: _Linear.apply(values, tables, False)
        if features.requires_grad:  # autograd follows every step down to them
            self._matrix = lambda values: tables.filter(values.T.contiguous()).T
        sums = self._matrix(torch.ones_like(features[:1])) + 1e-20
        self.before, self.after = (sums**-power for power in NORMALISATIONS[normalisation])

    def __call__(self, values: Tensor) -> Tensor:
        """Compute `after · K (before · values)` for values [C, N]."""
        if values.ndim != 2 or values.shape[1] != self.points:
            raise ValueError(f"values must be [C, {self.points}], got {list(values.shape)}")
        if values.dtype != self.before.dtype:
            raise ValueError(f"values are {values.dtype}, the features {self.before.dtype}: make them alike")
        return self.after * self._matrix(self.before * values)


class _Linear(torch.autograd.Function):
    """The filter as one linear step K; its backward is K transposed: this filter with the blur reversed."""

    @staticmethod
    def forward(ctx, values, tables, transpose):
        ctx.tables, ctx.transpose = tables, transpose
        return tables.filter(values.T.contiguous(), transpose).T

    @staticmethod
    def backward(ctx, gradient):
        return _Linear.apply(gradient, ctx.tables, not ctx.transpose), None, None
