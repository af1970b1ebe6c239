"""What a training says while it runs: a bar with the time left, and a curve (notebook) or lines (elsewhere)."""

import io
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tqdm.auto import tqdm


@dataclass
class History:
    """What happened: `loss` and `lr` of each iteration, `mean_iou` after the iterations that were validated.

    `lr` is the rate of the first parameter group. `mean_iou` maps a number of iterations done to mIoU
    (0 … 1). `seconds` is the time in the loop, of this run alone; `finished` is False after Ctrl-C.
    """

    loss: list[float] = field(default_factory=list)
    lr: list[float] = field(default_factory=list)
    mean_iou: dict[int, float] = field(default_factory=dict)
    seconds: float = field(default=0.0, compare=False)
    finished: bool = field(default=True, compare=False)

    def __repr__(self) -> str:
        """Where it ended."""
        words = [f"{len(self.loss)} iterations"]
        if self.loss:
            words.append(f"loss {self.smooth()[-1]:.3f}")
        if self.mean_iou:
            words.append(f"mIoU {100 * list(self.mean_iou.values())[-1]:.1f} %")
        return f"<History: {', '.join(words)}{'' if self.finished else ', stopped early'}>"

    def smooth(self, keep: float = 0.95) -> list[float]:
        """The loss as a running mean: each value keeps `keep` of the one before; unbiased at the beginning."""
        smoothed, total, weight = [], 0.0, 0.0
        for value in self.loss:
            total, weight = keep * total + (1 - keep) * value, keep * weight + (1 - keep)
            smoothed.append(total / weight)
        return smoothed

    def plot(self, axes) -> None:
        """Draw the loss on `axes[0]` and, where it was measured, mIoU (%) on `axes[1]` over iterations."""
        done = range(1, len(self.loss) + 1)
        axes[0].plot(done, self.loss, color="0.8", linewidth=1)
        axes[0].plot(done, self.smooth())
        axes[0].set(title="loss", xlabel="iteration", ylabel="cross-entropy", ylim=0)
        if not self.mean_iou:
            return
        shares = [100 * value for value in self.mean_iou.values()]
        axes[1].plot(list(self.mean_iou), shares, "o-")
        axes[1].set(
            title="validation", xlabel="iteration", ylabel="mIoU (%)", ylim=(0, 1.1 * max(shares) or 1)
        )

    def to_dict(self) -> dict:
        """The history as lists and dicts, for a checkpoint."""
        return asdict(self)


def in_notebook() -> bool:
    """True in a Jupyter kernel, where pictures can be shown and replaced."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return hasattr(shell, "kernel")


class Report:
    """A progress bar, and beside it the curve or the lines; silent with `show=False`."""

    def __init__(self, history: History, done: int, iterations: int, show: bool = True):
        """Start at `done` of `iterations`."""
        self.history, self.iterations, self.show = history, iterations, show
        self.bar = tqdm(total=iterations, initial=done, disable=not show, unit="it", desc="training")
        self.live = show and in_notebook()
        self.handle, self.drawn_at = None, 0.0

    def iteration(self) -> None:
        """One more iteration is done."""
        self.bar.update()
        self.bar.set_postfix(loss=f"{self.history.loss[-1]:.3f}", refresh=False)
        if self.live and time.monotonic() - self.drawn_at > 2:
            self.draw()

    def validated(self) -> None:
        """A new mIoU is there."""
        done, value = list(self.history.mean_iou.items())[-1]
        if self.live:
            self.draw()
        elif self.show:
            smooth, rate = self.history.smooth()[-1], self.history.lr[-1]
            line = f"iteration {done}/{self.iterations}: loss {smooth:.3f}, mIoU {100 * value:.1f} %"
            tqdm.write(f"{line}, learning rate {rate:.2g}", file=sys.stdout)

    def draw(self) -> None:
        """Show the curves, or replace the ones shown before."""
        from IPython.display import Image, display

        picture = Image(data=curves(self.history), alt=f"Loss and mIoU over iterations: {self.history!r}")
        if self.handle is None:
            self.handle = display(picture, display_id=True)
        else:
            self.handle.update(picture)
        self.drawn_at = time.monotonic()

    def __enter__(self) -> "Report":
        """Begin."""
        return self

    def __exit__(self, *error) -> None:
        """Draw for the last time and end the bar."""
        if self.live and self.history.loss:
            self.draw()
        self.bar.close()

    def farewell(self, path: Path | None) -> None:
        """Say, after Ctrl-C, where the state is."""
        done = len(self.history.loss)
        if self.show and done < self.iterations:
            kept = f"{path} holds it; the same call goes on from there" if path else "the model holds it"
            print(f"Stopped after iteration {done} of {self.iterations}: {kept}.")


def curves(history: History) -> bytes:
    """The curves of `history.plot` as a PNG file."""
    from matplotlib.figure import Figure

    from deeplab_lessons.classroom.drawing.style import use_style

    use_style()
    panels = 2 if history.mean_iou else 1
    figure, file = Figure(figsize=(4 * panels, 2.6)), io.BytesIO()
    history.plot(figure.subplots(1, panels, squeeze=False)[0])
    figure.savefig(file, format="png")
    return file.getvalue()
