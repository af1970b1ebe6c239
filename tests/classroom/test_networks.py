"""The lessons' networks: trained once, found again, and on CamVid where it is there."""

import contextlib
import time
from dataclasses import replace

import pytest
import torch

from deeplab_lessons import datasets, training
from deeplab_lessons.classroom import experiments, networks
from deeplab_lessons.classroom.experiments import EXPERIMENTS, experiment
from deeplab_lessons.classroom.networks import cache_path, camvid_ready, mobilenet_weights, trained
from deeplab_lessons.training import CheckpointError
from deeplab_lessons.training.checkpoints import training_into


def quickly(monkeypatch, family, lr):
    """Two iterations on eight scenes for the twins of a family."""
    network, _, _ = experiments._TWINS[family]
    monkeypatch.setitem(experiments._TWINS, family, (network, 2, lr))
    monkeypatch.setattr(experiments, "TWIN_SCENES", 8)


@pytest.mark.slow
def test_the_second_stage_goes_on_where_the_first_ended(tmp_path, monkeypatch):
    monkeypatch.setenv("DEEPLAB_LESSONS_CACHE", str(tmp_path))
    quickly(monkeypatch, ("v3", "resnet101"), 0.07)
    second, history = trained("v3_stage2", seed=1, progress=False)
    first, _ = trained("v3_resnet101", seed=1, progress=False)
    assert experiment("v3_stage2", "class").lr == pytest.approx(0.01) and history.lr[0] == pytest.approx(0.01)
    assert second.grid.stride == 8 and first.grid.stride == 16
    assert [branch[0].dilation[0] for branch in second.aspp.branches[1:4]] == [4, 8, 12]
    kept, moved = first.state_dict(), second.state_dict()
    norms = {name.rpartition(".")[0] for name in kept if name.endswith("running_mean")}
    for name, value in kept.items():
        same = torch.equal(value, moved[name])
        assert same == (name.rpartition(".")[0] in norms), name


@pytest.mark.slow
def test_a_twin_is_trained_once_and_kept(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("DEEPLAB_LESSONS_CACHE", str(tmp_path))
    quickly(monkeypatch, ("v2", "vgg16"), 0.02)
    which = experiment("v2_vgg_aspp_s", "class")
    network, history = trained("v2_vgg_aspp_s", seed=3)
    assert "2/2" in capsys.readouterr().err
    assert len(history.loss) == 2 and not network.training
    assert [path.name for path in tmp_path.iterdir()] == [cache_path(which, 3).name]
    monkeypatch.setattr(training.loop._Run, "step", lambda *_: pytest.fail("trained again"))
    again, same = trained(which, seed=3)
    assert capsys.readouterr() == ("", "") and same.loss == history.loss and not again.training
    assert all(torch.equal(a, b) for a, b in zip(network.parameters(), again.parameters(), strict=True))
    assert cache_path(experiment("v2_vgg_aspp_l", "class"), 3).name.startswith("v2_vgg_aspp_l-seed3-")


@pytest.mark.slow
def test_a_notebook_waits_while_another_trains_the_network(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("DEEPLAB_LESSONS_CACHE", str(tmp_path))
    quickly(monkeypatch, ("v2", "vgg16"), 0.02)
    path = cache_path(experiment("v2_vgg_aspp_s", "class"), 3)
    with contextlib.ExitStack() as other, monkeypatch.context() as patch:
        other.enter_context(training_into(path))
        waits = []
        patch.setattr(
            time, "sleep", lambda _: waits.append(0) or (other.close() if len(waits) == 2 else None)
        )
        _, history = trained("v2_vgg_aspp_s", seed=3, progress=False)
    assert len(history.loss) == 2 and len(waits) == 2
    assert capsys.readouterr().err == "Another notebook trains v2_vgg_aspp_s now: waiting for its end.\n"


def test_a_checkpoint_that_cannot_be_written_is_not_waited_for(tmp_path, monkeypatch):
    monkeypatch.setenv("DEEPLAB_LESSONS_CACHE", str(tmp_path / "file" / "cache"))
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match="could not write the checkpoint"):
        trained("v2_vgg_aspp_s", progress=False)


def test_a_kept_network_is_found_by_edition_and_settings(monkeypatch):
    which = experiment("v2_vgg_aspp_s", "class")
    changes = [
        {"network": {**which.network, "width": 1 / 4}}, {"iterations": 5}, {"batch_size": 5}, {"lr": 0.03},
        {"schedule": "step"}, {"loss": "area"}, {"crop": 160}, {"scale": (0.5, 1.5)}, {"data": "camvid"},
        {"split": "val"}, {"count": 999}, {"scene_size": 160}, {"num_classes": 7}, {"freeze_batch_norm": True},
        {"batch_norm_decay": 0.9}, {"weight_decay": 1e-4}, {"released_groups": True},
    ]  # fmt: skip
    paths = {cache_path(replace(which, **change), 3) for change in changes}
    assert len(paths | {cache_path(which, 3), cache_path(which, 4)}) == len(changes) + 2
    assert cache_path(replace(which, row="elsewhere", crf=None), 3) == cache_path(which, 3), (
        "not its weights'"
    )
    before = cache_path(which, 3), cache_path(experiment("v3_stage2", "class"), 3)
    quickly(monkeypatch, ("v3", "resnet101"), 0.1)
    second = replace(experiment("v3_stage2", "class"), iterations=500, count=1000)
    assert second.lr == EXPERIMENTS["v3_stage2"].twin().lr and cache_path(second, 3) != before[1], (
        "another first stage makes another second one"
    )
    monkeypatch.setattr(networks, "EDITION", networks.EDITION + 1)
    assert cache_path(which, 3) != before[0]


def test_nothing_is_ready_in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("DEEPLAB_LESSONS_DATA", str(tmp_path))
    assert not camvid_ready() and mobilenet_weights() is None


def test_streets_where_they_are():
    if not camvid_ready():
        pytest.skip("CamVid and the ImageNet weights are not in the data folder")
    which, weights = (
        replace(experiment("camvid_v3plus", "full"), crop=(64, 96)),
        mobilenet_weights(),
    )
    train, val = which.data_sets()
    assert isinstance(train, datasets.CamVid) and len(train.classes) == which.num_classes == 11
    assert train[0][0].shape == (3, 64, 96) and len(val) == 101
    given = torch.load(weights, weights_only=True)
    first = which.model(weights=weights).backbone[0][0].weight
    assert torch.equal(first, given["features.0.0.weight"].float())
