"""Drawings of the permutohedral lattice, from the real lattice: simplices, weights, splat, blur, slice.

All features here have two dimensions, so simplices are triangles, and everything is drawn at its position in
feature space (units: standard deviations).
"""

import copy

import numpy as np
import torch

from deeplab_lessons.classroom import line_filter
from deeplab_lessons.classroom.drawing.style import COLOURS
from deeplab_lessons.classroom.drawing.words import listed, rounded, say
from deeplab_lessons.classroom.readable_lattice import Lattice

_EDGE = "0.8"


def plane(left: float, right: float, bottom: float, top: float, step: float = 0.2) -> torch.Tensor:
    """Return points [2, N] all over a rectangle, `step` apart, so close that a lattice of them has no gaps."""
    x, y = torch.arange(left, right, step), torch.arange(bottom, top, step)
    return torch.stack(torch.meshgrid(x, y, indexing="xy")).flatten(1).double()


def show_edges(ax, lattice: Lattice, colour: str = _EDGE, **line) -> None:
    """Draw a line between every two vertices that exchange values in the blur: together, the triangles."""
    positions = lattice.positions
    for up in lattice.neighbours[:, 1]:
        exists = up < len(lattice)
        ends = torch.stack([positions[:, exists], positions[:, up[exists]]])
        ax.plot(ends[:, 0], ends[:, 1], color=colour, zorder=1, **{"lw": 0.8, **line})
    ax.set_aspect("equal")


def show_weights(ax, features: torch.Tensor, point: int, colour: str = COLOURS[1]) -> None:
    """Fill the triangle around one of the points [2, N] and write the weights at its three corners."""
    lattice = Lattice(features)
    corners = lattice.positions[:, lattice.vertex[:, point]]
    ax.fill(*corners, color=colour, alpha=0.18, zorder=1)
    middle = corners.mean(1)
    for corner, weight in zip(corners.T, lattice.weights[:, point], strict=True):
        ax.plot(
            *torch.stack([features[:, point], corner], 1), color=colour, lw=1 + 4 * float(weight), zorder=2
        )
        ax.scatter(*corner, 30 + 250 * float(weight), COLOURS[0], zorder=3)
        x, y = corner + 0.42 * (corner - middle) / (corner - middle).norm()
        ax.text(x, y, f"{weight:.2f}", ha="center", va="center", fontsize=12, color=COLOURS[0], weight="bold")
    ax.scatter(*features[:, point], 70, colour, edgecolors="white", zorder=4)


def show_triangles(ax, points: torch.Tensor) -> None:
    """Draw the plane's triangles and, for points [2, N] near its middle, their own with the weights of its corners."""
    show_edges(ax, Lattice(plane(-4, 5, -3, 3)))
    for number in range(points.shape[1]):
        show_weights(ax, points, number)
    ax.set(xlim=(-3.4, 4.4), ylim=(-1.8, 1.9), xlabel="first feature (σ)", ylabel="second feature (σ)")
    weights = [listed(f"{weight:.2f}" for weight in each) for each in Lattice(points).weights.T]
    say(
        ax,
        f"a plane of triangles with {points.shape[1]} points in it; the weights at the corners of their triangles "
        f"are {'; '.join(weights)}",
    )


def _show_vertices(ax, lattice: Lattice, table: torch.Tensor, largest: float | None = None) -> None:
    """Draw what the vertices hold, a table [M+1, 1] as `splat` and `blur` return it, as the area of dots."""
    held = table[:-1, 0].clamp(min=0)
    largest = float(held.max()) if largest is None else largest
    seen = held > 0.004 * largest
    areas = 380 * held[seen] / largest
    ax.scatter(*lattice.positions[:, seen], areas, COLOURS[0], zorder=3, edgecolors="white", lw=0.5)


def steps(lattice: Lattice, values: torch.Tensor) -> list[tuple[str, torch.Tensor]]:
    """Return the tables [M+1, 1] after the splat of `values` [1, N] and after the blur along each direction, named."""
    tables = [("splat", lattice.splat(values))]
    for direction in range(lattice.d + 1):
        one = copy.copy(lattice)
        one.neighbours = lattice.neighbours[direction : direction + 1]
        tables.append((f"blur, direction {direction}", one.blur(tables[-1][1])))
    return tables


def show_steps(axes, features: torch.Tensor, point: int) -> None:
    """Draw the value 1 of one of the points [2, N] after splat, three blurs, and slice, on five axes."""
    lattice = Lattice(features)
    values = torch.zeros(1, lattice.points, dtype=features.dtype)
    values[0, point] = 1
    tables = steps(lattice, values)
    for ax, (name, table) in zip(axes, tables, strict=False):
        show_edges(ax, lattice)
        _show_vertices(ax, lattice, table)
        ax.scatter(*features[:, point], 30, COLOURS[1], zorder=4)
        ax.set_title(name, fontsize=11)
        say(
            ax,
            f"dots on {int((table[:-1, 0].abs() > 1e-12).sum())} vertices of the triangles around the point, the "
            f"largest {rounded(float(table[:-1].max()))}",
        )
    answer = lattice.slice(tables[-1][1])[0]
    sides = [len(axis.unique()) for axis in features]
    x, y, heat = (part.view(sides[1], sides[0]).numpy() for part in (*features, answer))
    axes[-1].pcolormesh(x, y, heat, cmap="Blues", shading="nearest", rasterized=True)
    middle = features[:, point].numpy()
    exact = np.exp(-((x - middle[0]) ** 2 + (y - middle[1]) ** 2) / 2)
    axes[-1].contour(x, y, exact, levels=[0.1, 0.4, 0.8], colors=COLOURS[1], linewidths=1.2)
    axes[-1].set_title("slice", fontsize=11)
    say(
        axes[-1],
        f"a blurred spot, at most {rounded(float(answer.max()))}, under the circles of an exact Gaussian",
    )
    span = 3.2
    for ax in axes:
        ax.set(xlim=(middle[0] - span, middle[0] + span), xticks=[], yticks=[])
        ax.set(ylim=(middle[1] - span, middle[1] + span), aspect="equal")


def show_line(axes, values: np.ndarray, positions: np.ndarray) -> None:
    """Draw values [N] at positions [N] (standard deviations) after splat, two blurs, and slice, on three axes."""
    places = (positions - positions.min()) / line_filter.SPACING + 2
    cells = line_filter.splat(values, places, int(places.max()) + 4)
    at = (np.arange(len(cells)) - 2) * line_filter.SPACING + positions.min()
    blurred = line_filter.blur(line_filter.blur(cells))
    axes[0].bar(at, cells, 0.5, color=COLOURS[0], alpha=0.6, label="grid")
    axes[0].vlines(positions, 0, values, COLOURS[1], lw=1.5)
    axes[0].plot(positions, values, "o", color=COLOURS[1], ms=5, label="values")
    axes[0].set_title("splat")
    axes[1].bar(at, blurred, 0.5, color=COLOURS[0], alpha=0.6)
    axes[1].set_title("blur, blur")
    fine = np.linspace(at[0], at[-1], 400)
    exact = np.exp(-((fine[:, None] - positions) ** 2) / 2) @ values
    axes[2].plot(
        fine,
        2 / 3 * line_filter.slice_at(blurred, (fine - at[0]) / line_filter.SPACING),
        color=COLOURS[0],
        label="grid",
    )
    axes[2].plot(fine, exact, color=COLOURS[1], ls="--", label="exact")
    axes[2].set_title("slice")
    say(
        axes[0],
        f"{len(values)} values as dots, and {np.count_nonzero(cells)} cells of a grid that share them as bars",
    )
    say(axes[1], f"the bars spread to {np.count_nonzero(blurred)} cells, up to {rounded(blurred.max())}")
    say(
        axes[2],
        f"the curve read from the grid and the exact one, dashed, whose top is {rounded(exact.max())} at "
        f"{rounded(fine[exact.argmax()])} σ",
    )
    for ax in axes:
        ax.set(xlabel="position (σ)")
        ax.axhline(0, color="0.6", lw=0.8)
    axes[0].legend(loc="upper right", fontsize=10)
    axes[2].legend(loc="upper right", fontsize=10)


def show_row(ax, features: torch.Tensor, shades: torch.Tensor) -> Lattice:
    """Draw a row of pixels, points [2, N] (position, grey level; in σ), in their shades, on the vertices they touch."""
    lattice = Lattice(features)
    left, right, bottom, top = (float(f) for axis in features for f in (axis.min() - 1, axis.max() + 1))
    show_edges(ax, Lattice(plane(left, right, bottom, top)), "0.9")
    show_edges(ax, lattice, COLOURS[0], lw=1)
    ax.scatter(*lattice.positions, 18, COLOURS[0], zorder=3)
    ax.scatter(*features, 26, shades, cmap="gray", vmin=0, vmax=255, edgecolors=COLOURS[1], lw=0.6, zorder=4)
    ax.set(xlabel="column / σα", ylabel="grey level / σβ", xlim=(left, right), ylim=(bottom, top))
    say(
        ax,
        f"a row of {features.shape[1]} pixels as dots at their column and grey level, on a plane of triangles; they "
        f"touch {len(lattice)} vertices, which are connected",
    )
    return lattice
