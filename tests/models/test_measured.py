"""What a network costs, as one row of a table."""

import torch
from networks import counted, small_vgg

from deeplab_lessons import backbones, models


def test_describe_and_milliseconds():
    net = backbones.dilate(
        backbones.keep_resolution(backbones.fully_convolutional(small_vgg(dtype=torch.float32)))
    )
    row = models.describe(net, 320)
    assert (row["output stride"], row["map"], row["field (px)"]) == (8, "16×16", 404)
    assert row["parameters (10⁶)"] == round(counted(net) / 1e6, 2)
    assert models.milliseconds(net, 224, repeats=1) > 0
    assert models.milliseconds(net, 224, repeats=1, training=True) > 0
    assert all(p.grad is None for p in net.parameters()), "nothing is left behind"
