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
        ({"weight_decay": -1e-4}, r"weight_decay must be at least 0, got -0\.0001: pass 0 for none"),
        ({"weight_decay": math.nan}, "weight_decay must be at least 0, got nan"),
        ({"lr": math.nan}, "lr must be above 0, got nan"),
        ({"lr": math.inf}, "lr must be above 0, got inf"),
        ({"iterations": 2.5}, "iterations must be a whole number, got 2.5"),
        ({"batch_size": 4.0}, "batch_size must be a whole number, got 4.0"),
        ({"iterations": True}, "iterations must be a whole number, got True"),
        ({"save_every": 0}, "save_every must be at least 1, got 0"),
        ({"validate_every": 0}, "validate_every must be at least 1, got 0"),
        ({"seed": "3"}, "seed must be a whole number, got '3'"),
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
        os.kill(0 if sys.argv[4] == "group" else os.getpid(), signal.Signals[sys.argv[3]])

workers = 1 if sys.argv[4] == "group" else 0
options = {"validate_every": 3, "watch": interrupt, "progress": True, "save_every": 100, "workers": workers}
history = run(tiny(), checkpoint=sys.argv[2], **options)
print(len(history.loss), history.finished)
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "killpg"), reason="sends signals as Unix does")
@pytest.mark.parametrize("whom", ["process", "group"])
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_ctrl_c_and_sigterm_end_the_iteration_keep_the_state_and_say_so(tmp_path, name, whom):
    """A terminal and a scheduler send the signal to all processes of a group, the workers too."""
    path = tmp_path / "run.pt"
    program = [sys.executable, "-c", INTERRUPTED, TESTS, str(path), name, whom]
    done = subprocess.run(program, capture_output=True, text=True, timeout=120, start_new_session=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "6 False"
    assert f"Stopped after iteration 6 of 12: {path} holds it" in done.stdout
    resumed, whole = tiny(), tiny()
    history = run(resumed, checkpoint=path)
    assert run(whole).loss == history.loss and same_weights(resumed, whole)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_interrupts_at_once(number):
    from deeplab_lessons.training.checks import stop_politely

    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(KeyboardInterrupt), stop_politely() as stop:
        signal.raise_signal(number)
        assert stop == [True]
        signal.raise_signal(signal.SIGINT)
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == before
