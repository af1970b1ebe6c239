"""The features in which the kernels are plain Gaussians: places and colours, each divided by its σ."""

import torch
from torch import Tensor

from deeplab_lessons.crf import checks


def spatial_features(
    size: tuple[int, int], sigma_gamma: float, *, dtype: torch.dtype = torch.float32, device=None
) -> Tensor:
    """Column and row of every pixel divided by `sigma_gamma` (pixels): `[2, N]`, N = H·W in row order.

    `size` is (H, W) in pixels. x stands first, y second, as in pydensecrf: the order does not matter to a
    Gaussian, but the lattice rounds one axis after the other.
    """
    height, width = size
    rows = torch.arange(height, dtype=dtype, device=device)
    columns = torch.arange(width, dtype=dtype, device=device)
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    return torch.stack([x, y]).flatten(1) / sigma_gamma


def bilateral_features(picture: Tensor, sigma_alpha: float, sigma_beta: float) -> Tensor:
    """Place divided by `sigma_alpha` (pixels) and colour by `sigma_beta` (grey levels): `[5, N]`.

    `picture` is `[3, H, W]`, uint8 or float in 0 … 255. Order: x, y, red, green, blue. Differentiable in a
    float picture, and in the two σ where they are given as tensors. Source: Krähenbühl and Koltun 2011,
    equation (3).
    """
    image = checks.picture(picture)
    if image.dim() != 3:
        raise ValueError(f"bilateral_features takes one picture [3, H, W], got {checks.size(image.shape)}")
    height, width = image.shape[1:]
    place = spatial_features((height, width), sigma_alpha, dtype=image.dtype, device=image.device)
    return torch.cat([place, image.flatten(1) / sigma_beta])
