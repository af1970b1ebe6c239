"""What a training reports: its history, and while it runs a bar with the time left and a line now and then."""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, Self

from tqdm.auto import tqdm

from deeplab_lessons.datasets.palettes import few


@dataclass
class History:
    """Loss and learning rate (of the first parameter group) of each iteration; mIoU (0 … 1) by iterations done.

    `missing` are the classes that no mIoU counts, as they are nowhere in the latest validation.
    `seconds` is the time in the loop, of this run only; `finished` is False after Ctrl-C.
    """

    loss: list[float] = field(default_factory=list)
    lr: list[float] = field(default_factory=list)
    mean_iou: dict[int, float] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    seconds: float = field(default=0.0, compare=False)
    finished: bool = field(default=True, compare=False)

    def __repr__(self) -> str:
        words = [f"{len(self.loss)} iterations"]
        if self.loss:
            words.append(f"loss {self.smooth()[-1]:.3f}")
        if self.mean_iou:
            words.append(f"mIoU {self.latest()}")
        return f"<History: {', '.join(words)}{'' if self.finished else ', stopped early'}>"

    def latest(self) -> str:
        """Return the latest mIoU in words, with the classes that it is without."""
        value = f"{100 * list(self.mean_iou.values())[-1]:.1f} %"
        return f"{value} (without {few(self.missing)})" if self.missing else value

    def smooth(self, keep: float = 0.95) -> list[float]:
        """Return the loss as a running mean: each value keeps `keep` of the one before; unbiased at the beginning."""
        smoothed, total, weight = [], 0.0, 0.0
        for value in self.loss:
            total, weight = keep * total + (1 - keep) * value, keep * weight + (1 - keep)
            smoothed.append(total / weight)
        return smoothed


class Watcher(Protocol):
    """What may watch a training, such as a curve in a notebook."""

    def update(self, history: History) -> None:
        """Called after each iteration."""

    def close(self, history: History) -> None:
        """Called at the end, also after an error."""


class Progress:
    """A progress bar, and with it what is `shown`: a watcher, or lines at validations (True); or nothing (False)."""

    def __init__(self, history: History, iterations: int, shown: bool | Watcher):
        self.history, self.iterations, self.shown = history, iterations, shown
        self.bar = tqdm(
            total=iterations, initial=len(history.loss), disable=shown is False, unit="it", desc="training"
        )

    def update(self) -> None:
        """Show one more iteration, and mIoU if it was measured."""
        done = len(self.history.loss)
        self.bar.update()
        self.bar.set_postfix(loss=f"{self.history.loss[-1]:.3f}", refresh=False)
        if not isinstance(self.shown, bool):
            self.shown.update(self.history)
        elif self.shown and done in self.history.mean_iou:
            line = f"iteration {done}/{self.iterations}: loss {self.history.smooth()[-1]:.3f}, mIoU "
            line += f"{self.history.latest()}, learning rate {self.history.lr[-1]:.2g}"
            tqdm.write(line, file=sys.stdout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error) -> None:
        if not isinstance(self.shown, bool):
            self.shown.close(self.history)
        self.bar.close()

    def farewell(self, path: Path | None) -> None:
        """Say, after Ctrl-C, where the state is."""
        done = len(self.history.loss)
        if self.shown is not False and done < self.iterations:
            kept = f"{path} holds it; the same call continues from there" if path else "the model holds it"
            print(f"Stopped after iteration {done} of {self.iterations}: {kept}.")
