"""Where the cells of a map lie on the picture, and the one `upsample` that brings a map to more cells or pixels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F


@dataclass(frozen=True)
class Grid:
    """The cells of a map: `stride` pixels apart, the centre of cell 0 at `start` (0.0 is the centre of pixel 0).

    With `start=None` the map lies centred on the picture: with stride 8, 12 cells on 96 pixels begin at 3.5, 41 cells
    on 321 pixels at 0, as in the released networks of DeepLab v1. Raises ValueError for a stride that is not positive.
    """

    stride: float
    start: float | None

    def __post_init__(self):
        if not self.stride > 0:
            raise ValueError(f"stride must be above 0, got {self.stride!r}: pass the pixels between cells")

    def at_scale(self, scale: float) -> "Grid":
        """Return the grid, in pixels of the picture, of the map of a picture that is shown at `scale`."""
        return Grid(self.stride / scale, None if self.start is None else self.start / scale)

    def enlarged(self, factor: float) -> "Grid":
        """Return the grid, in pixels of a picture `factor` times as large, with borders on borders, of the same map."""
        start = None if self.start is None else (self.start + 0.5) * factor - 0.5
        return Grid(self.stride * factor, start)

    def on(self, other: "Grid") -> "Grid":
        """Return the same cells counted in cells of `other`; ValueError if only one of the grids is centred."""
        start = None
        if self.start is not None and other.start is not None:
            start = (self.start - other.start) / other.stride
        elif self.start is not other.start:
            raise ValueError(f"{self} and {other} must both state a start or both be centred")
        return Grid(self.stride / other.stride, start)

    def check(self, size: Sequence[int], cells: Sequence[int]) -> None:
        """Raise ValueError unless a map of `cells` (h, w) can lie on a picture of `size` (H, W) with this grid.

        No centre may lie a stride or more outside the picture, and the picture may not continue for a stride more after
        the last centre than before the first.
        """
        size, cells = tuple(size), tuple(cells)
        start, slack = (0, 2 * self.stride) if self.start is None else (self.start, self.stride)
        for pixels, count in zip(size, cells, strict=True):
            room = pixels - 1 - self.stride * (count - 1)  # what is left on both sides together
            if not start - self.stride < room < 2 * start + slack:
                apart = f"{size[0] / cells[0]:.3g} pixels apart"
                advice = f"its cells lie about {apart}, so state the stride and start they have"
                if size == cells:
                    advice = "it has a cell for every pixel, so its grid is grid.PIXELS"
                raise ValueError(f"a map of {cells} cells cannot lie on {size} pixels with {self}: {advice}")


#: The grid of a map with a cell for every pixel.
PIXELS = Grid(1, 0.0)


def unwrapped(model):
    """Return the network inside DataParallel or DistributedDataParallel, which hide what it states."""
    while isinstance(model, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
        model = model.module
    return model


def grid_of(model, grid: Grid | None = None) -> Grid:
    """Return the grid that a model, also a wrapped one, states as `model.grid`, or else the `grid` given.

    Raises ValueError if there is neither, or if the two differ.
    """
    inner = unwrapped(model)
    own = getattr(inner, "grid", None)
    stated = own if isinstance(own, Grid) else grid
    if stated is None:
        name = getattr(inner, "__name__", type(inner).__name__)
        raise ValueError(
            f"{name} does not state where the cells of its map lie: pass grid=Grid(stride, start), or "
            "grid=PIXELS if it scores every pixel (both in deeplab_lessons.grid), or set model.grid"
        )
    if grid not in (None, stated):
        raise ValueError(f"grid must be the model's own, {stated}, got {grid}: leave the argument out")
    return stated


def logits_of(outputs) -> torch.Tensor:
    """Return the logits [N, C, h, w], a tensor or the entry "out" of a dict; TypeError for other outputs."""
    got = type(outputs).__name__
    if isinstance(outputs, Mapping):
        got, outputs = f"a dict of {', '.join(map(str, outputs))}", outputs.get("out")
    if isinstance(outputs, torch.Tensor):
        return outputs
    raise TypeError(
        f'a model must return logits [N, C, h, w] or a dict with the entry "out", got {got}: wrap the model in a '
        "function that picks the logits"
    )


def cell_centres(size: int, cells: int, grid: Grid) -> torch.Tensor:
    """Return the position of each cell's centre on an axis of `size` pixels, float [cells]."""
    start = ((size - 1) - grid.stride * (cells - 1)) / 2 if grid.start is None else grid.start
    return start + grid.stride * torch.arange(cells, dtype=torch.float32)


def bilinear_weights(size: int, cells: int, grid: Grid) -> torch.Tensor:
    """Return how much each of `cells` counts for each of `size` pixels, float [size, cells]; rows sum to 1.

    A pixel outside the outermost centres takes only from the outermost cell.
    """
    centres = cell_centres(size, cells, grid)
    place = ((torch.arange(size) - centres[0]) / grid.stride).clamp(0, cells - 1)
    return (1 - (place[:, None] - torch.arange(cells)).abs()).clamp(min=0)


def upsample(logits: torch.Tensor, size: Sequence[int], grid: Grid, by_torch: bool = False) -> torch.Tensor:
    """Enlarge scores [N, C, h, w] bilinearly to `size` (H, W) pixels or finer cells: [N, C, H, W].

    The same as `torch.nn.functional.interpolate` with `align_corners=False` where the map is centred and H = stride ·
    h, and with `align_corners=True` where H = stride · (h - 1) + 1. `by_torch` takes that operator itself, which
    `receptive_field.trace` can follow, for a whole stride from start 0. Raises ValueError if the map's size cannot come
    from `grid`. Source: DeepLab v1, section 3.1 (scores, not labels).
    """
    grid.check(size, logits.shape[2:])
    if by_torch:
        if grid.start != 0 or grid.stride != int(grid.stride):
            raise ValueError(f"by_torch needs a whole stride and start 0, got {grid}: leave by_torch out")
        reached = [int(grid.stride) * (cells - 1) + 1 for cells in logits.shape[2:]]
        down, across = (max(pixels - have, 0) for pixels, have in zip(size, reached, strict=True))
        logits = F.interpolate(logits, reached, mode="bilinear", align_corners=True)
        logits = F.pad(logits, (0, across, 0, down), mode="replicate") if down or across else logits
        return logits[..., : size[0], : size[1]]
    rows, columns = (
        bilinear_weights(pixels, cells, grid).to(logits)
        for pixels, cells in zip(size, logits.shape[2:], strict=True)
    )
    return rows @ logits @ columns.T
