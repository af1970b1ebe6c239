"""VGG16 at any width: torchvision's structure, keys and scores."""

import copy

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
