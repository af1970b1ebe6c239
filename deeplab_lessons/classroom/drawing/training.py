"""Figures of a training: coloured cells, schedules, and the runs of several seeds."""

from collections.abc import Callable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch

from deeplab_lessons.classroom.drawing.style import colour_labels
from deeplab_lessons.classroom.drawing.words import listed, rounded, say


def mixed_colours(fractions: torch.Tensor) -> np.ndarray:
    """Return cells as an image, uint8 [h, w, 3]: the colours of the classes mixed by `fractions` [C, h, w].

    What the fractions leave of 1 is void, and white.
    """
    palette = torch.from_numpy(colour_labels(np.arange(len(fractions))[None])[0]).float()
    void = 255 * (1 - fractions.sum(0))
    return (torch.einsum("chw,ck->hwk", fractions, palette) + void[..., None]).round().byte().numpy()


def show_schedules(
    schedules: Mapping[str, Callable[[int, int], float]],
    lr: float,
    iterations: int,
    groups: Mapping[str, float],
) -> None:
    """Draw the learning rates of schedules over the iterations, those of each parameter group in a paler line.

    A schedule returns the fraction of the first learning rate that is left at (iteration, iterations); `groups` maps a
    name to how many times `lr` it begins with.
    """
    _, ax = plt.subplots()
    for (name, schedule), style in zip(schedules.items(), ("-", "--", ":"), strict=False):
        left, colour = np.array([schedule(i, iterations) for i in range(iterations)]), None
        for number, (group, times) in enumerate(groups.items()):
            pale = {"color": colour, "alpha": 0.4**number}
            (line,) = ax.plot(times * lr * left, style, label=f"{name}, {group}", **pale)
            colour = line.get_color()
    ax.set(title="How fast may the weights move?", xlabel="iteration", ylabel="learning rate", yscale="log")
    ax.set_ylim(bottom=lr / 1000)
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    plt.show()


def show_runs(groups: Mapping[str, Mapping[str, Sequence[float]]], title: str = "") -> None:
    """Draw mIoU (%) of single runs as dots, a row for each network; `groups` of rows have a colour and a space each.

    `groups` maps the name of a comparison to {network: its runs}.
    """
    rows = [
        (name, runs, number) for number, each in enumerate(groups.values()) for name, runs in each.items()
    ]
    _, ax = plt.subplots(figsize=(8, 0.32 * (len(rows) + len(groups)) + 1))
    heights = [-(row + group) for row, (_, _, group) in enumerate(rows)]
    for height, (_, runs, group) in zip(heights, rows, strict=True):
        ax.plot(runs, [height] * len(runs), "o", color=f"C{group}", alpha=0.6, markersize=8)
    ax.set_yticks(heights, [name for name, _, _ in rows])
    ax.grid(axis="x", color="0.9")
    ax.set(title=title, xlabel="mIoU (%)")
    ax.set_axisbelow(True)
    spans = [f"{name} {rounded(min(runs))} to {rounded(max(runs))}" for name, runs, _ in rows]
    say(ax, f"mIoU (%) of {len(rows)} networks, from the lowest to the highest run: {listed(spans)}")
    plt.show()


def show_by_scale(
    ax, runs: Mapping[str, Sequence[Sequence[float]]], steps: Sequence, title: str, xlabel: str
) -> None:
    """Draw per cent over `steps`: for each network the mean of its runs, with bars of one standard deviation.

    `runs` maps a network's name to its runs, each with a value for every step.
    """
    for offset, (name, values) in enumerate(runs.items()):
        values = np.asarray(values)
        places = np.arange(len(steps)) + 0.12 * (offset - (len(runs) - 1) / 2)
        ax.errorbar(places, values.mean(0), values.std(0, ddof=1), fmt="o-", capsize=4, label=name)
    ax.set(title=title, xlabel=xlabel, xticks=range(len(steps)), xticklabels=steps, ylim=(0, 100))
