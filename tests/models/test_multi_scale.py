"""Inputs at three sizes: maps that lie on each other, their maximum, and a loss on each."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from deeplab_lessons import training
from deeplab_lessons.grid import Grid, upsample
from deeplab_lessons.models import MultiScale, deeplab_v2
from deeplab_lessons.models.multi_scale import rescaled

CLASS_SIZE = {"width": 1 / 16, "blocks": (1, 1, 1, 1), "frozen": False}


class Constant(nn.Module):
    """Answers with the mean colour of each 8 x 8 cells, at 1 + size // 8 cells per side."""

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


def test_500_pixels_become_251_where_the_released_code_takes_250():
    """499 gaps at 0.5 are 249.5: ours rounds, the released code rounds down."""
    assert list(rescaled(torch.zeros(1, 3, 321, 500), 0.5).shape[2:]) == [161, 251]


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


def test_the_fused_map_is_never_below_a_single_one():
    torch.manual_seed(0)
    net = deeplab_v2(4, "resnet50", "S", multi_scale=True, **CLASS_SIZE)
    x = torch.randn(1, 3, 65, 81)
    net.eval()
    assert (net(x) >= net.model(x)).all()
    pairs = net.train()(x)
    assert [round(grid.stride, 2) for _, grid in pairs] == [8, 16, 10.67, 8]
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


def test_scales_end_at_the_picture_itself():
    with pytest.raises(ValueError, match="end at 1"):
        MultiScale(Constant(), (0.5, 0.75))
