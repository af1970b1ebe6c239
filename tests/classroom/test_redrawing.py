"""Label maps made small and drawn large again: what a map of some stride can and cannot say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from label_maps_cases import CLASSES, cells_of, maps

from deeplab_lessons import metrics
from deeplab_lessons.classroom import built_in, redrawing


@settings(deadline=None)
@given(maps())
def test_shares_are_areas_without_void(case):
    labels, stride = case
    shares = redrawing.class_shares(labels, stride, CLASSES)
    assert shares.shape == (CLASSES, *(-(-side // stride) for side in labels.shape))
    for (i, j), cell in cells_of(labels, stride):
        labelled = cell[cell != 255]
        want = [(labelled == c).mean() if labelled.size else 0 for c in range(CLASSES)]
        assert shares[:, i, j] == pytest.approx(want)


@settings(deadline=None)
@given(maps())
def test_majority_is_the_vote_of_every_cell(case):
    labels, stride = case
    voted = redrawing.majority(labels, stride, CLASSES)
    assert voted.dtype == np.uint8
    assert voted.shape == tuple(-(-side // stride) for side in labels.shape)
    for place, cell in cells_of(labels, stride):
        assert voted[place] == redrawing.vote(cell)


@settings(deadline=None)
@given(maps())
def test_subsample_keeps_pixels_of_the_right_cell(case):
    labels, stride = case
    small = redrawing.subsample(labels, stride)
    for (i, j), cell in cells_of(labels, stride):
        rows, columns = cell.shape
        assert small[i, j] == cell[min(stride // 2, rows - 1), min(stride // 2, columns - 1)]


def test_votes_written_out():
    assert redrawing.vote(np.array([[0, 1], [1, 0]])) == 0  # a tie
    assert redrawing.vote(np.array([[255, 255], [255, 1]])) == 1
    assert redrawing.vote(np.array([[255, 255], [255, 255]])) == 255


@pytest.mark.parametrize(("strides", "want"), [([], 1), ([2] * 5, 32), ([2, 1, 3, 1], 6), (iter([4, 2]), 8)])
def test_output_stride_multiplies(strides, want):
    assert redrawing.output_stride(strides) == want


@settings(deadline=None)
@given(maps())
def test_stride_one_changes_no_labelled_pixel(case):
    labels, _ = case
    for reading in redrawing.READINGS:
        drawn = redrawing.redraw(labels, 1, CLASSES, reading)
        assert drawn.shape == labels.shape
        assert np.array_equal(drawn[labels != 255], labels[labels != 255])


@pytest.mark.slow
@settings(deadline=None)
@given(maps())
def test_drawn_maps_have_the_old_size_and_can_be_scored(case):
    labels, stride = case
    for reading in redrawing.READINGS:
        drawn = redrawing.redraw(labels, stride, CLASSES, reading)
        assert drawn.shape == labels.shape and drawn.dtype == np.uint8
        metrics.confusion_matrix(drawn, labels, CLASSES)  # raises if a labelled pixel were drawn as void


@settings(deadline=None, max_examples=50)
@given(maps(), st.integers(0, 2**31))
def test_no_other_labels_get_more_pixels_right_than_the_majority(case, seed):
    labels, stride = case
    labelled = labels != 255
    best = redrawing.redraw(labels, stride, CLASSES, "majority")
    shape = tuple(-(-side // stride) for side in labels.shape)
    cells = np.random.default_rng(seed).integers(0, CLASSES, shape).astype(np.uint8)
    other = redrawing.draw_cells(cells, stride, labels.shape)
    assert (best == labels)[labelled].sum() >= (other == labels)[labelled].sum()


def test_drawn_cells_are_repeated_and_cut():
    drawn = redrawing.draw_cells(np.array([[1, 2], [3, 4]]), 2, (3, 4))
    assert drawn.tolist() == [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4]]


def test_bilinear_shares_put_a_straight_boundary_between_the_cells():
    labels = np.zeros((8, 16), np.uint8)
    labels[:, 8:] = 1
    assert np.array_equal(redrawing.redraw(labels, 8, 2, "shares"), labels)
    labels = np.zeros((16, 48), np.uint8)
    labels[:, 20:] = 1  # inside the second of three cells: a majority of whole cells cannot say it
    by_shares = (redrawing.redraw(labels, 16, 2, "shares") != labels).mean()
    assert by_shares < (redrawing.redraw(labels, 16, 2, "majority") != labels).mean()


def test_void_samples_take_the_majority_of_their_cell():
    labels = np.array([[2, 2], [2, 255]], np.uint8)
    assert redrawing.subsample(labels, 2).tolist() == [[255]]
    assert redrawing.redraw(labels, 2, CLASSES, "subsample").tolist() == [[2, 2], [2, 2]]


@pytest.mark.parametrize("stride", range(1, 10))
def test_surviving_width_by_trying_every_place(stride):
    def survives(width):
        for left in range(stride, 2 * stride):
            row = np.zeros((1, 8 * stride), np.uint8)
            row[:, left : left + width] = 1
            cells = [redrawing.vote(row[:, i : i + stride]) for i in range(0, row.shape[1], stride)]
            if 1 not in cells:
                return False
        return True

    want = next(width for width in range(1, 3 * stride) if survives(width))
    assert redrawing.surviving_width(stride) == want


def test_fitted_scores_draw_better_than_shares():
    labels = built_in.scene(0, 64, "val")[1]
    scores = redrawing.fit_scores(labels, 16, len(built_in.CLASSES), steps=60)
    assert scores.shape == (len(built_in.CLASSES), 4, 4)
    fitted, shares = redrawing.draw_from_shares(scores, 16), redrawing.redraw(labels, 16, 6, "shares")
    labelled = labels != 255
    assert (fitted == labels)[labelled].mean() > (shares == labels)[labelled].mean()


@pytest.mark.slow
def test_the_bound_falls_with_the_stride_on_the_embedded_scenes():
    labels = [built_in.scene(i, 96, "val")[1] for i in range(8)]
    for reading in redrawing.READINGS:
        pairs = [[(redrawing.redraw(x, s, 6, reading), x) for x in labels] for s in (1, 4, 8, 16, 32)]
        scores = [metrics.mean_iou(sum(metrics.confusion_matrix(*pair, 6) for pair in row)) for row in pairs]
        assert scores[0] == 1.0 and scores == sorted(scores, reverse=True)
        assert scores[-1] < 0.5


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: redrawing.majority(np.array([[0, 4]]), 2, CLASSES),
            r"labels must be classes 0 to 3 or void \(255\), got \[4\]",
        ),
        (lambda: redrawing.majority(np.zeros((2, 2, 3)), 2, CLASSES), "one map at a time"),
        (lambda: redrawing.subsample(np.zeros((2, 2)), 0), "stride must be at least 1 pixel, got 0"),
        (
            lambda: redrawing.redraw(np.zeros((2, 2)), 2, CLASSES, "mean"),
            "choose from subsample, majority, shares",
        ),
    ],
)
def test_impossible_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
