"""Multi-scale inputs (MSC): one network on the picture at several sizes, and the maximum of its scores."""

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional as F

from deeplab_lessons.grid import upsample

#: Sizes of the inputs, as shares of the picture's. Source: DeepLab v2, section 4.1.2.
SCALES = (0.5, 0.75, 1.0)


class MultiScale(nn.Module):
    """The same network (shared weights) at each of `scales`: pictures [N, 3, H, W] -> logits [N, C, h, w].

    The scores of the smaller pictures are enlarged to the largest map, and the maximum over the scales is
    taken, place by place and class by class. In training mode `forward` returns a list of pairs (logits,
    output stride): first the maximum, then each scale, for a loss on every one of them.
    Source: DeepLab v2, section 4.1.2 ("MSC"); a loss on each scale and the fusion: Chen et al., CVPR 2016.
    """

    def __init__(self, model: nn.Module, scales: Sequence[float] = SCALES):
        """Wrap `model`; the largest of `scales` is last. Raises ValueError for scales in another order."""
        super().__init__()
        if not scales or list(scales) != sorted(scales) or scales[0] <= 0 or scales[-1] != 1:
            raise ValueError(f"scales must grow and end at 1, as in {SCALES}; got {tuple(scales)}")
        self.model, self.scales = model, tuple(scales)
        self.output_stride, self.start = model.output_stride, getattr(model, "start", None)

    def forward(self, x: torch.Tensor) -> torch.Tensor | list[tuple[torch.Tensor, float]]:
        """Fused logits, or in training mode the pairs of fused and single logits with their strides."""
        each = [self.model(rescaled(x, scale)) for scale in self.scales]
        fused = self.enlarged(each).amax(0)
        if not self.training:
            return fused
        strides = [self.output_stride / scale for scale in self.scales]
        return [(fused, self.output_stride), *zip(each, strides, strict=True)]

    def each_scale(self, x: torch.Tensor) -> torch.Tensor:
        """Logits of every scale on the largest map, [scales, N, C, h, w]: what the maximum is taken of."""
        return self.enlarged([self.model(rescaled(x, scale)) for scale in self.scales])

    def enlarged(self, each: Sequence[torch.Tensor]) -> torch.Tensor:
        """Bring the maps of all scales to the size of the last one, and stack them."""
        size, pairs = each[-1].shape[2:], zip(each, self.scales, strict=True)
        start = None if self.start is None else self.start / self.output_stride
        return torch.stack([enlarge(y, size, scale, start) for y, scale in pairs])

    def parameter_groups(self, lr: float) -> list[dict]:
        """Those of the network inside."""
        return self.model.parameter_groups(lr)


def rescaled(x: torch.Tensor, scale: float) -> torch.Tensor:
    """Pictures at `scale` of their size, bilinearly; 321 pixels become 241 at 0.75 and 161 at 0.5."""
    if scale == 1:
        return x
    size = [round((side - 1) * scale) + 1 for side in x.shape[2:]]
    return F.interpolate(x, size, mode="bilinear", align_corners=True)


def enlarge(
    logits: torch.Tensor, size: Sequence[int], scale: float, start: float | None = None
) -> torch.Tensor:
    """Bring the map of a picture at `scale` to `size` cells, those of the picture itself.

    `start` is where cell 0 of each map lies, in cells from pixel 0; None: both maps lie centred on the picture.
    """
    if scale == 1:
        return logits
    start = None if start is None else start * (1 / scale - 1)
    return upsample(logits, tuple(size), 1 / scale, start)
