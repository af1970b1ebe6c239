"""The lattice as a filter for mean field: normalised, and differentiable."""

import torch

from deeplab_lessons.crf.permutohedral import Lattice
from deeplab_lessons.crf.tables import write_tables

_POWERS = {"symmetric": (0.5, 0.5), "row": (0, 1), "none": (0, 0)}


class _Linear(torch.autograd.Function):
    """The filter as one linear step K; its backward is K transposed: the same with the blur reversed."""

    @staticmethod
    def forward(ctx, values, tables, transpose):
        ctx.tables, ctx.transpose = tables, transpose
        return tables.filter(values.T.contiguous(), transpose).T

    @staticmethod
    def backward(ctx, gradient):
        return _Linear.apply(gradient, ctx.tables, not ctx.transpose), None, None


class LatticeFilter:
    """The lattice's matrix K with a normalisation: values [C, N] -> [C, N], differentiable in the values.

    With n = K·1, `"symmetric"` divides by √n before and after (pydensecrf's default), `"row"` by n after,
    `"none"` not at all. Every point hears itself too. If the features [d, N] require a gradient they get one,
    by way of the barycentric weights, and the filter is slower.
    Source: Adams, Baek & Davis 2010; normalisation as in Krähenbühl & Koltun 2013 and pydensecrf.
    """

    def __init__(self, features: torch.Tensor, normalisation: str = "symmetric") -> None:
        """Build the lattice; ValueError for another normalisation, or features that make no lattice."""
        if normalisation not in _POWERS:
            raise ValueError(f"normalisation must be one of {', '.join(_POWERS)}, got {normalisation!r}")
        self.normalisation, self.points = normalisation, features.shape[-1]
        self._matrix = _followed(features) if features.requires_grad else _written(features)
        sums = self._matrix(torch.ones_like(features[:1])) + 1e-20
        self.before, self.after = (sums**-power for power in _POWERS[normalisation])

    def __call__(self, values: torch.Tensor) -> torch.Tensor:
        """`after · K (before · values)` for values [C, N]."""
        if values.ndim != 2 or values.shape[1] != self.points:
            raise ValueError(f"values have the shape {list(values.shape)}; expected [C, {self.points}]")
        if values.dtype != self.before.dtype:
            raise ValueError(
                f"values are {values.dtype}, the features were {self.before.dtype}: make them alike"
            )
        return self.after * self._matrix(self.before * values)


def _written(features: torch.Tensor):
    """K from tables: quick, with gradients for the values only."""
    tables = write_tables(features)
    return lambda values: _Linear.apply(values, tables, False)


def _followed(features: torch.Tensor):
    """K from the readable lattice, whose every step autograd follows, down to the features."""
    return Lattice(features).filter
