"""Checkpoints: whole or not at all, refused with a reason where they do not fit; resuming changes nothing."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections import OrderedDict
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from small_training import bright_squares, run, same_weights, tiny
from torchvision import tv_tensors

from deeplab_lessons import models, training
from deeplab_lessons.training import CheckpointError
from deeplab_lessons.training.checkpoints import training_into

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
        (b"", "is empty"),
        (b"PK\x03\x04 half of a file", "is damaged, cut off or of another kind"),
        (b"GIF89a", "is a picture"),
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
    with pytest.raises(CheckpointError, match="holds more than tensors"):
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
        CheckpointError, match=r"network was \(fc8\): Conv2d\(8, 2, .*, now \(fc8\): Conv2d\(8, 3, "
    ):
        run(tiny(classes=3), checkpoint=path)
    content = training.load_checkpoint(path)
    del content["settings"]["network"]  # as the first edition did not keep it
    training.save_checkpoint(content, path)
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
    assert training.load_checkpoint(tmp_path / "run.pt")["about"]["classes"] == ["dark", "bright"]


WRITER = """
import sys, torch
from deeplab_lessons import models, training
path, number = sys.argv[1], float(sys.argv[2])
for _ in range(60):
    training.save_checkpoint({"model": {str(n): torch.full((500, 40), number) for n in range(8)}, "by": number}, path)
"""


@pytest.mark.slow
def test_what_is_read_while_two_write_is_whole_and_of_one_writer(tmp_path):
    path = tmp_path / "run.pt"
    training.save_checkpoint({"model": {"0": torch.zeros(3)}, "by": 0.0}, path)
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(n)]) for n in (1, 2)]
    seen = set()
    while any(writer.poll() is None for writer in writers):
        content = training.load_checkpoint(path)
        seen.add(content["by"])
        assert all((tensor == content["by"]).all() for tensor in content["model"].values())
    assert [writer.returncode for writer in writers] == [0, 0] and {1, 2} <= seen
    assert [file.name for file in tmp_path.iterdir()] == ["run.pt"]


HOLDER = """
import sys, time
sys.path.insert(0, sys.argv[1])
from small_training import run, tiny
run(tiny(), checkpoint=sys.argv[2], iterations=12, validate_every=1, save_every=1, workers=int(sys.argv[3]),
    watch=lambda done, _: done < 3 or (print(done, flush=True), time.sleep(100)))
"""


@contextlib.contextmanager
def training_elsewhere(path, workers="0"):
    """Another process that is at work on a checkpoint, until it is killed."""
    program = [sys.executable, "-c", HOLDER, TESTS, str(path), workers]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as other:
        try:
            assert other.stdout.readline() == "3\n"
            yield other
        finally:
            other.kill()


@pytest.mark.slow
@pytest.mark.parametrize("resume", [True, False])
def test_a_second_training_into_one_checkpoint_is_refused(tmp_path, resume):
    path, model = tmp_path / "run.pt", tiny()
    with training_elsewhere(path):
        before = path.read_bytes()
        with pytest.raises(CheckpointError, match=r"another training writes to .*run\.pt now.*another path"):
            run(model, checkpoint=path, resume=resume)
        assert path.read_bytes() == before, "the first one is not disturbed"
        assert len(training.load_checkpoint(path)["history"]["loss"]) >= 2, "reading is allowed"
        assert run(tiny(), checkpoint=tmp_path / "other.pt").finished


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
@pytest.mark.parametrize("workers", ["0", "1"])
def test_after_a_kill_nothing_blocks_and_no_parts_are_left(tmp_path, workers):
    path, model, whole = tmp_path / "run.pt", tiny(), tiny()
    with training_elsewhere(path, workers) as other:
        other.send_signal(signal.SIGKILL)
        other.wait()
    (tmp_path / ".run.pt.0123abcd.part").write_bytes(b"half of a file")
    (tmp_path / ".run.pt.old.0123abcd.part").write_bytes(b"of another checkpoint, run.pt.old")
    run(model, checkpoint=path)
    run(whole)
    assert same_weights(model, whole)
    assert {file.name for file in tmp_path.iterdir()} == {"run.pt", ".run.pt.old.0123abcd.part"}


def test_a_second_training_in_one_process_is_refused(tmp_path):
    said = []

    def second():
        try:
            run(tiny(), checkpoint=tmp_path / "run.pt", resume=False)
        except CheckpointError as error:
            said.append(str(error))

    def meanwhile(done, model):
        if done == 6:
            second()
            thread = threading.Thread(target=second)
            thread.start()
            thread.join()

    history = run(tiny(), checkpoint=tmp_path / "run.pt", validate_every=3, watch=meanwhile)
    assert history.finished and len(said) == 2 and all("another training writes to" in each for each in said)
    assert run(tiny(), checkpoint=tmp_path / "run.pt", resume=False).finished, "the first one has let go"


def test_after_an_error_the_checkpoint_is_free_again(tmp_path):
    def fail(done, model):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tiny(), checkpoint=tmp_path / "run.pt", watch=fail)
    assert run(tiny(), checkpoint=tmp_path / "run.pt").finished
    assert [file.name for file in tmp_path.iterdir()] == ["run.pt"]


def test_a_finished_training_is_read_while_another_one_writes_there(tmp_path):
    path = tmp_path / "run.pt"
    run(tiny(), checkpoint=path)
    with training_into(path):
        assert run(tiny(), checkpoint=path).finished


@pytest.mark.parametrize(
    "lr", [np.logspace(-3, -1, 3)[0], np.float32(0.01), torch.tensor(0.01), Fraction(1, 100)]
)
def test_a_learning_rate_of_any_kind_makes_a_checkpoint_that_can_be_read(tmp_path, lr):
    path = tmp_path / "run.pt"
    others = {
        "iterations": np.int64(3),
        "batch_size": torch.tensor(4),
        "seed": np.uint8(3),
        "clip": np.float64(5),
    }
    history = run(tiny(), checkpoint=path, lr=lr, **others)
    content = training.load_checkpoint(path)
    assert type(content["settings"]["lr"]) is float and content["settings"]["lr"] == float(lr)
    assert {type(content["settings"][name]) for name in ("iterations", "batch_size", "seed")} == {int}
    assert run(tiny(), checkpoint=path, lr=float(lr), **others) == history


ABOUT = [
    (np.float64(0.5), 0.5), (np.int8(3), 3), (np.bool_(True), True), (np.arange(3), [0, 1, 2]),
    (np.array(["a"]), ["a"]), (np.str_("a"), "a"), (Path("a"), str(Path("a"))), (Fraction(1, 4), 0.25),
    ((1, (np.int64(2),)), (1, (2,))), (OrderedDict(a=np.float32(1)), {"a": 1.0}), ({np.int64(1): None}, {1: None}),
    (frozenset([2]), [2]), (torch.Size([2, 3]), (2, 3)), (torch.float16, torch.float16), (b"ab", b"ab"),
    ({"path": [Path("b")]}, {"path": ["b"]}), (True, True), (None, None), ("text", "text"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "kept"), ABOUT)
def test_what_is_noted_about_a_training_is_kept_as_plain_values(tmp_path, given, kept):
    training.save_checkpoint({"about": {"note": given}}, tmp_path / "run.pt")
    note = training.load_checkpoint(tmp_path / "run.pt")["about"]["note"]
    assert (note == kept and type(note) is type(kept)) or isinstance(given, (OrderedDict, torch.Size)), note


def test_tensors_are_kept_as_tensors(tmp_path):
    given = {
        "mask": tv_tensors.Mask(torch.ones(2, 2)),
        "weight": torch.nn.Parameter(torch.ones(2)),
        "one": torch.tensor(1),
    }
    training.save_checkpoint({"about": given}, tmp_path / "run.pt")
    kept = training.load_checkpoint(tmp_path / "run.pt")["about"]
    assert all(torch.equal(kept[name], given[name]) for name in given)


@pytest.mark.parametrize("note", [object(), len, 1j, slice(1), {"deep": [object()]}])
def test_what_cannot_be_kept_is_refused_before_training_by_name(tmp_path, note):
    seen = []
    with pytest.raises(
        ValueError, match=r"about\['note'\].* must be numbers, text, tensors, lists or dicts"
    ) as error:
        run(
            tiny(),
            checkpoint=tmp_path / "run.pt",
            about={"note": note},
            validate_every=1,
            watch=lambda *_: seen.append(1),
        )
    assert not seen and not list(tmp_path.iterdir())
    assert ("['deep'][0]" in str(error.value)) == isinstance(note, dict)


def test_a_checkpoint_of_another_edition_is_named(tmp_path):
    path = tmp_path / "run.pt"
    run(tiny(), checkpoint=path)
    content = torch.load(path, weights_only=True)
    torch.save(content | {"format": content["format"].replace("1", "2")}, path)
    with pytest.raises(
        CheckpointError, match=r"is a deeplab-lessons checkpoint, version 2, and this edition .* version 1"
    ):
        run(tiny(), checkpoint=path)


def test_ruined_weights_are_refused_and_the_model_is_left_alone(tmp_path):
    path, model = tmp_path / "run.pt", tiny()
    run(tiny(), checkpoint=path)
    content = training.load_checkpoint(path)
    training.save_checkpoint(
        {**content, "model": {k: v * torch.nan for k, v in content["model"].items()}}, path
    )
    with pytest.raises(CheckpointError, match=r"is ruined: body\.0\.weight holds NaN or infinity"):
        run(model, checkpoint=path)
    assert same_weights(model, tiny())


def test_a_checkpoint_without_counters_of_batch_norm_is_loaded(tmp_path):
    path, model = tmp_path / "run.pt", tiny()
    run(tiny(), checkpoint=path)
    content = training.load_checkpoint(path)
    del content["model"]["body.1.num_batches_tracked"]
    training.save_checkpoint(content, path)
    run(model, checkpoint=path)
    assert torch.equal(model.body[1].running_mean, content["model"]["body.1.running_mean"])


def test_a_checkpoint_that_is_no_training_is_named(tmp_path):
    training.save_checkpoint({"number": 1}, tmp_path / "run.pt")
    with pytest.raises(CheckpointError, match="holds no training to continue"):
        run(tiny(), checkpoint=tmp_path / "run.pt")
    with pytest.raises(CheckpointError, match="does not say which model it holds"):
        training.load_model(tmp_path / "run.pt")


def test_a_network_that_was_trained_inside_dataparallel_is_loaded_by_itself(tmp_path):
    torch.manual_seed(0)
    model, path = models.deeplab("v1", 2, width=1 / 32, batch_norm=True), tmp_path / "run.pt"
    run(torch.nn.DataParallel(model), checkpoint=path, iterations=1)
    assert all(name.startswith("module.") for name in training.load_checkpoint(path)["model"])
    assert same_weights(training.load_model(path)[0], model)
