"""The papers' experiments by name: what they build, and that the small twins are what they say."""

from dataclasses import replace

import pytest
import torch

from deeplab_lessons import models, training
from deeplab_lessons.classroom import built_in
from deeplab_lessons.classroom.built_in import CLASSES
from deeplab_lessons.classroom.experiments import (
    EXPERIMENTS,
    experiment,
    table,
)
from deeplab_lessons.classroom.measure import cost
from deeplab_lessons.classroom.published import ROWS
from deeplab_lessons.heads.aspp import atrous_rates
from deeplab_lessons.receptive_field import trace

NAMES = [row["name"] for row in ROWS]
PUBLISHED = {name: EXPERIMENTS[name] for name in NAMES}
SMALL = ["small_7x7", "small_3x3", "small_largefov"]
CAMVID = ["camvid_v1", "camvid_v2", "camvid_v3", "camvid_v3plus"]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow if each.network.get("multi_scale") else ())
        for name, each in PUBLISHED.items()
    ],
)
def test_every_row_builds_the_papers_network(name):
    which = experiment(name, "full")
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
    ladder = [each for each in PUBLISHED.values() if "table 4" in each.row]
    assert [each.mean_iou for each in ladder] == [68.72, 71.27, 73.28, 74.87, 75.54, 76.35]
    assert [each.network["multi_scale"] for each in ladder] == [False, True, True, True, True, True]
    assert [each.starts_from for each in ladder] == ["ImageNet"] * 2 + ["MS-COCO"] * 4
    assert [each.scale for each in ladder] == [None] * 3 + [(0.5, 1.5)] * 3
    assert [each.network["rates"] for each in ladder] == [None] * 4 + [(12,), (6, 12, 18, 24)]
    assert {(each.batch_size, each.iterations, each.schedule) for each in ladder} == {(10, 20000, "poly")}


def test_policies_of_table_2():
    rows = [each for each in PUBLISHED.values() if each.row == "v2, table 2"]
    found = [(each.batch_size, each.iterations, each.mean_iou) for each in rows]
    assert found == [(30, 6000, 63.42), (30, 10000, 64.90), (10, 10000, 64.71)]


def test_table_5_of_v3_and_the_recipe_of_section_4_1():
    rows = [each for each in PUBLISHED.values() if each.row.startswith("v3, table 5")]
    assert [each.mean_iou for each in rows] == [75.36, 75.93, 76.58, 76.46, 77.21]
    assert [each.network.get("image_pooling", True) for each in rows] == [False] * 4 + [True]
    first, second = PUBLISHED["v3_resnet101"], PUBLISHED["v3_stage2"]
    assert (first.crop, first.batch_size, first.iterations, first.lr) == (513, 16, 30000, 0.007)
    assert (first.loss, first.scale, first.network["output_stride"]) == ("upsampled", (0.5, 2.0), 16)
    assert (second.lr, second.network["output_stride"], second.split) == (0.001, 8, "trainval")
    assert second.freeze_batch_norm and second.starts_from == first.name and not first.freeze_batch_norm
    with torch.device("meta"):
        network = first.model()
    norms = [part for part in network.modules() if isinstance(part, torch.nn.BatchNorm2d)]
    assert {round(norm.momentum, 6) for norm in norms} == {0.0003}


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_twins_are_the_same_experiment_made_smaller(name):
    paper, twin = experiment(name, "full"), experiment(name, "class")
    by = 3 if paper.network["version"] in ("v3", "v3plus") else 2
    assert abs(twin.crop * by - paper.crop) <= 30 and twin.data == "embedded"
    assert twin.num_classes == len(CLASSES)
    assert (twin.mean_iou, twin.with_crf) == (None, None), "the paper's numbers are not the twin's"
    assert (twin.schedule, twin.loss, twin.scale) == (paper.schedule, paper.loss, paper.scale)
    for key in ("rate", "rates"):
        smaller = paper.network.get(key)
        if key == "rates" and smaller is None and by == 3 and "cascade" not in paper.network:
            smaller = atrous_rates(paper.network["output_stride"])
        if smaller is not None:
            smaller = smaller // by if key == "rate" else tuple(rate // by for rate in smaller)
        assert twin.network.get(key) == smaller
    network = twin.model()
    assert sum(p.numel() for p in network.parameters()) < 5e6
    stride = twin.network.get("output_stride", 8)
    side = {"v1": 20, "v2": 21, "v3": 160 // stride + 1, "v3plus": 41}[twin.network["version"]]
    assert network.eval()(torch.zeros(1, 3, 161, 161)).shape == (1, 6, side, side)


def test_a_twin_is_drawn_from_its_seed():
    which = experiment("v2_vgg_aspp_s", "class")
    one, same, other = (which.model(seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(one[key], same[key]) for key in one)
    assert any(not torch.equal(one[key], other[key]) for key in one)


def test_names_are_known(monkeypatch):
    with pytest.raises(ValueError, match=r"unknown experiment 'v2_largest': choose from v1_7x7, "):
        experiment("v2_largest")
    monkeypatch.setenv("DEEPLAB_LESSONS_SCALE", "full")
    assert experiment("v1_largefov") is EXPERIMENTS["v1_largefov"]


def test_the_table_has_a_row_for_each():
    rows = table()
    assert list(rows) == [*NAMES, *SMALL, *CAMVID]
    assert rows["v2_vgg_aspp_l"]["with CRF (%)"] == 71.57
    assert rows["v1_largefov"]["printed in"] == "v1, table 1: LargeFOV"


def test_checkpoints_of_any_version_are_loaded(tmp_path):
    network = {**experiment("v2_resnet101_msc", "class").network, "num_classes": 6}
    model = models.deeplab(**network)
    content = {"model": model.state_dict(), "about": {"model": network}}
    training.save_checkpoint(content, tmp_path / "msc.pt")
    loaded, _ = training.load_model(tmp_path / "msc.pt")
    assert isinstance(loaded, models.MultiScale) and not loaded.training
    pictures = torch.randn(1, 3, 64, 64)
    assert torch.equal(loaded(pictures), model.eval()(pictures))


# ---------------------------------------------------------------- lesson 05's networks and lesson 14's


def test_the_networks_of_lesson_05_are_their_own_twins():
    for name in SMALL:
        assert experiment(name, "class") is experiment(name, "full") is EXPERIMENTS[name]
        train, val = experiment(name).data_sets()
        assert (len(train), len(val), train.size, val.size) == (1000, 100, 128, 128)
        assert experiment(name).model(seed=0).eval()(torch.zeros(1, 3, 128, 128)).shape == (1, 6, 16, 16)
    assert experiment("small_7x7").network["kernel_size"] == 7


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    monkeypatch.setenv("DEEPLAB_LESSONS_DATA", str(tmp_path))


def test_only_the_heads_differ():
    backbones = [experiment(name, "class").model().backbone.state_dict() for name in CAMVID]
    sizes = [{key: value.shape for key, value in each.items()} for each in backbones]
    assert all(each == sizes[0] for each in sizes)
    assert {EXPERIMENTS[name].network["output_stride"] for name in CAMVID} == {16}
    assert len({(each.iterations, each.batch_size, each.crop) for each in map(EXPERIMENTS.get, CAMVID)}) == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", CAMVID)
def test_the_map_lies_where_the_network_says(name):
    network = experiment(name, "class").model().eval()
    found = trace(network, 161)
    (last,) = [
        each
        for each in found
        if each.name in ("head.fc8", "head.branches.0", "classifier", "decoder.classifier")
    ]
    assert (last.jump, last.start) == (network.grid.stride, network.grid.start)


def test_without_data_the_scenes_take_its_place(nowhere):
    twin = experiment("camvid_v1", "class")
    train, val = replace(twin, crop=(64, 96)).data_sets()
    assert isinstance(train, built_in.Embedded) and isinstance(val, built_in.Embedded)
    assert train[0][0].shape == (3, 64, 96) and val[0][0].shape == (3, 161, 161)
    paper = EXPERIMENTS["camvid_v1"]
    assert (twin.network, twin.lr, twin.crop, twin.scale) == (
        paper.network,
        paper.lr,
        paper.crop,
        paper.scale,
    )


def test_a_seed_draws_the_head_and_nothing_else():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    which = experiment("camvid_v3", "class")
    one, same, other = (which.model(seed).classifier.weight for seed in (1, 1, 2))
    assert torch.equal(torch.rand(3), expected), (
        "the caller's random numbers go on as if nothing had been drawn"
    )
    assert torch.equal(one, same) and not torch.equal(one, other)


@pytest.mark.parametrize(("scale", "size"), [("full", (360, 480)), ("class", (128, 160))])
def test_what_the_four_versions_of_lesson_14_cost(scale, size):
    """v2 is the lightest, v3 has the most parameters, and v3+ needs the most multiply-adds."""
    costs = {name: cost(experiment(name, scale), size) for name in CAMVID}
    parameters = sorted(CAMVID, key=lambda name: costs[name]["parameters (10⁶)"])
    work = sorted(CAMVID, key=lambda name: costs[name]["multiply-adds (10⁹)"])
    assert (parameters[0], parameters[-1]) == ("camvid_v2", "camvid_v3")
    assert (work[0], work[-1]) == ("camvid_v2", "camvid_v3plus")
