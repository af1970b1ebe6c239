"""What a network costs, as one row of a table."""

import pytest
import torch
from networks import counted, small_vgg
from torch import nn

from deeplab_lessons import backbones
from deeplab_lessons.classroom import measure
from deeplab_lessons.classroom.experiments import experiment


def test_describe_and_milliseconds():
    net = backbones.dilate(
        backbones.keep_resolution(backbones.fully_convolutional(small_vgg(dtype=torch.float32)))
    )
    row = measure.describe(net, 320)
    assert (row["output stride"], row["map"], row["field (px)"]) == (8, "16×16", 404)
    assert row["parameters (10⁶)"] == round(counted(net) / 1e6, 2)
    assert measure.milliseconds(net, 224, repeats=1) > 0
    assert measure.milliseconds(net, 224, repeats=1, training=True) > 0
    assert all(p.grad is None for p in net.parameters()), "nothing is left behind"


def test_memory_for_backward_is_counted_by_hand():
    pictures = 4 * 3 * 10 * 10
    convolution = nn.Conv2d(3, 2, 3, padding=1)
    assert measure.kept_for_backward(convolution, 10) == pictures, "a convolution keeps what it was given"
    with_relu = nn.Sequential(convolution, nn.ReLU())
    assert measure.kept_for_backward(with_relu, 10) == pictures + 4 * 2 * 10 * 10, "a ReLU keeps its output"
    in_place = nn.Sequential(convolution, nn.ReLU(inplace=True), nn.Conv2d(2, 2, 1))
    assert measure.kept_for_backward(in_place, 10) == pictures + 4 * 2 * 10 * 10, "shared memory counts once"
    assert measure.kept_for_backward(with_relu, 10, batch_size=3) == 3 * (pictures + 800)
    frozen = nn.Conv2d(3, 2, 3, padding=1).requires_grad_(False)
    assert measure.kept_for_backward(frozen, 10) == 0


@pytest.mark.slow
def test_versions_cost_what_their_heads_cost():
    found = {
        name: measure.cost(experiment(name, "full"), (360, 480))
        for name in ("camvid_v1", "camvid_v2", "camvid_v3", "camvid_v3plus")
    }
    v1, v2, v3, v3plus = (each["parameters (10⁶)"] for each in found.values())
    with torch.device("meta"):
        network = experiment("camvid_v2", "full").model()
    assert v2 == pytest.approx(sum(p.numel() for p in network.parameters()) / 1e6)
    assert v2 < v1 < v3plus < v3
    work = [each["multiply-adds (10⁹)"] for each in found.values()]
    assert max(work) == work[3] and min(work) == work[1], "a decoder at stride 4"
