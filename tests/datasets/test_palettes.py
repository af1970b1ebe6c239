"""Colours of label maps, both ways."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from label_files import LABELS

from deeplab_lessons.datasets import (
    colours_to_indices,
    voc_colours,
)


def test_voc_colours_are_those_of_its_kit():
    colours = voc_colours()
    assert colours[[0, 1, 15, 20, 255]].tolist() == [
        [0, 0, 0],
        [128, 0, 0],
        [192, 128, 128],
        [0, 64, 128],
        [224, 224, 192],
    ]
    assert len(np.unique(colours, axis=0)) == 256


@given(st.lists(st.lists(st.integers(0, 255), min_size=3, max_size=3), min_size=1, max_size=5))
def test_colours_and_indices_go_both_ways(rows):
    labels = np.array(rows, np.uint8)
    assert np.array_equal(colours_to_indices(voc_colours()[labels], voc_colours()), labels)


def test_colours_that_nobody_knows_are_named():
    colours = voc_colours()[LABELS]
    colours[2, 3] = (1, 2, 3)
    with pytest.raises(ValueError, match=r"colours \(1, 2, 3\) are not in the palette"):
        colours_to_indices(colours, voc_colours())
    with pytest.raises(ValueError, match=r"must be \[H, W, 3\], got \[6, 8\]"):
        colours_to_indices(LABELS, voc_colours())
