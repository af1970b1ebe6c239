"""The scripts of the long runs: every one runs from end to end, continues, and belongs to its stored results."""

import importlib
import json
from pathlib import Path

import numpy as np
import pytest
import runs
import torch
import torchvision
from label_files import save_labels, save_picture, save_voc
from PIL import Image

from deeplab_lessons import inference, metrics
from deeplab_lessons.classroom.mobile_deeplab import mobile_deeplab_v3
from deeplab_lessons.classroom.networks import camvid_ready
from deeplab_lessons.grid import PIXELS

RESULTS = Path(__file__).resolve().parents[2] / "lessons" / "results"
SCRIPTS = sorted(path.stem for path in RESULTS.glob("*.py") if path.stem != "runs")
NEED_DATA = {"camvid", "lesson04", "lesson06", "lesson09_photos", "lesson11", "lesson12_photos", "lesson14"}

#: The names under which a script keeps numbers, by group.
NAMES = {
    "lesson11": {
        "runs": {
            "no multi-grid",
            "multi-grid",
            "rate 8 too",
            "v3",
            "subsampled labels",
            "v3, stage 2",
            "v3, on at 16",
        },
        "finished": {
            "as it is",
            "another's vector",
            "the mean vector",
            "zeros",
            "output stride 8",
            "mirrored too",
            "three scales",
        },
    },
    "camvid": {"runs": {"v1", "v2", "v3", "v3+"}},
    "lesson05": {
        "heads": {"7x7", "small field", "LargeFOV"},
        "losses": {"subsample", "area", "upsampled"},
        "budgets": {"as in the lesson", "4 times as long"},
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
    save_voc(home, train=("a", "b", "c"), val=("bird", "cat"))
    for name, label in (("bird", 3), ("cat", 8)):  # no class in common
        labels = np.repeat(np.array([0, 255, label], np.uint8), 16)[:, None].repeat(64, 1)
        save_labels(home / f"VOCdevkit/VOC2012/SegmentationClass/{name}.png", labels)
        photo = draw.integers(0, 256, (48, 64, 3), np.uint8)
        save_picture(home / f"VOCdevkit/VOC2012/JPEGImages/{name}.jpg", photo)
    (home / "weights").mkdir()
    torch.manual_seed(0)
    torch.save(mobile_deeplab_v3().state_dict(), home / "weights/deeplabv3_mobilenet_v2_tf-voc-fp16.pt")
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


def test_voc_and_the_finished_network_are_asked_for(tmp_path, monkeypatch):
    monkeypatch.setenv("DEEPLAB_LESSONS_DATA", str(tmp_path))
    script = importlib.import_module("lesson06")
    script.voc.cache_clear()
    script.count.cache_clear()
    with pytest.raises(SystemExit, match=r"VOC or deeplabv3_.*\.pt is not in .*data/README\.md"):
        script.main([str(tmp_path / "results.json"), "--quick"])


def test_a_gain_is_the_difference_of_the_means_with_an_interval_around_it():
    before = np.random.default_rng(1).integers(0, 9, (30, 6, 3, 3))
    after = before + 5 * np.eye(3, dtype=int)
    for index, (difference, low, high) in enumerate(runs.gain(before, after, draws=200)):
        means = [metrics.mean_iou(torch.tensor(each[:, index].sum(0))) for each in (before, after)]
        assert difference == pytest.approx(100 * (means[1] - means[0]))
        assert 0 < low < difference < high
    assert not runs.gain(before, before, draws=20).any()


def test_the_finished_network_and_its_photographs_are_asked_for(tmp_path, monkeypatch):
    monkeypatch.setenv("DEEPLAB_LESSONS_DATA", str(tmp_path))
    with pytest.raises(SystemExit, match=r"VOC or deeplabv3_.*\.pt is not in .*data/README\.md"):
        importlib.import_module("lesson11").Finished()


class Learned(torch.nn.Module):
    """Stands for the finished network: its pooling branch says the mean of each colour, and nothing else counts."""

    grid = PIXELS

    def __init__(self):
        super().__init__()
        self.image_pooling = torch.nn.AdaptiveAvgPool2d(1)

    def forward(self, x):
        return self.image_pooling(x).expand(-1, -1, *x.shape[2:])


@pytest.fixture
def finished():
    """Lesson 11's measurements, on three plain photographs whose colour is their class."""
    found = object.__new__(importlib.import_module("lesson11").Finished)
    found.net, found.draws, found.pairs = Learned(), 50, []
    for label in range(3):
        picture, labels = np.zeros((8, 9, 3), np.uint8), np.full((8, 9), label, np.uint8)
        picture[..., label], labels[4] = 255, 255
        found.pairs.append((picture, labels))
    return found


def test_a_lie_is_what_another_photograph_without_a_common_class_says(finished):
    for seed in range(5):
        lies = finished.lies("another's vector", seed)
        assert all((lie - own).abs().max() > 1 for lie, own in zip(lies, finished.vectors, strict=True))
        again = finished.lies("another's vector", seed)
        assert all(torch.equal(*each) for each in zip(lies, again, strict=True))
    mean = finished.lies("the mean vector", 0)
    assert all(torch.allclose(each, sum(finished.vectors) / 3) for each in mean)
    assert not any(each.any() for each in finished.lies("zeros", 0))


def test_what_is_told_replaces_what_image_pooling_says_once(finished):
    picture = finished.pairs[0][0]
    assert (finished.told(picture, finished.vectors[2]) == 2).all()
    assert (inference.predict(finished.net, picture) == 0).all()


def test_differences_are_paired_and_their_interval_holds_them(finished):
    run = finished.run("another's vector", 0)["another's vector"]
    assert run["mean_iou"] == 0 and run["against"]["mean_iou"] == [-100, -100, -100]
    assert finished.as_it_is.shape == (3, 3, 21, 21)  # photographs; all pixels and two bands; classes
    wrong = finished.as_it_is.copy()
    wrong[0] = np.roll(wrong[0], 1, axis=-1)  # one photograph of three is wrong: the draws decide how often
    point, low, high = runs.gain(finished.as_it_is, wrong, 50)[0]
    assert low < point < high <= 0 and not runs.gain(finished.as_it_is, finished.as_it_is, 50).any()


def test_mean_iou_of_many_matrices_at_once_is_that_of_each():
    counts = np.random.default_rng(0).integers(0, 9, (4, 5, 5))
    counts[1, 2], counts[1, :, 2] = 0, 0
    expected = [100 * metrics.mean_iou(torch.tensor(each)) for each in counts]
    assert runs.mean_ious(counts) == pytest.approx(expected)


@pytest.mark.parametrize("name", ["lesson09_photos", "lesson12_photos"])
def test_photographs_are_asked_for(name, tmp_path, monkeypatch):
    monkeypatch.setenv("DEEPLAB_LESSONS_DATA", str(tmp_path))
    with pytest.raises(
        SystemExit, match=r"VOC or mobilenet_v2-imagenet-fp16\.pt is not in .*data/README\.md"
    ):
        importlib.import_module(name).main([str(tmp_path / "results.json"), "--quick"])
