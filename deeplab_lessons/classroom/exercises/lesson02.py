"""Exercises of lesson 02: the four numbers of a dilated convolution, a stack of them, and the kernel."""

import random
from collections.abc import Iterator
from itertools import product

import torch

from deeplab_lessons import arithmetic
from deeplab_lessons.arithmetic import Layer
from deeplab_lessons.classroom import atrous, stacks
from deeplab_lessons.classroom.exercises.cases import torch_generator
from deeplab_lessons.classroom.exercises.compare import difference
from deeplab_lessons.classroom.exercises.designs import design, list_of, wanted
from deeplab_lessons.classroom.exercises.framework import exercise, misconception


def _covered(k: int, d: int) -> int:
    return (k - 1) * d + 1


_TWO_GAPS = "Your code counts two gaps, which is right for 3 taps only. A kernel of k taps has k - 1 gaps."


@exercise
class EffectiveKernelSize:
    """Warm-up: how many cells a dilated kernel covers."""

    package = arithmetic.effective_kernel_size
    hints = (
        "Draw k taps in a row. How many gaps are there between them?",
        "There are k - 1 gaps, and each gap holds d - 1 zeros. Dilation 1 means no zeros at all.",
        "Cells covered = taps + zeros = k + (k - 1) times (d - 1).",
    )

    def effective_kernel_size(kernel_size, dilation=1):
        return (kernel_size - 1) * dilation + 1

    def cases(rng: random.Random) -> Iterator[tuple]:
        yield from sorted(product(range(1, 6), range(1, 5)), key=sum)
        yield from ((3,), (1,), (4,))
        while True:
            yield rng.randint(1, 15), rng.randint(1, 30)

    @misconception(
        "Your code puts d zeros into each gap. Dilation is the distance from one tap to the next, so a "
        "gap holds d - 1 zeros, and an undilated convolution has dilation 1, not 0."
    )
    def dilation_as_zeros(k, d=1):
        return k + (k - 1) * d

    @misconception(
        "Your code adds d once. A dilation of 1 must change nothing, and there is a gap between every two "
        "neighbouring taps, so count the gaps."
    )
    def adds_dilation(k, d=1):
        return k + d

    @misconception(
        "Your code fills one gap only. A kernel of k taps has k - 1 gaps, and each one holds d - 1 zeros."
    )
    def one_gap_only(k, d=1):
        return k + d - 1

    @misconception(
        "Your code gives zeros to every tap, including the last. There are zeros only between taps: nothing is "
        "covered after the last one."
    )
    def zeros_after_every_tap(k, d=1):
        return k * d

    @misconception(
        "Your code returns the distance from the first tap to the last. Both of them are cells that are "
        "covered, so the count is one more."
    )
    def distance_of_outer_taps(k, d=1):
        return (k - 1) * d

    @misconception(
        "Your code counts the taps. The cells that the kernel steps over belong to its width as well."
    )
    def taps_only(k, d=1):
        return k

    @misconception(
        "Your code puts d zeros into each gap and subtracts one cell in total. Every gap holds d - 1 zeros, so it is "
        "one cell less per gap."
    )
    def one_less_in_total(k, d=1):
        return k + (k - 1) * d - 1

    @misconception(_TWO_GAPS)
    def three_taps_always(k, d=1):
        return 2 * d + 1

    @misconception(_TWO_GAPS)
    def two_gaps_filled(k, d=1):
        return k + 2 * (d - 1)


def _places(n, k, s, p, d):
    return (n + 2 * p - _covered(k, d)) // s + 1


@exercise
class OutputSize:
    """How many cells a convolution's output has."""

    package = arithmetic.output_size
    trials = 300
    hints = (
        "Begin with stride 1 and no padding: at how many positions does a kernel that covers k' cells fit "
        "into n?",
        "It fits at n - k' + 1 positions. Padding makes the row longer, on both sides: n + 2 p.",
        "With a stride, every s-th position counts: (n + 2 p - k') // s + 1, where k' is the effective kernel size.",
    )

    def output_size(input_size, kernel_size, stride=1, padding=0, dilation=1):
        covered = (kernel_size - 1) * dilation + 1
        return (input_size + 2 * padding - covered) // stride + 1

    def cases(rng: random.Random) -> Iterator[tuple]:
        """(input_size, kernel_size, stride, padding, dilation): one number away from plain first, then more."""

        def odd_ones(case):
            return sum(value != plain for value, plain in zip(case[2:], (1, 0, 1), strict=True))

        small = product(range(5, 9), (1, 2, 3), (1, 2, 3), (0, 1, 2), (1, 2))
        yield from sorted(small, key=lambda case: (odd_ones(case), sum(case)))
        yield from ((7, 3), (5, 5), (8, 2), (7, 3, 2), (8, 1, 3), (7, 3, 2, 1), (8, 2, 3, 2))
        while True:
            k, d, p = rng.randint(1, 7), rng.randint(1, 6), rng.randint(0, 9)
            yield rng.randint(_covered(k, d), 99), k, rng.randint(1, 5), p, d

    @misconception(
        "Your code ignores the stride. The kernel moves s cells at a time, so only every s-th position counts."
    )
    def no_stride(n, k, s=1, p=0, d=1):
        return _places(n, k, 1, p, d)

    @misconception(
        "Your code rounds up: it counts a last position at which the kernel would hang over the end. "
        "PyTorch's convolution rounds down. (Caffe's pooling does round up.)"
    )
    def rounds_up(n, k, s=1, p=0, d=1):
        return -(-(n + 2 * p - _covered(k, d)) // s) + 1

    @misconception(
        "Your code only divides by the stride. Without padding the first and last cells have no kernel around them: "
        "subtract what the kernel covers, divide, and add 1."
    )
    def divided_by_stride(n, k, s=1, p=0, d=1):
        return n // s

    @misconception(
        "Your code counts the steps between positions. The first position needs no step, so there is one more."
    )
    def steps_not_places(n, k, s=1, p=0, d=1):
        return (n + 2 * p - _covered(k, d)) // s

    @misconception(
        "Your code divides the first position by the stride too. Divide the room by the stride and add 1 afterwards."
    )
    def stride_divides_first_place(n, k, s=1, p=0, d=1):
        return (n + 2 * p - _covered(k, d) + 1) // s

    @misconception("Your code counts the padding once. It is on both sides of the row, so it adds 2 p cells.")
    def padding_once(n, k, s=1, p=0, d=1):
        return (n + p - _covered(k, d)) // s + 1

    @misconception(
        "Your code ignores the dilation: it uses the number of taps k, although the kernel covers more "
        "cells than it has taps. Use the effective kernel size."
    )
    def no_dilation(n, k, s=1, p=0, d=1):
        return _places(n, k, s, p, 1)

    @misconception(
        "Your code reads dilation 1 as one zero between taps. An undilated convolution has dilation 1, "
        "not 0: a gap holds d - 1 zeros."
    )
    def dilation_as_zeros(n, k, s=1, p=0, d=1):
        return _places(n, k, s, p, d + 1)

    @misconception("Your code ignores the padding. It makes the row longer before the kernel is put down.")
    def no_padding(n, k, s=1, p=0, d=1):
        return _places(n, k, s, 0, d)

    @misconception(
        "Your code subtracts the distance from the first tap to the last, (k - 1) d. The kernel covers one cell more: "
        "subtract the effective kernel size."
    )
    def one_position_too_many(n, k, s=1, p=0, d=1):
        return (n + 2 * p - (k - 1) * d) // s + 1

    @misconception(
        "Your code subtracts k d cells. There are zeros only between taps and none after the last: subtract the "
        "effective kernel size."
    )
    def zeros_after_last_tap(n, k, s=1, p=0, d=1):
        return (n + 2 * p - k * d) // s + 1


@exercise
class SamePadding:
    """The padding that keeps the size at stride 1."""

    package = arithmetic.same_padding
    hints = (
        "At stride 1 the output has n + 2 p - k' + 1 cells. For which p are these n cells?",
        "So 2 p = k' - 1: the cells covered beyond the first one, shared between two sides.",
        "With k' - 1 = (k - 1) d, half of it is (k - 1) d // 2.",
    )

    def same_padding(kernel_size, dilation=1):
        return (kernel_size - 1) * dilation // 2

    def cases(rng: random.Random) -> Iterator[tuple]:
        """Kernels that cover an odd number of cells: only they have the same padding on both sides."""
        small = product(range(1, 6), range(1, 5))
        yield from (case for case in sorted(small, key=sum) if _covered(*case) % 2)
        yield from ((3,), (1,), (7,))
        while True:
            k, d = rng.randint(1, 15), rng.randint(1, 30)
            if _covered(k, d) % 2:
                yield k, d

    @misconception(
        "Your code returns the dilation, which is right for 3 taps only. Other kernels need more or less: "
        "how many cells does the kernel reach out on each side of its centre?"
    )
    def dilation_itself(k, d=1):
        return d

    @misconception(
        "Your code returns the padding of an undilated kernel. Wider gaps make it reach further, so dilation counts."
    )
    def undilated(k, d=1):
        return (k - 1) // 2

    @misconception(
        "Your code returns the padding of both sides together. The padding is given for each side, so halve it."
    )
    def both_sides(k, d=1):
        return (k - 1) * d

    @misconception(
        "Your code spreads k // 2 gaps. That is right for an odd number of taps; 4 taps have 3 gaps, and half of them "
        "is not a whole number until you multiply by the dilation. Multiply first, then halve."
    )
    def halved_first(k, d=1):
        return k // 2 * d

    @misconception(
        "Your code uses k // 2, the padding of an undilated kernel with an odd number of taps. Dilation makes the "
        "kernel reach further: multiply the k - 1 gaps by it, then halve."
    )
    def half_the_taps(k, d=1):
        return k // 2

    @misconception(
        "Your code multiplies taps by the dilation. Between k taps there are k - 1 gaps, and their cells are shared "
        "between two sides: halve (k - 1) d."
    )
    def taps_times_dilation(k, d=1):
        return k * d

    @misconception(
        "Your code multiplies by the number of taps. Only the k - 1 gaps between k taps reach out, so multiply "
        "those by the dilation."
    )
    def taps_not_gaps(k, d=1):
        return k * d // 2

    @misconception(
        "Your code reads dilation 1 as one zero between taps. An undilated convolution has dilation 1, not 0."
    )
    def dilation_as_zeros(k, d=1):
        return (k - 1) * (d + 1) // 2

    @misconception(
        "Your code widens the kernel by d - 1 on each side whatever k. On each side of the centre there "
        "are (k - 1) / 2 gaps, and every one of them grows."
    )
    def one_gap_only(k, d=1):
        return (k - 1) // 2 + d - 1

    @misconception(
        "Your code returns the effective kernel size. Padding replaces the cells on both sides of its centre, half of "
        "them on each side: subtract 1, then halve."
    )
    def effective_size(k, d=1):
        return _covered(k, d)


@design
class WindowOf21:
    """Design: a stack with a wide window and no hole, for few taps, that keeps the size of its map."""

    hints = (
        "How much wider does a layer make the window? By (k - 1) d cells, so all layers together must add 20.",
        "When does a dilated layer leave no hole? Its taps must not be further apart than the window beneath is wide.",
        "Begin with an undilated 3-tap layer, whose window is 3. The next layer may have dilation 3: its window is 9.",
        "The size stays where each layer has the padding (k - 1) d / 2.",
    )
    takes = list_of(Layer)

    def window_of_21():
        return [
            arithmetic.Layer(3, padding=1, dilation=1),
            arithmetic.Layer(3, padding=3, dilation=3),
            arithmetic.Layer(3, padding=6, dilation=6),
        ]

    @wanted("a window of exactly 21 cells")
    def window(layers):
        size = arithmetic.receptive_fields(layers)[-1].size
        return size == 21, f"{size} cells"

    @wanted("no hole in it")
    def holes(layers):
        holes, size = stacks.holes(layers), arithmetic.receptive_fields(layers)[-1].size
        return holes == 0, f"{holes} of {size} cells are holes"

    @wanted("at most 10 taps in all layers together")
    def taps(layers):
        taps = sum(layer.kernel_size for layer in layers)
        return taps <= 10, f"{taps} taps"

    @wanted("stride 1 in every layer")
    def strides(layers):
        strides = [layer.stride for layer in layers]
        return set(strides) == {1}, f"{', '.join(map(str, strides))}"

    @wanted("64 cells out for 64 cells in")
    def size_kept(layers):
        size = arithmetic.receptive_fields(layers, 64)[-1].out
        return size == 64, f"{size} cells out"


def _spread(weight: torch.Tensor, rows: int, columns: int, extra: int = 0) -> torch.Tensor:
    """Taps `rows` and `columns` cells apart, and `extra` cells at the end of each axis."""
    o, i, k, _ = weight.shape
    out = weight.new_zeros(o, i, (k - 1) * rows + 1 + extra, (k - 1) * columns + 1 + extra)
    out[:, :, : (k - 1) * rows + 1 : rows, : (k - 1) * columns + 1 : columns] = weight
    return out


@exercise
class DilateKernel:
    """Stretch: the dense kernel that a dilated one stands for."""

    package = atrous.dilate_kernel
    hints = (
        "What is the shape of the new kernel? Make a tensor of zeros of this shape, [O, I, k', k'], first.",
        "`weight.new_zeros(…)` has the dtype and device of `weight`. Where in it do the taps belong?",
        "At every d-th row and column: `spread[:, :, ::dilation, ::dilation] = weight`.",
    )

    def dilate_kernel(weight, dilation):
        outs, ins, taps, _ = weight.shape
        covered = (taps - 1) * dilation + 1
        spread = weight.new_zeros(outs, ins, covered, covered)
        spread[:, :, ::dilation, ::dilation] = weight
        return spread

    def cases(rng: random.Random) -> Iterator[tuple]:
        """(weight [O, I, k, k], dilation): whole numbers from -9 to 9 first, then fractions, in float32 and float64."""
        shapes = [(1, 1, 1), (1, 1, 2), (1, 1, 3), (2, 1, 2), (1, 3, 2), (2, 3, 3), (4, 2, 5)]
        for (o, i, k), d in product(shapes, (2, 3, 1, 4)):
            values = [rng.randint(1, 9) * rng.choice((1, -1)) for _ in range(o * i * k * k)]
            yield torch.tensor(values, dtype=torch.float32).view(o, i, k, k), d
        for (o, i, k), d in product(shapes, (2, 3, 1)):
            dtype = rng.choice((torch.float32, torch.float64))
            yield torch.randn(o, i, k, k, generator=torch_generator(rng), dtype=dtype), d

    def same(got, expected) -> bool:
        """The same taps in the same dtype: a convolution refuses a kernel of another dtype than its input's."""
        return difference(got, expected) is None and got.dtype == expected.dtype

    @misconception(
        "The values are right, but your code returns them in another dtype than that of `weight`. A convolution needs "
        "its kernel in the dtype of its input: make the zeros with `weight.new_zeros(…)`."
    )
    def other_dtype(w, d):
        other = torch.float32 if w.dtype == torch.float64 else torch.float64
        return _spread(w, d, d).to(other)

    @misconception(
        "Your code puts d zeros between the taps. There are d - 1: an undilated convolution has dilation 1, not 0."
    )
    def dilation_as_zeros(w, d):
        return _spread(w, d + 1, d + 1)

    @misconception(
        "Your code puts zeros after the last tap as well, so the kernel has k d cells. Zeros belong between taps."
    )
    def zeros_after_last_tap(w, d):
        return _spread(w, d, d, extra=d - 1)

    @misconception(
        "Your code repeats every tap. The cells between taps are not read at all, so put zeros there."
    )
    def repeated_taps(w, d):
        return w.repeat_interleave(d, 2).repeat_interleave(d, 3)

    @misconception(
        "Your code spreads the rows but not the columns. An image has two axes, and dilation spreads both."
    )
    def rows_only(w, d):
        return _spread(w, d, 1)

    @misconception(
        "Your code spreads the columns but not the rows. An image has two axes, and dilation spreads both."
    )
    def columns_only(w, d):
        return _spread(w, 1, d)

    @misconception(
        "Your code swaps rows and columns. Put each tap d times as far down and d times as far to the right: "
        "`spread[:, :, ::dilation, ::dilation] = weight`."
    )
    def transposed(w, d):
        return _spread(w, d, d).transpose(2, 3)

    @misconception(
        "Your code returns the kernel unchanged. Put dilation - 1 zeros between neighbouring taps."
    )
    def unchanged(w, d):
        return w

    @misconception(
        "Your code makes room for the zeros, but puts the taps side by side into the corner. Neighbouring taps are d "
        "cells apart: assign to every d-th row and column."
    )
    def in_the_corner(w, d):
        spread = torch.zeros_like(_spread(w, d, d))
        spread[:, :, : w.shape[2], : w.shape[3]] = w
        return spread
