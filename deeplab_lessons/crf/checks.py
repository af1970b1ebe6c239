"""What the CRF may be given: shapes, ranges and signs, checked once and explained in words."""

import numpy as np
import torch
from torch import Tensor

SUM_TOLERANCE = 5e-3  # how far from one a pixel's probabilities may add up: bfloat16 strays by 4e-3


def tensor(value, name: str) -> Tensor:
    """Return `value` as a tensor; numpy arrays of any layout are welcome."""
    if isinstance(value, np.ndarray):
        return torch.from_numpy(np.ascontiguousarray(value))
    if not isinstance(value, Tensor):
        raise TypeError(f"{name} must be a torch tensor or a numpy array, got {type(value).__name__}")
    return value


def floating(values, name: str) -> Tensor:
    """Return finite numbers in float32 or float64; half precision becomes float32."""
    values = tensor(values, name)
    if not values.is_floating_point():
        raise TypeError(f"{name} must hold floating-point numbers, got {values.dtype}")
    values = values if values.dtype == torch.float64 else values.float()
    if values.numel() == 0:
        raise ValueError(f"{name} is empty: its shape is {list(values.shape)}")
    if not torch.isfinite(torch.stack(torch.aminmax(values.detach()))).all():
        bad = int((~torch.isfinite(values)).sum())
        raise ValueError(f"{name} holds {bad} values that are NaN or infinite: find out where they come from")
    return values


def class_map(values, name: str = "scores", num_classes: int | None = None) -> Tensor:
    """Return values per class and pixel, `[C, H, W]` or `[B, C, H, W]`, finite and with at least two classes."""
    values = floating(values, name)
    shape = list(values.shape)
    if len(shape) not in (3, 4):
        raise ValueError(f"{name} must be [C, H, W] or [B, C, H, W], classes before pixels, got {shape}")
    classes = shape[-3]
    if num_classes not in (None, classes):
        hint = _channels_last(name, values) if shape[-1] == num_classes else ""
        raise ValueError(f"{name} {shape} must have {num_classes} classes, got {classes}.{hint}")
    if classes < 2:
        raise ValueError(
            f"{name} {shape} must have at least two classes: of one probability p [1, H, W] pass torch.cat([1 - p, p])"
        )
    return values


def _channels_last(name: str, values: Tensor) -> str:
    """The hint for a map that has its channels last."""
    order = (2, 0, 1) if values.dim() == 3 else (0, 3, 1, 2)
    return (
        f" {name} {list(values.shape)} seems to have its channels last, as in numpy and PIL pictures: "
        f"pass {name}.permute{order} (for a numpy array: .transpose{order})"
    )


def adds_to_one(p: Tensor, axis: int) -> bool:
    """Return whether `p` is in 0 … 1 and adds up to one along `axis`, so that it must be probabilities."""
    p = p.detach()
    return bool(p.min() >= 0 and ((p.sum(axis) - 1).abs() <= SUM_TOLERANCE).all())


def probabilities(p, name: str = "p") -> Tensor:
    """Return probabilities `[C, H, W]` or `[B, C, H, W]`, in 0 … 1 and adding up to one at every pixel."""
    p = class_map(p, name)
    if adds_to_one(p, -3):
        return p
    if adds_to_one(p, -1):
        raise ValueError(f"{name} adds up to one over its last axis.{_channels_last(name, p)}")
    (low, high), (least, most) = (torch.aminmax(each) for each in (p.detach(), p.detach().sum(-3)))
    raise ValueError(
        f"{name} must hold probabilities in 0 … 1, got {low:.3g} … {high:.3g}, and add up to one over the classes at "
        f'every pixel, got sums from {least:.4g} to {most:.4g}: for logits, pass kind="logits" or use '
        "unary_from_logits; otherwise divide by p.sum(-3, keepdim=True), or take a softmax over the classes"
    )


def logits(scores, name: str = "scores") -> Tensor:
    """Return scores before the softmax; a map of probabilities is recognised and refused."""
    scores = class_map(scores, name)
    if adds_to_one(scores, -3):
        raise ValueError(
            f"{name} must be logits, but they are in 0 … 1 and add up to one at every pixel: for probabilities, "
            'pass kind="probabilities" or use unary_from_probabilities'
        )
    return scores


def unary(u, name: str = "unary") -> Tensor:
    """Return energies `[C, H, W]` or `[C, N]`: low where a class is likely. The two usual mix-ups are refused."""
    u = floating(u, name)
    if u.dim() not in (2, 3):
        raise ValueError(f"{name} must be [C, H, W] or [C, N] of one picture, got {list(u.shape)}")
    if adds_to_one(u, 0):
        raise ValueError(
            f"{name} is in 0 … 1 and adds up to one over the classes, so it holds probabilities, not energies: "
            "pass it through unary_from_probabilities first (if it does hold energies, add 1: nothing changes)"
        )
    if u.max() <= 0 and adds_to_one(u.exp(), 0):
        raise ValueError(
            f"{name} holds log-probabilities, which have the wrong sign: an energy is low where a class is "
            "likely, so pass the negative (unary_from_logits and unary_from_probabilities do)"
        )
    return u


def picture(image, name: str = "picture") -> Tensor:
    """Return a colour picture `[3, H, W]` or `[B, 3, H, W]`, uint8 or float in 0 … 255, as a float tensor."""
    image = tensor(image, name)
    if image.dim() not in (3, 4) or image.shape[-3] != 3:
        turned = image.dim() in (3, 4) and image.shape[-1] == 3
        hint = _channels_last(name, image) if turned else " For a grey one, pass picture.expand(3, -1, -1)"
        raise ValueError(f"{name} must be [3, H, W] or [B, 3, H, W], got {list(image.shape)}.{hint}")
    if image.dtype == torch.uint8:
        return image.float()
    image = floating(image, name)
    low, high = (value.item() for value in torch.aminmax(image.detach()))
    if low < 0 or high > 255 or 0 < high <= 1:
        hint = "pass the picture as it was before any mean was subtracted"
        if low >= 0 and high <= 1:
            hint = "sigma_beta counts such levels, so pass 255 * picture, or the uint8 picture"
        raise ValueError(f"{name} must hold grey levels in 0 … 255, got {low:.4g} … {high:.4g}: {hint}")
    return image


def compatibility(mu, classes: int, like: Tensor) -> Tensor:
    """Return a finite label compatibility `[C, C]` in the number type and on the device of `like`."""
    mu = tensor(mu, "compatibility")
    if mu.shape != (classes, classes):
        raise ValueError(f"compatibility must be [{classes}, {classes}], got {list(mu.shape)}")
    return floating(mu.to(like), "compatibility")


def belong_together(scores, image, num_classes: int | None = None) -> tuple[Tensor, Tensor]:
    """Return scores `[C, H, W]` with a picture `[3, H, W]`, or both as batches, in the scores' number type."""
    scores, image = tensor(scores, "scores"), picture(image)
    if scores.device != image.device:
        raise ValueError(f"scores are on {scores.device} and picture on {image.device}: move one with .to")
    if scores.shape[-3:-1] == image.shape[-2:] != scores.shape[-2:]:
        raise ValueError(f"scores and picture differ in size.{_channels_last('scores', scores)}")
    scores = class_map(scores, "scores", num_classes)
    shapes = f"scores {list(scores.shape)} and picture {list(image.shape)} differ in"
    if scores.shape[:-3] != image.shape[:-3]:
        raise ValueError(f"{shapes} their batch: pass a picture for every score map, one axis B in both")
    if scores.shape[-2:] != image.shape[-2:]:
        raise ValueError(
            f"{shapes} size: bring the scores to the picture's size first with "
            'torch.nn.functional.interpolate(scores, size, mode="bilinear", align_corners=False)'
        )
    return scores, image.to(scores.dtype)
