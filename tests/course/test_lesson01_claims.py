"""What lesson 01 says after its figures, checked on the figures' data."""

from functools import partial

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

from deeplab_lessons import datasets, metrics
from deeplab_lessons.classroom import built_in, redrawing


def change(after, before):
    return ((after - before).norm() / before.norm()).item()


@pytest.fixture(scope="module")
def cat():
    return torch.tensor(built_in.photograph("chelsea")[40:168, 80:208].mean(2).round()).view(1, 1, 128, 128)


def edges(x):
    kernel = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=x.dtype).view(1, 1, 3, 3)
    return F.conv2d(F.pad(x, (1, 1, 1, 1), mode="circular"), kernel).abs()


def test_convolution_is_equivariant_to_the_bit(cat):
    assert all(torch.equal(edges(cat.roll(s, -1)), edges(cat).roll(s, -1)) for s in range(1, 9))


@pytest.mark.parametrize("stride", [2, 4, 8])
def test_pooling_is_equivariant_for_multiples_of_its_stride_only(cat, stride):
    def moved(s):
        before, after = (F.max_pool2d(edges(x), stride) for x in (cat, cat.roll(s, -1)))
        return any(torch.equal(after, before.roll(cells, -1)) for cells in range(128 // stride))

    assert [s for s in range(1, 17) if moved(s)] == list(range(stride, 17, stride))


def test_discs_narrower_than_four_fifths_of_a_cell_never_win_a_vote():
    rng, stride = np.random.default_rng(0), 16
    x, y = np.arange(96), np.arange(96)[:, None]

    def found(width):
        cx, cy = rng.uniform(32, 64, 2)
        disc = ((x - cx) ** 2 + (y - cy) ** 2 <= (width * stride / 2) ** 2).astype(np.uint8)
        return redrawing.majority(disc, stride, 2).any()

    assert not any(found(0.75) for _ in range(200))
    assert 0 < sum(found(1.0) for _ in range(200)) < 200
    assert all(found(2.0) for _ in range(200))


@pytest.mark.parametrize(
    ("pool", "width", "worst"), [(F.avg_pool1d, 16, 0.0), (F.max_pool1d, 16, 7.0), (F.avg_pool1d, 3, 6.5)]
)
def test_the_position_that_cells_still_know(pool, width, worst):
    errors = []
    for left in range(16, 81):
        row = torch.zeros(1, 1, 128)
        row[..., left : left + width] = 1
        cells = pool(row, 16)[0, 0]
        read = (cells * (torch.arange(8) * 16 + 7.5)).sum() / cells.sum()
        errors.append(abs(read.item() - (left + (width - 1) / 2)))
    assert max(errors) == pytest.approx(worst, abs=1e-4)


@pytest.mark.slow
def test_a_shift_changes_vggs_map_more_than_its_mean():
    from torchvision.models import vgg16

    def window(name, shift=0):
        picture = torch.tensor(built_in.photograph(name)).permute(2, 0, 1) / 255 - 0.45
        return picture[:, 38:262, 60 + shift : 284 + shift]

    torch.manual_seed(0)
    batch = torch.stack([window("chelsea"), window("chelsea", 32), window("coffee"), window("rocket")])
    with torch.inference_mode():
        maps = vgg16(weights=None).features(batch)
    means = maps.mean((2, 3))
    assert change(means[1], means[0]) < 0.06 < 0.2 < change(maps[1], maps[0])
    assert change(means[1], means[0]) < min(change(means[i], means[0]) for i in (2, 3)) / 5
    inner = change(maps[1][:, 2:-2, 2:-3], maps[0][:, 2:-2, 3:-2])  # the same cells, moved by one
    assert inner < 0.03


@pytest.mark.slow
def test_nearest_pixels_lie_below_what_fcn_prints_at_8_and_4_and_the_majority_above():
    if not datasets.find_voc():
        pytest.skip("PASCAL VOC 2012 is not in the data folder")
    voc = datasets.VOC(split="val")
    maps, wrong = [voc.labels(index) for index in range(40)], 21

    def nearest(labels, stride):
        side = [-(-n // stride) for n in labels.shape[::-1]]
        small = Image.fromarray(labels).resize(side, Image.Resampling.NEAREST)
        drawn = np.array(small.resize(labels.shape[::-1], Image.Resampling.NEAREST))
        return np.where(drawn == 255, wrong, drawn)

    for stride, plain, majority, printed in ((8, 93.4, 97.5, 96.4), (4, 96.2, 99.9, 98.5)):
        drawn = (
            [nearest(true, stride) for true in maps],
            [redrawing.redraw(true, stride, 21) for true in maps],
        )
        confusions = [sum(map(partial(metrics.confusion_matrix, num_classes=22), way, maps)) for way in drawn]
        found = [100 * metrics.iou_per_class(confusion)[:21].nanmean().item() for confusion in confusions]
        assert found == pytest.approx([plain, majority], abs=0.05) and plain < printed < majority
