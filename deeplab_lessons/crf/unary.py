"""The unary term `θ_i(x_i) = -log P(x_i)`, what the network says about each single pixel, and Potts' costs of pairs."""

import torch
from torch import Tensor

from deeplab_lessons.crf import checks


def unary_from_probabilities(p: Tensor, floor: float = 1e-5) -> Tensor:
    """Return `-log p`, where probabilities below `floor` count as `floor`: same shape, `[C, H, W]` or `[B, C, H, W]`.

    Without a floor a probability of zero would forbid a class for good. 1e-5 is pydensecrf's choice; as there, nothing
    is rescaled afterwards. Source: DeepLab v1, section 4.2. Raises ValueError where `p` is not a distribution.
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
