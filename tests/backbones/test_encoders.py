"""Backbones by name, and the low-level features of each."""

import pytest
import torch
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


def test_a_backbone_of_another_kind_is_refused():
    with pytest.raises(ValueError, match="must be a ResNet, Xception or MobileNetV2"):
        low_level_features(nn.Sequential(nn.Conv2d(3, 4, 1)), torch.zeros(1, 3, 8, 8))
