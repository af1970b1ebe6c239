"""DeepLab v2: the fields of its branches, the sum, three sizes of input and their losses, groups of weights."""

import pytest
import torch
import torchvision

from deeplab_lessons import training
from deeplab_lessons.models import deeplab, deeplab_v2
from deeplab_lessons.receptive_field import trace

CLASS_SIZE = {"width": 1 / 16, "blocks": (1, 1, 1, 1), "frozen": False}


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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
