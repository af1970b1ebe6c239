"""MobileNetV2 dilated: the strided network's map is in it."""

import math

import pytest
import torch
import torchvision
from networks import picture

from deeplab_lessons import backbones


@pytest.mark.slow
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
