"""Every version side by side: what lesson 13 compares is built alike, counted and measured."""

import pytest
import torch

from deeplab_lessons import datasets, inference, training
from deeplab_lessons.receptive_field import trace
from deeplab_lessons.training import side_by_side

NAMES = list(side_by_side.NETWORKS)


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    monkeypatch.setenv("DEEPLAB_LESSONS_DATA", str(tmp_path))


def test_only_the_heads_differ(nowhere):
    backbones = [side_by_side.build(name, 6).backbone.state_dict() for name in NAMES]
    sizes = [{key: value.shape for key, value in each.items()} for each in backbones]
    assert all(each == sizes[0] for each in sizes)
    assert {side_by_side.NETWORKS[name]["output_stride"] for name in NAMES} == {16}


@pytest.mark.parametrize("name", NAMES)
def test_the_map_lies_where_the_network_says(nowhere, name):
    network = side_by_side.build(name, 6).eval()
    stride, start = inference.grid_of(network)
    found = trace(network, 161)
    (last,) = [
        each
        for each in found
        if each.name in ("head.fc8", "head.branches.0", "classifier", "decoder.classifier")
    ]
    assert (last.jump, last.start) == (stride, start)


def test_without_data_the_scenes_take_its_place(nowhere):
    assert not side_by_side.ready()
    train, val = side_by_side.sets(crop=(64, 96))
    assert isinstance(train, datasets.Embedded) and isinstance(val, datasets.Embedded)
    assert train[0][0].shape == (3, 64, 96) and val[0][0].shape == (3, 161, 161)


def test_streets_where_they_are():
    if not side_by_side.ready():
        pytest.skip("CamVid and the ImageNet weights are not in the data folder")
    train, val = side_by_side.sets(crop=(64, 96))
    assert isinstance(train, datasets.CamVid) and len(train.classes) == 11
    given = torch.load(side_by_side.imagenet(), weights_only=True)
    network = side_by_side.build("v3+", 11)
    first = network.backbone[0][0].weight
    assert torch.allclose(
        first, given["features.0.0.weight"].float() if "features.0.0.weight" in given else first
    )
    found = side_by_side.row(network, [val[0]])
    assert set(found["iou"]) and 0 <= found["mean_iou"] <= 100 and list(found["trimap"]) == [1, 2, 4, 8, 16]


def test_a_seed_draws_the_head_and_nothing_else(nowhere):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    one, same, other = (side_by_side.build("v3", 6, seed).classifier.weight for seed in (1, 1, 2))
    assert torch.equal(torch.rand(3), expected), (
        "the caller's random numbers go on as if nothing had been drawn"
    )
    assert torch.equal(one, same) and not torch.equal(one, other)


def test_versions_cost_what_their_heads_cost():
    found = {name: side_by_side.cost(name, 11, (360, 480)) for name in NAMES}
    parameters = {name: each["parameters (10⁶)"] for name, each in found.items()}
    with torch.device("meta"):
        network = side_by_side.build("v2", 11)
    assert parameters["v2"] == pytest.approx(sum(p.numel() for p in network.parameters()) / 1e6)
    assert parameters["v2"] < parameters["v1"] < parameters["v3+"] < parameters["v3"]
    assert found["v3+"]["multiply-adds (10⁹)"] > found["v3"]["multiply-adds (10⁹)"], "a decoder at stride 4"


def test_networks_are_timed_by_turns(nowhere):
    order = []
    networks = {name: torch.nn.Conv2d(3, 2, 1) for name in ("a", "b")}
    for name, network in networks.items():
        network.register_forward_hook(lambda *given, name=name: order.append(name))
    times = side_by_side.milliseconds(networks, (8, 8), rounds=2)
    assert order == ["a", "b"] * 3 and [len(each) for each in times.values()] == [2, 2]
    assert all(value > 0 for each in times.values() for value in each)


def test_unknown_versions_are_named():
    with pytest.raises(KeyError, match=r"no version is called 'v4'; there are: v1, v2, v3, v3\+"):
        side_by_side.build("v4", 6)


def test_frozen_norms_need_norms():
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 6, 1))
    scenes = datasets.Embedded("train", 2, 32, datasets.transforms.train(32, None))
    with pytest.raises(ValueError, match="no batch norm to freeze"):
        training.train(model, scenes, iterations=1, batch_size=1, lr=0.1, frozen_norms=True, progress=False)
