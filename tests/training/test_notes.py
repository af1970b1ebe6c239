"""What a checkpoint notes about its training: enough to use it without another word."""

import platform

import numpy as np
import pytest
import torch
from small_training import bright_squares, run, tiny

from deeplab_lessons import datasets, models, training
from deeplab_lessons.inference import Scores
from deeplab_lessons.training import notes

NETWORKS = {
    "v1": {"backbone": "mobilenet_v2", "width": 0.125, "rate": 2, "output_stride": 16},
    "v2": {"backbone": "vgg16", "width": 1 / 32, "rates": [2, 4], "batch_norm": True, "multi_scale": True},
    "v3": {"backbone": "mobilenet_v2", "width": 0.125, "rates": [1, 2]},
    "v3plus": {"backbone": "resnet18", "width": 1 / 32},
}


class Cups(datasets.Pairs):
    """Three pairs in memory."""

    classes, palette = ("Background", "cup", "spoon"), datasets.voc_colours()

    def __len__(self):
        return 3

    def read(self, index):
        labels = np.tile(np.arange(32, dtype=np.uint8) % 2, (24, 1))
        return np.stack([labels] * 3, 2), labels


@pytest.mark.parametrize("version", NETWORKS)
def test_a_network_trained_from_python_is_loaded_without_another_word(tmp_path, version):
    model = models.deeplab(version, 6, **NETWORKS[version])
    scenes = datasets.Embedded("train", 3, 64)
    run(model, scenes, validation=scenes, iterations=1, batch_size=2, checkpoint=tmp_path / "mine.pt")
    for file in ("mine.pt", "mine-best.pt"):
        loaded, about = training.load_model(tmp_path / file)
        picture = scenes[0][0][None]
        with torch.no_grad():
            assert torch.equal(loaded(picture), model.eval()(picture))
        assert about["classes"] == list(datasets.CLASSES) and np.array_equal(about["palette"], scenes.palette)
        assert about["model"]["version"] == version and about["model"]["num_classes"] == 6


def test_all_that_is_known_is_noted(tmp_path):
    pairs = Cups()
    validation = torch.utils.data.Subset(pairs, [0, 1])
    run(
        tiny(classes=3), pairs, validation=validation, iterations=2, validate_every=1, batch_size=1, clip=5,
        checkpoint=tmp_path / "mine.pt", about={"data": {"name": "cups"}, "note": "monday"},
    )  # fmt: skip
    about = training.load_checkpoint(tmp_path / "mine.pt")["about"]
    assert about["classes"] == ["Background", "cup", "spoon"] and about["background"] == 0
    assert about["data"] == {"name": "cups", "pairs": 3, "validation": 2} and about["note"] == "monday"
    assert (
        about["recipe"]["lr"] == 0.01 and about["recipe"]["clip"] == 5 and about["recipe"]["iterations"] == 2
    )
    assert about["versions"]["Python"] == platform.python_version() and "model" not in about
    assert about["versions"]["torch"] == str(torch.__version__)
    assert about["longest_side"] == 32
    scores = about["scores"]
    assert scores["iteration"] == 2 and set(scores["iou"]) | set(scores["missing"]) == set(about["classes"])
    assert scores["mean_iou"] == pytest.approx(np.mean(list(scores["iou"].values())))


def test_a_class_that_was_not_measured_is_missing_and_not_0():
    confusion = torch.tensor([[8, 2, 0], [0, 5, 0], [0, 0, 0]])
    found = notes.measured(Scores(confusion, ("a", "b", "c")), 7, ())
    assert found["iou"] == pytest.approx({"a": 8 / 10, "b": 5 / 7}) and found["missing"] == ["c"]


def test_known_sets_have_their_names():
    scenes = datasets.Embedded("test", 2, 32)
    about = notes.about(tiny(), torch.utils.data.Subset(scenes, [1]), None, {})
    assert about["data"] == {"name": "embedded", "split": "test", "pairs": 1, "validation": 0}
    assert notes.about(tiny(), bright_squares(2), None, {})["data"]["name"] == "list"


def test_a_first_class_of_another_name_is_no_background():
    pairs = Cups()
    pairs.classes = ("road", "tree")
    assert notes.about(tiny(), pairs, None, {})["background"] is None


def test_the_network_in_a_wrapper_states_its_arguments():
    model = models.deeplab("v3", 2, **NETWORKS["v3"])
    assert notes.about(torch.nn.DataParallel(model), bright_squares(2), None, {})["model"] == model.arguments


def test_a_checkpoint_of_the_first_edition_is_loaded(tmp_path):
    """As before networks knew their arguments: `data` is a word, and the network's defaults are left out."""
    model = models.deeplab("v3", 6, backbone="mobilenet_v2", width=0.125)
    del model.arguments
    network = {"version": "v3", "backbone": "mobilenet_v2", "width": 0.125, "num_classes": 6}
    content = {"model": model.state_dict(), "about": {"model": network, "data": "camvid", "scene_size": 96}}
    training.save_checkpoint(content, tmp_path / "old.pt")
    loaded, about = training.load_model(tmp_path / "old.pt")
    assert about["data"] == {"name": "camvid"} and about["scene_size"] == 96
    assert all(map(torch.equal, loaded.state_dict().values(), model.state_dict().values()))
