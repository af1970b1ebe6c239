"""Lesson 02: right answers in many styles, and wrong ones."""

import math

import numpy as np
import pytest
import torch
from answers import assert_accepted, assert_rejected, exercise_of, listed, says
from torch.nn import functional as F

from deeplab_lessons.arithmetic import Layer
from deeplab_lessons.classroom import stacks


class EffectiveKernelSizeRight:
    def taps_and_zeros(kernel_size, dilation=1):
        return kernel_size + (kernel_size - 1) * (dilation - 1)

    def last_tap(kernel_size, dilation=1):
        return dilation * (kernel_size - 1) + 1

    def positions(kernel_size, dilation=1):
        taps = [tap * dilation for tap in range(kernel_size)]
        return taps[-1] - taps[0] + 1

    def loop(kernel_size, dilation=1):
        cells = 1
        for _ in range(kernel_size - 1):
            cells += dilation
        return cells

    def recursion(kernel_size, dilation=1):
        if kernel_size == 1:
            return 1
        return EffectiveKernelSizeRight.recursion(kernel_size - 1, dilation) + dilation

    def numpy(kernel_size, dilation=1):
        return np.arange(0, kernel_size * dilation, dilation).max() + 1

    def torch_convolution(kernel_size, dilation=1):
        row = torch.zeros(1, 1, 600)
        return 601 - F.conv1d(row, torch.ones(1, 1, kernel_size), dilation=dilation).shape[-1]

    def one_multiplication_less(kernel_size, dilation=1):
        return kernel_size * dilation - (dilation - 1)


class EffectiveKernelSizeWrong:
    @says("dilation 1, not 0")
    def zeros(k, d=1):
        return k + d * (k - 1)

    def default_zero(kernel_size, dilation=0):
        return kernel_size + (kernel_size - 1) * dilation

    def another_default(kernel_size, dilation=2):
        return (kernel_size - 1) * dilation + 1

    def no_default(kernel_size, dilation):
        return (kernel_size - 1) * dilation + 1

    @says("zeros to every tap")
    def product(k, d=1):
        return d * k

    @says("first tap to the last")
    def distance(k, d=1):
        return d * k - d

    def squared(k, d=1):
        return ((k - 1) * d + 1) ** 2

    def three_taps(k, d=1):
        return 2 * d + 1 if k > 1 else 1

    def odd_kernels(k, d=1):
        return 2 * (k // 2) * d + 1

    @says("tuple")
    def both_axes(k, d=1):
        return ((k - 1) * d + 1,) * 2

    def halves(k, d=1):
        return (k - 1) * d + 0.5

    @says("one cell less per gap")
    def off_by_one(kernel_size, dilation=1):
        return kernel_size + dilation * (kernel_size - 1) - 1

    @says("right for 3 taps only")
    def the_lessons_example(kernel_size, dilation=1):
        return 1 + dilation + dilation

    @says("right for 3 taps only")
    def two_gaps(kernel_size, dilation=1):
        return kernel_size + dilation + dilation - 2


class OutputSizeRight:
    def formula(input_size, kernel_size, stride=1, padding=0, dilation=1):
        return (input_size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1

    def floor(input_size, kernel_size, stride=1, padding=0, dilation=1):
        return math.floor((input_size + 2 * padding - dilation * (kernel_size - 1) - 1) / stride + 1)

    def counted(input_size, kernel_size, stride=1, padding=0, dilation=1):
        covered = (kernel_size - 1) * dilation + 1
        return len(range(0, input_size + 2 * padding - covered + 1, stride))

    def walked(input_size, kernel_size, stride=1, padding=0, dilation=1):
        start, count = -padding, 0
        while start + (kernel_size - 1) * dilation < input_size + padding:
            start += stride
            count += 1
        return count

    def torch_convolution(input_size, kernel_size, stride=1, padding=0, dilation=1):
        row, kernel = torch.zeros(1, 1, input_size), torch.zeros(1, 1, kernel_size)
        return F.conv1d(row, kernel, None, stride, padding, dilation).shape[2]

    def numpy(input_size, kernel_size, stride=1, padding=0, dilation=1):
        places = np.arange(-padding, input_size + padding, stride)
        return (places + (kernel_size - 1) * dilation < input_size + padding).sum()

    def every_place_then_stride(input_size, kernel_size, stride=1, padding=0, dilation=1):
        dense = input_size + 2 * padding - (kernel_size - 1) * dilation
        return -(-dense // stride)

    def the_courses_layer(input_size, kernel_size, stride=1, padding=0, dilation=1):
        return Layer(kernel_size, stride, padding, dilation).output_size(input_size)


class OutputSizeWrong:
    @says("ignores the stride")
    def no_stride(n, k, s=1, p=0, d=1):
        return n + 2 * p - (k - 1) * d

    @says("rounds up")
    def ceiling(n, k, s=1, p=0, d=1):
        return math.ceil((n + 2 * p - (k - 1) * d - 1) / s) + 1

    def rounded(n, k, s=1, p=0, d=1):
        return round((n + 2 * p - (k - 1) * d - 1) / s) + 1

    def not_rounded(n, k, s=1, p=0, d=1):
        return (n + 2 * p - (k - 1) * d - 1) / s + 1

    @says("counts the padding once")
    def one_side(n, k, s=1, p=0, d=1):
        return (n + p - (k - 1) * d - 1) // s + 1

    @says("dilation 1, not 0")
    def zeros(n, k, s=1, p=0, d=1):
        return (n + 2 * p - k - (k - 1) * d) // s + 1

    def d_minus_one(n, k, s=1, p=0, d=1):
        return (n + 2 * p - (k - 1) * (d - 1) - 1) // s + 1

    @says("divides by the stride")
    def only_stride(n, k, s=1, p=0, d=1):
        return n // s

    def as_tensorflow(n, k, s=1, p=0, d=1):
        return -(-n // s)

    def default_stride_two(n, k, s=2, p=0, d=1):
        return (n + 2 * p - (k - 1) * d - 1) // s + 1

    def default_padding_one(n, k, s=1, p=1, d=1):
        return (n + 2 * p - (k - 1) * d - 1) // s + 1

    def default_dilation_zero(n, k, s=1, p=0, d=0):
        return (n + 2 * p - k - (k - 1) * d) // s + 1

    def arguments_exchanged(input_size, kernel_size, padding=0, stride=1, dilation=1):
        return (input_size + 2 * padding - (kernel_size - 1) * dilation - 1) // stride + 1

    def stride_divides_padding(n, k, s=1, p=0, d=1):
        return (n - (k - 1) * d - 1) // s + 1 + 2 * p // s

    @says("distance from the first tap to the last")
    def first_cell_forgotten(n, k, s=1, p=0, d=1):
        return (n + 2 * p - d * (k - 1)) // s + 1

    @says("subtracts k d cells")
    def product(n, k, s=1, p=0, d=1):
        return 1 + (n + p + p - d * k) // s


class SamePaddingRight:
    def formula(kernel_size, dilation=1):
        return dilation * (kernel_size - 1) // 2

    def of_the_cover(kernel_size, dilation=1):
        return (kernel_size + (kernel_size - 1) * (dilation - 1)) // 2

    def float_division(kernel_size, dilation=1):
        return (kernel_size - 1) / 2 * dilation

    def tried(kernel_size, dilation=1):
        for padding in range(1000):
            if 100 + 2 * padding - (kernel_size - 1) * dilation == 100:
                return padding

    def torch_convolution(kernel_size, dilation=1):
        row, kernel = torch.zeros(1, 1, 999), torch.zeros(1, 1, kernel_size)
        return (999 - F.conv1d(row, kernel, dilation=dilation).shape[-1]) // 2

    def numpy(kernel_size, dilation=1):
        return np.ptp(np.arange(kernel_size) * dilation) // 2

    def recursion(kernel_size, dilation=1):
        if kernel_size < 3:
            return (kernel_size - 1) * dilation // 2
        return dilation + SamePaddingRight.recursion(kernel_size - 2, dilation)


class SamePaddingWrong:
    @says("3 taps only")
    def the_dilation(k, d=1):
        return d

    @says("undilated kernel")
    def undilated(k, d=1):
        return (k - 1) // 2

    @says("k // 2")
    def half(k, d=1):
        return k // 2

    @says("Multiply first")
    def half_times_dilation(k, d=1):
        return d * (k // 2)

    def gaps_halved_first(k, d=1):
        return d * ((k - 1) // 2)

    @says("gaps")
    def product(k, d=1):
        return d * k

    @says("both sides")
    def two_sides(k, d=1):
        return d * (k - 1)

    def half_product(k, d=1):
        return d * k // 2

    def d_minus_one(k, d=1):
        return (k - 1) * (d - 1) // 2

    @says("dilation 1, not 0")
    def zeros(k, d=1):
        return (k + (k - 1) * d - 1) // 2

    def default_two(k, d=2):
        return (k - 1) * d // 2

    def default_zero(k, d=0):
        return (k - 1) * max(d, 0) // 2

    def words(k, d=1):
        return "same"

    def a_pair(k, d=1):
        return ((k - 1) * d // 2,) * 2

    @says("returns the effective kernel size")
    def whole_kernel(k, d=1):
        return k + (k - 1) * (d - 1)


class DilateKernelRight:
    def assigned(weight, dilation):
        o, i, k, _ = weight.shape
        size = (k - 1) * dilation + 1
        new = torch.zeros(o, i, size, size, dtype=weight.dtype)
        new[:, :, ::dilation, ::dilation] = weight
        return new

    def loops(weight, dilation):
        o, i, k, _ = weight.shape
        size = k + (k - 1) * (dilation - 1)
        new = torch.zeros(o, i, size, size).to(weight)
        for row in range(k):
            for column in range(k):
                new[:, :, row * dilation, column * dilation] = weight[:, :, row, column]
        return new

    def transposed_convolution(weight, dilation):
        o, i, k, _ = weight.shape
        one = torch.ones(1, 1, 1, 1, dtype=weight.dtype)
        spread = F.conv_transpose2d(weight.reshape(o * i, 1, k, k), one, stride=dilation)
        return spread.reshape(o, i, *spread.shape[2:])

    def kronecker(weight, dilation):
        corner = torch.zeros(dilation, dilation, dtype=weight.dtype)
        corner[0, 0] = 1
        size = (weight.shape[-1] - 1) * dilation + 1
        return torch.kron(weight, corner)[:, :, :size, :size]

    def numpy(weight, dilation):
        o, i, k, _ = weight.shape
        new = np.zeros((o, i, (k - 1) * dilation + 1, (k - 1) * dilation + 1))
        new[..., ::dilation, ::dilation] = weight.numpy()
        return torch.from_numpy(new).to(weight.dtype)

    def matrices(weight, dilation):
        k = weight.shape[-1]
        spread = torch.zeros((k - 1) * dilation + 1, k, dtype=weight.dtype)
        spread[torch.arange(k) * dilation, torch.arange(k)] = 1
        return spread @ weight @ spread.T

    def interleaved(weight, dilation):
        o, i, k, _ = weight.shape
        new = torch.zeros(o, i, k, dilation, k, dilation, dtype=weight.dtype)
        new[:, :, :, 0, :, 0] = weight
        size = (k - 1) * dilation + 1
        return new.reshape(o, i, k * dilation, k * dilation)[:, :, :size, :size]

    def undilated_as_it_is(weight, dilation):
        return weight if dilation == 1 else DilateKernelRight.assigned(weight, dilation)


class DilateKernelWrong:
    @says("in another dtype than that of `weight`")
    def default_dtype(weight, dilation):
        o, i, k, _ = weight.shape
        size = (k - 1) * dilation + 1
        new = torch.zeros(o, i, size, size)
        new[:, :, ::dilation, ::dilation] = weight
        return new

    @says("in another dtype than that of `weight`")
    def always_double(weight, dilation):
        o, i, k, _ = weight.shape
        new = np.zeros((o, i, (k - 1) * dilation + 1, (k - 1) * dilation + 1))
        new[..., ::dilation, ::dilation] = weight.numpy()
        return torch.from_numpy(new)

    def positive(weight, dilation):
        return DilateKernelRight.assigned(weight.abs(), dilation)

    def whole(weight, dilation):
        return DilateKernelRight.assigned(weight.round(), dilation)

    def clamped(weight, dilation):
        return DilateKernelRight.assigned(weight.clamp(-3, 3), dilation)

    @says("rows and columns")
    def transposed(weight, dilation):
        return DilateKernelRight.assigned(weight.mT, dilation)

    def flipped(weight, dilation):
        return DilateKernelRight.assigned(weight.flip(2, 3), dilation)

    def first_output_only(weight, dilation):
        return DilateKernelRight.assigned(weight[:1], dilation)

    def first_output_repeated(weight, dilation):
        return DilateKernelRight.assigned(weight[:1].expand_as(weight), dilation)

    def first_input_repeated(weight, dilation):
        return DilateKernelRight.assigned(weight[:, :1].expand_as(weight), dilation)

    def outputs_and_inputs_exchanged(weight, dilation):
        return DilateKernelRight.assigned(weight.transpose(0, 1), dilation)

    @says("dilation 1, not 0")
    def one_zero_more(weight, dilation):
        return DilateKernelRight.assigned(weight, dilation + 1)

    @says("after the last tap")
    def zeros_behind(weight, dilation):
        return F.pad(DilateKernelRight.assigned(weight, dilation), (0, dilation - 1, 0, dilation - 1))

    def three_taps(weight, dilation):
        new = torch.zeros(*weight.shape[:2], 2 * dilation + 1, 2 * dilation + 1)
        new[:, :, ::dilation, ::dilation] = weight
        return new

    @says("The values are right, but they are in a numpy array")
    def numpy(weight, dilation):
        return DilateKernelRight.assigned(weight, dilation).numpy()

    @says("The values are right, but the shape")
    def one_axis_more(weight, dilation):
        return DilateKernelRight.assigned(weight, dilation)[None]

    def changes_its_input(weight, dilation):
        new = DilateKernelRight.assigned(weight, dilation)
        weight.zero_()
        return new

    @says("rounded to 2 places")
    def rounded(weight, dilation):
        return DilateKernelRight.assigned((weight * 100).round() / 100, dilation)

    @says("side by side into the corner")
    def corner(weight, dilation):
        more = (weight.shape[-1] - 1) * (dilation - 1)
        return F.pad(weight, (0, more, 0, more))


class WindowOf21Right:
    def three_three_three():
        return [Layer(3, padding=1), Layer(3, padding=2, dilation=2), Layer(3, padding=7, dilation=7)]

    def the_widest_first():
        return [Layer(3, 1, 6, 6), Layer(3, 1, 3, 3), Layer(3, 1, 1, 1)]

    def two_of_five_taps():
        return (Layer(5, padding=2), Layer(5, padding=8, dilation=4))

    def three_and_seven():
        return [Layer(3, padding="same"), Layer(7, dilation=3, padding="same")]

    def padding_as_pairs():
        return [Layer(7, padding=(3, 3)), Layer(3, padding=(7, 7), dilation=7)]

    def all_padding_at_the_end():
        return [Layer(3), Layer(3, dilation=3), Layer(3, dilation=6, padding=10)]

    def an_even_kernel():
        return [
            Layer(4, padding=(1, 2)),
            Layer(3, dilation=4, padding=4),
            Layer(2, dilation=9, padding=(4, 5)),
        ]

    def the_courses_stack():
        return stacks.dilated(1, 3, 6)


class WindowOf21Wrong:
    @says("15 cells not met")
    def too_narrow():
        return stacks.dilated(1, 2, 4)

    @says("25 cells not met")
    def too_wide():
        return [Layer(5, padding=2), Layer(5, padding=10, dilation=5)]

    @says("2 of 21 cells are holes not met")
    def a_common_hole():
        return stacks.dilated(2, 3, 5)

    @says("10 of 21 cells are holes not met")
    def gridding():
        return [
            Layer(3, padding=2, dilation=2),
            Layer(3, padding=4, dilation=4),
            Layer(3, padding=4, dilation=4),
        ]

    @says("30 taps not met")
    def undilated():
        return stacks.dilated(*[1] * 10)

    @says("21 taps not met")
    def one_large_kernel():
        return [Layer(21, padding=10)]

    @says("11 taps not met")
    def one_tap_too_many():
        return [Layer(5, padding=2), Layer(3, padding=3, dilation=3), Layer(3, padding=5, dilation=5)]

    @says("44 cells out not met")
    def no_padding():
        return [Layer(3), Layer(3, dilation=3), Layer(3, dilation=6)]

    @says("84 cells out not met")
    def padding_of_both_sides():
        return [Layer(3, padding=2), Layer(3, padding=6, dilation=3), Layer(3, padding=12, dilation=6)]

    @says("2, 1, 1 not met")
    def strides_instead_of_dilation():
        return [Layer(3, stride=2, padding=1), Layer(3, dilation=2), Layer(3, dilation=3)]

    def a_stride_hidden_by_padding():
        return [Layer(3, padding=1), Layer(3, dilation=3, padding=3), Layer(3, 2, 38, 6)]

    @says("cannot be computed: ValueError: layer 'layer 2': the kernel covers")
    def larger_than_the_row():
        return [Layer(3), Layer(9, dilation=9)]

    @says("cannot be computed: ValueError: the field must have at most 1,000 pixels")
    def a_whole_map():
        return [Layer(10**9)]

    @says("Expected a list of one or more Layers")
    def numbers():
        return [(3, 1, 1), (3, 3, 3)]

    @says("Expected a list of one or more Layers")
    def one_layer():
        return Layer(21)


@pytest.mark.parametrize(("name", "answer"), listed(globals(), "Right"))
def test_right_answers_in_any_style_are_accepted(name, answer):
    assert_accepted(exercise_of("lesson02", name), answer)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("name", "answer"), listed(globals(), "Wrong"))
def test_wrong_answers_are_rejected(name, answer):
    assert_rejected(exercise_of("lesson02", name), answer)
