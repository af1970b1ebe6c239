"""What a training refuses, and how it stops: wrong settings, numbers that are not finite, Ctrl-C and SIGTERM."""

import contextlib
import math
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import torch

from deeplab_lessons.checks import check_choice
from deeplab_lessons.training import class_weights
from deeplab_lessons.training.history import History
from deeplab_lessons.training.losses import LOSSES
from deeplab_lessons.training.schedules import SCHEDULES


class NotFinite(ArithmeticError):
    """The loss or a weight became NaN or infinite; the message says when, and what to try."""


def checked_settings(save_every: int, validate_every: int | None, **settings) -> dict:
    """Return the settings of a training, as numbers of Python's; ValueError for wrong ones."""
    for name, known in (("schedule", SCHEDULES), ("loss", LOSSES)):
        check_choice(name, settings[name], known)
    for name in ("iterations", "batch_size", "seed"):
        if isinstance(settings[name], bool) or not hasattr(settings[name], "__index__"):
            raise ValueError(f"{name} must be a whole number, got {settings[name]!r}")
        settings[name] = int(settings[name])
    numbers = ("lr", "weight_decay", "clip")
    settings |= {name: float(settings[name]) for name in numbers if settings[name] is not None}
    for name in ("iterations", "batch_size", "lr"):
        if not 0 < settings[name] < math.inf:
            raise ValueError(f"{name} must be above 0, got {settings[name]!r}")
    if not 0 <= settings["weight_decay"] < math.inf:
        raise ValueError(
            f"weight_decay must be at least 0, got {settings['weight_decay']!r}: pass 0 for none"
        )
    for name, every in (("save_every", save_every), ("validate_every", validate_every)):
        if every is not None and not every >= 1:
            raise ValueError(f"{name} must be at least 1, got {every!r}")
    if settings["clip"] is not None and not settings["clip"] > 0:
        raise ValueError(f"clip must be None or a norm above 0, got {settings['clip']!r}")
    if settings["amp"] not in (False, True, "bf16", "fp16"):
        raise ValueError(f'amp must be False, True, "bf16" or "fp16", got {settings["amp"]!r}')
    return settings | {"class_weights": class_weights.checked(settings["class_weights"])}


def check_loss(history: History, path: Path | None) -> None:
    """Raise NotFinite if the latest loss is NaN or infinite."""
    loss, lr = history.loss[-1], history.lr[-1]
    if not math.isfinite(loss):
        raise NotFinite(_not_finite(f"the loss is {loss} at learning rate {lr:.3g}", len(history.loss), path))


def check_weights(model: torch.nn.Module, done: int, path: Path | None) -> None:
    """Raise NotFinite if the model holds NaN or infinity, before it replaces the last good checkpoint."""
    for name, value in model.state_dict().items():
        if value.is_floating_point() and not value.isfinite().all():
            raise NotFinite(_not_finite(f"the weights {name} hold NaN or infinity", done, path))


def _not_finite(what: str, iteration: int, path: Path | None) -> str:
    kept = f" The last good state is still in {path}." if path and path.exists() else ""
    return (
        f"iteration {iteration}: {what}. Training stops because nothing is learned from such numbers.{kept} "
        "Try a learning rate 3 to 10 times smaller, or clip=10. Are the images finite and normalised?"
    )


@contextlib.contextmanager
def stop_politely() -> Iterator[list]:
    """Collect Ctrl-C and SIGTERM: the list is empty until one comes. A second one interrupts at once."""
    interrupts: list[bool] = []

    def note(number, frame):
        if interrupts:
            raise KeyboardInterrupt
        interrupts.append(True)

    with contextlib.ExitStack() as afterwards:
        if threading.current_thread() is threading.main_thread():  # signals reach no other
            for number in (signal.SIGINT, signal.SIGTERM):
                before = signal.signal(number, note) or signal.SIG_DFL
                afterwards.callback(signal.signal, number, before)
        yield interrupts
