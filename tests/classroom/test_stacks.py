"""The stacks of layers that lessons share, and what they skip."""

import random

import pytest

from deeplab_lessons.arithmetic import Layer, path_counts, receptive_fields
from deeplab_lessons.classroom import stacks


def test_holes_are_the_pixels_of_the_box_that_no_path_leaves():
    assert [stacks.holes(stacks.dilated(*rates)) for rates in ((1, 2, 4), (2, 2, 2), (1, 2, 9))] == [0, 6, 4]
    rng = random.Random(0)
    for _ in range(50):
        bare = [
            Layer(rng.randint(1, 4), rng.randint(1, 3), 0, rng.randint(1, 4))
            for _ in range(rng.randint(1, 4))
        ]
        size = receptive_fields(bare)[-1].size
        assert stacks.holes(bare) == path_counts(bare, 0, input_size=size).count(0)


def test_padding_makes_no_hole_and_a_huge_field_is_refused():
    assert stacks.holes([Layer(3, padding=2, dilation=2)]) == stacks.holes([Layer(3, dilation=2)]) == 2
    with pytest.raises(ValueError, match="at most 1,000 pixels to count its holes, got 20000"):
        stacks.holes([Layer(20_000)])
