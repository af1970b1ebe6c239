"""The unary term: what the network says about each pixel alone, as an energy `θ_i(x_i) = -log P(x_i)`."""

import math

import torch
from torch import Tensor

from deeplab_lessons.crf import checks


def unary_from_probabilities(p: Tensor, floor: float = 1e-5) -> Tensor:
    """`-log p`, where probabilities below `floor` count as `floor`: same shape, `[C, H, W]` or `[B, C, H, W]`.

    Without a floor one probability of zero would forbid a class for good. 1e-5 is pydensecrf's choice; as
    there, nothing is rescaled afterwards. Source: DeepLab v1, section 4.2. Raises ValueError where `p` is no
    distribution over the classes.
    """
    if not 0 < floor < 1:
        raise ValueError(f"floor must lie between 0 and 1, got {floor}: log 0 is infinite")
    return -checks.probabilities(p).clamp(min=floor).log()


def unary_from_logits(logits: Tensor) -> Tensor:
    """`-log softmax(logits)` over the classes, exact for however small a probability: same shape."""
    return -checks.logits(logits, "logits").log_softmax(-3)


def unary_from_labels(
    labels: Tensor, num_classes: int, confidence: float, unsure: int | None = 255
) -> Tensor:
    """Energies `[C, H, W]` (or `[B, C, H, W]`) of a label map that is right with probability `confidence`.

    The other classes share the rest; pixels labelled `unsure` could be anything. `labels` is `[H, W]` or
    `[B, H, W]`, whole numbers. In pydensecrf's helper label 0 means unsure unless asked otherwise; here 0
    is a class like any other.
    """
    labels = checks.tensor(labels, "labels").long()
    if not 1 / num_classes < confidence < 1:
        raise ValueError(f"confidence must lie between 1/{num_classes} (a guess) and 1, got {confidence}")
    unsure = -1 if unsure is None else unsure
    known = labels != unsure
    if known.any() and not 0 <= labels[known].min() <= labels[known].max() < num_classes:
        raise ValueError(
            f"labels run from {labels[known].min().item()} to {labels[known].max().item()}, but {num_classes} "
            f"classes have the labels 0 to {num_classes - 1}"
        )
    others = (1 - confidence) / (num_classes - 1)
    hit = labels.unsqueeze(-3) == torch.arange(num_classes, device=labels.device).view(-1, 1, 1)
    p = torch.where(hit, confidence, others)
    return -p.log().where(known.unsqueeze(-3), torch.tensor(-math.log(num_classes), device=labels.device))
