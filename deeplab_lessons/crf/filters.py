"""The CRF's Gaussian filters: the features, and the filter over them with all pairs of pixels, or on the lattice.

In features divided by their σ the kernels are plain Gaussians `k(i, j) = exp(-|f_i - f_j|² / 2)`.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from deeplab_lessons.checks import check_choice
from deeplab_lessons.crf import checks
from deeplab_lessons.crf.tables import write_tables

MOST_PIXELS = 6400
"""N up to which the matrix is built, an 80 x 80 picture: 164 MB in float32, and a few of them at a time."""

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


def exact_kernel(features: Tensor, self_term: bool = True) -> Tensor:
    """Compute `k(i, j) = exp(-|f_i - f_j|² / 2)` between all pixels: features `[d, N]` -> `[N, N]`, differentiable.

    With `self_term=False` the diagonal, where a pixel meets itself, is 0.
    Source: Krähenbühl and Koltun 2011, equation (2). Raises ValueError above `MOST_PIXELS` pixels.
    """
    if features.dim() != 2:
        raise ValueError(f"features must be [d, N], got {list(features.shape)}")
    pixels = features.shape[1]
    if pixels > MOST_PIXELS:
        gigabytes = pixels**2 * features.element_size() / 1e9
        raise ValueError(
            f"the exact kernel of {pixels:,} pixels holds {pixels:,}² numbers, {gigabytes:,.1f} GB for each "
            f"kernel: use a picture of up to {MOST_PIXELS:,} pixels, such as 80 x 80, or the lattice "
            '(LatticeFilter, backend="lattice")'
        )
    squared = sum((row[:, None] - row[None, :]) ** 2 for row in features)
    kernel = torch.exp(-squared / 2)
    return kernel if self_term else kernel - torch.diag_embed(kernel.diagonal())


def normalise(kernel: Tensor, normalisation: str = "symmetric") -> Tensor:
    """Return the kernel as it is used: `[N, N]` -> `[N, N]`. `s_i = Σ_j k(i, j)` is the weight that pixel i meets.

    - "none": as the papers print it. Pixels in large even regions then hear far more voices than others.
    - "symmetric": `k(i, j) / sqrt(s_i s_j)`, pydensecrf's default, with its 1e-20 against division by zero.
      Still symmetric, so that an energy belongs to it. The published weights are meant with it.
    - "row": `k(i, j) / s_i`, a weighted mean, as bilateral filters and common ports of CRF-as-RNN take it. Not
      symmetric: mean field runs, but it descends no energy.
    """
    check_choice("normalisation", normalisation, NORMALISATIONS)
    sums = kernel.sum(1)
    if normalisation == "none":
        return kernel
    if normalisation == "row":
        return kernel / (sums[:, None] + 1e-20)
    scale = 1 / torch.sqrt(sums + 1e-20)
    return scale[:, None] * kernel * scale[None, :]


class ExactFilter:
    """Gaussian filter by the complete matrix: values `[C, N]` -> `[C, N]`, `out_i = Σ_j k(i, j) value_j`.

    `.kernel` is the normalised matrix `[N, N]` of features `[d, N]`. The papers'
    sum runs over j ≠ i, `self_term=False`: the diagonal then goes before the sums are taken. The libraries keep it, and
    parallel updates need it to descend (see `mean_field`). Differentiable in values and features.
    """

    def __init__(self, features: Tensor, normalisation: str = "symmetric", self_term: bool = True):
        self.kernel = normalise(exact_kernel(features, self_term), normalisation)

    def __call__(self, values: Tensor) -> Tensor:
        """Filter each row of `values`, `[C, N]`."""
        return values @ self.kernel.T


class LatticeFilter:
    """The same by the lattice's matrix K, self-term included: values [C, N] -> [C, N], differentiable in the values.

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
    """The filter as one linear step K; its backward is K transposed: the same with the blur reversed."""

    @staticmethod
    def forward(ctx, values, tables, transpose):
        ctx.tables, ctx.transpose = tables, transpose
        return tables.filter(values.T.contiguous(), transpose).T

    @staticmethod
    def backward(ctx, gradient):
        return _Linear.apply(gradient, ctx.tables, not ctx.transpose), None, None
