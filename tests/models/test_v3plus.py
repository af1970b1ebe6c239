"""DeepLab v3+: the decoder, where its cells lie, what it costs beside the paper's counts, learning."""

from functools import cache

import pytest
import torch
import torchvision
from networks import lively, separable
from torch import nn

from deeplab_lessons import inference, training
from deeplab_lessons.backbones.encoders import low_level_features
from deeplab_lessons.grid import Grid
from deeplab_lessons.heads import ASPP
from deeplab_lessons.layers.separable import SeparableConv2d
from deeplab_lessons.models import DeepLabV3, deeplab_v3, deeplab_v3plus
from deeplab_lessons.receptive_field import trace

TINY = {"backbone": "resnet50", "width": 1 / 16, "blocks": (1, 1, 1, 1)}
BACKBONES = {
    "resnet18": {"blocks": (1, 1, 1, 1)},
    "resnet50": {"blocks": (1, 1, 1, 1)},
    "xception": {"middle_blocks": 1},
    "mobilenet_v2": {},
}

# ---------------------------------------------------------------- where cells lie


@pytest.mark.parametrize("output_stride", [8, 16])
@pytest.mark.parametrize("size", [64, 65, 70])
def test_both_maps_and_the_logits_begin_on_pixel_0(size, output_stride):
    with torch.device("meta"):
        model = deeplab_v3plus(output_stride=output_stride, image_pooling=False, **TINY)
        table = trace(model, size)
    assert [(row.start, row.jump) for row in (table["backbone.layer1"], table["aspp"])] == [
        (0.0, 4),
        (0.0, output_stride),
    ]
    classifier = table["decoder.classifier"]
    assert classifier.map_size == (-(-size // 4), -(-size // 4))
    assert model.grid == Grid(4, 0.0) and model.encoder_stride == output_stride


@pytest.mark.parametrize("size", [33, 64, 70])
def test_scores_of_a_picture_have_its_size(size):
    model = deeplab_v3plus(3, **TINY)
    assert inference.scores(model, torch.randn(3, size, size + 5)).shape == (3, size, size + 5)


# ---------------------------------------------------------------- shapes and parts


@pytest.mark.slow
@pytest.mark.parametrize("backbone", BACKBONES)
@pytest.mark.parametrize("output_stride", [8, 16, 32])
def test_shapes(backbone, output_stride):
    model = deeplab_v3plus(5, backbone, output_stride, width=1 / 16, **BACKBONES[backbone]).eval()
    for rows, columns in ((33, 65), (64, 48), (50, 41)):
        x = torch.zeros(2, 3, rows, columns)
        early, last = low_level_features(model.backbone, x)
        assert last.shape[2:] == (-(-rows // output_stride), -(-columns // output_stride))
        assert early.shape[2:] == (-(-rows // 4), -(-columns // 4))
        assert model(x).shape == (2, 5, *early.shape[2:])
        assert torch.equal(model.backbone(x), last)


def test_the_released_early_map_sees_two_blocks():
    """27 pixels, where the end of layer1 sees 35; everything else is as before."""
    with torch.device("meta"):
        usual, released = (trace(deeplab_v3plus(released=each), 65) for each in (False, True))
    assert usual["backbone.layer1.2.conv3"].size == 35 and released["backbone.layer1.1.conv3"].size == 27
    assert released["decoder.reduce"].size == 27 and usual["decoder.reduce"].size == 35
    assert released["backbone.layer4"].size == usual["backbone.layer4"].size
    assert released.multiply_adds == usual.multiply_adds


def test_options_of_the_decoder():
    with torch.device("meta"):
        usual = deeplab_v3plus()
        other = deeplab_v3plus(low_level_channels=32, decoder_convolutions=3, separable=True)
    convs = [m for m in usual.decoder.modules() if isinstance(m, nn.Conv2d)]
    assert [(m.in_channels, m.out_channels, m.kernel_size[0]) for m in convs] == [
        (256, 48, 1), (304, 256, 3), (256, 256, 3), (256, 21, 1),
    ]  # fmt: skip
    assert other.decoder.reduce[0].out_channels == 32 and len(other.decoder.refine) == 3
    assert all(isinstance(unit, SeparableConv2d) for unit in other.decoder.refine)
    dilated = [b.depthwise.dilation[0] for b in other.aspp.branches if isinstance(b, SeparableConv2d)]
    assert dilated == [6, 12, 18]
    assert not any(isinstance(m, SeparableConv2d) for m in usual.modules())
    with torch.device("meta"):
        assert isinstance(deeplab_v3plus(backbone="xception").decoder.refine[0], SeparableConv2d)


def test_without_the_decoder_it_is_v3():
    torch.manual_seed(0)
    ours = deeplab_v3plus(4, decoder=False, **TINY).eval()
    v3 = deeplab_v3(4, **TINY).eval()
    v3.load_state_dict(ours.state_dict())
    x = torch.randn(1, 3, 65, 65)
    assert isinstance(ours, DeepLabV3) and ours.grid.stride == 16
    assert torch.equal(ours(x), v3(x))


def test_weights_trained_at_16_serve_at_8():
    torch.manual_seed(0)
    coarse = lively(deeplab_v3plus(3, output_stride=16, image_pooling=False, **TINY))
    fine = deeplab_v3plus(3, output_stride=8, image_pooling=False, **TINY).double().eval()
    fine.load_state_dict(coarse.state_dict())
    x = torch.randn(1, 3, 65, 97, dtype=torch.float64)
    with torch.inference_mode():
        maps = [net.aspp(net.backbone(x)) for net in (coarse, fine)]
        assert torch.allclose(maps[1][..., ::2, ::2], maps[0])  # the pyramid's rates are doubled too
        assert coarse(x).shape == fine(x).shape == (1, 3, 17, 25)


@pytest.mark.parametrize(
    ("backbone", "build"),
    [("resnet18", torchvision.models.resnet18), ("mobilenet_v2", torchvision.models.mobilenet_v2)],
)
def test_trained_weights_reach_the_backbone(backbone, build):
    trained = build().state_dict()
    model = deeplab_v3plus(3, backbone, weights=trained)
    for name, tensor in model.backbone.state_dict().items():
        prefix = "features." if backbone == "mobilenet_v2" else ""
        assert torch.equal(tensor, trained[prefix + name])
    assert all(p.requires_grad for p in model.parameters())
    assert all(torch.isfinite(p).all() for p in model.parameters())


@pytest.mark.parametrize("backbone", ["resnet18", "xception"])
def test_gradients_reach_every_parameter(backbone):
    torch.manual_seed(0)
    model = deeplab_v3plus(3, backbone, width=1 / 8, **BACKBONES[backbone]).train()
    model(torch.randn(2, 3, 65, 65)).square().mean().backward()
    silent = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert not silent
    (group,) = model.parameter_groups(0.007)
    assert len(group["params"]) == len(list(model.parameters())) and group["lr"] == 0.007


@pytest.mark.slow
def test_it_learns():
    torch.manual_seed(0)
    labels = (torch.arange(33) > 16).long().expand(33, 33)
    pairs = [(labels.float().expand(3, -1, -1) + 0.1 * torch.randn(3, 33, 33), labels) for _ in range(4)]
    net = deeplab_v3plus(2, **TINY)
    training.train(net, pairs, iterations=30, batch_size=4, lr=0.02, loss="upsampled", progress=False)
    assert training.evaluate(net, pairs).mean_iou > 0.9


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"backbone": "vgg16"}, "xception"),
        ({"output_stride": 4}, "8, 16, 32"),
        ({"decoder_convolutions": 0}, "at least one 3 x 3"),
        ({"middle_blocks": 8}, "no option middle_blocks; it has multi_grid, cascade, blocks, stride_in"),
        (
            {"backbone": "xception", "blocks": (1, 1, 1, 1)},
            "no option blocks; it has multi_grid, middle_blocks",
        ),
        ({"released": True}, r"got 'resnet50' with blocks=\(1, 1, 1, 1\): pass released=False"),
        ({"released": True, "backbone": "resnet18", "blocks": None}, "got 'resnet18': pass released=False"),
        ({"released": True, "backbone": "mobilenet_v2", "blocks": None}, "two bottlenecks or more"),
    ],
)
def test_what_is_not_there_is_named(arguments, words):
    with pytest.raises(ValueError, match=words):
        deeplab_v3plus(**TINY | arguments)


# ---------------------------------------------------------------- what it costs, beside the paper's counts


@cache
def cost(**options):
    with torch.device("meta"):
        return trace(deeplab_v3plus(**options), 513)


@pytest.mark.slow
def test_parameters_of_the_full_models():
    """Summed by hand: the backbones' are tested beside them."""
    pyramid = 2 * 2048 * 256 + 3 * 9 * 2048 * 256 + 5 * 256 * 256 + 6 * 512
    decoder = 256 * 48 + 96 + 9 * 304 * 256 + 9 * 256 * 256 + 2 * 512 + 257 * 21
    resnet_101 = 44_549_160 - 2049 * 1000
    assert cost().parameters == resnet_101 + pyramid + decoder
    assert cost(decoder=False).parameters == resnet_101 + pyramid + 257 * 21
    branches = 3 * separable(2048, 256) + 2 * 2048 * 256 + 5 * 256 * 256 + 3 * 512
    refined = separable(304, 256) + separable(256, 256) + 256 * 48 + 96 + 257 * 21
    table = cost(backbone="xception")
    backbone = sum(row.parameters for row in table.rows if row.name.startswith("backbone"))
    assert table.parameters == backbone + branches + refined
    assert sum(p.numel() for p in ASPP(2048, separable=True).parameters()) == branches
