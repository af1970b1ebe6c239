"""The curves of a training in a notebook, redrawn while it runs."""

import io
import time
from collections.abc import Callable, Mapping

import numpy as np

from deeplab_lessons.classroom.drawing.style import show_image, use_style
from deeplab_lessons.training.history import History


class LiveCurve:
    """A watcher for `training.train(…, progress=LiveCurve())`: one figure, redrawn during the training.

    It is redrawn after each validation, at the end, and every `seconds`, or less often where drawing would take more
    than a tenth of the time. `pictures` is called each time for what the figure shows next to the curves,
    {title: uint8 [H, W, 3]}: what the network predicts by then, say.
    """

    def __init__(self, seconds: float = 2.0, pictures: Callable[[], Mapping[str, np.ndarray]] | None = None):
        self.seconds, self.pause, self.drawn_at, self.validations = seconds, 0.0, 0.0, 0
        self.pictures = pictures or dict
        self.handle = None

    def update(self, history: History) -> None:
        """Redraw if it is time, or if mIoU was measured."""
        if len(history.mean_iou) != self.validations or time.monotonic() - self.drawn_at > self.pause:
            self.draw(history)

    def close(self, history: History) -> None:
        """Redraw for the last time; the next training gets a figure of its own."""
        if history.loss:
            self.draw(history)
        self.handle, self.validations = None, 0

    def draw(self, history: History) -> None:
        """Show the curves, or replace the ones shown before."""
        from IPython.display import Image, display

        began, pictures = time.monotonic(), self.pictures()
        said = repr(history).strip("<>").removeprefix("History: ")
        alt = "; ".join([f"Loss and mIoU over iterations: {said}", *pictures])
        image = Image(data=curves(history, pictures), alt=alt)
        if self.handle is None:
            self.handle = display(image, display_id=True)
        else:
            self.handle.update(image)
        self.drawn_at, self.validations = time.monotonic(), len(history.mean_iou)
        self.pause = max(self.seconds, 9 * (self.drawn_at - began))


def draw_history(axes, history: History) -> None:
    """Draw the loss on `axes[0]` and, where it was measured, mIoU (%) on `axes[1]` over iterations."""
    done = range(1, len(history.loss) + 1)
    axes[0].plot(done, history.loss, color="0.8", linewidth=1)
    axes[0].plot(done, history.smooth())
    axes[0].set(title="loss", xlabel="iteration", ylabel="cross-entropy", ylim=0)
    if history.mean_iou:
        values = [100 * value for value in history.mean_iou.values()]
        axes[1].plot(list(history.mean_iou), values, "o-")
        axes[1].set(
            title="validation", xlabel="iteration", ylabel="mIoU (%)", ylim=(0, 1.1 * max(values) or 1)
        )


def curves(history: History, pictures: Mapping[str, np.ndarray] | None = None) -> bytes:
    """Return the curves of `draw_history` as a PNG file; without validation there is only one panel.

    With `pictures`, {title: uint8 [H, W, 3]}, the curves are above each other and the pictures next to them.
    """
    from matplotlib.figure import Figure

    use_style()
    panels, file = 2 if history.mean_iou else 1, io.BytesIO()
    if pictures:
        figure = Figure(figsize=(8, 2.4 * max(len(pictures), 2)))
        left, right = figure.subfigures(1, 2, width_ratios=(2, 1))
        axes = left.subplots(2, 1)
        axes[1].set_visible(panels == 2)  # its place is kept, so that nothing moves when mIoU comes
        for ax, (title, picture) in zip(
            right.subplots(len(pictures), 1, squeeze=False)[:, 0], pictures.items(), strict=True
        ):
            show_image(ax, picture, title)
    else:
        figure = Figure(figsize=(4 * panels, 2.6))
        axes = figure.subplots(1, panels, squeeze=False)[0]
    draw_history(axes, history)
    figure.savefig(file, format="png")
    return file.getvalue()
