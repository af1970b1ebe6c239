"""Where cells lie: the one `upsample` against torch's, and a grid that is stated, passed on, or asked for."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from deeplab_lessons import inference, models, training
from deeplab_lessons.arithmetic import Layer, receptive_fields
from deeplab_lessons.classroom.built_in import Embedded
from deeplab_lessons.crf import DenseCRF
from deeplab_lessons.grid import PIXELS, Grid, bilinear_weights, cell_centres, grid_of, logits_of, upsample
from deeplab_lessons.models.with_crf import CRFNetwork

CENTRED = Grid(8, None)


class Stated(nn.Module):
    """A network of one convolution whose cells lie on every fourth pixel."""

    def __init__(self, grid=Grid(4, 0.0)):  # noqa: B008 (it is frozen)
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 1, stride=4)
        if grid is not None:
            self.grid = grid

    def forward(self, x):
        return self.conv(x)

    def parameter_groups(self, lr):
        return [{"params": list(self.parameters()), "lr": 10 * lr}]


# ---------------------------------------------------------------- where the cells lie


@pytest.mark.parametrize(("size", "cells", "first"), [(96, 12, 3.5), (321, 41, 0), (224, 28, 3.5)])
def test_cells_lie_where_the_papers_networks_have_them(size, cells, first):
    centres = cell_centres(size, cells, CENTRED)
    assert centres[0] == first and centres[-1] == size - 1 - first
    assert set(centres.diff().tolist()) == {8.0}


def test_cells_agree_with_the_arithmetic_of_the_released_pools():
    """Three 3 x 3 pools of stride 2, padding 1: 321 pixels, 41 cells, the first centred on pixel 0."""
    field = receptive_fields([Layer(3, 2, 1)] * 3, 321)[-1]
    assert cell_centres(321, field.out, Grid(field.jump, None))[0] == field.start


@given(st.integers(8, 90), st.integers(1, 12))
@settings(max_examples=40, deadline=None)
def test_enlarging_a_constant_changes_nothing(size, cells):
    weights = bilinear_weights(size, cells, CENTRED)
    torch.testing.assert_close(weights.sum(1), torch.ones(size))
    assert weights.min() >= 0


def test_the_score_at_a_cells_centre_is_the_cells_own():
    logits = torch.randn(1, 2, 41, 41)
    torch.testing.assert_close(upsample(logits, (321, 321), CENTRED)[..., ::8, ::8], logits)


# ---------------------------------------------------------------- upsample


@pytest.mark.parametrize(("cells", "stride"), [((3, 5), 8), ((12, 12), 8), ((7, 2), 16), ((4, 6), 1)])
def test_a_centred_map_is_enlarged_as_without_aligned_corners(cells, stride):
    x = torch.randn(2, 3, *cells, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    size = [stride * count for count in cells]
    wanted = F.interpolate(x, size, mode="bilinear", align_corners=False)
    torch.testing.assert_close(upsample(x, size, Grid(stride, None)), wanted, atol=1e-6, rtol=0)
    torch.testing.assert_close(upsample(x, size, Grid(stride, (stride - 1) / 2)), wanted, atol=1e-6, rtol=0)


@pytest.mark.parametrize("missing", [(0, 0), (3, 0), (1, 2), (3, 3)])
def test_a_map_from_pixel_0_is_enlarged_with_aligned_corners_and_its_last_cells_repeated(missing):
    x = torch.randn(1, 4, 5, 8, generator=torch.Generator().manual_seed(1))
    reached = [4 * (count - 1) + 1 for count in x.shape[2:]]
    size = [have + more for have, more in zip(reached, missing, strict=True)]
    wanted = F.interpolate(x, reached, mode="bilinear", align_corners=True)
    wanted = F.pad(wanted, (0, missing[1], 0, missing[0]), mode="replicate")
    torch.testing.assert_close(upsample(x, size, Grid(4, 0.0)), wanted, atol=1e-5, rtol=0)
    assert torch.equal(upsample(x, size, Grid(4, 0.0), by_torch=True), wanted)


@pytest.mark.parametrize("grid", [Grid(8, None), Grid(8, 3.5), Grid(8 / 0.75, 0.0)])
def test_torchs_own_operator_needs_a_whole_stride_from_pixel_0(grid):
    with pytest.raises(ValueError, match="whole stride and start 0"):
        upsample(
            torch.zeros(1, 2, 16, 16), (128, 128) if grid.stride == 8 else (171, 171), grid, by_torch=True
        )


@pytest.mark.parametrize("scale", [0.5, 0.75])
def test_the_map_of_a_smaller_picture_is_laid_over_the_cells_of_the_picture(scale):
    """A ramp over the picture is read by both networks at their own cells: laid over, the two maps agree."""
    grid, side = Grid(8, 3.5), 256
    small_side = round((side - 1) * scale) + 1
    ramp = [position / scale for position in (3.5 + 8 * torch.arange(small_side // 8)).tolist()]
    small = torch.tensor(ramp).view(1, 1, 1, -1).expand(1, 1, len(ramp), len(ramp))
    laid = upsample(small, (32, 32), grid.at_scale(scale).on(grid))[0, 0, 0]
    inside = (laid > ramp[0]) & (laid < ramp[-1])
    torch.testing.assert_close(laid[inside], cell_centres(side, 32, grid)[inside], atol=0.5, rtol=0)


def test_weights_sum_to_one_and_outside_the_centres_one_cell_counts_alone():
    weights = bilinear_weights(30, 4, Grid(8, 2.0))
    torch.testing.assert_close(weights.sum(1), torch.ones(30))
    assert weights[:3].argmax(1).tolist() == [0, 0, 0] and weights[27:].amin(0)[3] == 1


@pytest.mark.parametrize(
    ("grid", "size", "cells"),
    [
        (Grid(8, None), (128, 128), (128, 128)),  # logits at full size, read as a zoom into the middle
        (Grid(8, 0.0), (128, 128), (8, 8)),  # a map of stride 16
        (Grid(8, 3.5), (128, 128), (18, 16)),
        (Grid(8, None), (128, 128), (14, 16)),
        (Grid(16, 0.0), (100, 100), (5, 5)),
        (PIXELS, (100, 100), (99, 99)),
        (PIXELS, (100, 100), (101, 100)),
    ],
)
def test_a_map_that_cannot_lie_on_the_grid_is_refused(grid, size, cells):
    with pytest.raises(ValueError, match=r"cannot lie on \(\d+, \d+\) pixels with Grid"):
        upsample(torch.zeros(1, 2, *cells), size, grid)
    labels = torch.zeros(1, *size, dtype=torch.long)
    for loss in training.losses.LOSSES.values():
        with pytest.raises(ValueError, match="cannot lie on"):
            loss(torch.zeros(1, 2, *cells), labels, grid)


def test_a_map_with_a_cell_for_every_pixel_is_told_its_grid():
    with pytest.raises(ValueError, match=r"a cell for every pixel, so its grid is grid\.PIXELS"):
        upsample(torch.zeros(1, 2, 20, 30), (20, 30), Grid(8, 0.0))


@pytest.mark.parametrize("stride", [8, 16])
@pytest.mark.parametrize("side", range(97, 130, 3))
@pytest.mark.parametrize("scale", [0.5, 0.75, 1, 1.25, 1.75])
def test_every_map_of_a_padded_network_lies_on_its_grid_at_every_scale(stride, side, scale):
    shown = round((side - 1) * scale) + 1
    Grid(stride, 0.0).at_scale(scale).check((side, side), (-(-shown // stride),) * 2)
    Grid(stride, (stride - 1) / 2).at_scale(scale).check((side, side), (shown // stride,) * 2)


# ---------------------------------------------------------------- who states it


@pytest.mark.slow
def test_wrappers_pass_the_grid_on():
    model = Stated()
    assert grid_of(model) == grid_of(nn.DataParallel(model)) == Grid(4, 0.0)
    assert grid_of(torch.compile(model)) == Grid(4, 0.0)
    assert models.MultiScale(nn.DataParallel(model)).grid == Grid(4, 0.0)
    assert [inner.grid for inner in (inference.ManyViews(model), CRFNetwork(model, DenseCRF()))] == [
        PIXELS
    ] * 2


def test_a_wrapped_network_keeps_its_learning_rates():
    (group,) = training.optimiser_for(nn.DataParallel(Stated()), lr=0.1).param_groups
    assert group["lr"] == 1.0


def test_multi_scale_carries_the_start_of_each_scale():
    grids = models.MultiScale(Stated(Grid(8, 3.5))).grids
    assert grids == [Grid(16, 7.0), Grid(8 / 0.75, 3.5 / 0.75), Grid(8, 3.5)]


@pytest.mark.parametrize(
    "wrap", [models.MultiScale, inference.ManyViews, lambda m: CRFNetwork(m, DenseCRF())]
)
def test_a_wrapper_asks_for_a_grid_that_nobody_states(wrap):
    with pytest.raises(ValueError, match=r"Stated does not state where the cells of its map lie: pass grid="):
        wrap(Stated(None))


def test_a_grid_of_another_kind_is_none():
    model = Stated(None)
    model.grid = nn.Parameter(torch.zeros(2))
    assert grid_of(model, PIXELS) == PIXELS
    with pytest.raises(ValueError, match="Stated does not state where"):
        grid_of(model)


def test_the_grid_may_not_contradict_the_model():
    with pytest.raises(ValueError, match="the model's own"):
        grid_of(Stated(), Grid(8, 0.0))
    assert grid_of(Stated(), Grid(4, 0.0)) == Grid(4, 0.0)


# ---------------------------------------------------------------- measuring and training


@pytest.fixture(scope="module")
def scenes():
    return Embedded("val", 2, 64)


def oracle(scenes):
    """A perfect answer for every pixel, scene after scene."""
    answers = iter([scenes.pair(index)[1] for index in range(len(scenes))])

    def answer(images):
        labels = torch.as_tensor(next(answers)).long()
        return F.one_hot(labels.where(labels != 255, 0), 6).permute(2, 0, 1)[None].float()

    return answer


def test_a_perfect_oracle_scores_one(scenes):
    assert training.evaluate(oracle(scenes), scenes, grid=PIXELS).mean_iou == 1.0
    answer = oracle(scenes)
    as_dict = training.evaluate(lambda images: {"out": answer(images), "aux": None}, scenes, grid=PIXELS)
    assert as_dict.mean_iou == 1.0


def test_an_oracle_without_a_grid_is_asked_for_it(scenes):
    with pytest.raises(ValueError, match=r"pass grid=Grid\(stride, start\), or grid=PIXELS"):
        training.evaluate(oracle(scenes), scenes)
    with pytest.raises(ValueError, match="a cell for every pixel"):
        training.evaluate(oracle(scenes), scenes, grid=Grid(8, None))


def test_training_asks_for_a_grid_before_it_begins(scenes):
    settings = {"iterations": 1, "batch_size": 2, "lr": 0.1, "progress": False}
    model = Stated(None)
    before = model.conv.weight.clone()
    with pytest.raises(ValueError, match="Stated does not state where"):
        training.train(model, scenes, **settings)
    with pytest.raises(ValueError, match="cannot lie on"):
        training.train(model, scenes, **settings, grid=Grid(8, None))
    assert torch.equal(model.conv.weight, before)
    training.train(model, scenes, **settings, grid=Grid(4, 0.0))
    assert not torch.equal(model.conv.weight, before)


@pytest.mark.parametrize(
    ("outputs", "words"),
    [
        ({"logits": torch.zeros(1)}, "a dict of logits"),
        ((torch.zeros(1),), "got tuple"),
        (None, "got NoneType"),
    ],
)
def test_other_outputs_are_refused_by_name(outputs, words):
    with pytest.raises(TypeError, match=words):
        logits_of(outputs)


def test_every_module_gets_its_own_mode_back(scenes):
    model = Stated()
    model.norm = nn.BatchNorm2d(6).eval()
    inference.scores(model, scenes[0][0])
    assert model.training and model.conv.training and not model.norm.training


def test_predict_takes_a_grid(scenes):
    picture, _ = scenes.pair(0)
    found = inference.predict(Stated(None), picture, Grid(4, 0.0))
    assert found.shape == picture.shape[:2] and found.dtype == np.uint8
