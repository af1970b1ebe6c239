"""Both pyramids: branches that are summed (v2), and branches that are concatenated and mixed (v3)."""

import pytest
import torch
from networks import lively
from torch import nn
from torch.nn import functional as F

from deeplab_lessons.heads import ASPP, SummedASPP, atrous_rates


@pytest.mark.parametrize("channels", [None, 8])
def test_the_branches_are_summed(channels):
    torch.manual_seed(0)
    head = SummedASPP(4, 3, (1, 2, 5), channels).eval()
    x = torch.randn(2, 4, 9, 11)
    one_by_one = [branch(x) for branch in head.branches]
    assert torch.allclose(head(x), one_by_one[0] + one_by_one[1] + one_by_one[2])
    assert head(x).shape == (2, 3, 9, 11) and len(head.classifiers) == 3


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


def test_rates_reach_equally_far_in_pixels():
    assert {tuple(rate * stride for rate in atrous_rates(stride)) for stride in (8, 16, 32)} == {
        (96, 192, 288)
    }
