"""What a training refuses, and how Ctrl-C stops it."""

import math
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from small_training import bright_squares, run, same_weights, tiny

from deeplab_lessons import training
from deeplab_lessons.training import NotFinite

TESTS = str(Path(__file__).resolve().parents[1])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"loss": "mean"}, "unknown loss 'mean': choose from subsample, area, upsampled"),
        ({"schedule": "cosine"}, "unknown schedule 'cosine': choose from step, poly"),
        ({"iterations": 0}, "iterations must be above 0, got 0"),
        ({"lr": -1}, "lr must be above 0, got -1"),
        ({"batch_size": 0}, "batch_size must be above 0"),
        ({"clip": 0}, "clip must be None or a norm above 0"),
        ({"amp": "half"}, "amp must be False, True"),
    ],
)
def test_wrong_settings_are_explained(options, words):
    with pytest.raises(ValueError, match=words):
        run(tiny(), **options)


def test_a_loss_that_is_no_number_stops_and_spares_the_checkpoint(tmp_path):
    path, data = tmp_path / "run.pt", bright_squares()
    broken = [*data[:-1], (data[-1][0] * math.nan, data[-1][1])]  # each epoch meets it once: 3 iterations
    with pytest.raises(NotFinite, match=r"iteration \d: the loss is nan at learning rate") as error:
        run(tiny(), broken, checkpoint=path, save_every=1)
    assert str(path) in str(error.value) and "clip=10" in str(error.value)
    kept = training.load_checkpoint(path)
    assert all(value.isfinite().all() for value in kept["model"].values())
    assert len(kept["history"]["loss"]) == len([v for v in kept["history"]["loss"] if math.isfinite(v)])


def test_weights_that_are_no_numbers_are_not_saved(tmp_path):
    path = tmp_path / "run.pt"

    def ruin(done, model):
        if done == 4:
            model.fc8.bias.data.fill_(math.inf)

    with pytest.raises(NotFinite, match=r"the weights fc8\.bias hold NaN or infinity"):
        run(tiny(), checkpoint=path, save_every=2, validate_every=4, watch=ruin)
    assert len(training.load_checkpoint(path)["history"]["loss"]) == 2


INTERRUPTED = """
import sys, os, signal
sys.path.insert(0, sys.argv[1])
from small_training import bright_squares, run, tiny

def interrupt(done, model):
    if done == 6:
        os.kill(os.getpid(), signal.SIGINT)

options = {"validate_every": 3, "watch": interrupt, "progress": True, "save_every": 100}
history = run(tiny(), checkpoint=sys.argv[2], **options)
print(len(history.loss), history.finished)
"""


@pytest.mark.slow
def test_ctrl_c_ends_the_iteration_keeps_the_state_and_says_so(tmp_path):
    path = tmp_path / "run.pt"
    program = [sys.executable, "-c", INTERRUPTED, TESTS, str(path)]
    done = subprocess.run(program, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "6 False"
    assert f"Stopped after iteration 6 of 12: {path} holds it" in done.stdout
    resumed, whole = tiny(), tiny()
    run(resumed, checkpoint=path)
    run(whole)
    assert same_weights(resumed, whole)


def test_ctrl_c_twice_interrupts_at_once():
    from deeplab_lessons.training.checks import stop_politely

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), stop_politely() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop == [True]
        os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before
