"""Dilated kernels and phases against torch's dilation: to the bit for whole numbers, else up to rounding."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from deeplab_lessons.arithmetic import effective_kernel_size
from deeplab_lessons.classroom.atrous import convolve_by_phases, dilate_kernel, join_phases, split_phases

CONVOLVE = {1: F.conv1d, 2: F.conv2d}
thousand = settings(max_examples=1000, deadline=None, derandomize=True, database=None)


@st.composite
def convolutions(draw):
    """Input and weight of whole numbers (float64), dilation and padding; the kernel fits."""
    axes, d, padding = draw(st.integers(1, 2)), draw(st.integers(1, 5)), draw(st.integers(0, 6))
    taps = [draw(st.integers(1, 4)) for _ in range(axes)]
    least = [max(1, effective_kernel_size(k, d) - 2 * padding) for k in taps]
    size = [cells + draw(st.integers(0, 9)) for cells in least]
    batch, channels_in, channels_out = (draw(st.integers(1, 3)) for _ in range(3))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 10**6)))
    x = torch.randint(-255, 256, (batch, channels_in, *size), generator=generator).double()
    weight = torch.randint(-9, 10, (channels_out, channels_in, *taps), generator=generator).double()
    return axes, x, weight, d, padding


@pytest.mark.slow
@thousand
@given(convolutions())
def test_three_ways_agree_to_the_bit_on_whole_numbers(case):
    axes, x, weight, d, padding = case
    torchs = CONVOLVE[axes](x, weight, dilation=d, padding=padding)
    assert torch.equal(convolve_by_phases(x, weight, d, padding), torchs)
    assert torch.equal(CONVOLVE[axes](x, dilate_kernel(weight, d), padding=padding), torchs)


@pytest.mark.slow
@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(convolutions(), st.sampled_from([torch.float32, torch.float64]))
def test_real_numbers_agree_up_to_rounding(case, dtype):
    """Terms may be added in another order: the error of n of them is at most n eps sum|w x|."""
    axes, x, weight, d, padding = case
    x, weight = (x / 7).to(dtype), (weight / 11).to(dtype)
    torchs = CONVOLVE[axes](x, weight, dilation=d, padding=padding)
    size_of_terms = CONVOLVE[axes](x.abs(), weight.abs(), dilation=d, padding=padding)
    bound = 2 * (weight[0].numel() + 1) * torch.finfo(dtype).eps * size_of_terms
    assert torch.all((convolve_by_phases(x, weight, d, padding) - torchs).abs() <= bound)
    assert torch.all((CONVOLVE[axes](x, dilate_kernel(weight, d), padding=padding) - torchs).abs() <= bound)


@settings(max_examples=30, deadline=None, derandomize=True, database=None)
@given(convolutions())
def test_three_ways_agree_on_a_few_cases(case):
    test_three_ways_agree_to_the_bit_on_whole_numbers.hypothesis.inner_test(case)


def test_a_kernel_with_zeros_between_its_taps():
    row = torch.tensor([[[1.0, 2.0, 3.0]]])
    assert dilate_kernel(row, 3).tolist() == [[[1, 0, 0, 2, 0, 0, 3]]]
    assert torch.equal(dilate_kernel(row, 1), row)
    square = dilate_kernel(torch.ones(4, 2, 3, 2), 2)
    assert square.shape == (4, 2, 5, 3) and square.sum() == 4 * 2 * 3 * 2
    assert square[0, 0].tolist() == [[1, 0, 1], [0, 0, 0], [1, 0, 1], [0, 0, 0], [1, 0, 1]]


def test_the_dilated_kernel_lets_gradients_through():
    weight = torch.randn(1, 1, 3, 3, requires_grad=True)
    dilate_kernel(weight, 2).sum().backward()
    assert torch.equal(weight.grad, torch.ones(1, 1, 3, 3))


@pytest.mark.slow
@thousand
@given(st.integers(1, 20), st.integers(1, 20), st.integers(1, 6))
def test_joining_undoes_splitting(height, width, d):
    x = torch.arange(2.0 * height * width).view(1, 2, height, width)
    phases = split_phases(x, d)
    assert len(phases) == d * d and sum(phase.numel() for phase in phases.values()) == x.numel()
    assert torch.equal(join_phases(phases, d, [height, width]), x)


def test_errors_for_learners():
    with pytest.raises(ValueError, match="dilation 1"):
        dilate_kernel(torch.ones(1, 1, 3), 0)
    with pytest.raises(ValueError, match="dilation 1"):
        convolve_by_phases(torch.ones(1, 1, 9), torch.ones(1, 1, 3), 0)
    with pytest.raises(ValueError, match="covers 5 cells"):
        convolve_by_phases(torch.ones(1, 1, 4), torch.ones(1, 1, 3), 2)
