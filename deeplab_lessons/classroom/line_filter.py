"""Splat, blur, slice on a line: a Gaussian filter in one dimension, for points anywhere on it.

The permutohedral lattice does the same in any number of dimensions; on a line its simplices are the pieces
between two neighbouring grid points. Source of the three steps: Adams, Baek and Davis 2010.
"""

import numpy as np

#: Distance of grid points in standard deviations. With it the two tents (splat, slice; 1/6 of its square each)
#: and the two blurs (1/2 each) have a variance of 4/3 · 3/4 = 1 together, as the Gaussian has.
SPACING = 3**0.5 / 2


def splat(values: np.ndarray, places: np.ndarray, size: int) -> np.ndarray:
    """Share each of `values` [N] between the two grid points around its place; float [size].

    `places` [N] are in grid steps, from 0 to `size` - 1: a value at 2.25 gives 0.75 of itself to grid point 2
    and 0.25 to grid point 3. What several values give to one grid point adds up.
    """
    grid = np.zeros(size + 1)
    for value, place in zip(values, places, strict=True):
        left = int(place)
        grid[left] += (left + 1 - place) * value
        grid[left + 1] += (place - left) * value
    return grid[:size]


def blur(grid: np.ndarray) -> np.ndarray:
    """Add to each grid point half of both neighbours; nothing lies beyond the ends. Float [size]."""
    return grid + 0.5 * (np.append(grid[1:], 0) + np.append(0, grid[:-1]))


def slice_at(grid: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Read `grid` [size] at `places` [N], linearly between two grid points: the weights of the splat, float [N]."""
    return np.interp(places, np.arange(len(grid)), grid)


def gaussian_filter(values: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Return the sum of `values` [N] weighted by about exp(-(x_i - x_j)² / 2), in time that grows like N; float [N].

    `positions` [N] are in standard deviations, anywhere and in any order. The factor 2/3 makes the
    weight of a value on a grid point 1 for itself: 2/3 · (1 + 1/4 + 1/4).
    """
    places = (positions - positions.min()) / SPACING + 2
    grid = splat(values, places, int(places.max()) + 4)
    return 2 / 3 * slice_at(blur(blur(grid)), places)
