"""DeepLab v3: dilations of multi-grid and cascade, the pyramid, torchvision's scores, where cells lie, the factory."""

import pytest
import torch
import torchvision
from networks import lively
from torch import nn
from torch.nn import functional as F
from torchvision.models.resnet import BasicBlock, Bottleneck

from deeplab_lessons.backbones import freeze_batch_norm, resnet
from deeplab_lessons.grid import Grid
from deeplab_lessons.heads import ASPP, ImagePooling, pyramid_rates
from deeplab_lessons.models import (
    DeepLabV1,
    DeepLabV2,
    DeepLabV3,
    DeepLabV3Plus,
    deeplab,
    deeplab_v3,
    torchvision_deeplab_v3,
)
from deeplab_lessons.receptive_field import empirical_field, trace

TINY = {"width": 1 / 16, "blocks": (1, 1, 1, 3)}


def dilations(net):
    """Dilations of the 3 x 3 convolutions in each block of layer4 and later."""
    stages = [stage for name, stage in net.named_children() if name.startswith("layer") and name >= "layer4"]
    convs = [
        [m.dilation[0] for m in block.modules() if isinstance(m, nn.Conv2d) and m.kernel_size == (3, 3)]
        for stage in stages
        for block in stage
    ]
    return [one[0] if len(set(one)) == 1 else one for one in convs]


# ---------------------------------------------------------------- multi-grid and cascade


@pytest.mark.parametrize(
    ("output_stride", "multi_grid", "cascade", "expected"),
    [
        (32, (1, 2, 4), 4, [1, 2, 4]),
        (16, (1, 2, 4), 4, [2, 4, 8]),  # the paper's example, section 3.2.1
        (8, (1, 2, 4), 4, [4, 8, 16]),
        (16, (1, 1, 1), 4, [2, 2, 2]),
        (16, (1, 2, 1), 7, [2, 4, 2, 4, 8, 4, 8, 16, 8, 16, 32, 16]),  # rates 2, 4, 8, 16: figure 3 (b)
        (8, (1, 1, 1), 6, [4, 4, 4, 8, 8, 8, 16, 16, 16]),
        (64, (1, 2, 1), 7, [1, 2, 1, 1, 2, 1, 2, 4, 2, 4, 8, 4]),
        (256, (1, 1, 1), 7, [1] * 12),  # no atrous convolution at all: table 1
        (16, None, 4, [1, 2, 2]),  # the first as it was trained in torchvision's layout
        (8, None, 5, [2, 4, 4, 4, 8, 8]),
    ],
)
@pytest.mark.parametrize("depth", [50, 34])
def test_the_dilation_of_every_block(depth, output_stride, multi_grid, cascade, expected):
    net = resnet(depth, output_stride, None, multi_grid=multi_grid, cascade=cascade, **TINY)
    found = dilations(net)
    if (
        depth == 34 and multi_grid is None
    ):  # two 3 x 3 in a block: the first of a stage keeps the old dilation
        assert all(second == 2 * first for first, second in found[::3])
        found[::3] = [first for first, _ in found[::3]]
    assert found == expected
    blocks = [m for m in net.modules() if isinstance(m, (BasicBlock, Bottleneck))]
    assert len(blocks) == 6 + 3 * (cascade - 4)


def test_resnet_18_takes_the_grids_first_numbers():
    with torch.device("meta"):
        assert dilations(deeplab_v3(backbone="resnet18").backbone) == [2, 4]
        assert dilations(deeplab_v3(backbone="resnet34").backbone) == [2, 4, 8]
    with pytest.raises(ValueError, match="each of the stage's 3 blocks"):
        resnet(50, 16, multi_grid=(1, 2), **TINY)


@pytest.mark.parametrize("depth", [18, 50])
@pytest.mark.parametrize("cascade", [4, 6])
def test_every_output_stride_holds_the_coarsest_map(depth, cascade):
    """Without a grid the dilated networks compute what the strided one computes, and more in between."""
    torch.manual_seed(depth)
    small = {"cascade": cascade, **TINY, "blocks": (1, 1, 1, 2)}
    coarsest = 4 * 2 ** (cascade - 1)
    strided = lively(resnet(depth, coarsest, **small))
    x = torch.randn(1, 3, coarsest + 1, 2 * coarsest + 1, dtype=torch.float64)
    with torch.inference_mode():
        coarse = strided(x)
        for output_stride in (coarsest // 2, 8):
            fine = resnet(depth, output_stride, **small)
            fine.load_state_dict(strided.state_dict())
            every = coarsest // output_stride
            assert torch.allclose(fine.eval().double()(x)[..., ::every, ::every], coarse)


@pytest.mark.parametrize(("stride_in", "coarsest"), [("1x1", 32), ("3x3", 16)])
def test_a_grid_trained_at_one_output_stride_serves_at_another(stride_in, coarsest):
    """The paper trains at 16 and tests at 8 with (1, 2, 4): the same function of the same weights."""
    torch.manual_seed(0)
    options = {"multi_grid": (1, 2, 4), "stride_in": stride_in, **TINY}
    strided = lively(resnet(50, coarsest, **options))
    x = torch.randn(1, 3, 65, 97, dtype=torch.float64)
    with torch.inference_mode():
        fine = resnet(50, 8, strided.state_dict(), **options).double().eval()
        assert torch.allclose(fine(x)[..., :: coarsest // 8, :: coarsest // 8], strided(x))


@pytest.mark.parametrize("output_stride", [8, 16, 32, 64, 128, 256])
def test_the_cascades_output_strides(output_stride):
    """Table 1: ResNet-50 with block7."""
    model = deeplab_v3(3, "resnet50", output_stride, cascade=7, **TINY).eval()
    assert isinstance(model.aspp, nn.Identity)
    assert model(torch.zeros(1, 3, 257, 300)).shape == (
        1,
        3,
        -(-257 // output_stride),
        -(-300 // output_stride),
    )


def test_the_cascades_parameters():
    """A replica has layer4's convolutions on 2048 channels and no convolution in its shortcut."""
    one = 2048 * 512 + 9 * 512 * 512 + 512 * 2048 + 2 * (512 + 512 + 2048)
    with torch.device("meta"):
        four, seven = (deeplab_v3(backbone="resnet50", cascade=n, aspp=False) for n in (4, 7))
    assert sum(p.numel() for p in seven.parameters()) - sum(p.numel() for p in four.parameters()) == 9 * one


# ---------------------------------------------------------------- the pyramid


@pytest.mark.parametrize("backbone", ["resnet18", "resnet50", "mobilenet_v2", "xception"])
@pytest.mark.parametrize("output_stride", [8, 16, 32])
def test_shapes(backbone, output_stride):
    own = {"blocks": (1, 1, 1, 1)} if backbone.startswith("resnet") else {}
    model = deeplab_v3(5, backbone, output_stride, width=1 / 16, **own).eval()
    for rows, columns in ((33, 65), (64, 48), (50, 41)):
        expected = (2, 5, -(-rows // output_stride), -(-columns // output_stride))
        assert model(torch.zeros(2, 3, rows, columns)).shape == expected
    assert model.aspp.rates == {8: (12, 24, 36), 16: (6, 12, 18), 32: (3, 6, 9)}[output_stride]
    assert model.grid == Grid(output_stride, 0.0)


def test_the_branches_are_concatenated_and_mixed():
    torch.manual_seed(0)
    head = lively(ASPP(6, 4, rates=(1, 2)))
    x = torch.randn(2, 6, 9, 7, dtype=torch.float64)
    point, near, far, image = head.branches
    assert [near[0].dilation, far[0].dilation, point[0].kernel_size] == [(1, 1), (2, 2), (1, 1)]
    pooled = F.relu(image[2](image[1](x.mean((2, 3), keepdim=True))))
    pooled = F.interpolate(pooled, (9, 7), mode="bilinear", align_corners=False)
    mixed = torch.cat([point(x), near(x), far(x), pooled], dim=1)
    assert torch.allclose(head(x), head.project(mixed))
    assert [type(part) for part in head.project] == [nn.Conv2d, nn.BatchNorm2d, nn.ReLU, nn.Dropout]


def test_the_pyramids_parameters():
    with torch.device("meta"):
        head = ASPP(2048)
    units = [2048 * 256, *[9 * 2048 * 256] * 3, 2048 * 256, 5 * 256 * 256]
    assert sum(p.numel() for p in head.parameters()) == sum(units) + 6 * 2 * 256


def test_image_pooling_lets_every_pixel_matter():
    torch.manual_seed(0)
    options = {"width": 1 / 16, "blocks": (1, 1, 1, 1), "rates": (1,)}
    with_it, without = (deeplab_v3(2, "resnet50", image_pooling=on, **options).eval() for on in (True, False))
    assert trace(with_it, 385)["classifier"].field.is_global
    assert not trace(without, 385)["classifier"].field.is_global
    assert empirical_field(with_it, 385, unit=0).all()
    assert not empirical_field(without, 385, unit=0)[-1].any()


def test_one_picture_alone_cannot_train_image_pooling():
    model = deeplab_v3(3, "resnet18", **TINY | {"blocks": (1, 1, 1, 1)}).train()
    with pytest.raises(ValueError, match="batches of 2"):
        model(torch.randn(1, 3, 33, 33))
    model(torch.randn(2, 3, 33, 33))
    assert freeze_batch_norm(model)(torch.randn(1, 3, 33, 33)).shape == (1, 3, 3, 3)
    assert isinstance(model.aspp.branches[-1], ImagePooling)


@pytest.mark.parametrize("size", [64, 65, 70])
@pytest.mark.parametrize("backbone", ["resnet18", "mobilenet_v2"])
def test_cell_0_lies_on_pixel_0_whatever_the_size(backbone, size):
    with torch.device("meta"):
        row = trace(deeplab_v3(backbone=backbone, width=1 / 4), size)["classifier"]
    assert (row.start, row.jump) == (0.0, 16)


def test_gradients_reach_every_parameter_and_one_rate_serves_all():
    torch.manual_seed(0)
    model = deeplab_v3(3, "resnet50", cascade=5, aspp=True, refine=True, **TINY).train()
    model(torch.randn(2, 3, 65, 65)).square().mean().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())
    (group,) = model.parameter_groups(0.007)
    assert group["lr"] == 0.007
    assert [id(p) for p in group["params"]] == [id(p) for p in model.parameters()]


def test_classes_begin_about_equally_likely():
    torch.manual_seed(0)
    model = deeplab_v3(4, "resnet50", **TINY).train()
    shares = model(torch.randn(4, 3, 65, 65)).softmax(1)
    assert (shares - 0.25).abs().max() < 0.1


# ---------------------------------------------------------------- torchvision's


@pytest.mark.parametrize("backbone", ["resnet50", "resnet101"])
def test_torchvisions_weights_give_torchvisions_scores(backbone):
    torch.manual_seed(0)
    build = getattr(torchvision.models.segmentation, f"deeplabv3_{backbone}")
    with torch.device("meta"):
        theirs = build(weights=None, weights_backbone=None, num_classes=7, aux_loss=True)
    theirs = theirs.to_empty(device="cpu")
    for part in theirs.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight)
            if part.bias is not None:
                nn.init.normal_(part.bias)
        elif isinstance(part, nn.BatchNorm2d):
            part.reset_parameters()
            part.running_mean.normal_(std=0.1)
            part.running_var.uniform_(0.8, 1.5)
    ours = torchvision_deeplab_v3(backbone, theirs.state_dict(), num_classes=7)
    x = torch.randn(1, 3, 65, 80)
    with torch.inference_mode():
        logits = ours(x)
        enlarged = F.interpolate(logits, (65, 80), mode="bilinear", align_corners=False)
        expected = theirs.eval()(x)["out"]
    assert logits.shape == (1, 7, 9, 10) and ours.grid == Grid(8, None)
    assert expected.abs().max() > 0.01
    assert torch.allclose(enlarged, expected, rtol=1e-5, atol=1e-5 * expected.abs().max().item())


def test_torchvisions_network_differs_from_the_paper_by_named_options():
    with torch.device("meta"):
        theirs = torchvision.models.segmentation.deeplabv3_resnet50(weights_backbone=None)
        ours = deeplab_v3(21, "resnet50", 8, multi_grid=None, dropout=0.5, refine=True)
    assert sum(p.numel() for p in ours.parameters()) == sum(p.numel() for p in theirs.parameters())
    found = [m.dilation for m in theirs.modules() if isinstance(m, nn.Conv2d)]
    assert sorted(found) == sorted(m.dilation for m in ours.modules() if isinstance(m, nn.Conv2d))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"backbone": "resnet18"}, '"resnet50" and "resnet101"'),
        ({"weights": {"classifier.4.weight": torch.zeros(1)}}, "not those of this DeepLabV3"),
    ],
)
def test_weights_that_do_not_fit_are_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        torchvision_deeplab_v3(**{"backbone": "resnet50", "weights": {}} | arguments)


# ---------------------------------------------------------------- errors, and the one door


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"backbone": "vgg16"}, "resnet101"),
        ({"output_stride": 64}, "8, 16 or 32"),
        ({"output_stride": 512, "cascade": 7}, "128 or 256"),
        ({"cascade": 3}, r"4 \(layer4\) to 7"),
        ({"multi_grid": "best"}, '"paper"'),
        ({"multi_grid": (1, 0, 2)}, "at least 1"),
        ({"rates": ()}, "at least one rate"),
        ({"backbone": "mobilenet_v2"}, "no option blocks"),
        ({"backbone": "mobilenet_v2", "blocks": None, "cascade": 5}, "no option cascade"),
        ({"backbone": "xception", "blocks": None, "stride_in": "1x1"}, "no option stride_in"),
    ],
)
def test_what_is_not_there_is_named(arguments, words):
    with pytest.raises(ValueError, match=words):
        deeplab_v3(**TINY | arguments)


def test_pictures_have_three_channels():
    with pytest.raises(ValueError, match=r"x\[None\]"):
        deeplab_v3(3, "resnet18", width=1 / 16)(torch.zeros(3, 33, 33))


@pytest.mark.parametrize(
    ("version", "options", "kind"),
    [
        ("v1", {"width": 1 / 16}, DeepLabV1),
        ("v2", {"width": 1 / 16, "backbone": "resnet50", "output_stride": 8}, DeepLabV2),
        ("v3", {"width": 1 / 16, "backbone": "resnet18", "output_stride": 32}, DeepLabV3),
        ("v3plus", {"width": 1 / 16, "backbone": "resnet18", "output_stride": 8}, DeepLabV3Plus),
    ],
)
def test_every_version_through_one_door(version, options, kind):
    model = deeplab(version, num_classes=4, **options).eval()
    assert type(model) is kind
    cells = 64 // model.grid.stride
    assert model(torch.zeros(1, 3, 64, 64)).shape == (1, 4, cells, cells)


@pytest.mark.parametrize(
    ("version", "options", "words"),
    [
        ("v4", {}, '"v1", "v2", "v3", "v3plus"'),
        ("v1", {"cascade": 5}, r"v1 has no option cascade \(cascade belongs to v3\); it has .*kernel_size"),
        ("v2", {"output_stride": 16}, "DeepLab v2 has output stride 8"),
        ("v3", {"depth": 50}, "v3 has no option depth; it has num_classes, backbone"),
    ],
)
def test_the_door_names_what_exists(version, options, words):
    with pytest.raises(ValueError, match=words):
        deeplab(version, **options)


def test_rates_reach_equally_far_in_pixels():
    assert {tuple(rate * stride for rate in pyramid_rates(stride)) for stride in (8, 16, 32)} == {
        (96, 192, 288)
    }
