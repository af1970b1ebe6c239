import io

import numpy as np
import pytest
import traitlets
from PIL import Image

from deeplab_lessons import metrics
from deeplab_lessons.classroom import built_in, redrawing
from deeplab_lessons.classroom.widgets.stride import STRIDES, StrideExplorer


@pytest.fixture
def explorer():
    return StrideExplorer()


def picture_of(explorer):
    return np.array(Image.open(io.BytesIO(explorer._panels.png)))


@pytest.mark.slow
@pytest.mark.parametrize("reading", redrawing.READINGS)
@pytest.mark.parametrize("stride", STRIDES)
def test_the_score_is_that_of_the_package(explorer, stride, reading):
    explorer.stride, explorer.reading = stride, reading
    labels = built_in.scene(3, 224, "val")[1]
    drawn = redrawing.redraw(labels, stride, 6, reading)
    assert explorer.mean_iou == pytest.approx(
        100 * metrics.mean_iou(metrics.confusion_matrix(drawn, labels, 6))
    )
    assert f"Stride {stride}: {224 // stride} × {224 // stride} cells" in explorer.caption
    assert f"{explorer.mean_iou:.1f} %" in explorer.caption
    assert f"stride={stride}" in repr(explorer) and " at 0x" not in repr(explorer)


def test_moving_the_slider_changes_picture_score_and_words(explorer):
    before = explorer._panels.png, explorer.mean_iou, explorer._panels.value
    explorer._slider.value = 32
    assert explorer.stride == 32
    after = explorer._panels.png, explorer.mean_iou, explorer._panels.value
    assert all(old != new for old, new in zip(before, after, strict=True))
    assert explorer.mean_iou < before[1]


def test_setting_the_trait_moves_the_controls(explorer):
    explorer.stride, explorer.reading = 16, "shares"
    assert explorer._slider.value == 16 and explorer._list.value == "shares"


def test_the_picture_shows_three_panels_and_marks_what_is_wrong(explorer):
    explorer.stride = 1
    perfect = picture_of(explorer)
    assert perfect.shape == (224, 3 * 224 + 16, 3)
    wrong = (perfect[:, -224:] == (213, 94, 0)).all(axis=2)
    assert not wrong.any()
    explorer.stride = 32
    assert (picture_of(explorer)[:, -224:] == (213, 94, 0)).all(axis=2).mean() > 0.02


def test_own_picture_with_cut_cells():
    labels = np.zeros((50, 70), np.uint8)
    labels[10:30, 10:40] = 1
    explorer = StrideExplorer(np.zeros((50, 70, 3), np.uint8), labels, num_classes=2, stride=16)
    assert "4 × 5 cells" in explorer.caption


def test_impossible_values_are_refused(explorer):
    with pytest.raises(traitlets.TraitError, match="unknown stride 7: choose from 1, 2, 4"):
        explorer.stride = 7
    with pytest.raises(traitlets.TraitError):
        explorer.mean_iou = 100.0
    with pytest.raises(ValueError, match="pass both"):
        StrideExplorer(labels=np.zeros((4, 4), np.uint8))
