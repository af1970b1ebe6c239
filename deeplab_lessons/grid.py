"""Where the cells of a coarse map lie on the picture, and how a map is enlarged to it.

Settled here, once: for the labels in training, the enlargement at test time, and maps of rescaled inputs.
"""

import torch


def cell_centres(size: int, cells: int, stride: float = 8, start: float | None = None) -> torch.Tensor:
    """Position of each cell's centre in pixels, float [cells]; 0.0 is the centre of pixel 0.

    Cells lie `stride` pixels apart. Without `start`, the centre of cell 0, the map lies centred on the
    picture: 96 pixels with 12 cells begin at 3.5 (each cell has its own 8 pixels), 321 pixels with 41 cells
    at 0 (cells lie on the pixels 0, 8, … 320), as in the released networks of DeepLab v1.
    """
    start = ((size - 1) - stride * (cells - 1)) / 2 if start is None else start
    return start + stride * torch.arange(cells, dtype=torch.float32)


def bilinear_weights(size: int, cells: int, stride: float = 8, start: float | None = None) -> torch.Tensor:
    """How much each of `cells` counts for each of `size` pixels, float [size, cells]; rows sum to 1.

    A pixel between two centres takes from both, the nearer one more; outside the outermost centres it takes
    from the outermost cell alone.
    """
    centres = cell_centres(size, cells, stride, start)
    place = ((torch.arange(size) - centres[0]) / stride).clamp(0, cells - 1)
    return (1 - (place[:, None] - torch.arange(cells)).abs()).clamp(min=0)


def upsample(
    logits: torch.Tensor, size: tuple[int, int], stride: float = 8, start: float | None = None
) -> torch.Tensor:
    """Enlarge scores [N, C, h, w] bilinearly to `size` (H, W) pixels: [N, C, H, W].

    The same as `torch.nn.functional.interpolate` with `align_corners=False` where H = 8h, and with
    `align_corners=True` where H = 8(h - 1) + 1. Source: DeepLab v1, section 3.1 (scores, not labels).
    """
    down, across = (
        bilinear_weights(pixels, cells, stride, start).to(logits)
        for pixels, cells in zip(size, logits.shape[2:], strict=True)
    )
    return down @ logits @ across.T
