"""Backbones by name, and the low-level features of each."""

import pytest
import torch
from networks import lively
from torch import nn

from deeplab_lessons.backbones.encoders import low_level_features
from deeplab_lessons.models import deeplab_v3plus

TINY = {"backbone": "resnet50", "width": 1 / 16, "blocks": (1, 1, 1, 1)}


def test_the_low_level_map_is_the_papers_conv2():
    model = deeplab_v3plus(3, **TINY).eval()
    x = torch.randn(1, 3, 65, 65)
    early, _ = low_level_features(model.backbone, x)
    names = list(dict(model.backbone.named_children()))
    assert torch.equal(early, model.backbone[: names.index("layer1") + 1](x))


def test_the_released_low_level_map_is_the_second_blocks_branch():
    """Seen where it leaves bn3 of that block; the sum and the ReLU after it belong to what goes on."""
    torch.manual_seed(0)
    model = lively(deeplab_v3plus(3, "resnet50", width=1 / 16, blocks=(3, 1, 1, 1), released=True))
    x, seen = torch.randn(1, 3, 65, 65, dtype=torch.float64), []
    model.backbone.layer1[1].bn3.register_forward_hook(lambda *of: seen.append(of[2].clone()))
    with torch.inference_mode():
        last = model.backbone(x)
        early, released_last = low_level_features(model.backbone, x, released=True)
        usual, _ = low_level_features(model.backbone, x)
        logits = model(x)
    assert torch.equal(early, seen[0]) and torch.equal(released_last, last)
    assert early.min() < 0 and early.shape == usual.shape and not torch.allclose(early.relu(), usual)
    with torch.inference_mode():
        assert torch.equal(logits, model.decoder(model.aspp(last), early))


def test_a_backbone_of_another_kind_is_refused():
    with pytest.raises(ValueError, match="must be a ResNet, Xception or MobileNetV2"):
        low_level_features(nn.Sequential(nn.Conv2d(3, 4, 1)), torch.zeros(1, 3, 8, 8))
