"""The scripts of the long runs: every one runs from end to end, continues, and belongs to its stored results."""

import importlib
import json
from pathlib import Path

import numpy as np
import pytest
import runs
import torch
import torchvision
from label_files import save_voc
from PIL import Image

from deeplab_lessons.classroom.networks import camvid_ready

RESULTS = Path(__file__).resolve().parents[2] / "lessons" / "results"
SCRIPTS = sorted(path.stem for path in RESULTS.glob("*.py") if path.stem != "runs")
NEED_DATA = {"camvid", "lesson04", "lesson09_photos", "lesson14"}

#: The names under which a script keeps numbers, by group.
NAMES = {
    "camvid": {"runs": {"v1", "v2", "v3", "v3+"}},
    "lesson05": {
        "heads": {"7x7", "small field", "LargeFOV"},
        "losses": {"subsample", "area", "upsampled"},
        "budgets": {"as in class", "4 times as long"},
    },
}


@pytest.fixture
def own_data(tmp_path, monkeypatch):
    """A data folder with a CamVid of two small images per split, a small VOC and weights as MobileNetV2's."""
    home, draw = tmp_path / "data", np.random.default_rng(0)
    for split in ("train", "val", "test"):
        lines = []
        for folder in (split, f"{split}annot"):
            (home / "camvid" / folder).mkdir(parents=True)
        for number in range(2):
            name = f"{split}{number}.png"
            Image.fromarray(draw.integers(0, 256, (48, 64, 3), np.uint8)).save(home / "camvid" / split / name)
            labels = np.repeat(np.arange(12, dtype=np.uint8), 4)[:, None].repeat(64, 1)
            Image.fromarray(labels).save(home / "camvid" / f"{split}annot" / name)
            lines.append(f"/SegNet/CamVid/{split}/{name} /SegNet/CamVid/{split}annot/{name}")
        (home / "camvid" / f"{split}.txt").write_text("\n".join(lines) + "\n")
    save_voc(home, train=("a", "b", "c"))
    (home / "weights").mkdir()
    state = torchvision.models.mobilenet_v2(weights=None).state_dict()
    for name in ("mobilenet_v2-imagenet-fp16.pt", "mobilenet_v2_tf-imagenet-fp16.pt"):
        torch.save(state, home / "weights" / name)
    monkeypatch.setenv("DEEPLAB_LESSONS_DATA", str(home))


@pytest.mark.slow
@pytest.mark.parametrize("name", SCRIPTS)
def test_stored_results_are_those_of_the_script(name):
    """Otherwise the script would refuse to continue, and the lesson shows the numbers of something else."""
    stored = json.loads((RESULTS / f"{name}.json").read_text())
    plan = json.loads(json.dumps(importlib.import_module(name).plan()))
    assert {key: stored.get(key) for key in plan} == plan


@pytest.mark.slow
@pytest.mark.parametrize("name", SCRIPTS)
def test_every_script_runs_from_end_to_end(name, tmp_path, monkeypatch, capsys, request):
    monkeypatch.setenv("DEEPLAB_LESSONS_CACHE", str(tmp_path / "cache"))
    if name in NEED_DATA:
        request.getfixturevalue("own_data")
    script, path = importlib.import_module(name), tmp_path / "results.json"
    arguments = [str(path), "--quick", *(["--keep", str(tmp_path / "keep")] if name == "camvid" else [])]
    script.main(arguments)
    found, stored = (json.loads(each.read_text()) for each in (path, RESULTS / f"{name}.json"))
    groups = NAMES.get(name, {"runs": set(stored["runs"])} if "runs" in stored else {})
    assert groups
    for group, names in groups.items():
        assert set(found[group]) == names == set(stored[group])
        for each in names:
            new, old = found[group][each][0], stored[group][each][0]
            assert new["seed"] == 0 and not set(old) - set(new) - {"drawn"}, each
    assert set(stored) == set(found)
    said = capsys.readouterr().out
    assert said.count("'seed': 0") >= len(found.get("runs", ()))
    monkeypatch.setattr(
        script, "run" if name != "lesson08" else "Comparison", lambda *_: pytest.fail("again")
    )
    script.main(arguments)
    assert capsys.readouterr().out == "" and json.loads(path.read_text()) == found


def test_quick_runs_never_touch_the_stored_results(capsys):
    stored = (RESULTS / "lesson12.json").read_text()
    with pytest.raises(SystemExit):
        importlib.import_module("lesson12").main(["--quick"])
    assert "--quick would spoil lesson12.json: name another file" in capsys.readouterr().err
    assert (RESULTS / "lesson12.json").read_text() == stored


def test_runs_of_another_plan_are_left_alone(tmp_path):
    path = tmp_path / "results.json"
    assert (
        runs.fill(path, {"lr": 1}, (0,), ["a"], lambda name, seed: {name: {"x": 1}})["runs"]["a"][0]["x"] == 1
    )
    before = path.read_text()
    with pytest.raises(SystemExit, match=r"holds runs of another plan \(lr\): move it away"):
        runs.fill(path, {"lr": 2}, (0,), ["a"], lambda name, seed: {name: {"x": 2}})
    assert path.read_text() == before


def test_a_stopped_script_continues_with_the_run_that_is_missing(tmp_path):
    path, done = tmp_path / "results.json", []

    def run(name, seed):
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append((name, seed))
        return {name: {"x": seed}}

    with pytest.raises(KeyboardInterrupt):
        runs.fill(path, {}, (0, 1), ["a", "b"], run)
    assert done == [("a", 0), ("b", 0), ("a", 1)] and len(json.loads(path.read_text())["runs"]["a"]) == 2
    again = []
    runs.fill(
        path, {}, (0, 1), ["a", "b"], lambda name, seed: again.append((name, seed)) or {name: {"x": seed}}
    )
    assert again == [("b", 1)]


def test_streets_are_asked_for(tmp_path, monkeypatch):
    monkeypatch.setenv("DEEPLAB_LESSONS_DATA", str(tmp_path))
    assert not camvid_ready()
    with pytest.raises(
        SystemExit, match=r"CamVid or mobilenet_v2-imagenet-fp16\.pt is not in .*data/README\.md"
    ):
        importlib.import_module("lesson14").main([str(tmp_path / "results.json"), "--quick"])


def test_the_classifiers_weights_are_asked_for(tmp_path, monkeypatch):
    monkeypatch.setenv("DEEPLAB_LESSONS_DATA", str(tmp_path))
    with pytest.raises(SystemExit, match=r"mobilenet_v2_tf-imagenet-fp16\.pt is not in .*data/README\.md"):
        importlib.import_module("lesson04").main([str(tmp_path / "results.json"), "--quick"])


def test_photographs_are_asked_for(tmp_path, monkeypatch):
    monkeypatch.setenv("DEEPLAB_LESSONS_DATA", str(tmp_path))
    with pytest.raises(
        SystemExit, match=r"VOC or mobilenet_v2-imagenet-fp16\.pt is not in .*data/README\.md"
    ):
        importlib.import_module("lesson09_photos").main([str(tmp_path / "results.json"), "--quick"])
