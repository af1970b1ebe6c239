"""DeepLab v3: dilations of multi-grid and cascade, the pyramid, where cells lie; torchvision's."""

import pytest
import torch
import torchvision
from torch import nn
from torch.nn import functional as F

from deeplab_lessons.backbones import freeze_batch_norm
from deeplab_lessons.classroom.gradient_fields import empirical_field
from deeplab_lessons.grid import Grid
from deeplab_lessons.heads import ImagePooling
from deeplab_lessons.models import deeplab_v3, torchvision_deeplab_v3
from deeplab_lessons.receptive_field import trace

TINY = {"width": 1 / 16, "blocks": (1, 1, 1, 3)}


# ---------------------------------------------------------------- multi-grid and cascade


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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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
        ({"backbone": "resnet18"}, "resnet50, resnet101"),
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
        ({"output_stride": 64}, "8, 16, 32"),
        ({"output_stride": 512, "cascade": 7}, "128, 256"),
        ({"cascade": 3}, r"4 \(layer4\) to 7"),
        ({"multi_grid": "best"}, '"paper"'),
        ({"multi_grid": (1, 0, 2)}, "at least 1"),
        ({"rates": ()}, "one or more dilations"),
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
