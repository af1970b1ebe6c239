"""Lesson 03: right answers in many styles, and wrong ones."""

import math

import numpy as np
import pytest
import torch
from answers import assert_accepted, assert_rejected, exercise_of, listed, says
from torch.nn import functional as F

from deeplab_lessons import arithmetic


class JumpRight:
    def loop(layers):
        product = 1
        for layer in layers:
            product = product * layer.stride
        return product

    def math_prod(layers):
        return math.prod(layer.stride for layer in layers)

    def numpy(layers):
        return np.prod([layer.stride for layer in layers])

    def recursion(layers):
        return 1 if not layers else layers[-1].stride * JumpRight.recursion(layers[:-1])

    def the_courses_fields(layers):
        return arithmetic.receptive_fields(layers)[-1].jump

    def two_units(layers):
        def first(unit):
            for layer in reversed(layers):
                unit = unit * layer.stride - layer.padding
            return unit

        return first(1) - first(0)

    def torch_prod(layers):
        return torch.tensor([layer.stride for layer in layers]).prod().item()


class JumpWrong:
    @says("strides multiply")
    def added(layers):
        return sum(layer.stride for layer in layers)

    @says("last layer")
    def last(layers):
        return layers[-1].stride

    @says("before the last layer")
    def before_the_last(layers):
        return math.prod(layer.stride for layer in layers[:-1])

    @says("Dilation spreads the taps")
    def dilated(layers):
        return math.prod(layer.stride * layer.dilation for layer in layers)

    @says("size of the field")
    def size(layers):
        return ReceptiveFieldSizeRight.recursion_from_the_input(layers)

    def powers_of_two(layers):
        return 2 ** sum(layer.stride > 1 for layer in layers)

    def largest(layers):
        return max(layer.stride for layer in layers)

    def distinct(layers):
        return math.prod({layer.stride for layer in layers})

    def first_only(layers):
        return layers[0].stride

    def without_the_first(layers):
        return math.prod(layer.stride for layer in layers[1:])

    def kernels(layers):
        return math.prod(layer.kernel_size for layer in layers)


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


class BoxRight:
    def recursion(layers, unit):
        start, jump, size = 0, 1, 1
        for layer in layers:
            start -= layer.padding * jump
            size += (layer.kernel_size - 1) * layer.dilation * jump
            jump *= layer.stride
        return start + unit * jump, start + unit * jump + size - 1

    def down_to_the_input(layers, unit):
        low = high = unit
        for layer in reversed(layers):
            low = low * layer.stride - layer.padding
            high = high * layer.stride - layer.padding + (layer.kernel_size - 1) * layer.dilation
        return low, high

    def list_of_two(layers, unit):
        return list(BoxRight.down_to_the_input(layers, unit))

    def numpy_pair(layers, unit):
        box = np.array([unit, unit])
        for layer in layers[::-1]:
            box = box * layer.stride - layer.padding
            box[1] += (layer.kernel_size - 1) * layer.dilation
        return box

    def tensor_pair(layers, unit):
        return torch.tensor(BoxRight.down_to_the_input(layers, unit))

    def sets_of_cells(layers, unit):
        cells = {unit}
        for layer in layers[::-1]:
            cells = {cell for reader in cells for cell in layer.taps(reader)}
        return min(cells), max(cells)

    def the_courses_fields(layers, unit):
        field = arithmetic.receptive_fields(layers)[-1]
        return field.first + unit * field.jump, field.first + unit * field.jump + field.size - 1

    def from_the_centre(layers, unit):
        jump, start, size = 1, 0.0, 1
        for layer in layers:
            start += ((layer.kernel_size - 1) * layer.dilation / 2 - layer.padding) * jump
            size += (layer.kernel_size - 1) * layer.dilation * jump
            jump *= layer.stride
        centre = start + unit * jump
        return centre - (size - 1) / 2, centre + (size - 1) / 2


class BoxWrong:
    @says("ignores the padding")
    def no_padding(layers, unit):
        jump, size = JumpRight.loop(layers), ReceptiveFieldSizeRight.from_the_top(layers)
        return unit * jump, unit * jump + size - 1

    @says("subtracts the padding twice")
    def two_paddings(layers, unit):
        first, jump, size = 0, 1, 1
        for layer in layers:
            first -= 2 * layer.padding * jump
            size += (layer.kernel_size - 1) * layer.dilation * jump
            jump *= layer.stride
        return first + unit * jump, first + unit * jump + size - 1

    @says("cut the box off")
    def clipped(layers, unit):
        first, last = BoxRight.recursion(layers, unit)
        return max(0, first), max(0, last)

    @says("One pixel too far")
    def one_too_far(layers, unit):
        first, last = BoxRight.recursion(layers, unit)
        return first, last + 1

    def last_first(layers, unit):
        return BoxRight.recursion(layers, unit)[::-1]

    def unit_from_one(layers, unit):
        return BoxRight.recursion(layers, unit - 1)

    def first_and_size(layers, unit):
        return BoxRight.recursion(layers, unit)[0], ReceptiveFieldSizeRight.from_the_top(layers)

    def size_only(layers, unit):
        return ReceptiveFieldSizeRight.from_the_top(layers)

    @says("one pixel per unit")
    def one_pixel_per_unit(layers, unit):
        first, last = BoxRight.recursion(layers, 0)
        return first + unit, last + unit

    def absolute(layers, unit):
        first, last = BoxRight.recursion(layers, unit)
        return abs(first), abs(last)

    def every_cell(layers, unit):
        first, last = BoxRight.recursion(layers, unit)
        return range(first, last + 1)

    def padding_added(layers, unit):
        shift = BoxRight.recursion(layers, 0)[0]
        first, last = BoxRight.recursion(layers, unit)
        return first - 2 * shift, last - 2 * shift

    def dilated_jump(layers, unit):
        first, size, jump = 0, 1, 1
        for layer in layers:
            first -= layer.padding * jump
            size += (layer.kernel_size - 1) * layer.dilation * jump
            jump *= layer.stride * layer.dilation
        return first + unit * jump, first + unit * jump + size - 1

    def padding_of_the_first_layer(layers, unit):
        jump, size = JumpRight.loop(layers), ReceptiveFieldSizeRight.from_the_top(layers)
        first = unit * jump - layers[0].padding
        return first, first + size - 1

    def four_units(layers, unit):
        return BoxRight.recursion(layers, min(unit, 3))


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
        first, last = BoxRight.recursion(layers, unit)
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

    @says("values came")
    def only_the_box(layers, unit, input_size):
        counts = PathCountsRight.dictionaries(layers, unit, input_size)
        first, last = BoxRight.recursion(layers, unit)
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
