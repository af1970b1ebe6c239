"""The best state next to the last one: which it is, and that nothing else is lost by it."""

import copy

import pytest
import torch
from small_training import bright_squares, run, same_weights, tiny

from deeplab_lessons import training
from deeplab_lessons.inference import Scores
from deeplab_lessons.training import CheckpointError, loop
from deeplab_lessons.training.checkpoints import training_into

VALIDATION = bright_squares(3)


@pytest.fixture
def find(monkeypatch):
    """Let the validations find these mIoU, one after the other, whatever the network does."""

    def script(*values):
        found = iter(values)

        def evaluate(model, dataset, grid=None):
            value = next(found)
            if value is None:
                return Scores(torch.zeros(2, 2, dtype=torch.int64), ("dark", "bright"))
            hits, wrong = round(1000 * value), round(1000 * (1 - value) / 2)
            return Scores(torch.tensor([[hits, wrong], [wrong, hits]]), ("dark", "bright"))

        monkeypatch.setattr(loop, "evaluate", evaluate)

    return script


class Kept:
    """Copies of the network at each validation."""

    def __init__(self, stop_at=None):
        self.at, self.stop_at = {}, stop_at

    def __call__(self, done, model):
        self.at[done] = copy.deepcopy(model)
        if done == self.stop_at:
            raise KeyboardInterrupt


def begin(path, watch=None, **options):
    given = {
        "validation": VALIDATION,
        "validate_every": 3,
        "save_every": 100,
        "checkpoint": path,
        "watch": watch,
    }
    return run(tiny(), **{**given, **options})


def stopped(path, at, **options):
    with pytest.raises(KeyboardInterrupt):
        begin(path, Kept(at), **options)


def names(folder):
    return sorted(file.name for file in folder.iterdir())


def noted(path):
    return training.load_checkpoint(path)["about"]["scores"]


def test_the_best_state_is_kept_and_the_last_one(tmp_path, find):
    path, kept, model = tmp_path / "mine.pt", Kept(), tiny(seed=9)
    find(0.3, 0.6, 0.5, 0.6)
    begin(path, kept)
    assert names(tmp_path) == ["mine-best.pt", "mine.pt"]
    for file, iteration, mean_iou in (("mine-best.pt", 6, 0.6), ("mine.pt", 12, 0.6)):
        content = training.load_checkpoint(tmp_path / file)
        model.load_state_dict(content["model"])
        assert same_weights(model, kept.at[iteration]) and len(content["history"]["loss"]) == iteration
        scores = content["about"]["scores"]
        assert scores["iteration"] == iteration and scores["mean_iou"] == pytest.approx(mean_iou, abs=0.01)
        assert list(scores["iou"]) == ["dark", "bright"] and scores["missing"] == []


def test_without_a_validation_there_is_no_best_and_nothing_is_said(tmp_path, capsys):
    (tmp_path / "mine-best.pt").write_text("somebody's")
    run(tiny(), checkpoint=tmp_path / "mine.pt")
    assert names(tmp_path) == ["mine-best.pt", "mine.pt"] and capsys.readouterr().out == ""
    assert (tmp_path / "mine-best.pt").read_text() == "somebody's"


def test_a_validation_that_finds_nothing_is_never_the_best(tmp_path, find):
    find(None, 0.2, None, 0.1)
    begin(tmp_path / "mine.pt")
    assert noted(tmp_path / "mine-best.pt")["iteration"] == 6
    assert noted(tmp_path / "mine.pt")["missing"] == []


def test_after_a_stop_the_best_before_is_still_to_beat(tmp_path, find):
    path, best = tmp_path / "mine.pt", tmp_path / "mine-best.pt"
    find(0.3, 0.6)
    stopped(path, 6, save_every=5)
    find(0.6, 0.5, 0.4)  # from iteration 5 on: 6 again, 9, 12
    before = best.read_bytes()
    begin(path)
    assert best.read_bytes() == before and noted(path)["iteration"] == 12
    other = tmp_path / "other.pt"
    find(0.3, 0.6)
    stopped(other, 6, save_every=5)
    find(0.6, 0.7, 0.4)
    begin(other)
    assert noted(tmp_path / "other-best.pt")["iteration"] == 9


def test_a_stop_between_the_best_and_the_last_loses_nothing(tmp_path, find):
    """The best state is ahead of the last one, and validations come at other iterations now: it stays the best."""
    path, best = tmp_path / "mine.pt", tmp_path / "mine-best.pt"
    find(0.3, 0.9)
    stopped(path, 6, save_every=5)
    find(0.4, 0.5)
    begin(path, validate_every=7)
    assert noted(best)["iteration"] == 6 and noted(path)["iteration"] == 12


def test_a_finished_training_is_read_and_nothing_is_written(tmp_path, find):
    find(0.3, 0.6, 0.5, 0.4)
    begin(tmp_path / "mine.pt")
    (tmp_path / "mine-best.pt").write_text("moved away, and something else put there")
    before = (tmp_path / "mine.pt").read_bytes()
    assert begin(tmp_path / "mine.pt").finished
    assert (tmp_path / "mine.pt").read_bytes() == before and names(tmp_path) == ["mine-best.pt", "mine.pt"]


@pytest.mark.parametrize("resume", [True, False])
def test_a_file_of_somebody_elses_is_refused_before_training_begins(tmp_path, resume):
    best = tmp_path / "mine-best.pt"
    torch.save({"weights": torch.zeros(3)}, best)
    for _ in range(2):
        before = best.read_bytes()
        with pytest.raises(
            CheckpointError, match=r"mine-best\.pt is there, .* would replace it: move that file"
        ):
            begin(tmp_path / "mine.pt", resume=resume)
        assert names(tmp_path) == ["mine-best.pt"] and best.read_bytes() == before
        best.unlink()
        run(tiny(), checkpoint=best)  # a training of this course, but the last state of another one


def test_afresh_the_best_of_before_goes_only_when_that_was_asked_for(tmp_path, find, monkeypatch):
    path, best = tmp_path / "mine.pt", tmp_path / "mine-best.pt"
    find(0.3, 0.9, 0.1, 0.1)
    begin(path)
    path.unlink()
    with pytest.raises(
        CheckpointError, match=r"mine-best\.pt holds the best state of another training.*resume=False"
    ):
        begin(path)
    assert names(tmp_path) == ["mine-best.pt"]
    find(0.2, 0.1, 0.1, 0.1)
    begin(path, resume=False)
    assert noted(best)["mean_iou"] == pytest.approx(0.2, abs=0.01)
    monkeypatch.setattr(loop._Run, "step", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        begin(path, resume=False)
    assert names(tmp_path) == ["mine.pt"], "no best state of a training that is gone"


def test_a_best_state_of_other_settings_is_refused(tmp_path, find):
    path, best = tmp_path / "mine.pt", tmp_path / "mine-best.pt"
    find(0.3, 0.9, 0.1, 0.1)
    begin(path, lr=0.5, clip=1.0)
    of_another = best.read_bytes()
    find(0.1, 0.2)
    path.unlink(), best.unlink()
    stopped(path, 6, save_every=5)
    best.write_bytes(of_another)
    with pytest.raises(CheckpointError, match="the best state of another training"):
        begin(path)
    assert best.read_bytes() == of_another


def test_no_other_training_writes_to_the_best_state(tmp_path):
    with (
        training_into(tmp_path / "mine-best.pt"),
        pytest.raises(CheckpointError, match=r"another training writes to .*mine-best\.pt"),
    ):
        begin(tmp_path / "mine.pt")
    begin(tmp_path / "mine.pt")
    assert names(tmp_path) == ["mine-best.pt", "mine.pt"], "no locks are left"


def test_a_full_disk_is_explained_and_the_best_before_stays(tmp_path, find, monkeypatch):
    path, best, save = tmp_path / "mine.pt", tmp_path / "mine-best.pt", torch.save
    find(0.3, 0.6)
    written = []

    def full(content, file):
        written.append(content)
        if len(written) == 3:  # the first state, the best at iteration 3, the best at 6
            file.write(b"half")
            raise OSError(28, "No space left on device")
        save(content, file)

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(CheckpointError, match=r"mine-best\.pt: No space left on device"):
        begin(path)
    assert noted(best)["iteration"] == 3 and names(tmp_path) == ["mine-best.pt", "mine.pt"]
    monkeypatch.setattr(torch, "save", save)
    find(0.3, 0.6, 0.1, 0.1)
    begin(path)
    assert noted(best)["iteration"] == 6


def test_without_the_file_a_worse_state_is_no_best_one(tmp_path, find):
    path = tmp_path / "run.pt"
    find(0.6, 0.5)
    stopped(path, 6, save_every=3)
    (tmp_path / "run-best.pt").unlink()
    find(0.5, 0.4, 0.3)
    begin(path, save_every=3)
    assert names(tmp_path) == ["run.pt"]
