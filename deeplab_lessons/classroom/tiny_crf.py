"""The CRF by its definition, for tiny pictures: all pairs of pixels, the energy of a labelling, every labelling.

`P(x | I) = exp(-E(x | I)) / Z(I)`, with `E(x) = Σ_i θ_i(x_i) + Σ_{i<j} μ(x_i, x_j) Σ_m w_m k_m(i, j)`. `kernels` is a
list of pairs `(w, k)`: a weight and a symmetric matrix `[N, N]`, or an `ExactFilter`, which holds one; its diagonal is
ignored. float64 is worth its memory: these are sums over N² pairs. Source: Krähenbühl and Koltun 2011, equations (1)
to (3).
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from deeplab_lessons import crf
from deeplab_lessons.checks import check_choice
from deeplab_lessons.crf import DenseCRF, checks, mean_field
from deeplab_lessons.crf.filters import NORMALISATIONS
from deeplab_lessons.crf.mean_field import Watch
from deeplab_lessons.crf.unary import potts

Kernels = Sequence[tuple[float, Tensor]]
MOST_LABELLINGS = 2**18
MOST_PIXELS = 6400
"""N up to which the matrix is built, an 80 x 80 picture: 164 MB in float32, and a few of them at a time."""


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
            "(crf.LatticeFilter, crf.DenseCRF)"
        )
    squared = sum((row[:, None] - row[None, :]) ** 2 for row in features)
    kernel = torch.exp(-squared / 2)
    return kernel if self_term else kernel - torch.diag_embed(kernel.diagonal())


def normalise(kernel: Tensor, normalisation: str = "symmetric") -> Tensor:
    """Return the kernel as it is used: `[N, N]` -> `[N, N]`. `s_i = Σ_j k(i, j)` is the weight that pixel i meets.

    "none", "symmetric" (`k(i, j) / sqrt(s_i s_j)`) and "row" (`k(i, j) / s_i`) as in `crf.LatticeFilter`.
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

    `.kernel` is the normalised matrix `[N, N]` of features `[d, N]`, ready for `energy` and `free_energy`. The papers'
    sum runs over j ≠ i, `self_term=False`: the diagonal then goes before the sums are taken. The libraries keep it, and
    parallel updates need it to descend (see `mean_field`). Differentiable in values and features.
    """

    def __init__(self, features: Tensor, normalisation: str = "symmetric", self_term: bool = True):
        self.kernel = normalise(exact_kernel(features, self_term), normalisation)

    def __call__(self, values: Tensor) -> Tensor:
        """Filter each row of `values`, `[C, N]`."""
        return values @ self.kernel.T


class ExactCRF(DenseCRF):
    """`crf.DenseCRF` with all pairs of pixels instead of the lattice, for pictures of up to 80 x 80 pixels."""

    def infer(self, unary: Tensor, picture: Tensor, mu: Tensor | None) -> Tensor:
        """Return the marginals [C, H, W] of one picture, by the definition."""
        return mean_field(unary, self.filters(picture), mu, self.setting.iterations)

    def filters(self, picture: Tensor) -> list:
        """Return `[(w1, bilateral filter), (w2, spatial filter)]` of one picture [3, H, W], for `mean_field`."""
        image, s = checks.picture(picture), self.setting
        place = {"dtype": image.dtype, "device": image.device}
        bilateral = crf.bilateral_features(image, s.sigma_alpha, s.sigma_beta)
        spatial = crf.spatial_features(tuple(image.shape[1:]), s.sigma_gamma, **place)
        kinds = [ExactFilter(features, self.setting.normalisation) for features in (bilateral, spatial)]
        return list(zip(self.weights, kinds, strict=True))


def symmetric(compatibility: Tensor | None, unary: Tensor) -> Tensor:
    """Return μ for this unary (Potts for None), symmetric, since no energy exists otherwise."""
    classes = len(unary)
    mu = checks.compatibility(potts(classes) if compatibility is None else compatibility, classes, unary)
    if not torch.allclose(mu, mu.T):
        raise ValueError("compatibility must be symmetric to have an energy: take (mu + mu.T) / 2")
    return mu


def pair_weights(kernels: Kernels, unary: Tensor) -> Tensor:
    """Return `Σ_m w_m k_m` with an empty diagonal, `[N, N]`; ValueError for a kernel that is not symmetric."""
    pixels = unary[0].numel()
    total = unary.new_zeros(pixels, pixels)
    for weight, kernel in kernels:
        if not isinstance(kernel, Tensor) and not hasattr(kernel, "kernel"):
            raise TypeError(
                f"an energy needs the matrix [N, N] of every kernel, and a {type(kernel).__name__} has none: use "
                "ExactFilter on a small picture, or free_energy(..., self_term=True), which takes any filter"
            )
        kernel = (kernel if isinstance(kernel, Tensor) else kernel.kernel).to(unary)
        if kernel.shape != total.shape:
            raise ValueError(
                f"a kernel of {pixels} pixels must be [{pixels}, {pixels}], got {list(kernel.shape)}"
            )
        if not torch.allclose(kernel, kernel.T, atol=1e-6):
            raise ValueError(
                'a kernel must be symmetric to have an energy; normalisation="row" makes one that is not'
            )
        total = total + weight * kernel
    return total - torch.diag_embed(total.diagonal())


def energy(labels: Tensor, unary: Tensor, kernels: Kernels, compatibility: Tensor | None = None) -> float:
    """Return the energy of a labelling `[H, W]` under a unary `[C, H, W]` and μ `[C, C]` (Potts by default)."""
    unary, labels = checks.unary(unary), checks.tensor(labels, "labels")
    if labels.shape != unary.shape[1:]:
        raise ValueError(f"labels {list(labels.shape)} and unary {list(unary.shape)} differ in size")
    mu, x = symmetric(compatibility, unary), labels.flatten().long()
    alone = unary.flatten(1).gather(0, x[None]).sum()
    pairs = (mu[x][:, x] * pair_weights(kernels, unary)).sum() / 2
    return (alone + pairs).item()


def entropy(q: Tensor) -> Tensor:
    """Return `-Σ q log q` in nats over all pixels of `q`, `[C, ...]`; a probability of 0 adds nothing."""
    return -torch.special.xlogy(q, q).sum()


def free_energy(
    q: Tensor, unary: Tensor, kernels: Kernels, compatibility: Tensor | None = None, self_term: bool = False
) -> Tensor:
    """Return `F(Q) = E_Q[E] - entropy(Q) = KL(Q ‖ P) - log Z`, one number: what mean field tries to lower.

    `q` and `unary` are `[C, H, W]`. F never falls below `-log Z`, and falls exactly when KL does. Differentiable.

    With `self_term=True` the pairs i = j count too (as half a pair), and filters will do as well as matrices. That is
    not the papers' F, but it is what parallel updates with a self-term descend. (pydensecrf's `klDivergence` is a third
    thing: it counts each pair twice, and the self-term.)
    """
    unary, mu = checks.unary(unary), symmetric(compatibility, unary)
    q, theta = q.flatten(1), unary.flatten(1)
    if self_term:
        applied = (weight * (k(q) if callable(k) else q @ k.T) for weight, k in kernels)
        heard = sum(applied, torch.zeros_like(q))
    else:
        heard = q @ pair_weights(kernels, unary)
    return (q * theta).sum() + (q * (mu @ heard)).sum() / 2 - entropy(q)


def every_labelling(
    unary: Tensor, kernels: Kernels, compatibility: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Return all `C^N` labellings `[M, H, W]` of a tiny picture, and their energies `[M]`.

    `torch.softmax(-energies, 0)` is the Gibbs distribution itself. Raises ValueError where there are more than
    `MOST_LABELLINGS` of them: 9 pixels in 3 classes have 19,683.
    """
    unary = checks.unary(unary)
    mu, weights = symmetric(compatibility, unary), pair_weights(kernels, unary)
    classes, pixels = len(unary), unary[0].numel()
    if classes**pixels > MOST_LABELLINGS:
        raise ValueError(
            f"{pixels} pixels in {classes} classes have {classes}^{pixels} labellings, and at most "
            f"{MOST_LABELLINGS:,} are written out: pass a smaller picture"
        )
    number = torch.arange(classes**pixels, device=unary.device)
    x = torch.stack([number // classes**i % classes for i in range(pixels)], 1)
    energies = unary.flatten(1).T.gather(1, x.T).sum(0)
    for i in range(pixels):
        energies = energies + mu[x[:, i, None], x[:, i + 1 :]] @ weights[i, i + 1 :]
    return x.view(-1, *unary.shape[1:]), energies


def log_partition(unary: Tensor, kernels: Kernels, compatibility: Tensor | None = None) -> Tensor:
    """Return `log Z = log Σ_x exp(-E(x))` by writing out every labelling of a tiny picture."""
    return torch.logsumexp(-every_labelling(unary, kernels, compatibility)[1], 0)


@torch.no_grad()
def sequential_mean_field(
    unary: Tensor,
    kernels: Sequence[tuple[float, Tensor]],
    compatibility: Tensor | None = None,
    iterations: int = 10,
    watch: Watch | None = None,
) -> Tensor:
    """Run mean field one pixel after the other, in row order: `free_energy` never rises. Slow, for the proof.

    `kernels` as in `energy`. An iteration is one visit to every pixel. Shapes and `watch` as in `mean_field`.
    """
    unary = checks.unary(unary)
    mu, weights = symmetric(compatibility, unary), pair_weights(kernels, unary)
    theta = unary.flatten(1)
    q = torch.softmax(-theta, 0)
    for i in range(iterations + 1):
        for pixel in range(q.shape[1]) if i else ():  # i = 0 is the start: watched, not updated
            heard = q @ weights[pixel]
            q[:, pixel] = torch.softmax(-theta[:, pixel] - mu @ heard, 0)
        if watch is not None:
            watch(i, q.view_as(unary).clone())
    return q.view_as(unary)
