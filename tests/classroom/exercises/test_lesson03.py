"""Lesson 03: right answers in many styles, and wrong ones."""

import math

import numpy as np
import pytest
import torch
from answers import assert_accepted, assert_rejected, exercise_of, listed, says
from torch.nn import functional as F

from deeplab_lessons import arithmetic
from deeplab_lessons.arithmetic import Layer
from deeplab_lessons.classroom import stacks


class FieldOf15Right:
    def threes():
        return [Layer(3), Layer(3, dilation=3), Layer(3, dilation=3)]

    def ones_and_a_five():
        return (Layer(3, padding=1), Layer(3, padding=1), Layer(3, padding=5, dilation=5))

    def the_five_first():
        return [Layer(3, dilation=5), Layer(3), Layer(3)]

    def two_strides():
        return [Layer(3, 2), Layer(3, 2), Layer(3)]

    def a_stride_of_three():
        return [Layer(3, stride=3), Layer(3), Layer(3)]

    def a_stride_of_five():
        return [Layer(3), Layer(3, stride=5), Layer(3)]

    def stride_and_dilation():
        return [Layer(3, stride=2), Layer(3), Layer(3, dilation=2)]

    def a_stride_at_the_end():
        return [Layer(3, 2, 1), Layer(3, 2, 1), Layer(3, 2, 1)]

    def the_courses_stack():
        return stacks.dilated(3, 3, 1)


class FieldOf15Wrong:
    @says("1, 2, 4 not met")
    def the_lessons():
        return stacks.dilated(1, 2, 4)

    @says("4, 2, 1 not met")
    def the_lessons_in_another_order():
        return stacks.dilated(4, 2, 1)

    @says("2 of 15 pixels are holes not met")
    def a_common_gap():
        return stacks.dilated(2, 2, 3)

    @says("13 pixels not met")
    def two_too_few():
        return stacks.dilated(1, 2, 3)

    @says("7 layers not met")
    def undilated():
        return stacks.plain(7)

    @says("5, 5, 3 not met")
    def larger_kernels():
        return [Layer(5), Layer(5), Layer(3, dilation=3)]

    @says("15 not met")
    def one_kernel():
        return [Layer(15)]

    @says("7 pixels not met")
    def a_stride_too_late():
        return [Layer(3), Layer(3), Layer(3, stride=4)]

    @says("Expected a list of one or more Layers")
    def dilations():
        return [1, 3, 3]

    @says("Expected a list of one or more Layers")
    def nothing_in_it():
        return []

    @says("Expected a list of one or more Layers")
    def a_function():
        return lambda: stacks.dilated(1, 3, 3)


class NineCellsRight:
    def three_more_layers():
        return [Layer(3, 2, 1)] * 3 + [Layer(3, 1, 1)] * 3

    def a_wide_last_kernel():
        return [Layer(3, 2, 1)] * 3 + [Layer(7, padding=3)]

    def the_dilated_one_last():
        return [*[Layer(3, 2, 1)] * 3, Layer(3, 1, 1), Layer(3, 1, 2, 2)]

    def the_dilated_one_first():
        return [*[Layer(3, 2, 1)] * 3, Layer(5, 1, 2), Layer(3, 1, 1)]

    def one_stride_of_eight():
        return (Layer(15, stride=8, padding=7), Layer(7, padding=3))

    def one_layer():
        return [Layer(63, stride=8, padding=31)]

    def padding_as_a_pair():
        return [
            Layer(3, 2, (1, 1)),
            Layer(3, 2, 1),
            Layer(3, 2, 1),
            Layer(4, padding="same"),
            Layer(4, padding="same"),
        ]


class NineCellsWrong:
    @says("15 pixels not met")
    def strides_only():
        return [Layer(3, 2, 1)] * 3

    @says("18 of 63 pixels are holes not met")
    def dilation_three():
        return [*[Layer(3, 2, 1)] * 3, Layer(3, 1, 3, 3)]

    @says("4 pixels not met")
    def two_strides():
        return [Layer(3, 2, 1), Layer(3, 2, 1), Layer(3, 1, 1)]

    @says("7 cells not met")
    def no_padding():
        return [Layer(3, 2)] * 3

    @says("cannot be computed: ValueError")
    def no_padding_at_the_end():
        return [*[Layer(3, 2, 1)] * 3, Layer(3, dilation=5)]

    @says("1 pixel not met")
    def no_strides():
        return [Layer(63, padding=31)]

    @says("65 pixels not met")
    def one_pixel_too_wide_on_each_side():
        return [Layer(5, 2, 2), Layer(3, 2, 1), Layer(3, 2, 1), Layer(3, 1, 1), Layer(3, 1, 2, 2)]

    @says("16 pixels not met")
    def four_strides():
        return [Layer(3, 2, 1)] * 4

    @says("17 cells not met")
    def a_jump_of_four():
        return [Layer(3, 2, 1), Layer(3, 2, 1), Layer(3, 1, 1), Layer(3, 1, 1)]

    @says("8 cells not met")
    def pools_of_two_taps():
        return [Layer(2, 2)] * 3

    @says("18 of 63 pixels are holes not met")
    def dilated_without_padding():
        return [*[Layer(3, 2, 1)] * 3, Layer(3, dilation=3)]

    @says("Expected a list of one or more Layers")
    def text():
        return "Layer(3, 2, 1)"


class ReceptiveFieldSizeRight:
    def recursion_from_the_input(layers):
        field, step = 1, 1
        for layer in layers:
            field = field + (layer.kernel_size - 1) * layer.dilation * step
            step = step * layer.stride
        return field

    def from_the_top(layers):
        size = 1
        for layer in reversed(layers):
            size = (size - 1) * layer.stride + (layer.kernel_size - 1) * layer.dilation + 1
        return size

    def one_sum(layers):
        return 1 + sum(
            (layer.kernel_size - 1) * layer.dilation * math.prod(below.stride for below in layers[:place])
            for place, layer in enumerate(layers)
        )

    def cells_counted(layers):
        low = high = 0
        for layer in reversed(layers):
            low = low * layer.stride
            high = high * layer.stride + (layer.kernel_size - 1) * layer.dilation
        return high - low + 1

    def numpy(layers):
        strides = np.array([1] + [layer.stride for layer in layers[:-1]])
        gaps = np.array([(layer.kernel_size - 1) * layer.dilation for layer in layers])
        return 1 + (gaps * strides.cumprod()).sum()

    def recursion(layers):
        if not layers:
            return 1
        first, *rest = layers
        above = ReceptiveFieldSizeRight.recursion(rest)
        return (above - 1) * first.stride + (first.kernel_size - 1) * first.dilation + 1

    def effective_kernels(layers):
        size, jump = 1, 1
        for layer in layers:
            kernel = layer.kernel_size + (layer.kernel_size - 1) * (layer.dilation - 1)
            size += (kernel - 1) * jump
            jump *= layer.stride
        return size

    def the_courses_taps(layers):
        cells = {0}
        for layer in reversed(layers):
            cells = {cell for unit in cells for cell in layer.taps(unit)}
        return max(cells) - min(cells) + 1


class ReceptiveFieldSizeWrong:
    @says("jump after the layer")
    def jump_first(layers):
        size = jump = 1
        for layer in layers:
            jump *= layer.stride
            size += (layer.kernel_size - 1) * layer.dilation * jump
        return size

    @says("dilation into the jump")
    def dilated_jump(layers):
        size = jump = 1
        for layer in layers:
            size += (layer.kernel_size - 1) * layer.dilation * jump
            jump *= layer.stride * layer.dilation
        return size

    @says("d - 1 cells")
    def d_minus_one(layers):
        size = jump = 1
        for layer in layers:
            size += (layer.kernel_size - 1) * (layer.dilation - 1) * jump
            jump *= layer.stride
        return size

    @says("ignores the dilation")
    def no_dilation(layers):
        size = jump = 1
        for layer in layers:
            size += (layer.kernel_size - 1) * jump
            jump *= layer.stride
        return size

    @says("ignores the strides")
    def no_stride(layers):
        return 1 + sum((layer.kernel_size - 1) * layer.dilation for layer in layers)

    @says("k - 1 steps")
    def taps(layers):
        size = jump = 1
        for layer in layers:
            size += layer.kernel_size * layer.dilation * jump
            jump *= layer.stride
        return size

    @says("starts at 1")
    def from_nothing(layers):
        return ReceptiveFieldSizeRight.from_the_top(layers) - 1

    @says("padding enlarge")
    def with_padding(layers):
        size = jump = 1
        for layer in layers:
            size += ((layer.kernel_size - 1) * layer.dilation + 2 * layer.padding) * jump
            jump *= layer.stride
        return size

    def dilation_doubled(layers):
        size = jump = 1
        for layer in layers:
            size += (layer.kernel_size - 1) * layer.dilation * jump
            jump *= max(layer.stride, layer.dilation)
        return size

    def product_of_kernels(layers):
        return math.prod((layer.kernel_size - 1) * layer.dilation + 1 for layer in layers)

    def from_the_top_without_dilation(layers):
        size = 1
        for layer in reversed(layers):
            size = size * layer.stride + layer.kernel_size - layer.stride
        return size

    def layers_in_reverse(layers):
        return ReceptiveFieldSizeRight.recursion_from_the_input(layers[::-1])

    def odd_sizes(layers):
        size = ReceptiveFieldSizeRight.from_the_top(layers)
        return size if size % 2 else size + 1

    def jumps_added(layers):
        size, jump = 1, 1
        for layer in layers:
            size += (layer.kernel_size - 1) * layer.dilation * jump
            jump += layer.stride - 1
        return size


class EnlargeRight:
    def the_courses_fields(row, layers, width):
        field = arithmetic.receptive_fields(layers)[-1]
        at = ((torch.arange(width) - field.start) / field.jump).clamp(0, len(row) - 1)
        low, high = at.floor().long(), at.ceil().long()
        return torch.lerp(row[low], row[high], (at - low).to(row.dtype))

    def numpy(row, layers, width):
        field = arithmetic.receptive_fields(layers)[-1]
        centres = field.start + field.jump * np.arange(len(row))
        return torch.tensor(np.interp(np.arange(width), centres, row.numpy()))

    def numpy_in_single_precision(row, layers, width):
        return EnlargeRight.numpy(row, layers, width).float()

    def loops(row, layers, width):
        start, jump = 0.0, 1
        for layer in layers:
            start = start + jump * (layer.covers - 1) / 2 - jump * layer.padding
            jump = jump * layer.stride
        drawn = []
        for pixel in range(width):
            at = min(max((pixel - start) / jump, 0), len(row) - 1)
            unit = min(int(at), max(len(row) - 2, 0))
            following = row[min(unit + 1, len(row) - 1)]
            drawn.append(float(row[unit] + (at - unit) * (following - row[unit])))
        return torch.tensor(drawn)

    def hats(row, layers, width):
        field = arithmetic.receptive_fields(layers)[-1]
        at = (torch.arange(width) - field.start) / field.jump
        at = at.clamp(0, len(row) - 1)
        weights = (1 - (at[:, None] - torch.arange(len(row))).abs()).clamp(min=0)
        return weights.to(row.dtype) @ row

    def centre_of_a_box(row, layers, width):
        first, last = 0, 0
        for layer in reversed(layers):
            first = first * layer.stride - layer.padding
            last = last * layer.stride - layer.padding + layer.covers - 1
        jump = math.prod(layer.stride for layer in layers)
        at = ((torch.arange(width) - (first + last) / 2) / jump).clamp(0, len(row) - 1)
        left = at.long().clamp(max=max(len(row) - 2, 0))
        right = (left + 1).clamp(max=len(row) - 1)
        return row[left] * (1 - (at - left)) + row[right] * (at - left)

    def weights_first(row, layers, width):
        size, jump, first = 1, 1, 0
        for layer in layers:
            first -= layer.padding * jump
            size += (layer.kernel_size - 1) * layer.dilation * jump
            jump *= layer.stride
        at = (torch.arange(width, dtype=torch.float64) - first - (size - 1) / 2) / jump
        at = torch.minimum(torch.maximum(at, torch.zeros(())), torch.tensor(len(row) - 1.0))
        return row[at.floor().int()] * (1 - at % 1) + row[at.ceil().int()] * (at % 1)


class EnlargeWrong:
    @says("after two pooling layers of stride 2 by 1.5 pixels to the left")
    def as_it_was(row, layers, width):
        jump = math.prod(layer.stride for layer in layers)
        return torch.tensor(np.interp(np.arange(width), jump * np.arange(len(row)), row.numpy()))

    @says("first pixel of its field")
    def first(row, layers, width):
        field = arithmetic.receptive_fields(layers)[-1]
        centres = field.first + field.jump * np.arange(len(row))
        return torch.tensor(np.interp(np.arange(width), centres, row.numpy()))

    @says("first tile")
    def tiles(row, layers, width):
        jump = math.prod(layer.stride for layer in layers)
        centres = (jump - 1) / 2 + jump * np.arange(len(row))
        return torch.tensor(np.interp(np.arange(width), centres, row.numpy()))

    @says("half a jump")
    def half(row, layers, width):
        jump = math.prod(layer.stride for layer in layers)
        at = (torch.arange(width) / jump - 0.5).clamp(0, len(row) - 1)
        return torch.lerp(row[at.floor().long()], row[at.ceil().long()], (at - at.floor()).to(row.dtype))

    @says("adds the start")
    def wrong_sign(row, layers, width):
        field = arithmetic.receptive_fields(layers)[-1]
        at = ((torch.arange(width) + field.start) / field.jump).clamp(0, len(row) - 1)
        return torch.lerp(row[at.floor().long()], row[at.ceil().long()], (at - at.floor()).to(row.dtype))

    @says("ignores the padding")
    def no_padding(row, layers, width):
        return EnlargeRight.loops(
            row, [Layer(la.kernel_size, la.stride, 0, la.dilation) for la in layers], width
        )

    @says("ignores the dilation")
    def no_dilation(row, layers, width):
        return EnlargeRight.loops(row, [Layer(la.kernel_size, la.stride, la.padding) for la in layers], width)

    @says("with the jump after the layer")
    def new_jump(row, layers, width):
        start, jump = 0.0, 1
        for layer in layers:
            jump *= layer.stride
            start += jump * ((layer.covers - 1) / 2 - layer.padding)
        return torch.tensor(np.interp(np.arange(width), start + jump * np.arange(len(row)), row.numpy()))

    @says("padding in pixels")
    def padding_in_pixels(row, layers, width):
        field = arithmetic.receptive_fields(layers)[-1]
        start = (field.size - 1) / 2 - sum(layer.padding for layer in layers)
        return torch.tensor(
            np.interp(np.arange(width), start + field.jump * np.arange(len(row)), row.numpy())
        )

    @says("stretches the row")
    def align_corners(row, layers, width):
        return F.interpolate(row[None, None], size=width, mode="linear", align_corners=True)[0, 0]

    @says("nearest unit")
    def nearest(row, layers, width):
        field = arithmetic.receptive_fields(layers)[-1]
        at = torch.round((torch.arange(width) - field.start) / field.jump)
        return row[at.clamp(0, len(row) - 1).long()]

    def torchs_interpolation(row, layers, width):
        return F.interpolate(row[None, None], size=width, mode="linear", align_corners=False)[0, 0]

    def centre_rounded_down(row, layers, width):
        field = arithmetic.receptive_fields(layers)[-1]
        centres = math.floor(field.start) + field.jump * np.arange(len(row))
        return torch.tensor(np.interp(np.arange(width), centres, row.numpy()))

    def half_the_size(row, layers, width):
        field = arithmetic.receptive_fields(layers)[-1]
        centres = field.first + field.size / 2 + field.jump * np.arange(len(row))
        return torch.tensor(np.interp(np.arange(width), centres, row.numpy()))

    def zero_beyond_the_centres(row, layers, width):
        field = arithmetic.receptive_fields(layers)[-1]
        centres = field.start + field.jump * np.arange(len(row))
        return torch.tensor(np.interp(np.arange(width), centres, row.numpy(), left=0, right=0))

    def straight_on_beyond_the_centres(row, layers, width):
        field = arithmetic.receptive_fields(layers)[-1]
        at = (torch.arange(width) - field.start) / field.jump
        left = at.floor().long().clamp(0, max(len(row) - 2, 0))
        right = (left + 1).clamp(max=len(row) - 1)
        return row[left] + (at - left) * (row[right] - row[left])

    @says("The values are right, but they are in a numpy array")
    def an_array(row, layers, width):
        return EnlargeRight.numpy(row, layers, width).numpy()

    def whole_numbers(row, layers, width):
        return EnlargeRight.numpy(row, layers, width).round()


class PathCountsRight:
    def dictionaries(layers, unit, input_size):
        sizes = [field.out for field in arithmetic.receptive_fields(layers, input_size)]
        paths = {unit: 1}
        for layer, size in zip(reversed(layers), reversed(sizes[:-1]), strict=True):
            below = {}
            for u, count in paths.items():
                for cell in layer.taps(u):
                    if 0 <= cell < size:
                        below[cell] = below.get(cell, 0) + count
            paths = below
        return [paths.get(pixel, 0) for pixel in range(input_size)]

    def recursion(layers, unit, input_size):
        if not layers:
            return [int(pixel == unit) for pixel in range(input_size)]
        sizes = [field.out for field in arithmetic.receptive_fields(layers, input_size)]
        counts = [0] * input_size
        for cell in layers[-1].taps(unit):
            if 0 <= cell < sizes[-2]:
                below = PathCountsRight.recursion(layers[:-1], cell, input_size)
                counts = [a + b for a, b in zip(counts, below, strict=True)]
        return counts

    def upwards(layers, unit, input_size):
        rows = np.eye(input_size, dtype=int)  # paths from each pixel to each cell
        for layer in layers:
            above = []
            for u in range(layer.output_size(rows.shape[1])):
                taps = [cell for cell in layer.taps(u) if 0 <= cell < rows.shape[1]]
                above.append(rows[:, taps].sum(1))
            rows = np.stack(above, 1)
        return list(rows[:, unit])

    def gradients(layers, unit, input_size):
        x = torch.zeros(1, 1, input_size, dtype=torch.float64, requires_grad=True)
        y = x
        for layer in layers:
            kernel = torch.ones(1, 1, layer.kernel_size, dtype=torch.float64)
            y = F.conv1d(y, kernel, None, layer.stride, layer.padding, layer.dilation)
        y[0, 0, unit].backward()
        return x.grad[0, 0].tolist()

    def ones_through_convolutions(layers, unit, input_size):
        y = torch.eye(input_size)[:, None]
        for layer in layers:
            y = F.conv1d(
                y, torch.ones(1, 1, layer.kernel_size), None, layer.stride, layer.padding, layer.dilation
            )
        return y[:, 0, unit]

    def matrices(layers, unit, input_size):
        product, size = np.eye(input_size), input_size
        for layer in layers:
            out = layer.output_size(size)
            reads = np.zeros((out, size))
            for u in range(out):
                for cell in layer.taps(u):
                    if 0 <= cell < size:
                        reads[u, cell] += 1
            product, size = reads @ product, out
        return product[unit]

    def whole_numbers_of_numpy(layers, unit, input_size):
        return tuple(np.int64(count) for count in PathCountsRight.dictionaries(layers, unit, input_size))


class PathCountsWrong:
    @says("Within the box")
    def ones_in_the_box(layers, unit, input_size):
        first, last = arithmetic.receptive_fields(layers)[-1].box(unit)
        return [1 if first <= pixel <= last else 0 for pixel in range(input_size)]

    @says("by how many paths")
    def marked(layers, unit, input_size):
        return [int(count > 0) for count in PathCountsRight.dictionaries(layers, unit, input_size)]

    @says("where paths meet")
    def replaced(layers, unit, input_size):
        sizes = [field.out for field in arithmetic.receptive_fields(layers, input_size)]
        paths = np.zeros(sizes[-1], int)
        paths[unit] = 1
        for layer, size in zip(reversed(layers), reversed(sizes[:-1]), strict=True):
            below = np.zeros(size, int)
            for u in np.flatnonzero(paths):
                below[[cell for cell in layer.taps(int(u)) if 0 <= cell < size]] = paths[u]
            paths = below
        return paths.tolist()

    @says("counts each cell once")
    def duplicate_indices(layers, unit, input_size):
        sizes = [field.out for field in arithmetic.receptive_fields(layers, input_size)]
        cells, counts = [unit], np.zeros(input_size, int)
        for layer, size in zip(reversed(layers), reversed(sizes[:-1]), strict=True):
            cells = [cell for u in cells for cell in layer.taps(u) if 0 <= cell < size]
        counts[cells] += 1
        return counts.tolist()

    @says("run through padding")
    def padding_only_at_the_end(layers, unit, input_size):
        cells = [unit]
        for layer in reversed(layers):
            cells = [cell for u in cells for cell in layer.taps(u)]
        return [cells.count(pixel) for pixel in range(input_size)]

    def sizes_of_the_input(layers, unit, input_size):
        cells = [unit]
        for layer in reversed(layers):
            cells = [cell for u in cells for cell in layer.taps(u) if 0 <= cell < input_size]
        return [cells.count(pixel) for pixel in range(input_size)]

    def left_side_only(layers, unit, input_size):
        cells = [unit]
        for layer in reversed(layers):
            cells = [cell for u in cells for cell in layer.taps(u) if cell >= 0]
        return [cells.count(pixel) for pixel in range(input_size)]

    def layers_upside_down(layers, unit, input_size):
        cells = [unit]
        for layer in layers:
            cells = [cell for u in cells for cell in layer.taps(u) if 0 <= cell < input_size]
        return [cells.count(pixel) for pixel in range(input_size)]

    @says("values, got")
    def only_the_box(layers, unit, input_size):
        counts = PathCountsRight.dictionaries(layers, unit, input_size)
        first, last = arithmetic.receptive_fields(layers)[-1].box(unit)
        return counts[max(first, 0) : last + 1]

    def shares(layers, unit, input_size):
        counts = PathCountsRight.dictionaries(layers, unit, input_size)
        return [count / max(sum(counts), 1) for count in counts]

    def always_the_middle_unit(layers, unit, input_size):
        size = arithmetic.receptive_fields(layers, input_size)[-1].out
        return PathCountsRight.dictionaries(layers, size // 2, input_size)

    def a_dictionary(layers, unit, input_size):
        return dict(enumerate(PathCountsRight.dictionaries(layers, unit, input_size)))


@pytest.mark.parametrize(("name", "answer"), listed(globals(), "Right"))
def test_right_answers_in_any_style_are_accepted(name, answer):
    assert_accepted(exercise_of("lesson03", name), answer)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("name", "answer"), listed(globals(), "Wrong"))
def test_wrong_answers_are_rejected(name, answer):
    assert_rejected(exercise_of("lesson03", name), answer)
