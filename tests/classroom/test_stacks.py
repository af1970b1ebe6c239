"""The stacks of layers that lessons share, what they skip, and the taps that fall on a map."""

import random
from collections import Counter

import pytest
import torch
import torch.nn.functional as F

from deeplab_lessons.arithmetic import Layer, receptive_fields
from deeplab_lessons.classroom import stacks
from deeplab_lessons.classroom.stacks import tap_shares, taps_on_map


def test_holes_are_the_pixels_of_the_box_that_no_path_leaves():
    assert [stacks.holes(stacks.dilated(*rates)) for rates in ((1, 2, 4), (2, 2, 2), (1, 2, 9))] == [0, 6, 4]
    rng = random.Random(0)
    for _ in range(50):
        bare = [
            Layer(rng.randint(1, 4), rng.randint(1, 3), 0, rng.randint(1, 4))
            for _ in range(rng.randint(1, 4))
        ]
        size = receptive_fields(bare)[-1].size
        assert stacks.holes(bare) == stacks.path_counts(bare, 0, input_size=size).count(0)


def test_padding_makes_no_hole_and_a_huge_field_is_refused():
    assert stacks.holes([Layer(3, padding=2, dilation=2)]) == stacks.holes([Layer(3, dilation=2)]) == 2
    with pytest.raises(ValueError, match="at most 1,000 pixels to count its holes, got 20000"):
        stacks.holes([Layer(20_000)])


def test_the_surgery_keeps_every_field_of_vgg16():
    before, after = (receptive_fields(layers, 224) for layers in (stacks.vgg16(), stacks.deeplab_v1()))
    assert [field.size for field in before] == [field.size for field in after]
    assert [field.out for field in before] != [field.out for field in after]


@pytest.mark.parametrize(
    ("kernel_size", "dilation", "printed"), [(7, 4, 224), (4, 4, 128), (4, 8, 224), (3, 12, 224)]
)
def test_v1_prints_the_window_of_fc6_and_not_its_field(kernel_size, dilation, printed):
    assert 8 * (kernel_size - 1) * dilation + 32 == printed
    assert receptive_fields(stacks.deeplab_v1(kernel_size, dilation))[-1].size == printed + 180


def test_a_small_map_by_hand():
    assert taps_on_map(5) == [2, 3, 3, 3, 2]
    assert taps_on_map(5, 3, 2) == [2, 2, 3, 2, 2]
    assert taps_on_map(5, 3, 5) == [1] * 5
    assert taps_on_map(4, 1, 3) == [1] * 4
    assert tap_shares(5, 3, 4) == {1: 9 / 25, 2: 12 / 25, 3: 0, 4: 4 / 25, 6: 0, 9: 0}


@pytest.mark.filterwarnings("ignore:Using padding='same'")
def test_taps_are_a_convolution_of_ones_with_ones():
    rng = random.Random(0)
    for _ in range(200):
        size, kernel_size, dilation = rng.randint(1, 30), rng.randint(1, 6), rng.randint(1, 12)
        ones, kernel = torch.ones(1, 1, size), torch.ones(1, 1, kernel_size)
        there = F.conv1d(ones, kernel, padding="same", dilation=dilation).flatten()
        assert taps_on_map(size, kernel_size, dilation) == there.int().tolist(), (size, kernel_size, dilation)


@pytest.mark.filterwarnings("ignore:Using padding='same'")
def test_shares_are_those_of_a_plane():
    rng = random.Random(1)
    for _ in range(60):
        rows, columns, dilation = rng.randint(1, 24), rng.randint(1, 24), rng.randint(1, 12)
        kernel_size = rng.choice([1, 2, 3, 5])
        kernel = torch.ones(1, 1, kernel_size, kernel_size)
        there = F.conv2d(torch.ones(1, 1, rows, columns), kernel, padding="same", dilation=dilation)
        counted = Counter(there.flatten().int().tolist())
        shares = tap_shares((rows, columns), kernel_size, dilation)
        assert {taps: share for taps, share in shares.items() if share} == {
            taps: count / (rows * columns) for taps, count in counted.items()
        }
        assert list(shares) == sorted(shares) and sum(shares.values()) == pytest.approx(1)


def test_the_papers_map():
    """DeepLab v3, figure 4: a map of 65 x 65 cells under a kernel of 3 x 3 taps."""
    whole = {dilation: tap_shares(65, 3, dilation)[9] for dilation in (1, 6, 12, 18, 24)}
    assert {d: round(share, 3) for d, share in whole.items()} == {
        1: 0.939,
        6: 0.665,
        12: 0.398,
        18: 0.199,
        24: 0.068,
    }
    widest = tap_shares(65, 3, 64)
    assert list(widest) == [1, 2, 3, 4, 6, 9]
    assert round(widest[1], 3) == 0.939 and widest[9] == 0
    assert tap_shares(65, 3, 65)[1] == 1


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((0,), ValueError, "input_size must be at least 1, got 0"),
        ((5, 0), ValueError, "kernel_size must be at least 1"),
        ((5, 3, 0), ValueError, "has dilation 1 .* not 0"),
        ((5.5,), TypeError, "whole number"),
    ],
)
def test_numbers_that_cannot_be_are_refused_in_words(arguments, error, message):
    for count in (taps_on_map, tap_shares):
        with pytest.raises(error, match=message):
            count(*arguments)


def test_a_map_has_two_sides():
    with pytest.raises(ValueError, match=r"a pair \(rows, columns\)"):
        tap_shares((3, 4, 5))
    with pytest.raises(TypeError, match="pass one axis at a time"):
        taps_on_map((3, 4))
