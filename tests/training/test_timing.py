"""The time a training needs: from a few steps, which leave no trace."""

import itertools
import random
import signal
import types

import numpy as np
import pytest
import torch
from small_training import bright_squares, run, same_weights, tiny

from deeplab_lessons.training import time_needed, timing

SETTINGS = {"iterations": 12, "batch_size": 4, "lr": 0.01, "seed": 3, "device": "cpu"}


@pytest.fixture
def clock(monkeypatch):
    """A clock that goes on by a second whenever it is looked at."""
    ticks = itertools.count()
    monkeypatch.setattr(timing, "time", types.SimpleNamespace(monotonic=lambda: next(ticks)))


@pytest.mark.parametrize(
    ("more", "seconds"),
    [
        ({}, 12),
        ({"iterations": 30}, 30),
        ({"validation": 3}, 12 + 12 * 3),
        ({"validation": 3, "validate_every": 5}, 12 + 9),
    ],
)
def test_steps_and_validations_are_counted(clock, more, seconds):
    """Every step takes a second, and every image that is measured."""
    validation = bright_squares(count) if (count := more.get("validation")) else None
    settings = {**SETTINGS, **{name: value for name, value in more.items() if name != "validation"}}
    assert time_needed(tiny(), bright_squares(), validation, **settings) == seconds


def states():
    return random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()


@pytest.mark.parametrize("freeze", [False, True])
def test_a_training_with_it_is_the_training_without(tmp_path, freeze):
    class Random(list):
        """Validation images that draw random numbers."""

        def __getitem__(self, index):
            image, mask = super().__getitem__(index)
            return image + 0 * (torch.rand(()) + random.random() + np.random.rand()), mask

    options = {"freeze_batch_norm": freeze, "class_weights": [1.0, 2.0], "validate_every": 6}
    one, other, before = tiny(), tiny(), states()
    assert time_needed(one, bright_squares(), Random(bright_squares(2)), **SETTINGS, **options) > 0
    assert states() == before and same_weights(one, other) and one.training
    assert all(weight.requires_grad and weight.grad is None for weight in one.parameters())
    histories = [run(model, validation=bright_squares(2), **options) for model in (one, other)]
    assert histories[0] == histories[1] and same_weights(one, other)


def test_it_writes_and_says_nothing(tmp_path, capsys, recwarn):
    time_needed(
        tiny(),
        bright_squares(),
        **SETTINGS,
        checkpoint=tmp_path / "mine.pt",
        progress=True,
        watch=lambda *_: 1 / 0,
    )
    assert not list(tmp_path.iterdir()) and capsys.readouterr() == ("", "") and not recwarn.list


def test_ctrl_c_ends_it(monkeypatch):
    class Interrupted(list):
        def __getitem__(self, index):
            signal.raise_signal(signal.SIGINT)
            return super().__getitem__(index)

    with pytest.raises(KeyboardInterrupt):
        time_needed(tiny(), Interrupted(bright_squares()), **SETTINGS | {"batch_size": 1})


def test_what_training_refuses_is_refused():
    with pytest.raises(ValueError, match="lr must be above 0"):
        time_needed(tiny(), bright_squares(), **SETTINGS | {"lr": -1})
