"""VGG16 at any width, and the dilated MobileNetV2: torchvision's structure, keys, scores and files."""

import copy
import math

import pytest
import torch
import torchvision
from networks import picture, small_vgg
from torch import nn

from deeplab_lessons import backbones


@pytest.fixture
def meta():
    with torch.device("meta"):
        yield


def test_width_one_has_torchvisions_structure_and_keys(meta):
    for ours, theirs in (
        (backbones.vgg16(), torchvision.models.vgg16()),
        (backbones.vgg16(batch_norm=True), torchvision.models.vgg16_bn()),
    ):
        shapes = {k: v.shape for k, v in ours.state_dict().items()}
        assert shapes == {k: v.shape for k, v in theirs.state_dict().items()}
        assert [type(m) for m in ours.modules()] == [type(m) for m in theirs.modules()]


@pytest.mark.parametrize("batch_norm", [False, True])
def test_torchvisions_own_weights_give_torchvisions_own_scores(batch_norm):
    ours = small_vgg(batch_norm=batch_norm)
    with torch.device("meta"):
        theirs = torchvision.models.VGG(nn.Identity(), init_weights=False)
    theirs.features, theirs.classifier = copy.deepcopy(ours.features), copy.deepcopy(ours.classifier)
    loaded = backbones.vgg16(0.0625, weights=theirs.state_dict(), batch_norm=batch_norm).eval()
    x = picture(224)
    assert torch.equal(loaded(x), theirs.eval()(x))


@pytest.mark.parametrize(("output_stride", "step"), [(16, 2), (8, 4)])
@pytest.mark.parametrize("size", [(96, 129), (100, 97)])
def test_the_dilated_mobilenet_holds_the_strided_one(output_stride, step, size):
    torch.manual_seed(0)
    strided = backbones.mobilenet_v2(32).eval().double()
    state = {f"features.{key}": value for key, value in strided.state_dict().items()}
    dilated = backbones.mobilenet_v2(output_stride, weights=state).eval().double()
    with torch.inference_mode():
        x = picture(*size)
        expected, found = strided(x), dilated(x)
    assert found.shape[2:] == tuple(math.ceil(side / output_stride) for side in size)
    assert torch.allclose(found[..., ::step, ::step], expected, rtol=1e-6, atol=1e-9)


def test_half_precision_files_and_missing_classifiers(tmp_path):
    whole = torchvision.models.mobilenet_v2(num_classes=7)
    half = {k: v.half() if v.ndim > 1 else v for k, v in whole.state_dict().items()}
    torch.save({k: v for k, v in half.items() if not k.startswith("classifier")}, tmp_path / "half.pt")
    net = backbones.mobilenet_v2(16, weights=tmp_path / "half.pt")
    assert net[0][0].weight.dtype == torch.float32
    assert torch.equal(net[17].conv[2].weight, half["features.17.conv.2.weight"].float())


def test_output_strides_are_named():
    backbones.mobilenet_v2(32)
    with pytest.raises(ValueError, match="unknown output_stride 4: choose from 8, 16, 32"):
        backbones.mobilenet_v2(4)
