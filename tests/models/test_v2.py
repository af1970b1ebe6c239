"""DeepLab v2: the fields of its branches, the sum, three sizes of input and their losses, groups of weights."""

import pytest
import torch
import torchvision
from torch import nn
from torch.nn import functional as F

from deeplab_lessons import training
from deeplab_lessons.grid import Grid, upsample
from deeplab_lessons.heads import SummedASPP
from deeplab_lessons.models import MultiScale, deeplab, deeplab_v2
from deeplab_lessons.models.multi_scale import rescaled
from deeplab_lessons.receptive_field import trace

CLASS_SIZE = {"width": 1 / 16, "blocks": (1, 1, 1, 1), "frozen": False}


@pytest.mark.parametrize(
    ("backbone", "stride_in", "fields"),
    [
        ("resnet101", "1x1", (1123, 1219, 1315, 1411)),
        ("resnet101", "3x3", (1067, 1163, 1259, 1355)),
        ("vgg16", "3x3", (323, 419, 515, 611)),
    ],
)
def test_the_fields_of_the_branches(backbone, stride_in, fields):
    """The papers' networks: Caffe's ResNet-101, and VGG16 with pools of 3 x 3; torchvision's beside them."""
    with torch.device("meta"):
        table = trace(deeplab_v2(backbone=backbone, stride_in=stride_in), 321)
    last = "fc6" if backbone == "vgg16" else ""
    names = [f"head.branches.{i}{'.' + last if last else ''}" for i in range(4)]
    assert tuple(table[name].size for name in names) == fields


@pytest.mark.parametrize("channels", [None, 8])
def test_the_branches_are_summed(channels):
    torch.manual_seed(0)
    head = SummedASPP(4, 3, (1, 2, 5), channels).eval()
    x = torch.randn(2, 4, 9, 11)
    one_by_one = [branch(x) for branch in head.branches]
    assert torch.allclose(head(x), one_by_one[0] + one_by_one[1] + one_by_one[2])
    assert head(x).shape == (2, 3, 9, 11) and len(head.classifiers) == 3


def test_vgg16s_weights_reach_every_branch():
    weights = {k: v for k, v in torchvision.models.vgg16(weights=None).state_dict().items()}
    model = deeplab_v2(3, "vgg16", "S", weights=weights)
    first, *others = model.head.branches
    assert all(torch.equal(first.fc6.weight, other.fc6.weight) for other in others)
    assert torch.equal(first.fc7.weight, others[-1].fc7.weight)
    assert not torch.equal(first.fc8.weight, others[0].fc8.weight)
    assert [branch.fc6.dilation[0] for branch in model.head.branches] == [2, 4, 8, 12]


def test_random_branches_begin_differently():
    model = deeplab_v2(3, "vgg16", "S", width=1 / 16)
    first, second, *_ = model.head.branches
    assert not torch.equal(first.fc6.weight, second.fc6.weight)


@pytest.mark.parametrize("backbone", ["vgg16", "resnet50"])
def test_groups_hold_every_trained_weight_once(backbone):
    model = deeplab_v2(5, backbone, "L", multi_scale=True, **{"width": 1 / 16})
    groups = model.parameter_groups(0.001)
    assert [group["lr"] for group in groups] == pytest.approx([0.001, 0.01, 0.02])
    assert groups[2]["weight_decay"] == 0 and len(groups[1]["params"]) == len(groups[2]["params"]) == 4
    grouped = [id(p) for group in groups for p in group["params"]]
    assert sorted(grouped) == sorted(id(p) for p in model.parameters())


# ---------------------------------------------------------------- inputs at three sizes


class Constant(nn.Module):
    """Answers with the mean colour of each 8 x 8 cells, at 1 + size // 8 cells a side."""

    grid = Grid(8, None)

    def forward(self, x):
        return F.interpolate(
            x, [1 + (side - 1) // 8 for side in x.shape[2:]], mode="bilinear", align_corners=True
        )


def test_the_papers_sizes():
    x = torch.randn(1, 3, 321, 321)
    assert [rescaled(x, scale).shape[2] for scale in (0.5, 0.75, 1.0)] == [161, 241, 321]
    maps = [Constant()(rescaled(x, scale)).shape[2] for scale in (0.5, 0.75, 1.0)]
    assert maps == [21, 31, 41]


def test_the_maximum_is_taken_place_by_place_and_maps_lie_on_each_other():
    """A plane through the picture is the same plane at every scale, so the maximum is that plane."""
    row, column = torch.meshgrid(torch.arange(65.0), torch.arange(97.0), indexing="ij")
    x = torch.stack([row, column, row - 2 * column])[None]
    net = MultiScale(Constant()).eval()
    assert torch.allclose(net(x), Constant()(x), atol=1e-3)
    single = [upsample(Constant()(rescaled(x, s)), (9, 13), Grid(1 / s, None)) for s in net.scales]
    assert all(torch.allclose(y, single[-1], atol=1e-3) for y in single)


class OnPixels(nn.Module):
    """Answers with the colour of every eighth pixel, the first one included."""

    grid = Grid(8, 0.0)

    def forward(self, x):
        return x[:, :, ::8, ::8]


def test_maps_lie_on_each_other_at_any_size():
    """69 pixels are no 8n + 1: cell 0 lies on pixel 0, and the map is not centred on the picture."""
    row, column = torch.meshgrid(torch.arange(69.0), torch.arange(77.0), indexing="ij")
    x = torch.stack([row, column, row + column])[None]
    net = MultiScale(OnPixels())
    each = net.each_scale(x)
    assert each.shape == (3, 1, 3, 9, 10)
    inside = each[..., :8, :9]  # beyond the last cell of a smaller map its last value is kept
    assert torch.allclose(inside, inside[-1:].expand_as(inside), atol=1e-3)
    assert torch.allclose(net.eval()(x)[..., :8, :9], x[:, :, :64:8, :72:8], atol=1e-3)


@pytest.mark.parametrize(
    "network",
    [
        {"version": "v1", "width": 1 / 32, "batch_norm": True, "pool_size": 3},
        {"version": "v2", "backbone": "vgg16", "width": 1 / 32, "batch_norm": True, "rates": (2,)},
        {"version": "v2", "backbone": "resnet50", "rates": None, **CLASS_SIZE},
    ],
)
@pytest.mark.parametrize("size", [96, 97, 100])
def test_cells_lie_where_the_network_says(network, size):
    """The tracer knows where unit 0 of the last layer looks."""
    net = deeplab(**network)
    assert net.grid.start == trace(net, size).rows[-1].start == 0.0


def test_the_fused_map_is_never_below_a_single_one():
    torch.manual_seed(0)
    net = deeplab_v2(4, "resnet50", "S", multi_scale=True, **CLASS_SIZE)
    x = torch.randn(1, 3, 65, 81)
    net.eval()
    assert (net(x) >= net.model(x)).all()
    pairs = net.train()(x)
    assert [round(stride, 2) for _, stride in pairs] == [8, 16, 10.67, 8]
    assert [tuple(y.shape[2:]) for y, _ in pairs] == [(9, 11), (5, 6), (7, 8), (9, 11)]


@pytest.mark.parametrize("loss", ["subsample", "area", "upsampled"])
def test_there_is_a_loss_on_the_fusion_and_on_every_scale(loss):
    torch.manual_seed(0)
    net = deeplab_v2(4, "resnet50", "S", multi_scale=True, **CLASS_SIZE)
    images, labels = torch.randn(2, 3, 65, 65), torch.randint(0, 4, (2, 65, 65))
    history = training.train(
        net,
        list(zip(images, labels, strict=True)),
        iterations=1,
        batch_size=2,
        lr=1e-9,
        loss=loss,
        progress=False,
    )
    with torch.no_grad():
        pairs = net.train()(images)
    expected = sum(training.losses.LOSSES[loss](y, labels, grid) for y, grid in pairs)
    assert history.loss[0] == pytest.approx(expected.item(), rel=1e-3)
    assert len(pairs) == 4


def test_it_learns():
    torch.manual_seed(0)
    labels = (torch.arange(33) > 16).long().expand(33, 33)
    pairs = [(labels.float().expand(3, -1, -1) + 0.1 * torch.randn(3, 33, 33), labels) for _ in range(4)]
    net = deeplab_v2(2, "resnet50", (1, 2), multi_scale=True, **CLASS_SIZE)
    training.train(net, pairs, iterations=30, batch_size=4, lr=0.02, progress=False)
    assert training.evaluate(net, pairs).mean_iou > 0.75


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"backbone": "resnet20"}, "resnet101"),
        ({"rates": "M"}, "S, L"),
        ({"rates": ()}, "at least 1"),
        ({"rates": (6, 0)}, "at least 1"),
        ({"output_stride": 16}, "output stride 8"),
    ],
)
def test_what_is_not_there_is_named(arguments, words):
    with pytest.raises(ValueError, match=words):
        deeplab_v2(**CLASS_SIZE | arguments)


def test_scales_end_at_the_picture_itself():
    with pytest.raises(ValueError, match="end at 1"):
        MultiScale(Constant(), (0.5, 0.75))
