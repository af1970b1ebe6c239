"""The papers' experiments by name: what they build, and that the small twins are what they say."""

import pytest
import torch

from deeplab_lessons import models, training
from deeplab_lessons.datasets import CLASSES
from deeplab_lessons.heads.pyramid import pyramid_rates
from deeplab_lessons.training import configurations
from deeplab_lessons.training.configurations import CONFIGURATIONS, configuration, table

NAMES = list(CONFIGURATIONS)


@pytest.mark.parametrize("name", NAMES)
def test_every_row_builds_the_papers_network(name):
    which = configuration(name, "full")
    with torch.device("meta"):
        network = which.model()
        crop = torch.empty(1, 3, which.crop, which.crop)
        logits = network.eval()(crop)
    version = which.network["version"]
    stride = which.network.get("output_stride", 8)
    side = {"v1": 40, "v2": 41, "v3": 512 // stride + 1, "v3plus": 129}[version]  # 40: v1's pools of 2 x 2
    assert list(logits.shape) == [1, which.num_classes, side, side]
    groups = network.parameter_groups(which.lr)
    rates = {round(group["lr"] / which.lr) for group in groups}
    assert rates == {"v1": {1, 10}, "v2": {1, 10, 20}}.get(version, {1})


def test_the_ladder_of_table_4():
    ladder = [each for each in CONFIGURATIONS.values() if "table 4" in each.row]
    assert [each.mean_iou for each in ladder] == [68.72, 71.27, 73.28, 74.87, 75.54, 76.35]
    assert [each.network["multi_scale"] for each in ladder] == [False, True, True, True, True, True]
    assert [each.starts_from for each in ladder] == ["ImageNet"] * 2 + ["MS-COCO"] * 4
    assert [each.scale for each in ladder] == [None] * 3 + [(0.5, 1.5)] * 3
    assert [each.network["rates"] for each in ladder] == [None] * 4 + [(12,), (6, 12, 18, 24)]
    assert {(each.batch_size, each.iterations, each.schedule) for each in ladder} == {(10, 20000, "poly")}


def test_policies_of_table_2():
    rows = [each for each in CONFIGURATIONS.values() if each.row == "v2, table 2"]
    found = [(each.batch_size, each.iterations, each.mean_iou) for each in rows]
    assert found == [(30, 6000, 63.42), (30, 10000, 64.90), (10, 10000, 64.71)]


def test_table_5_of_v3_and_the_recipe_of_section_4_1():
    rows = [each for each in CONFIGURATIONS.values() if each.row.startswith("v3, table 5")]
    assert [each.mean_iou for each in rows] == [75.36, 75.93, 76.58, 76.46, 77.21]
    assert [each.network.get("image_pooling", True) for each in rows] == [False] * 4 + [True]
    first, second = CONFIGURATIONS["v3_resnet101"], CONFIGURATIONS["v3_stage2"]
    assert (first.crop, first.batch_size, first.iterations, first.lr) == (513, 16, 30000, 0.007)
    assert (first.loss, first.scale, first.network["output_stride"]) == ("upsampled", (0.5, 2.0), 16)
    assert (second.lr, second.network["output_stride"], second.split) == (0.001, 8, "trainval")
    assert second.frozen_norms and second.starts_from == first.name and not first.frozen_norms
    with torch.device("meta"):
        network = first.model()
    norms = [part for part in network.modules() if isinstance(part, torch.nn.BatchNorm2d)]
    assert {round(norm.momentum, 6) for norm in norms} == {0.0003}


def test_the_second_stage_goes_on_where_the_first_ended(tmp_path, monkeypatch):
    monkeypatch.setenv("DEEPLAB_LESSONS_CACHE", str(tmp_path))
    monkeypatch.setitem(configurations._TWIN_TRAINING, ("v3", "resnet101"), {"iterations": 2, "lr": 0.07})
    monkeypatch.setattr(configurations, "TWIN_SCENES", 8)
    second, history, which = configurations.trained("v3_stage2", seed=1, progress=False)
    first, _, _ = configurations.trained("v3_resnet101", seed=1, progress=False)
    assert which.lr == pytest.approx(0.01) and history.lr[0] == pytest.approx(0.01)
    assert second.output_stride == 8 and first.output_stride == 16
    assert [branch[0].dilation[0] for branch in second.aspp.branches[1:4]] == [4, 8, 12]
    kept, moved = first.state_dict(), second.state_dict()
    norms = {name.rpartition(".")[0] for name in kept if name.endswith("running_mean")}
    for name, value in kept.items():
        same = torch.equal(value, moved[name])
        assert same == (name.rpartition(".")[0] in norms), name


@pytest.mark.parametrize("name", NAMES)
def test_twins_are_the_same_experiment_made_smaller(name):
    paper, twin = configuration(name, "full"), configuration(name, "class")
    by = 3 if paper.network["version"] in ("v3", "v3plus") else 2
    assert abs(twin.crop * by - paper.crop) <= 30 and twin.data == "embedded"
    assert twin.num_classes == len(CLASSES)
    assert (twin.mean_iou, twin.with_crf) == (None, None), "the paper's numbers are not the twin's"
    assert (twin.schedule, twin.loss, twin.scale) == (paper.schedule, paper.loss, paper.scale)
    for key in ("rate", "rates"):
        smaller = paper.network.get(key)
        if key == "rates" and smaller is None and by == 3 and "cascade" not in paper.network:
            smaller = pyramid_rates(paper.network["output_stride"])
        if smaller is not None:
            smaller = smaller // by if key == "rate" else tuple(rate // by for rate in smaller)
        assert twin.network.get(key) == smaller
    network = twin.model()
    assert sum(p.numel() for p in network.parameters()) < 5e6
    stride = twin.network.get("output_stride", 8)
    side = {"v1": 20, "v2": 21, "v3": 160 // stride + 1, "v3plus": 41}[twin.network["version"]]
    assert network.eval()(torch.zeros(1, 3, 161, 161)).shape == (1, 6, side, side)


def test_a_twin_is_drawn_from_its_seed():
    which = configuration("v2_vgg_aspp_s", "class")
    one, same, other = (which.model(seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(one[key], same[key]) for key in one)
    assert any(not torch.equal(one[key], other[key]) for key in one)


def test_a_twin_is_trained_once_and_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("DEEPLAB_LESSONS_CACHE", str(tmp_path))
    monkeypatch.setitem(configurations._TWIN_TRAINING, ("v2", "vgg16"), {"iterations": 2, "lr": 0.02})
    monkeypatch.setattr(configurations, "TWIN_SCENES", 8)
    network, history, which = configurations.trained("v2_vgg_aspp_s", seed=3, progress=False)
    assert len(history.loss) == 2 and not network.training
    assert [path.name for path in tmp_path.iterdir()] == [configurations.kept_as(which, 3).name]
    again, same, _ = configurations.trained("v2_vgg_aspp_s", seed=3, progress=False)
    assert same.loss == history.loss
    assert all(torch.equal(a, b) for a, b in zip(network.parameters(), again.parameters(), strict=True))
    assert configurations.kept_as(which, 4) != configurations.kept_as(which, 3)
    assert configurations.kept_as(configuration("v2_vgg_aspp_l", "class"), 3).name.startswith("v2_vgg_aspp_l")


def test_names_are_known(monkeypatch):
    with pytest.raises(KeyError, match=r"no configuration is called 'v2_largest'; there are: v1_7x7"):
        configuration("v2_largest")
    monkeypatch.setenv("DEEPLAB_LESSONS_SCALE", "full")
    assert configuration("v1_largefov") is CONFIGURATIONS["v1_largefov"]


def test_the_table_has_a_row_for_each():
    rows = table()
    assert list(rows.index) == NAMES
    assert rows.loc["v2_vgg_aspp_l", "with CRF (%)"] == 71.57
    assert rows.loc["v1_largefov", "printed in"] == "v1, table 1: LargeFOV"


def test_checkpoints_of_any_version_are_loaded(tmp_path):
    network = {**configuration("v2_resnet101_msc", "class").network, "num_classes": 6}
    model = models.deeplab(**network)
    content = {"model": model.state_dict(), "about": {"model": network}}
    training.save_checkpoint(content, tmp_path / "msc.pt")
    loaded, _ = training.load_model(tmp_path / "msc.pt")
    assert isinstance(loaded, models.MultiScale) and not loaded.training
    pictures = torch.randn(1, 3, 64, 64)
    assert torch.equal(loaded(pictures), model.eval()(pictures))
