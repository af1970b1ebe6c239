"""The Gibbs energy of a labelling, and the free energy of a distribution over labellings.

`P(x | I) = exp(-E(x | I)) / Z(I)`, with `E(x) = Σ_i θ_i(x_i) + Σ_{i<j} μ(x_i, x_j) Σ_m w_m k_m(i, j)`.
Here `kernels` is a list of pairs `(w, k)`: a weight and a symmetric matrix `[N, N]`, or an `ExactFilter`,
which holds one. Its diagonal is not looked at, since no pixel is its own neighbour. float64 is worth its
memory here: these are sums over N² pairs, and one wants to see them fall.
Source: Krähenbühl and Koltun 2011, equations (1) to (3).
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from deeplab_lessons.crf import checks

MOST_LABELLINGS = 2**18

Kernels = Sequence[tuple[float, Tensor]]


def potts(num_classes: int) -> Tensor:
    """The Potts model `[C, C]`: two labels cost 0 where they are the same and 1 where they differ."""
    return 1 - torch.eye(num_classes)


def symmetric(compatibility: Tensor | None, unary: Tensor) -> Tensor:
    """Return μ for this unary (Potts for None), symmetric, or there would be no energy."""
    classes = len(unary)
    mu = checks.compatibility(potts(classes) if compatibility is None else compatibility, classes, unary)
    if not torch.allclose(mu, mu.T):
        raise ValueError("compatibility must be symmetric to have an energy: take (mu + mu.T) / 2")
    return mu


def pair_weights(kernels: Kernels, unary: Tensor) -> Tensor:
    """`Σ_m w_m k_m` with an empty diagonal, `[N, N]`."""
    pixels = unary[0].numel()
    total = unary.new_zeros(pixels, pixels)
    for weight, kernel in kernels:
        kernel = _matrix(kernel).to(unary)
        if kernel.shape != total.shape:
            raise ValueError(
                f"a kernel of {pixels} pixels must be [{pixels}, {pixels}], got {checks.size(kernel.shape)}"
            )
        if not torch.allclose(kernel, kernel.T, atol=1e-6):
            raise ValueError(
                'a kernel must be symmetric to have an energy; normalisation="row" makes one that is not'
            )
        total = total + weight * kernel
    return total - torch.diag_embed(total.diagonal())


def _matrix(kernel) -> Tensor:
    """The matrix `[N, N]` of a kernel or an exact filter; a lattice has none to take the diagonal from."""
    if isinstance(kernel, Tensor):
        return kernel
    if not hasattr(kernel, "kernel"):
        raise TypeError(
            f"an energy needs the matrix [N, N] of every kernel, and a {type(kernel).__name__} has none: take "
            "ExactFilter on a small picture, or free_energy(..., self_term=True), which any filter can give"
        )
    return kernel.kernel


def energy(labels: Tensor, unary: Tensor, kernels: Kernels, compatibility: Tensor | None = None) -> float:
    """Energy of one labelling `[H, W]` under a unary `[C, H, W]`: the lower, the likelier.

    `compatibility` is μ `[C, C]`, Potts by default. Raises ValueError for sizes that don't belong together.
    """
    unary, labels = checks.unary(unary), checks.tensor(labels, "labels")
    if labels.shape != unary.shape[1:]:
        raise ValueError(
            f"labels {checks.size(labels.shape)} and unary {checks.size(unary.shape)} differ in size"
        )
    mu, x = symmetric(compatibility, unary), labels.flatten().long()
    alone = unary.flatten(1).gather(0, x[None]).sum()
    pairs = (mu[x][:, x] * pair_weights(kernels, unary)).sum() / 2
    return (alone + pairs).item()


def entropy(q: Tensor) -> Tensor:
    """`-Σ q log q` in nats over all pixels of `q`, `[C, ...]`; a probability of 0 adds nothing."""
    return -torch.special.xlogy(q, q).sum()


def free_energy(
    q: Tensor, unary: Tensor, kernels: Kernels, compatibility: Tensor | None = None, self_term: bool = False
) -> Tensor:
    """`F(Q) = E_Q[E] - entropy(Q) = KL(Q ‖ P) - log Z`, one number: what mean field tries to lower.

    `q` and `unary` are `[C, H, W]`. KL is never negative, so F never falls below `-log Z`, and since Z does
    not depend on Q, F falls exactly when KL does. Differentiable.

    With `self_term=True` the pairs i = j count too (as half a pair). That is no longer the papers' F, but it
    is what parallel updates with a self-term descend; it may be asked of filters as well as of matrices.
    pydensecrf's `klDivergence` is a third thing: it counts each pair twice, and the self-term.
    """
    unary, mu = checks.unary(unary), symmetric(compatibility, unary)
    q, theta = q.flatten(1), unary.flatten(1)
    if self_term:
        heard = sum(weight * _apply(kernel, q) for weight, kernel in kernels)
    else:
        heard = q @ pair_weights(kernels, unary)
    return (q * theta).sum() + (q * (mu @ heard)).sum() / 2 - entropy(q)


def _apply(kernel: Tensor | Callable[[Tensor], Tensor], q: Tensor) -> Tensor:
    """A matrix or a filter on `q` `[C, N]`."""
    return kernel(q) if callable(kernel) else q @ kernel.T


def every_labelling(
    unary: Tensor, kernels: Kernels, compatibility: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """All `C^N` labellings `[M, H, W]` of a tiny picture, and their energies `[M]`.

    `torch.softmax(-energies, 0)` is the Gibbs distribution itself, `torch.logsumexp(-energies, 0)` is log Z.
    Raises ValueError where there are more than `MOST_LABELLINGS` of them: 9 pixels in 3 classes have 19,683.
    """
    unary = checks.unary(unary)
    mu, weights = symmetric(compatibility, unary), pair_weights(kernels, unary)
    classes, pixels = len(unary), unary[0].numel()
    if classes**pixels > MOST_LABELLINGS:
        raise ValueError(
            f"{pixels} pixels in {classes} classes have {classes}^{pixels} labellings; "
            f"at most {MOST_LABELLINGS:,} are written out. Take a smaller picture"
        )
    number = torch.arange(classes**pixels, device=unary.device)
    x = torch.stack([number // classes**i % classes for i in range(pixels)], 1)
    energies = unary.flatten(1).T.gather(1, x.T).sum(0)
    for i in range(pixels):
        energies = energies + mu[x[:, i, None], x[:, i + 1 :]] @ weights[i, i + 1 :]
    return x.view(-1, *unary.shape[1:]), energies


def log_partition(unary: Tensor, kernels: Kernels, compatibility: Tensor | None = None) -> Tensor:
    """`log Z = log Σ_x exp(-E(x))` by writing out every labelling of a tiny picture."""
    return torch.logsumexp(-every_labelling(unary, kernels, compatibility)[1], 0)
