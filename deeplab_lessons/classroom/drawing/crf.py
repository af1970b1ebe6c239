"""Drawings of dense CRFs: what a pixel is connected to, how filters grow, and what a CRF has learned."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from deeplab_lessons.classroom.drawing.style import COLOURS, show_image
from deeplab_lessons.classroom.drawing.words import rounded, say


def show_connected(
    axes, picture: np.ndarray, place: tuple[int, int], weights: Mapping[str, torch.Tensor]
) -> None:
    """Show a photo [H, W, 3] and, by name, the weights [H, W] with which all pixels reach the one at `place` (y, x)."""
    show_image(axes[0], picture // 32 * 32, "connected to the dot?")
    for ax, (name, each) in zip(axes[1:], weights.items(), strict=True):
        show_image(ax, np.asarray(each), name).set(cmap="viridis", clim=(0, 0.8))
        low, high = (rounded(float(end)) for end in (each.min(), each.max()))
        say(ax, f"weights with which all pixels reach the dot, from {low} to {high}")
    for ax in axes:
        ax.plot(*place[::-1], "o", ms=7, color="white", mec=COLOURS[1], mew=2)
    say(axes[0], f"the photo in few shades, with a dot at row {place[0]} and column {place[1]}")


def show_times(ax, times: Mapping[str, tuple[Sequence[int], Sequence[float]]]) -> None:
    """Draw the time of a filter against its pixels, both logarithmic; name the power of the last three in the legend.

    `times` maps a filter to (numbers of pixels, times); the unit is the first time of the last filter.
    """
    unit = list(times.values())[-1][1][0]
    for name, (counts, clocked) in times.items():
        power = np.polyfit(np.log(counts[-3:]), np.log(np.divide(clocked[-3:], unit)), 1)[0]
        ax.loglog(counts, np.divide(clocked, unit), "o-", label=f"{name}: N to the power {power:.1f}")
    ax.set(xlabel="pixels N", ylabel=f"time (first {name} = 1)")
    ax.legend()


def show_learning(axes, measured: Mapping[int, float], weights: Mapping[int, torch.Tensor]) -> None:
    """Draw mIoU (a fraction) and the two weights w1 and w2 after the iterations that name them, on two axes."""
    axes[0].plot(list(measured), [100 * value for value in measured.values()], "o-")
    axes[0].set(title="Do the labels get better?", xlabel="iteration", ylabel="mIoU on 20 scenes (%)")
    for name, values in zip(("w1", "w2"), zip(*weights.values(), strict=True), strict=True):
        axes[1].plot(list(weights), values, "o-", label=name)
    axes[1].set(title="Where do the weights go?", xlabel="iteration", ylabel="weight", ylim=0)
    axes[1].legend()


def show_costs(axes, matrices: Mapping[str, torch.Tensor], classes: Sequence[str]) -> None:
    """Show compatibility matrices [C, C] by name: the row's label pays for a neighbour with the column's."""
    for ax, (name, matrix) in zip(axes, matrices.items(), strict=True):
        shown = ax.imshow(np.asarray(matrix), cmap="viridis", vmin=0, vmax=1)
        say(ax, _costs(np.asarray(matrix), classes))
        ax.set(title=name, xlabel="… next to this neighbour")
        ax.set_xticks(range(len(classes)), classes, rotation=90)
        ax.set_yticks(range(len(classes)), classes)
    axes[0].set_ylabel("What this label costs …")
    axes[0].figure.colorbar(shown, ax=axes, label="cost")


def _costs(matrix: np.ndarray, classes: Sequence[str]) -> str:
    """A compatibility matrix in words: what two different classes next to each other cost, at least and at most."""
    pairs = [
        (matrix[a, b], f"{one} next to {other}")
        for a, one in enumerate(classes)
        for b, other in enumerate(classes)
        if a != b
    ]
    (low, cheapest), (high, dearest) = min(pairs), max(pairs)
    costs = (
        f"{rounded(low)} for any two"
        if low == high
        else (f"from {rounded(low)} for {cheapest} to {rounded(high)} for {dearest}")
    )
    return f"what neighbours of two different classes cost, with {len(classes)} classes: {costs}"


def show_reach(
    axes, sizes: Mapping[str, Sequence[float]], reached: Mapping[str, Mapping[int, float]]
) -> None:
    """Draw the size of the gradient at each entry of the unary, and the pixels with one (%) by updates, on two axes.

    Both map a name to its curve: `sizes` one size for each entry, `reached` a percentage for each number of updates.
    """
    for (name, each), style in zip(sizes.items(), ("o-", "s-", "^-"), strict=False):
        axes[0].plot(each, style, label=name)
        axes[1].plot(list(reached[name]), list(reached[name].values()), style)
    axes[0].set(title="Which entry learns?", xlabel="entry (0: start)", ylabel="size of the gradient")
    axes[0].set_yscale("log")
    axes[1].set(title="How many pixels learn?", xlabel="updates", ylabel="pixels with a gradient (%)", ylim=0)
    axes[0].legend()
