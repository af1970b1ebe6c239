"""The CRF on tiny pictures: every labelling written out, and mean field one pixel after the other."""

from collections.abc import Sequence

import torch
from torch import Tensor

from deeplab_lessons.crf import checks
from deeplab_lessons.crf.energy import Kernels, pair_weights, symmetric
from deeplab_lessons.crf.mean_field import Watch

MOST_LABELLINGS = 2**18


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
