"""The unary term, the Gibbs energy of a labelling, and the free energy of a distribution over labellings.

`P(x | I) = exp(-E(x | I)) / Z(I)`, with `E(x) = Σ_i θ_i(x_i) + Σ_{i<j} μ(x_i, x_j) Σ_m w_m k_m(i, j)`. The unary
`θ_i(x_i) = -log P(x_i)` is what the network says about each single pixel. `kernels` is a list of pairs `(w, k)`: a
weight and a symmetric matrix `[N, N]`, or an `ExactFilter`, which holds one; its diagonal is ignored. float64 is worth
its memory: these are sums over N² pairs. Source: Krähenbühl and Koltun 2011, equations (1) to (3).
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from deeplab_lessons.crf import checks

Kernels = Sequence[tuple[float, Tensor]]


def unary_from_probabilities(p: Tensor, floor: float = 1e-5) -> Tensor:
    """Return `-log p`, where probabilities below `floor` count as `floor`: same shape, `[C, H, W]` or `[B, C, H, W]`.

    Without a floor a probability of zero would forbid a class for good. 1e-5 is pydensecrf's choice; as there, nothing
    is rescaled afterwards. Source: DeepLab v1, section 4.2. Raises ValueError where `p` is no distribution.
    """
    if not 0 < floor < 1:
        raise ValueError(f"floor must be between 0 and 1, got {floor}: log 0 is infinite")
    return -checks.probabilities(p).clamp(min=floor).log()


def unary_from_logits(logits: Tensor) -> Tensor:
    """Return `-log softmax(logits)` over the classes, exact for however small a probability: same shape."""
    return -checks.logits(logits, "logits").log_softmax(-3)


def potts(num_classes: int) -> Tensor:
    """Return the Potts model `[C, C]`: two labels cost 0 if they are the same and 1 if they differ."""
    return 1 - torch.eye(num_classes)


def symmetric(compatibility: Tensor | None, unary: Tensor) -> Tensor:
    """Return μ for this unary (Potts for None), symmetric, or there would be no energy."""
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
