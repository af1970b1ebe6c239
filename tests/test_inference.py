"""One picture shown at several sizes and mirrored; and what a training keeps in memory."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from deeplab_lessons import inference, models
from deeplab_lessons.grid import PIXELS, Grid
from deeplab_lessons.inference import ManyViews


class Pointwise(nn.Module):
    """Logits from each pixel alone, so that nothing changes when the picture does not."""

    grid = PIXELS

    def forward(self, x):
        return torch.cat([x, -x[:, :1]], dim=1)


class LeftOrRight(nn.Module):
    """Sees class 0 in the left half of any picture and class 1 in the right half; cells of 4 pixels."""

    grid = Grid(4, None)

    def forward(self, x):
        columns = x.shape[3] // 4
        left = (torch.arange(columns) < columns // 2).float() * 8 - 4
        return torch.stack([left, -left])[:, None].expand(len(x), 2, x.shape[2] // 4, columns)


@pytest.mark.parametrize("fusion", ["mean", "maximum"])
def test_one_view_is_the_network_itself(fusion):
    pictures = torch.randn(2, 3, 9, 11)
    views = ManyViews(Pointwise(), fusion=fusion)
    assert torch.allclose(views(pictures), Pointwise()(pictures).log_softmax(1), atol=1e-5)


def test_probabilities_of_the_views_are_averaged():
    pictures = torch.randn(1, 3, 17, 17)
    shown = [
        F.interpolate(pictures, (side, side), mode="bilinear", align_corners=True) for side in (9, 17, 33)
    ]
    maps = [F.interpolate(Pointwise()(x), (17, 17), mode="bilinear", align_corners=True) for x in shown]
    each = torch.stack([logits.softmax(1) for logits in maps])
    found = ManyViews(Pointwise(), (0.5, 1, 2))(pictures).exp()
    assert torch.allclose(found, each.mean(0), atol=1e-5)
    largest = each.amax(0)
    found = ManyViews(Pointwise(), (0.5, 1, 2), fusion="maximum")(pictures).exp()
    assert torch.allclose(found, largest / largest.sum(1, keepdim=True), atol=1e-5)


def test_a_mirrored_view_is_mirrored_back():
    pictures = torch.zeros(1, 3, 16, 16)
    plain = ManyViews(LeftOrRight())(pictures).exp()
    assert plain[0, 0, :, 0].min() > 0.99 and plain[0, 0, :, -1].max() < 0.01
    both = ManyViews(LeftOrRight(), flip=True)(pictures).exp()
    assert torch.allclose(both, torch.full_like(both, 0.5)), "the two views contradict each other everywhere"
    symmetric = torch.randn(1, 3, 12, 13)
    found = ManyViews(Pointwise(), flip=True)(symmetric)
    assert torch.allclose(found, Pointwise()(symmetric).log_softmax(1), atol=1e-5)


def test_views_are_measured_like_a_network():
    network = models.deeplab_v2(4, "vgg16", (2,), width=1 / 32, batch_norm=True, dropout=0.0).eval()
    views, image = ManyViews(network, (0.75, 1), flip=True), torch.randn(3, 48, 64)
    assert inference.scores(views, image).shape == (4, 48, 64)
    mirrored = inference.scores(views, image.flip(-1)).flip(-1)
    assert torch.allclose(inference.scores(views, image), mirrored, atol=1e-4)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"scales": ()}, "scales must be positive"),
        ({"scales": (1, -1)}, "scales must be positive"),
        ({"fusion": "sum"}, 'fusion is "mean" or "maximum", got \'sum\''),
    ],
)
def test_wrong_views_are_named(options, words):
    with pytest.raises(ValueError, match=words):
        ManyViews(Pointwise(), **options)


def test_memory_for_backward_is_counted_by_hand():
    pictures = 4 * 3 * 10 * 10
    convolution = nn.Conv2d(3, 2, 3, padding=1)
    assert models.kept_for_backward(convolution, 10) == pictures, "a convolution keeps what it was given"
    with_relu = nn.Sequential(convolution, nn.ReLU())
    assert models.kept_for_backward(with_relu, 10) == pictures + 4 * 2 * 10 * 10, "a ReLU keeps its output"
    in_place = nn.Sequential(convolution, nn.ReLU(inplace=True), nn.Conv2d(2, 2, 1))
    assert models.kept_for_backward(in_place, 10) == pictures + 4 * 2 * 10 * 10, "shared memory counts once"
    assert models.kept_for_backward(with_relu, 10, batch_size=3) == 3 * (pictures + 800)
    frozen = nn.Conv2d(3, 2, 3, padding=1).requires_grad_(False)
    assert models.kept_for_backward(frozen, 10) == 0
