"""DeepLab v3+: the decoder, where its cells lie, what it costs beside the paper's counts, learning."""

from functools import cache

import pytest
import torch
import torchvision
from networks import lively, separable
from torch import nn

from deeplab_lessons import grid, inference, training
from deeplab_lessons.backbones import resnet
from deeplab_lessons.backbones.encoders import early_and_last
from deeplab_lessons.classroom.ledger.released import PRINTED, account, filling, released_resnet101
from deeplab_lessons.grid import Grid
from deeplab_lessons.heads import ASPP, Decoder, enlarged
from deeplab_lessons.layers.separable import SeparableConv2d
from deeplab_lessons.models import DeepLabV3, deeplab_v3, deeplab_v3plus
from deeplab_lessons.models.v3plus import DEVIATIONS
from deeplab_lessons.receptive_field import trace

TINY = {"backbone": "resnet50", "width": 1 / 16, "blocks": (1, 1, 1, 1)}
BACKBONES = {
    "resnet18": {"blocks": (1, 1, 1, 1)},
    "resnet50": {"blocks": (1, 1, 1, 1)},
    "xception": {"middle_blocks": 1},
    "mobilenet_v2": {},
}

# ---------------------------------------------------------------- where cells lie


@pytest.mark.parametrize("factor", [2, 4, 8])
@pytest.mark.parametrize("size", [(129, 65), (128, 61), (17, 24), (9, 1)])
def test_enlarging_puts_cell_i_on_finer_cell_factor_times_i(factor, size):
    torch.manual_seed(0)
    coarse = [-(-side // factor) for side in size]
    x = torch.randn(2, 3, *coarse, dtype=torch.float64)
    found = enlarged(x, size, factor)
    assert found.shape[2:] == size
    assert torch.allclose(found[..., ::factor, ::factor], x)
    assert torch.allclose(found.float(), grid.upsample(x.float(), size, factor, start=0.0), atol=1e-5)


@pytest.mark.parametrize("size", [(4, 9), (10, 9)])
def test_maps_that_do_not_belong_together_are_refused(size):
    with pytest.raises(ValueError, match="4 finer cells apart"):
        enlarged(torch.zeros(1, 1, 2, 3), size, 4)


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


@pytest.mark.parametrize("backbone", BACKBONES)
@pytest.mark.parametrize("output_stride", [8, 16, 32])
def test_shapes(backbone, output_stride):
    model = deeplab_v3plus(5, backbone, output_stride, width=1 / 16, **BACKBONES[backbone]).eval()
    for rows, columns in ((33, 65), (64, 48), (50, 41)):
        x = torch.zeros(2, 3, rows, columns)
        early, last = early_and_last(model.backbone, x)
        assert last.shape[2:] == (-(-rows // output_stride), -(-columns // output_stride))
        assert early.shape[2:] == (-(-rows // 4), -(-columns // 4))
        assert model(x).shape == (2, 5, *early.shape[2:])
        assert torch.equal(model.backbone(x), last)


def test_the_decoder_step_by_step():
    torch.manual_seed(0)
    head = lively(Decoder(6, 4, 3, 4, 2, 5))
    x, low = torch.randn(1, 4, 3, 3).double(), torch.randn(1, 6, 9, 9).double()
    joined = torch.cat([enlarged(x, (9, 9), 4), head.reduce(low)], dim=1)
    assert joined.shape[1] == 4 + 2
    assert torch.allclose(head(x, low), head.classifier(head.refine[1](head.refine[0](joined))))


def test_the_low_level_map_is_the_papers_conv2():
    model = deeplab_v3plus(3, **TINY).eval()
    x = torch.randn(1, 3, 65, 65)
    early, _ = early_and_last(model.backbone, x)
    names = list(dict(model.backbone.named_children()))
    assert torch.equal(early, model.backbone[: names.index("layer1") + 1](x))


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


def test_the_deviations_change_what_they_name():
    with torch.device("meta"):
        paper = deeplab_v3plus()
        one, far, plain = (deeplab_v3plus(**options) for options in DEVIATIONS.values())
    assert (len(paper.decoder.refine), len(one.decoder.refine)) == (2, 1)
    assert (paper.aspp.rates, far.aspp.rates) == ((6, 12, 18), (12, 24, 36))
    last = [[block.conv2.dilation[0] for block in net.backbone.layer4] for net in (paper, plain)]
    assert last == [[2, 4, 8], [1, 2, 2]]


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
        ({"output_stride": 4}, "8, 16 or 32"),
        ({"decoder_convolutions": 0}, "at least one 3 x 3"),
        ({"middle_blocks": 8}, "no option middle_blocks; it has multi_grid, cascade, blocks, stride_in"),
        (
            {"backbone": "xception", "blocks": (1, 1, 1, 1)},
            "no option blocks; it has multi_grid, middle_blocks",
        ),
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


@cache
def row(*which):
    return account(*which)


@pytest.mark.parametrize("which", PRINTED)
def test_every_printed_count_is_accounted_for(which):
    found = row(*which)
    assert found["sum"] == pytest.approx(found["ours"] + found["backbone"] + found["filling"])
    assert found["ours"] < found["printed"]
    if which == ("resnet101", 16, True, False):  # the one row that does not fit the paper's others
        assert found["sum"] - found["printed"] == pytest.approx(1.3, abs=0.05)
    else:
        assert found["sum"] == pytest.approx(found["printed"], rel=0.004)


@pytest.mark.parametrize("backbone", ["resnet101", "xception"])
@pytest.mark.parametrize("output_stride", [8, 16, 32])
def test_the_decoder_costs_what_the_tables_say(backbone, output_stride):
    """21.7 to 21.8 thousand million in every pair of rows, but for 101.28 - 81.02 = 20.26."""
    rows = [(backbone, output_stride, decoder, False) for decoder in (True, False)]
    if rows[0] in PRINTED:
        with_it, without = map(row, *zip(*rows, strict=True))
        assert with_it["ours"] - without["ours"] == pytest.approx(21.76, abs=0.02)
        if rows[0] != ("resnet101", 16, True, False):
            assert with_it["printed"] - without["printed"] == pytest.approx(21.76, abs=0.025)


def rebuilt(output_stride):
    """Our ResNet-101 with the released stem, and its strides moved to the end of the stage before."""
    net = resnet(101, 32)
    stem = [nn.Conv2d(3, 64, 3, 2, 1), nn.Conv2d(64, 64, 3, 1, 1), nn.Conv2d(64, 128, 3, 1, 1)]
    net.conv1, net.bn1 = nn.Sequential(*stem), nn.BatchNorm2d(128)
    first = net.layer1[0]
    first.conv1, first.downsample[0] = nn.Conv2d(128, 64, 1), nn.Conv2d(128, 256, 1)
    for before, after, stride in (
        (net.layer1, net.layer2, 8),
        (net.layer2, net.layer3, 16),
        (net.layer3, net.layer4, 32),
    ):
        after[0].conv2.stride = after[0].downsample[0].stride = (1, 1)
        if stride <= output_stride:
            before[-1].conv2.stride, before[-1].downsample = (2, 2), nn.MaxPool2d(1, 2)
    return net


@pytest.mark.parametrize("output_stride", [8, 16, 32])
def test_the_released_resnet_is_counted_as_it_is_built(output_stride):
    with torch.device("meta"):
        assert trace(rebuilt(output_stride), 513).multiply_adds == released_resnet101(output_stride)


def test_filling():
    conv = nn.Conv2d(4, 6, 3, padding=18, dilation=18)
    (only,) = trace(conv, 33, in_channels=4)
    assert filling(only) == (36 * 36 - 33 * 33) * 4 * 6 * 9
    (only,) = trace(nn.Conv2d(4, 6, 3, padding=1), 33, in_channels=4)
    assert filling(only) == 0


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
