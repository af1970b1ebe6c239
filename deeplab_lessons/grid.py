"""Where the cells of a map lie on the picture, and the one `upsample` that brings a map to more cells or pixels.

A network states its grid as `model.grid`; nothing in the package guesses it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F


@dataclass(frozen=True)
class Grid:
    """The cells of a map: `stride` pixels apart, the centre of cell 0 at `start` (0.0 is the centre of pixel 0).

    With `start=None` the map lies centred on the picture, whatever its size: 96 pixels with 12 cells of stride 8
    begin at 3.5 (each cell has its own 8 pixels), 321 pixels with 41 cells at 0 (cells lie on the pixels 0, 8, …
    320), as in the released networks of DeepLab v1. Raises ValueError for a stride that is not positive.
    """

    stride: float
    start: float | None

    def __post_init__(self):
        if not self.stride > 0:
            raise ValueError(
                f"stride must be above 0, got {self.stride!r}: pass the pixels from cell to cell"
            )

    def at_scale(self, scale: float) -> "Grid":
        """Return the grid, in pixels of the picture, of the map of a picture that is shown at `scale`."""
        return Grid(self.stride / scale, None if self.start is None else self.start / scale)

    def on(self, other: "Grid") -> "Grid":
        """Return the same cells counted in cells of `other`; both grids state a start, or both are centred."""
        if (self.start is None) != (other.start is None):
            raise ValueError(f"{self} and {other} must both state a start or both be centred")
        start = None if self.start is None else (self.start - other.start) / other.stride
        return Grid(self.stride / other.stride, start)

    def check(self, size: Sequence[int], cells: Sequence[int]) -> None:
        """Raise ValueError unless a map of `cells` (h, w) can lie on a picture of `size` (H, W) with this grid.

        No centre may lie a stride or more outside the picture, and the picture may not go on for a stride more after
        the last centre than before the first.
        """
        for pixels, count in zip(size, cells, strict=True):
            room = pixels - 1 - self.stride * (count - 1)  # what is left on both sides together
            start = 0 if self.start is None else self.start
            if not start - self.stride < room < 2 * start + self.stride * (2 if self.start is None else 1):
                raise ValueError(
                    f"a map of {tuple(cells)} cells cannot lie on {tuple(size)} pixels with {self}"
                    f"{_fitting(size, cells)}"
                )


#: The grid of a map with a cell for every pixel.
PIXELS = Grid(1, 0.0)


def _fitting(size: Sequence[int], cells: Sequence[int]) -> str:
    """What to do about a map that does not fit its grid."""
    if tuple(size) == tuple(cells):
        return ": it has a cell for every pixel, so its grid is grid.PIXELS"
    return f": its cells lie about {size[0] / cells[0]:.3g} pixels apart, so state the stride and start they have"


def unwrapped(model):
    """Return the network inside DataParallel or DistributedDataParallel, which hide what it states."""
    while isinstance(model, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
        model = model.module
    return model


def grid_of(model, grid: Grid | None = None) -> Grid:
    """Return the grid that a model states as `model.grid`, or the `grid` given for a model that states none.

    Looks through DataParallel, DistributedDataParallel and torch.compile. Raises ValueError if there is neither,
    or if the two differ.
    """
    inner = unwrapped(model)
    stated = inner.grid if hasattr(inner, "grid") else None
    if stated is None and grid is None:
        name = getattr(inner, "__name__", type(inner).__name__)
        raise ValueError(
            f"{name} does not state where the cells of its map lie: pass grid=Grid(stride, start), or "
            "grid=PIXELS if it scores every pixel (both in deeplab_lessons.grid), or set model.grid"
        )
    if stated is not None and grid is not None and stated != grid:
        raise ValueError(f"grid must be the model's own, {stated}, got {grid}: leave the argument out")
    return grid if stated is None else stated


def logits_of(outputs) -> torch.Tensor:
    """Return the logits [N, C, h, w] in a model's outputs: a tensor, or the entry "out" of a dict (torchvision's).

    Raises TypeError for anything else.
    """
    if isinstance(outputs, Mapping) and "out" in outputs:
        outputs = outputs["out"]
    if not isinstance(outputs, torch.Tensor):
        kind = (
            f"a dict of {', '.join(map(str, outputs))}"
            if isinstance(outputs, Mapping)
            else type(outputs).__name__
        )
        raise TypeError(
            f'a model must return logits [N, C, h, w] or a dict with the entry "out", got {kind}: wrap the model in '
            "a function that picks the logits"
        )
    return outputs


def cell_centres(size: int, cells: int, grid: Grid) -> torch.Tensor:
    """Return the position of each cell's centre on an axis of `size` pixels, float [cells]."""
    start = ((size - 1) - grid.stride * (cells - 1)) / 2 if grid.start is None else grid.start
    return start + grid.stride * torch.arange(cells, dtype=torch.float32)


def bilinear_weights(size: int, cells: int, grid: Grid) -> torch.Tensor:
    """Return how much each of `cells` counts for each of `size` pixels, float [size, cells]; rows sum to 1.

    A pixel between two centres takes from both, more from the nearer one; a pixel outside the outermost centres
    takes from the outermost cell alone.
    """
    centres = cell_centres(size, cells, grid)
    place = ((torch.arange(size) - centres[0]) / grid.stride).clamp(0, cells - 1)
    return (1 - (place[:, None] - torch.arange(cells)).abs()).clamp(min=0)


def upsample(logits: torch.Tensor, size: Sequence[int], grid: Grid, by_torch: bool = False) -> torch.Tensor:
    """Enlarge scores [N, C, h, w] bilinearly to `size` (H, W) pixels or finer cells: [N, C, H, W].

    The same as `torch.nn.functional.interpolate` with `align_corners=False` where the map is centred and
    H = stride · h, and with `align_corners=True` where H = stride · (h - 1) + 1. `by_torch` takes that operator
    itself, which `receptive_field.trace` can follow, for a whole stride from start 0; cells beyond the last centre
    repeat the last cell. Raises ValueError if the map's size cannot come from `grid`.
    Source: DeepLab v1, section 3.1 (scores, not labels).
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
    down, across = (
        bilinear_weights(pixels, cells, grid).to(logits)
        for pixels, cells in zip(size, logits.shape[2:], strict=True)
    )
    return down @ logits @ across.T
