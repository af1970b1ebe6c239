"""Batch norm as DeepLab v3 trains it: averages with a long memory, then a second stage that leaves it alone."""

from collections.abc import Iterator

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


def batch_norms(model: nn.Module) -> Iterator[nn.Module]:
    """Every batch norm of the model."""
    return (part for part in model.modules() if isinstance(part, _BatchNorm))


def keep(model: nn.Module, decay: float | None) -> None:
    """At each iteration the averages keep the share `decay` of what they were; None leaves them as they are.

    torch counts the other way round: its momentum is 1 - decay. Source: DeepLab v3, section 4.1, 0.9997.
    """
    if decay is not None:
        for norm in batch_norms(model):
            norm.momentum = 1 - decay


def freeze(model: nn.Module) -> None:
    """No optimiser moves a batch norm's factor and shift any more; ValueError where the model has no batch norm.

    Source: DeepLab v3, section 4.1.
    """
    if not any(batch_norms(model)):
        raise ValueError("the model has no batch norm to freeze; leave frozen_norms=False")
    for norm in batch_norms(model):
        norm.requires_grad_(False)


def rest(model: nn.Module) -> None:
    """Put every batch norm to use its averages and leave them alone; to be called after `model.train()`."""
    for norm in batch_norms(model):
        norm.eval()
