"""The hand-drawn scores are rough scores of whole cells."""

import numpy as np
import pytest
import torch

from deeplab_lessons.classroom.pictures import OUTLINES, STRIDE, sketch


@pytest.mark.parametrize("name", OUTLINES)
def test_sketches_are_rough_scores_of_whole_cells(name):
    picture, scores = sketch(name)
    assert picture.dtype == np.uint8 and scores.dtype == torch.float32
    assert tuple(scores.shape) == (len(OUTLINES[name]) + 1, *(side // STRIDE for side in picture.shape[:2]))
    assert scores.max() == 2 and scores.min() == -2
    assert torch.allclose(((scores / 2 + 1) / 2).sum(0), torch.ones(scores.shape[1:])), "shares of a cell"
    assert len(scores.argmax(0).unique()) == len(scores)
    assert torch.equal(sketch(name, score=1.0)[1], scores / 2)


def test_an_unknown_sketch_is_refused():
    with pytest.raises(ValueError, match="choose from astronaut, coffee"):
        sketch("chelsea")
