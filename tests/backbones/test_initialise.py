"""The same seed gives the same network, always."""

import pytest
import torch

from deeplab_lessons import backbones, models

SMALL = {"width": 1 / 16}
#: What is built with seed 3: the sum of its weights' sizes, and the next random number.
BUILT = {
    "vgg16": (lambda: backbones.vgg16(**SMALL), 22349.135487, 0.7263863),
    "resnet50, cascade": (lambda: backbones.resnet(50, cascade=5, **SMALL), 19867.523948, 0.7336221),
    "mobilenet_v2": (lambda: backbones.mobilenet_v2(), 138445.881702, 0.5589266),
    "xception": (lambda: backbones.xception(middle_blocks=1, **SMALL), 11910.599250, 0.2314284),
    "v1": (lambda: models.deeplab_v1(multi_scale=True, **SMALL), 6638.978384, 0.1580048),
    "v2 on vgg16": (lambda: models.deeplab_v2(4, "vgg16", **SMALL), 11486.874593, 0.2111703),
    "v2 on resnet50": (lambda: models.deeplab_v2(4, "resnet50", **SMALL), 12278.164848, 0.9630225),
    "v3 on mobilenet_v2": (
        lambda: models.deeplab_v3(4, "mobilenet_v2", refine=True, width=1 / 4),
        36244.747287,
        0.1730320,
    ),
    "v3+ on resnet50": (lambda: models.deeplab_v3plus(4, "resnet50", **SMALL), 16802.756225, 0.9929090),
}


@pytest.mark.parametrize("name", BUILT)
def test_a_seed_gives_the_network_that_it_always_gave(name):
    build, size, following = BUILT[name]
    torch.manual_seed(3)
    net = build()
    assert torch.rand(1).item() == pytest.approx(following, abs=1e-6)
    assert sum(p.double().abs().sum().item() for p in net.parameters()) == pytest.approx(size, rel=1e-6)


def test_on_the_meta_device_weights_are_checked_and_nothing_is_filled():
    torch.manual_seed(0)
    weights = backbones.resnet(50, **SMALL).state_dict()
    with torch.device("meta"):
        net = models.deeplab_v2(4, "resnet50", weights=weights, **SMALL)
        with pytest.raises(ValueError, match=r"missing conv1\.weight"):
            backbones.resnet(50, weights={}, **SMALL)
    assert {tensor.device.type for tensor in net.state_dict().values()} == {"meta"}
