"""The curves of a training in a notebook, redrawn while it runs."""

import io
import time

from deeplab_lessons.classroom.drawing.style import use_style
from deeplab_lessons.training.history import History


class LiveCurve:
    """A watcher for `training.train(…, progress=LiveCurve())`: one figure, redrawn as the training goes on.

    It is redrawn every `seconds`, after each validation and at the end.
    """

    def __init__(self, seconds: float = 2.0):
        self.seconds, self.drawn_at, self.validations = seconds, 0.0, 0
        self.handle = None

    def update(self, history: History) -> None:
        """Redraw if it is time, or if mIoU was measured."""
        if len(history.mean_iou) != self.validations or time.monotonic() - self.drawn_at > self.seconds:
            self.draw(history)

    def close(self, history: History) -> None:
        """Redraw for the last time; the next training gets a figure of its own."""
        if history.loss:
            self.draw(history)
        self.handle, self.validations = None, 0

    def draw(self, history: History) -> None:
        """Show the curves, or replace the ones shown before."""
        from IPython.display import Image, display

        image = Image(data=curves(history), alt=f"Loss and mIoU over iterations: {history!r}")
        if self.handle is None:
            self.handle = display(image, display_id=True)
        else:
            self.handle.update(image)
        self.drawn_at, self.validations = time.monotonic(), len(history.mean_iou)


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


def curves(history: History) -> bytes:
    """Return the curves of `draw_history` as a PNG file; without validation there is only one panel."""
    from matplotlib.figure import Figure

    use_style()
    panels = 2 if history.mean_iou else 1
    figure, file = Figure(figsize=(4 * panels, 2.6)), io.BytesIO()
    draw_history(figure.subplots(1, panels, squeeze=False)[0], history)
    figure.savefig(file, format="png")
    return file.getvalue()
