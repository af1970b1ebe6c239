"""Two processes that share each batch learn what one process learns from the whole of it."""

import json
import subprocess
import sys
import textwrap

import pytest
import torch

from deeplab_lessons import parallel, training

SCRIPT = textwrap.dedent(
    """
    import json, sys
    import torch
    from deeplab_lessons import inference, models, parallel, runtime, training

    folder = sys.argv[1]
    with parallel.process_group(torch.device("cpu")) as device:
        numbers = torch.Generator().manual_seed(0)
        pairs = []
        for index in range(6):
            blocks = torch.randint(3, (6, 6), generator=numbers)
            labels = blocks.repeat_interleave(7, 0).repeat_interleave(7, 1)[:41, :41].clone()
            labels[: 6 * index] = 255  # each picture has another share of void
            pairs.append((torch.randn(3, 41, 41, generator=numbers), labels))
        found = {}
        for name, options in {
            "plain": {"version": "v1", "width": 1 / 64, "dropout": 0.0},
            "MSC": {"version": "v2", "backbone": "resnet50", "rates": (1, 2), "width": 1 / 16,
                    "blocks": (1, 1, 1, 1), "frozen": True, "multi_scale": True},
        }.items():
            torch.manual_seed(0)
            model = models.deeplab(**options, num_classes=3)
            for loss in ("subsample", "area", "upsampled"):
                history = training.train(
                    model, pairs, pairs[:5], iterations=2, batch_size=4, lr=1e-3, loss=loss, device=device,
                    checkpoint=f"{folder}/{name}-{loss}.pt", progress=False,
                )
                scores = inference.evaluate(model, pairs[:5], trimap=[1])
                found[f"{name} {loss}"] = {
                    "loss": history.loss, "iou": scores.mean_iou, "trimap": scores.trimap_mean_iou[1],
                    "validated": list(history.mean_iou.values()), "processes": parallel.world_size(),
                }
        few = inference.evaluate(model, pairs[:1])
        found["one picture"] = {"iou": few.mean_iou}
        if parallel.rank() == 0:
            json.dump(found, open(f"{folder}/found.json", "w"))
    """
)


TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


def said(command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def run(folder, processes):
    folder.mkdir()
    script = folder / "script.py"
    script.write_text(SCRIPT)
    said([*(TORCHRUN if processes > 1 else [sys.executable]), str(script), str(folder)])
    return json.loads((folder / "found.json").read_text())


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    home = tmp_path_factory.mktemp("parallel")
    return home, run(home / "one", 1), run(home / "two", 2)


@pytest.mark.slow
def test_two_processes_take_the_steps_of_one(both):
    home, one, two = both
    for name in ("plain-subsample", "plain-area", "plain-upsampled", "MSC-subsample", "MSC-upsampled"):
        alone, shared = (training.load_checkpoint(home / run / f"{name}.pt") for run in ("one", "two"))
        for key, value in alone["model"].items():
            assert torch.allclose(value, shared["model"][key], rtol=1e-4, atol=1e-6), (name, key)
        assert len(shared["history"]["loss"]) == 2
    for name in set(one) - {"one picture"}:
        assert one[name]["processes"] == 1 and two[name]["processes"] == 2
        assert one[name]["loss"] == pytest.approx(two[name]["loss"], rel=1e-4)


@pytest.mark.slow
def test_two_processes_measure_what_one_measures(both):
    _, one, two = both
    for name in one:
        for number in {"iou", "trimap", "validated"} & set(one[name]):
            assert one[name][number] == pytest.approx(two[name][number], rel=1e-3), (name, number)


@pytest.mark.slow
def test_the_command_line_runs_under_torchrun(tmp_path):
    path, cli = tmp_path / "scenes.pt", [*TORCHRUN, "-m", "deeplab_lessons.classroom.commands"]
    small = ["--count", "4", "--scene-size", "32", "--device", "cpu"]
    options = ["--no-batch-norm", "--width", "0.02", "--crop", "32", "--batch-size", "2", "--iterations", "2"]
    told = said([*cli, "train", "--checkpoint", str(path), *small, *options])
    assert told.count("2 iterations") == 1, "one process speaks for both"
    assert len(training.load_checkpoint(path)["history"]["loss"]) == 2
    assert said([*cli, "evaluate", str(path), *small]).count("mIoU ") == 1


def test_alone_nothing_changes():
    values = torch.arange(3)
    assert (parallel.world_size(), parallel.rank()) == (1, 0)
    assert parallel.sum_over_processes(values) is values
    assert parallel.any_process(True) and not parallel.any_process(False)
    model = torch.nn.BatchNorm2d(2)
    assert parallel.distribute(model, torch.device("cpu")) is model
    with parallel.process_group(torch.device("cpu")) as device:
        assert device.type == "cpu" and parallel.world_size() == 1


def test_what_several_processes_cannot_share_is_named(monkeypatch):
    monkeypatch.setattr(parallel, "world_size", lambda: 3)
    with pytest.raises(ValueError, match="3 processes cannot share a batch of 2"):
        training.Batches([0] * 5, batch_size=2, seed=0)
    with pytest.raises(ValueError, match="batch norm's statistics can be joined over processes on CUDA only"):
        parallel.distribute(torch.nn.Sequential(torch.nn.BatchNorm2d(2)), torch.device("cpu"))
