"""Mean field: the distribution in which all pixels are independent that comes close to the CRF's.

Minimising KL(Q ‖ P) over `Q(x) = Π_i q_i(x_i)`, one pixel at a time, gives the update

    q_i(l)  ∝  exp(-θ_i(l) - Σ_m w_m Σ_l' μ(l, l') Σ_{j≠i} k_m(i, j) q_j(l'))

Source: Krähenbühl and Koltun 2011, equation (4) and the supplement.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from deeplab_lessons.crf import checks
from deeplab_lessons.crf.unary import potts

Filters = Sequence[tuple[float | Tensor, Callable[[Tensor], Tensor]]]
Watch = Callable[[int, Tensor], object]


def mean_field(
    unary: Tensor,
    filters: Filters,
    compatibility: Tensor | None = None,
    iterations: int = 10,
    watch: Watch | None = None,
) -> Tensor:
    """Return marginals q after `iterations` updates of all pixels at once: unary `[C, H, W]` -> q `[C, H, W]`.

    `filters` are pairs `(w, filter)`, each filter a function of values `[C, N]`; `compatibility` is μ `[C, C]`, Potts
    by default, taken as it is. `watch(i, q)` is called with the start (i = 0, the softmax of `-unary`) and after each
    update. Differentiable in everything. A unary `[C, N]` gives q `[C, N]`.

    **Does the free energy F fall?** One pixel at a time, always: lesson 06 shows it. All at once, as here and in every
    fast code, it may rise. What always falls is F with the self-term, for Potts with filters that keep it and are
    "symmetric" or "none": the pairs are concave in q then, and each update minimises a bound from above (the argument
    of Krähenbühl and Koltun 2013). Without the self-term pixels may overshoot together and swing forever.
    """
    unary = checks.unary(unary)
    mu = potts(len(unary)) if compatibility is None else compatibility
    mu = checks.compatibility(mu, len(unary), unary)
    theta = unary.flatten(1)
    q = torch.softmax(-theta, 0)
    for i in range(iterations + 1):
        if i:
            q = update(q, theta, filters, mu)
        if watch is not None:
            watch(i, q.view_as(unary))
    return q.view_as(unary)


def update(q: Tensor, theta: Tensor, filters: Filters, mu: Tensor) -> Tensor:
    """Make one parallel step: filter, weigh, compute what the heard labels cost, add the unary, normalise.

    `q`, `theta` and the result are `[C, N]`, `mu` is `[C, C]`. For Potts `-μ·heard` equals `+heard` up to
    one number per pixel, which the softmax does not see, so some code adds and some subtracts.
    """
    heard = sum((weight * filter(q) for weight, filter in filters), torch.zeros_like(q))
    return torch.softmax(-theta - mu @ heard, 0)
