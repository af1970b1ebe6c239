"""Checkpoints: whole or not at all, refused with a reason where they do not fit; resuming changes nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from small_training import bright_squares, run, same_weights, tiny

from deeplab_lessons import training
from deeplab_lessons.training import CheckpointError

TESTS = str(Path(__file__).resolve().parents[1])


def test_stopped_and_resumed_is_the_same_as_not_stopped(tmp_path):
    whole, parts, path = tiny(), tiny(), tmp_path / "run.pt"
    history = run(whole, validation=bright_squares(3), validate_every=4)

    class Stop(Exception):
        pass

    def stop(done, model):
        raise Stop

    with pytest.raises(Stop):
        run(parts, validation=bright_squares(3), validate_every=8, watch=stop, checkpoint=path, save_every=3)
    fresh = tiny(seed=99)
    resumed = run(fresh, validation=bright_squares(3), validate_every=4, checkpoint=path, save_every=3)
    assert same_weights(whole, fresh) and resumed.loss == history.loss and resumed.lr == history.lr
    again = tiny(seed=98)
    assert run(again, checkpoint=path).loss == history.loss and same_weights(whole, again), (
        "nothing left to do"
    )


KILLED_TEN_TIMES = """
import hashlib, json, os, random, signal, sys, time
import torch
sys.path.insert(0, sys.argv[1])
from small_training import bright_squares, run, tiny

torch.set_num_threads(1)
path = sys.argv[2]

def learn(checkpoint, say):
    model = tiny()
    run(model, iterations=200, checkpoint=checkpoint, save_every=1, validate_every=1, watch=lambda *_: say(b"."))
    weights = b"".join(value.numpy().tobytes() for value in model.state_dict().values())
    say(b"=" + hashlib.sha256(weights).hexdigest().encode())

def in_a_child(checkpoint):
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        learn(checkpoint, lambda words: os.write(writer, words))
        os._exit(0)
    os.close(writer)
    return child, os.fdopen(reader, "rb", buffering=0)

draw, kills, stages = random.Random(), 0, []
while kills < 10:
    child, said = in_a_child(path)
    for _ in range(draw.randint(1, 15)):
        said.read(1)
    time.sleep(draw.uniform(0, 0.02))
    os.kill(child, signal.SIGKILL)
    kills += os.waitpid(child, 0)[1] == signal.SIGKILL
    stages.append(len(torch.load(path, weights_only=True)["history"]["loss"]))

answers = []
for checkpoint in (path, None):
    child, said = in_a_child(checkpoint)
    answers.append(b"".join(iter(lambda: said.read(1000), b"")).decode().partition("=")[2])
    os.waitpid(child, 0)
print(json.dumps({"kills": kills, "stages": stages, "resumed": answers[0], "whole": answers[1]}))
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills processes that it forks")
def test_killed_ten_times_it_ends_with_the_same_weights(tmp_path):
    """SIGKILL at ten random moments of a process that saves after every iteration; then it ends undisturbed."""
    program = [sys.executable, "-c", KILLED_TEN_TIMES, TESTS, str(tmp_path / "run.pt")]
    done = subprocess.run(program, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["kills"] == 10 and found["resumed"] == found["whole"] and len(found["whole"]) == 64
    assert found["stages"] == sorted(found["stages"]) and 0 < found["stages"][-1] < 200, found["stages"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not a checkpoint of this course, or it is damaged"),
        (b"PK\x03\x04 half of a file", "not a checkpoint of this course, or it is damaged"),
        (b"GIF89a", "not a checkpoint of this course, or it is damaged"),
    ],
)
def test_broken_files_are_named(tmp_path, content, words):
    path = tmp_path / "run.pt"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=words) as error:
        run(tiny(), checkpoint=path)
    assert str(path) in str(error.value) and path.read_bytes() == content


def test_a_checkpoint_cut_off_anywhere_is_refused(tmp_path):
    path = tmp_path / "run.pt"
    run(tiny(), checkpoint=path)
    content = path.read_bytes()
    for share in (0.1, 0.5, 0.9, 0.999):
        path.write_bytes(content[: int(share * len(content))])
        with pytest.raises(CheckpointError, match="damaged"):
            training.load_checkpoint(path)


class Harmful:
    def __reduce__(self):
        return print, ("this code was executed",)


def test_foreign_files_are_refused_and_nothing_in_them_runs(tmp_path, capsys):
    path = tmp_path / "run.pt"
    torch.save(Harmful(), path)
    with pytest.raises(CheckpointError, match="cannot be read as tensors"):
        training.load_checkpoint(path)
    assert capsys.readouterr().out == ""
    torch.save(tiny().state_dict(), path)
    with pytest.raises(CheckpointError, match=r"not a checkpoint of this course \(it holds: body"):
        training.load_checkpoint(path)
    with pytest.raises(CheckpointError, match="there is no checkpoint"):
        training.load_checkpoint(tmp_path / "missing.pt")


def test_another_model_or_other_settings_are_refused(tmp_path):
    path = tmp_path / "run.pt"
    run(tiny(), checkpoint=path)
    with pytest.raises(
        CheckpointError, match=r"holds another model: 2 parts do not fit, .*fc8.weight is \[2, 8"
    ):
        run(tiny(classes=3), checkpoint=path)
    with pytest.raises(CheckpointError, match=r"lr was 0.01, now 0.02.*resume=False"):
        run(tiny(), checkpoint=path, lr=0.02)
    history = run(tiny(), checkpoint=path, lr=0.02, resume=False)
    assert len(history.loss) == 12


def test_a_full_disk_is_explained_and_the_old_file_stays(tmp_path, monkeypatch):
    path = tmp_path / "run.pt"
    training.save_checkpoint({"number": 1}, path)

    def full(content, file):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(CheckpointError, match="No space left on device"):
        training.save_checkpoint({"number": 2}, path)
    monkeypatch.undo()
    assert training.load_checkpoint(path)["number"] == 1
    assert [file.name for file in tmp_path.iterdir()] == ["run.pt"]


def test_a_folder_that_cannot_be_written_is_found_before_training(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    seen = []
    with pytest.raises(CheckpointError, match="could not write"):
        run(
            tiny(), checkpoint=tmp_path / "file" / "run.pt", watch=lambda *_: seen.append(1), validate_every=1
        )
    assert not seen


def test_about_travels_with_the_checkpoint(tmp_path):
    run(tiny(), checkpoint=tmp_path / "run.pt", about={"classes": ["dark", "bright"]})
    assert training.load_checkpoint(tmp_path / "run.pt")["about"] == {"classes": ["dark", "bright"]}
