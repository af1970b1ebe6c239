"""Multi-scale inputs (MSC): one network on the picture at several sizes, and the maximum of its scores."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from deeplab_lessons.grid import Grid, grid_of, logits_of, upsample

SCALES = (0.5, 0.75, 1.0)  # of the inputs. Source: DeepLab v2, section 4.1.2.


class MultiScale(nn.Module):
    """The same network (shared weights) at each of `scales`: images [N, 3, H, W] -> logits [N, C, h, w].

    The scores of the smaller images are enlarged to the largest map, and the maximum over the scales is taken, cell by
    cell and class by class. In training mode `forward` returns a list of pairs (logits, grid): first the maximum, then
    each scale, for a loss on every one. Raises ValueError for `scales` that do not grow to 1, or if the model states no
    grid. Source: DeepLab v2, section 4.1.2 ("MSC"); a loss on each scale and the fusion: Chen et al., CVPR 2016.
    """

    def __init__(self, model: nn.Module, scales: Sequence[float] = SCALES):
        super().__init__()
        if not scales or list(scales) != sorted(scales) or scales[0] <= 0 or scales[-1] != 1:
            raise ValueError(f"scales must grow and end at 1, as in {SCALES}; got {tuple(scales)}")
        self.model: Any = model
        self.scales, self.grid = tuple(scales), grid_of(model)
        self.grids = [self.grid.at_scale(scale) for scale in self.scales]

    def forward(self, x: torch.Tensor) -> torch.Tensor | list[tuple[torch.Tensor, Grid]]:
        """Return the fused logits, or in training mode the fused and the single logits, each with its grid."""
        each = [logits_of(self.model(rescaled(x, scale))) for scale in self.scales]
        fused = self.stack(each).amax(0)
        return [(fused, self.grid), *zip(each, self.grids, strict=True)] if self.training else fused

    def each_scale(self, x: torch.Tensor) -> torch.Tensor:
        """Return the logits of every scale on the largest map: [scales, N, C, h, w]."""
        return self.stack([logits_of(self.model(rescaled(x, scale))) for scale in self.scales])

    def stack(self, each: Sequence[torch.Tensor]) -> torch.Tensor:
        """Return the maps of all scales on the cells of the last one, stacked: [scales, N, C, h, w]."""
        *smaller, last = each
        pairs = zip(smaller, self.grids[:-1], strict=True)
        return torch.stack([*(upsample(y, last.shape[2:], grid.on(self.grid)) for y, grid in pairs), last])

    def parameter_groups(self, lr: float) -> list[dict]:
        """Return those of the network inside."""
        return self.model.parameter_groups(lr)


def rescaled(x: torch.Tensor, scale: float) -> torch.Tensor:
    """Return images at `scale`, bilinearly: at 0.5, 321 pixels give 161, and 500 give 251 (released code: 250)."""
    if scale == 1:
        return x
    size = [round((side - 1) * scale) + 1 for side in x.shape[2:]]
    return F.interpolate(x, size, mode="bilinear", align_corners=True)
