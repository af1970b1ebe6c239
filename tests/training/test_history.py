"""What a training reports while it runs, and its history."""

import pytest
import torch
from small_training import bright_squares, run, tiny

from deeplab_lessons import training


def test_plain_text_is_said_outside_a_notebook(capsys):
    history = run(tiny(), validation=bright_squares(2), progress=True, validate_every=6)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 and lines[0].startswith("iteration 6/12: loss ") and "mIoU" in lines[0]
    assert repr(history).startswith("<History: 12 iterations, loss ")


def test_a_mean_over_some_of_the_classes_names_the_others(capsys):
    model = tiny(classes=3)
    with torch.no_grad():
        model.fc8.bias[2] = -100  # a class that is nowhere, and that nobody predicts
    history = run(model, validation=bright_squares(2), progress=True, iterations=2, validate_every=2)
    assert history.missing == ["2"]
    assert "% (without 2), learning rate" in capsys.readouterr().out and "(without 2)>" in repr(history)


def test_the_smooth_loss_is_unbiased():
    history = training.History(loss=[2.0] * 30)
    assert history.smooth() == pytest.approx([2.0] * 30)


class Watcher:
    """Notes what it is shown: iterations done and validations, and the end."""

    def __init__(self):
        self.seen, self.closed = [], 0

    def update(self, history):
        self.seen.append((len(history.loss), len(history.mean_iou)))

    def close(self, history):
        self.closed += 1


def test_a_watcher_is_shown_the_training_instead_of_lines(capsys, tmp_path):
    watcher, path = Watcher(), tmp_path / "run.pt"
    options = {"validation": bright_squares(2), "validate_every": 2, "iterations": 4, "checkpoint": path}
    run(tiny(), progress=watcher, **options)
    said = capsys.readouterr()
    assert watcher.seen == [(1, 0), (2, 1), (3, 1), (4, 2)] and watcher.closed == 1
    assert said.out == "" and "4/4" in said.err
    run(tiny(), progress=watcher, **options)
    assert len(watcher.seen) == 4 and capsys.readouterr() == ("", ""), "a finished one is read in silence"


def test_a_watcher_sees_the_end_after_an_error():
    watcher = Watcher()
    with pytest.raises(ZeroDivisionError):
        run(tiny(), progress=watcher, watch=lambda *_: 1 / 0, validate_every=2)
    assert watcher.seen[-1] == (2, 0) and watcher.closed == 1
