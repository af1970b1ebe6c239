"""The dense CRF as a layer: class scores and the picture in, marginals out, gradients all the way back.

Unrolling mean field into a network is from CRF-as-RNN (Zheng et al., ICCV 2015); DeepLab v1 and v2 train without it.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache

import torch
from torch import Tensor, nn

from deeplab_lessons.checks import check_choice
from deeplab_lessons.crf import checks
from deeplab_lessons.crf.fast import fast_mean_field
from deeplab_lessons.crf.filters import LatticeFilter, bilateral_features, spatial_features
from deeplab_lessons.crf.mean_field import Filters, mean_field
from deeplab_lessons.crf.parameters import Parameters, preset
from deeplab_lessons.crf.unary import potts, unary_from_logits, unary_from_probabilities

UNARIES: dict[str, Callable] = {"logits": unary_from_logits, "probabilities": unary_from_probabilities}


class DenseCRF(nn.Module):
    """Mean field in the fully connected CRF: `crf(scores, picture)` -> marginals of the scores' shape.

    - `parameters`: `Parameters` or the name of a preset; `normalisation` and `iterations` override theirs. The
      self-term stays in.
    - `compatibility`: μ `[C, C]`, Potts by default; its symmetric part is used.
    - `drop_below`: ε from 0 (the default: drop none) to below 1 / C. Labels less likely than ε at every pixel of a
      picture stay out of its mean field and keep the network's probability; the others share the rest.
    - `trainable`: any of "weights" (w1 and w2, kept positive as `log_weights`) and "compatibility", which
      needs `num_classes`. `state_dict` holds these and a given compatibility.

    Gradients reach the scores, the trainable parts, and a float picture that asks for them. The picture's gradient
    is that of the lattice, an approximation: pixels move within their simplices, which stay fixed.

    **What dropping d labels costs.** With Potts q_i(l) = p_i(l) exp h_i(l) / Σ_l' p_i(l') exp h_i(l'), where what l
    hears is h_i(l) = Σ_m w_m Σ_j k_m(i, j) q_j(l) >= 0, so the sum is at least 1. With S = max_i Σ_m w_m Σ_j k_m(i, j)
    and q(l) <= a everywhere, the next q(l) <= ε exp(S a): from a = ε on, a <= e ε as long as ε <= 1 / (e S). The others
    miss δ = d e ε at most in each of T steps, and a softmax at most halves a difference of logits, so |ΔQ| <=
    δ Σ_{t=0..T} (S/2)^t: a worst case. With another μ, q(l) <= ε exp(S max (μ(l', m) - μ(l, m))).
    """

    def __init__(
        self,
        parameters: Parameters | str = "v2_resnet101",
        num_classes: int | None = None,
        normalisation: str | None = None,
        trainable: Sequence[str] = (),
        compatibility: Tensor | None = None,
        iterations: int | None = None,
        drop_below: float = 0.0,
    ):
        super().__init__()
        trainable = (trainable,) if isinstance(trainable, str) else tuple(trainable)
        for part in trainable:
            check_choice("trainable part", part, ("weights", "compatibility"))
        self.setting, self.drop_below = preset(parameters), drop_below
        if normalisation is not None:
            self.setting = replace(self.setting, normalisation=normalisation)
        if iterations is not None:
            self.setting = replace(self.setting, iterations=iterations)
        weights = torch.tensor([float(self.setting.w1), float(self.setting.w2)])
        if "weights" in trainable and not (weights > 0).all():
            raise ValueError("a weight of 0 stays 0 for good (it is trained as its logarithm): start above 0")
        self.log_weights = nn.Parameter(weights.log()) if "weights" in trainable else None
        if compatibility is None and "compatibility" in trainable:
            if num_classes is None:
                raise ValueError("a trainable compatibility is a matrix [C, C]: pass num_classes")
            compatibility = potts(num_classes)
        if compatibility is not None:
            given = checks.tensor(compatibility, "compatibility").detach().clone()
            num_classes = num_classes or len(given)
            given = checks.compatibility(given, num_classes, given.float())
            compatibility = nn.Parameter(given) if "compatibility" in trainable else nn.Buffer(given)
        self.num_classes, self.compatibility = num_classes, compatibility

    def forward(self, scores: Tensor, picture: Tensor, kind: str = "logits") -> Tensor:
        """Return the marginals of `scores` `[C, H, W]` or `[B, C, H, W]` given `picture` `[3, H, W]` or `[B, 3, H, W]`.

        `kind` says what the scores are: "logits" or "probabilities". The picture is uint8 or float in 0 … 255, of the
        scores' size and device. Half precision is computed and returned in float32, under autocast too.
        Raises ValueError or TypeError for anything that does not fit.
        """
        check_choice("kind", kind, UNARIES)
        scores, picture = checks.belong_together(scores, picture, self.num_classes)
        with torch.autocast(scores.device.type, enabled=False):
            unary = UNARIES[kind](scores)
            if scores.dim() == 3:
                return self.refine_one(unary, picture)
            return torch.stack([self.refine_one(*pair) for pair in zip(unary, picture, strict=True)])

    def refine_one(self, unary: Tensor, picture: Tensor) -> Tensor:
        """Return the marginals [C, H, W] of one picture, with what `drop_below` drops."""
        if not 0 <= self.drop_below < 1 / len(unary):
            limits = f"from 0 to below 1 / {len(unary)}, that no pixel's best of {len(unary)} labels goes"
            raise ValueError(f"drop_below must be {limits}, got {self.drop_below}")
        most = -math.log(self.drop_below) if self.drop_below else math.inf
        mu, dropped = self.symmetric_compatibility(unary), unary.flatten(1).amin(1) > most
        if not dropped.any():
            return self.infer(unary, picture, mu)
        p, kept = torch.exp(-unary), ~dropped
        q = 1 - p[dropped].sum(0)
        if kept.sum() > 1:
            q = q * self.infer(unary[kept], picture, mu if mu is None else mu[kept][:, kept])
        return p.index_put((kept,), q)

    def infer(self, unary: Tensor, picture: Tensor, mu: Tensor | None) -> Tensor:
        """Return the marginals [C, H, W] of all labels, by the quickest way that gives what is needed."""
        parts = (unary, picture, *self.parameters())
        if torch.is_grad_enabled() and any(part.requires_grad for part in parts):
            return mean_field(unary, self.filters(picture), mu, self.setting.iterations)
        return fast_mean_field(unary.flatten(1), picture, self.current, mu).view_as(unary)

    @property
    def weights(self) -> tuple[Tensor, Tensor] | tuple[float, float]:
        """`(w1, w2)`: numbers, or tensors with gradients where they are trained."""
        if self.log_weights is None:
            return self.setting.w1, self.setting.w2
        w1, w2 = self.log_weights.exp()
        return w1, w2

    @property
    def current(self) -> Parameters:
        """The setting with the present weights, as plain numbers."""
        w1, w2 = (float(torch.as_tensor(weight).detach()) for weight in self.weights)
        return replace(self.setting, w1=w1, w2=w2)

    def symmetric_compatibility(self, like: Tensor) -> Tensor | None:
        """Return `(μ + μᵀ) / 2`, without which no energy would belong to the updates; None for fixed Potts."""
        if self.compatibility is None:
            return None
        return ((self.compatibility + self.compatibility.T) / 2).to(like)

    def filters(self, picture: Tensor) -> Filters:
        """Return `[(w1, bilateral filter), (w2, spatial filter)]` of one picture `[3, H, W]`, for `mean_field`."""
        image, s, how = checks.picture(picture), self.setting, self.setting.normalisation
        bilateral = LatticeFilter(bilateral_features(image, s.sigma_alpha, s.sigma_beta), how)
        spatial = _spatial_filter(tuple(image.shape[1:]), s.sigma_gamma, how, image.dtype, image.device)
        return [(self.weights[0], bilateral), (self.weights[1], spatial)]

    def extra_repr(self) -> str:
        """Return what `print(crf)` shows: the setting, and what is trained."""
        trained = [name for name, _ in self.named_parameters()]
        return f"{self.setting}, trains={trained}"


@lru_cache(maxsize=4)  # it depends on the size, not on the picture
def _spatial_filter(size, sigma, normalisation, dtype, device) -> LatticeFilter:
    with torch.inference_mode(False):  # made once and kept, so it must be fit for gradients later
        return LatticeFilter(spatial_features(size, sigma, dtype=dtype, device=device), normalisation)


@torch.no_grad()
def refine(scores: Tensor, picture: Tensor, preset="v2_resnet101", kind: str = "logits", **options) -> Tensor:
    """Return the marginals as `DenseCRF(preset, **options)(scores, picture, kind)`: `.argmax(-3)` is the label map."""
    return DenseCRF(preset, **options)(scores, picture, kind)
