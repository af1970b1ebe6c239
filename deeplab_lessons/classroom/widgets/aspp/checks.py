"""What the ASPP explorer takes: a picture, a cell, dilations; and what it says of anything else."""

import operator
from collections.abc import Iterable

import numpy as np
from PIL import Image

from deeplab_lessons import datasets

BRANCHES, LARGEST_RATE = 4, 40
_SIDE = 321  # pixels of a photograph chosen by name: a map of 41 x 41 cells at output stride 8
_LARGEST = 641  # pixels a side of a picture that is given


def checked_picture(photograph: str | np.ndarray | None) -> np.ndarray:
    """The picture itself, or the middle square of a photograph by name, 321 pixels a side: uint8 [H, W, 3]."""
    if photograph is None or isinstance(photograph, str):
        picture = Image.fromarray(datasets.photograph(photograph or "astronaut"))
        side = min(picture.size)
        left, top = (picture.width - side) // 2, (picture.height - side) // 2
        square = picture.crop((left, top, left + side, top + side))
        return np.asarray(square.resize((_SIDE, _SIDE), Image.Resampling.LANCZOS))
    picture = np.asarray(photograph)
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
        raise ValueError(f"photograph must be uint8 [H, W, 3], got {picture.dtype} {list(picture.shape)}")
    if max(picture.shape[:2]) > _LARGEST:
        raise ValueError(
            f"a picture may have at most {_LARGEST} pixels a side here, got {list(picture.shape[:2])}: "
            "give it a part of yours, or a smaller copy"
        )
    return picture


def checked_number(name: str, value: int, most: int | None = None) -> int:
    """The value as an int from 1 to `most`, or what was expected of it."""
    if isinstance(value, bool) or not hasattr(type(value), "__index__"):
        raise TypeError(f"{name} must be a whole number, got {value!r} ({type(value).__name__})")
    if value < 1 or (most is not None and value > most):
        span = "at least 1" if most is None else f"from 1 to {most}"
        raise ValueError(f"{name} must be {span}, got {value}")
    return operator.index(value)


def checked_rates(rates: Iterable[int]) -> list[int]:
    """One to four dilations as ints, or what was expected of them."""
    if isinstance(rates, (str, bytes)) or not isinstance(rates, Iterable):
        raise TypeError(
            f"rates must list one dilation for each branch, such as (6, 12, 18, 24), got {rates!r}"
        )
    rates = list(rates)
    if not 1 <= len(rates) <= BRANCHES:
        raise ValueError(f"the explorer shows 1 to {BRANCHES} branches, got {len(rates)} rates: {rates}")
    if 0 in rates:
        raise ValueError("a branch without holes has dilation 1 (its taps are neighbours), not 0")
    return [
        checked_number(f"the dilation of branch {i}", rate, LARGEST_RATE) for i, rate in enumerate(rates, 1)
    ]


def checked_cell(cell: Iterable[int]) -> tuple[int, int]:
    """The cell's row and column, or what was expected."""
    try:
        row, column = map(operator.index, cell)
    except (TypeError, ValueError):
        raise TypeError(f"cell must be (row, column), two whole numbers, got {cell!r}") from None
    return row, column
