"""DeepLab v1: its five edits, what each keeps, the paper's numbers, and where weights come from."""

import pytest
import torch
from networks import counted, picture, small_vgg
from torch import nn

from deeplab_lessons import backbones, models
from deeplab_lessons.arithmetic import receptive_fields
from deeplab_lessons.classroom import stacks
from deeplab_lessons.heads import LargeFOV
from deeplab_lessons.receptive_field import trace


@pytest.fixture
def meta():
    with torch.device("meta"):
        yield


# ---------------------------------------------------------------- the paper's table


@pytest.mark.parametrize(
    ("name", "parameters", "field", "field_undilated_pool5"),
    [
        ("CRF-7x7", 134_346_581, 404, 396),
        ("CRF", 65_140_565, 308, 300),
        ("CRF-4x4", 65_140_565, 404, 396),
        ("CRF-LargeFOV", 20_505_429, 404, 396),
    ],
)
def test_the_rows_of_the_papers_table(meta, name, parameters, field, field_undilated_pool5):
    row = models.V1_TABLE[name]
    model = models.deeplab_v1(21, **row)
    assert counted(model) == parameters
    traced = trace(model, 320)["head.fc6"]
    assert (traced.size, traced.jump, traced.map_size) == (field, 8, (40, 40))
    undilated = trace(models.deeplab_v1(21, **row, dilate_pool5=False), 320)
    assert undilated["head.fc6"].size == field_undilated_pool5
    assert receptive_fields(stacks.deeplab_v1(row["kernel_size"], row["rate"]))[-1].size == field


def test_the_released_pools_give_largefov_a_field_of_419(meta):
    rows = trace(models.deeplab_v1(pool_size=3), 321)
    assert rows["head.fc6"].size == 419
    assert [rows[f"backbone.pool{i}"].map_size[0] for i in range(1, 6)] == [161, 81, 41, 41, 41]
    assert rows.parameters == 20_505_429, "pools have no parameters"
    conv5, pool5 = rows["backbone.conv5_3"], rows["backbone.pool5"]
    assert (conv5.dilation, pool5.dilation) == ((2, 2), (1, 1)), "as in the released files"


def test_side_branches_add_640_channels_and_their_weights(meta):
    model = models.deeplab_v1(multi_scale=True)
    branches = sum((c * 9 * 128 + 128) + (128 * 128 + 128) for c in (3, 64, 128, 256, 512))
    assert counted(model) == 20_505_429 + branches + 640 * 21
    assert model.head.fc8.in_channels == 1024 + 640
    for size in ((224, 224), (225, 321), (231, 250)):
        assert model(torch.empty(2, 3, *size)).shape == (2, 21, size[0] // 8, size[1] // 8)


def test_side_branches_are_used():
    torch.manual_seed(0)
    model = models.deeplab_v1(width=0.0625, multi_scale=True).eval()
    x = picture(64, dtype=torch.float32)
    before = model(x)
    for branch in model.side.branches:
        nn.init.zeros_(branch[2].weight)
    assert not torch.allclose(model(x), before)
    without = model.head(model.backbone(x), torch.zeros(1, 5 * 8, 8, 8))
    assert torch.allclose(model(x), without)


# ---------------------------------------------------------------- weights carried over


def test_deeplab_v1_is_the_chain_of_edits():
    vgg, x = small_vgg(), picture(120, 96).float()
    net = backbones.fully_convolutional(vgg.float(), padding="same")
    net = backbones.large_fov(backbones.dilate(backbones.keep_resolution(net)), channels=64)
    model = models.deeplab_v1(5, width=0.0625, weights=vgg.state_dict()).eval()
    net.fc8.weight, net.fc8.bias = model.head.fc8.weight, model.head.fc8.bias
    net.fc8.out_channels = 5
    assert torch.allclose(model(x), net(x), rtol=1e-4, atol=1e-6)
    assert all(p.requires_grad for p in model.parameters())


# ---------------------------------------------------------------- the model


def test_class_size_networks_are_the_same_classes():
    torch.manual_seed(0)
    model = models.deeplab_v1(9, width=0.125, batch_norm=True)
    assert model.head.fc6.out_channels == 128 and model.backbone.conv5_3.out_channels == 64
    assert isinstance(model.backbone.bn1_1, nn.BatchNorm2d) and isinstance(model.head.bn7, nn.BatchNorm2d)
    assert model(torch.zeros(2, 3, 65, 128)).shape == (2, 9, 8, 16)
    assert (model.grid.stride, trace(model, 128)["head.fc8"].field.y.jump) == (8, 8)


def test_the_random_start_keeps_the_signal_and_favours_no_class():
    torch.manual_seed(0)
    model = models.deeplab_v1(21, width=0.25).eval()
    x = torch.randn(2, 3, 128, 128)
    with torch.no_grad():
        deep = model.backbone(x)
        shares = model(x).softmax(1)
    assert 0.1 < deep.std() / x.std() < 10, "thirteen layers neither blow the signal up nor put it out"
    assert (shares - 1 / 21).abs().max() < 0.05
    torch.manual_seed(0)
    again = models.deeplab_v1(21, width=0.25)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), again.parameters(), strict=True))


def test_parameter_groups_hold_every_parameter_once_at_its_rate():
    model = models.deeplab_v1(21, width=0.0625, multi_scale=True)
    groups = model.parameter_groups(1e-3)
    assert sorted(group["lr"] for group in groups) == pytest.approx([1e-3, 1e-2])
    listed = [id(p) for group in groups for p in group["params"]]
    assert sorted(listed) == sorted(id(p) for p in model.parameters())
    fast = {id(p) for group in groups if group["lr"] > 5e-3 for p in group["params"]}
    assert fast == {id(p) for part in (model.head.fc8, model.side) for p in part.parameters()}


def test_parameter_groups_on_mobilenet_and_with_frozen_parts():
    model = models.deeplab_v1(11, backbone="mobilenet_v2", channels=64, output_stride=16, batch_norm=True)
    model.backbone.requires_grad_(False)
    (group,) = model.parameter_groups(0.1)
    assert group["lr"] == pytest.approx(1.0)
    assert {id(p) for p in group["params"]} == {id(p) for p in model.head.parameters()}
    assert model(torch.zeros(1, 3, 64, 80)).shape == (1, 11, 4, 5)


def test_gradients_reach_every_parameter():
    torch.manual_seed(0)
    for options in ({}, {"multi_scale": True}, {"pool_size": 3, "batch_norm": True}):
        model = models.deeplab_v1(4, width=0.0625, dropout=0.0, **options)
        model(torch.randn(2, 3, 64, 64)).square().mean().backward()
        silent = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().any()]
        assert not silent


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"backbone": "resnet"}, "vgg16"),
        ({"pool_size": 4}, "pool_size"),
        ({"kernel_size": 5}, "even distances"),
        ({"kernel_size": 3, "rate": 0}, "dilation"),
        ({"channels": 5000}, "4096 channels to choose from"),
        ({"width": 0}, "width"),
        ({"output_stride": 16}, "output stride 8"),
        ({"backbone": "mobilenet_v2", "output_stride": 4}, "8, 16, 32"),
        ({"backbone": "mobilenet_v2", "multi_scale": True}, "VGG16"),
    ],
)
def test_impossible_models_say_what_is_possible(meta, options, message):
    with pytest.raises(ValueError, match=message):
        models.deeplab_v1(**options)


def test_pictures_of_another_shape_are_named():
    model = models.deeplab_v1(3, width=0.0625)
    for x in (torch.zeros(3, 64, 64), torch.zeros(1, 4, 64, 64), torch.zeros(1, 3, 7, 64)):
        with pytest.raises(ValueError, match=r"expected pictures \[N, 3, H, W\]"):
            model(x)
    with pytest.raises(ValueError, match="has no equal padding"):
        LargeFOV(kernel_size=4, rate=1)
