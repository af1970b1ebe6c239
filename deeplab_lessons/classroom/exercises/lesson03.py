"""Lesson 03, receptive fields: jump, size, box, and the paths inside the box."""

import math
import random
from collections.abc import Iterator, Sequence

from deeplab_lessons import arithmetic
from deeplab_lessons.arithmetic import Field, Layer, extend, receptive_fields
from deeplab_lessons.classroom.exercises.compare import show as _show_plain
from deeplab_lessons.classroom.exercises.framework import exercise, misconception


def _stacks(rng: random.Random) -> Iterator[list[Layer]]:
    yield [Layer(3)]
    yield [Layer(3), Layer(3)]
    yield [Layer(2, stride=2)]
    yield [Layer(3, dilation=2)]
    yield [Layer(3, padding=1)]
    yield [Layer(3), Layer(2, stride=2)]
    yield [Layer(2, stride=2), Layer(3)]
    yield [Layer(3, dilation=2), Layer(3, dilation=4)]
    yield [Layer(3, stride=2, padding=1), Layer(3, stride=2, padding=1), Layer(3, padding=1)]
    for turn in range(80):
        yield [_layer(rng) for _ in range(rng.randint(1, 2 + turn // 20))]


def _layer(rng: random.Random) -> Layer:
    return Layer(rng.randint(1, 4), rng.randint(1, 3), rng.randint(0, 2), rng.randint(1, 3))


def _only_stacks(rng: random.Random) -> Iterator[tuple]:
    yield from ((stack,) for stack in _stacks(rng))


def _strides(layers: Sequence[Layer]) -> list[int]:
    return [layer.stride for layer in layers]


def _grow(layers: Sequence[Layer], step) -> int:
    """A recursion for the size with another step than the right one: `step(layer, old jump, new jump)`."""
    size, jump = 1, 1
    for layer in layers:
        size += step(layer, jump, jump * layer.stride)
        jump *= layer.stride
    return size


def _placed(layers: Sequence[Layer], unit: int, shift) -> tuple[int, int]:
    """A box whose left end forgets something of the padding: `shift(layer, old jump, new jump)` per layer."""
    field, first = Field(), 0
    for layer in layers:
        after = extend(field, layer)
        first -= shift(layer, field.jump, after.jump)
        field = after
    return first + unit * field.jump, first + unit * field.jump + field.size - 1


def _with_layers(layers: Sequence[Layer], unit: int, input_size: int, change) -> list[int]:
    """Path counts of a stack in which each layer has been changed, cut or filled up to the input's size."""
    counts: dict[int, int] = {unit: 1}
    for layer in reversed(layers):
        below: dict[int, int] = {}
        for reader, paths in counts.items():
            for cell in change(layer).taps(reader):
                below[cell] = below.get(cell, 0) + paths
        counts = below
    return [counts.get(pixel, 0) for pixel in range(input_size)]


def _show(value: object) -> str:
    """Layers with only the numbers that differ from an ordinary convolution's."""
    if isinstance(value, Layer):
        usual = {"stride": 1, "padding": 0, "dilation": 1}
        pairs = [(name, getattr(value, name)) for name in usual]
        own = [f"{name}={number}" for name, number in pairs if number != usual[name]]
        return f"Layer({', '.join([str(value.kernel_size), *own])})"
    if isinstance(value, list) and value and all(isinstance(item, Layer) for item in value):
        return f"[{', '.join(map(_show, value))}]"
    return _show_plain(value)


@exercise
class Jump:
    """Warm-up: the distance in pixels between the fields of neighbouring units."""

    cases = _only_stacks
    show = _show
    hints = (
        "One step on the last map is how many steps on the map before it? And on the one before that?",
        "A layer of stride s places its units s cells of its input apart. Each of those cells is already "
        "some pixels wide. Multiply.",
    )

    def jump(layers):
        pixels = 1
        for layer in layers:
            pixels *= layer.stride
        return pixels

    @misconception(
        "You add the strides. Each stride counts in cells of the map before it, and those are already "
        "several pixels apart: strides multiply."
    )
    def sum_of_strides(layers):
        return sum(_strides(layers))

    @misconception(
        "Your code returns the last layer's stride alone: a distance in cells of its own input. The jump counts "
        "input pixels, so all earlier strides belong to it."
    )
    def last_stride(layers):
        return _strides(layers)[-1]

    @misconception(
        "Your code returns the jump before the last layer. The last layer's own stride also moves its units apart."
    )
    def without_last_stride(layers):
        return math.prod(_strides(layers)[:-1])

    @misconception(
        "Dilation spreads the taps of one unit; it does not move the units apart. Only strides make the jump."
    )
    def dilation_counted(layers):
        return math.prod(layer.stride * layer.dilation for layer in layers)

    @misconception(
        "Your code returns the size of the field. The jump is the distance from one unit's field to its neighbour's."
    )
    def size_of_field(layers):
        return receptive_fields(layers)[-1].size


@exercise
class ReceptiveFieldSize:
    """The recursion for the size of the field."""

    cases = _only_stacks
    show = _show
    hints = (
        "Carry two numbers through the stack, size and jump, both 1 at the input.",
        "From the first tap to the last there are (kernel_size - 1) * dilation steps on the layer's input."
        " How many pixels is one such step?",
        "Add to the size first, with the old jump; only then multiply the jump by the stride.",
    )

    def receptive_field_size(layers):
        size, jump = 1, 1
        for layer in layers:
            size += (layer.kernel_size - 1) * layer.dilation * jump
            jump *= layer.stride
        return size

    @misconception(
        "You use the jump after the layer. The taps step over the layer's input, so the jump before it "
        "counts; the layer's own stride only matters to the layers above it."
    )
    def jump_after_layer(layers):
        return _grow(layers, lambda la, old, new: (la.kernel_size - 1) * la.dilation * new)

    @misconception(
        "Your code ignores the strides. Above a strided layer, one step between taps is several pixels."
    )
    def no_strides(layers):
        return _grow(layers, lambda la, old, new: (la.kernel_size - 1) * la.dilation)

    @misconception(
        "Your code ignores the dilation: neighbouring taps lie `dilation` cells apart. Two 3-tap layers of "
        "dilation 2 and 4 see 13 pixels, not 5."
    )
    def no_dilation(layers):
        return _grow(layers, lambda la, old, new: (la.kernel_size - 1) * old)

    @misconception(
        "Your code multiplies the dilation into the jump. Dilation spreads the taps of this layer only; its units are "
        "as close as before. Multiply the jump only by the stride."
    )
    def dilation_in_the_jump(layers):
        size, jump = 1, 1
        for layer in layers:
            size += (layer.kernel_size - 1) * layer.dilation * jump
            jump *= layer.stride * layer.dilation
        return size

    @misconception(
        "Your code counts d - 1 cells from one tap to the next. That is the number of zeros between them; the step "
        "from tap to tap is d cells, and 1 without dilation."
    )
    def zeros_not_steps(layers):
        return _grow(layers, lambda la, old, new: (la.kernel_size - 1) * (la.dilation - 1) * old)

    @misconception(
        "You add up the kernel sizes. A second kernel shares a cell with the first: each layer adds one "
        "less than its size, times its dilation and the jump below it."
    )
    def sum_of_taps(layers):
        return sum(layer.kernel_size for layer in layers)

    @misconception(
        "You add kernel_size steps. Between k taps there are k - 1 steps: a 1-tap layer must add nothing."
    )
    def taps_not_gaps(layers):
        return _grow(layers, lambda la, old, new: la.kernel_size * la.dilation * old)

    @misconception(
        "You add the effective kernel size. From its first cell to its last there is one step less: a "
        "1-tap layer must add nothing."
    )
    def effective_kernel(layers):
        return _grow(layers, lambda la, old, new: la.covers * old)

    @misconception("One too few: with no layer at all, an input pixel sees itself. The size starts at 1.")
    def one_too_few(layers):
        return receptive_fields(layers)[-1].size - 1

    @misconception(
        "You multiply by the stride of the layer below alone. The jump is the product of all strides below."
    )
    def previous_stride_only(layers: Sequence[Layer]) -> int:
        before = [1, *_strides(layers)[:-1]]
        return 1 + sum((la.kernel_size - 1) * la.dilation * s for la, s in zip(layers, before, strict=True))

    @misconception(
        "You let the padding enlarge the field. Padding moves the first unit's field to the left; it "
        "makes no field wider."
    )
    def padding_widens(layers):
        return _grow(layers, lambda la, old, new: ((la.kernel_size - 1) * la.dilation + 2 * la.padding) * old)

    @misconception(
        "You take the padding off the field. Padding moves the first unit's field to the left; it "
        "makes no field narrower."
    )
    def padding_narrows(layers):
        return _grow(layers, lambda la, old, new: ((la.kernel_size - 1) * la.dilation - 2 * la.padding) * old)


@exercise
class Box:
    """The first and the last pixel that a unit sees."""

    show = _show
    hints = (
        "Where does unit 0 begin? Without padding, at pixel 0. Each layer's padding moves it to the left.",
        "A layer's padding is counted in cells of its own input. How many pixels is one such cell's step?",
        "`arithmetic.receptive_fields(layers)[-1]` holds `first`, `jump` and `size`. The last pixel still belongs to "
        "the box.",
    )

    def box(layers, unit):
        first, size, jump = 0, 1, 1
        for layer in layers:
            first -= layer.padding * jump
            size += (layer.kernel_size - 1) * layer.dilation * jump
            jump *= layer.stride
        first += unit * jump
        return first, first + size - 1

    def cases(rng: random.Random) -> Iterator[tuple]:
        yield [Layer(3, padding=1)], 0
        yield [Layer(3)], 2
        for turn, stack in enumerate(_stacks(rng)):
            yield stack, turn % 4 if turn % 9 else 40

    @misconception(
        "Your code ignores the padding. With padding p, the first unit begins p cells of the layer's input "
        "further left."
    )
    def no_padding(layers, unit):
        return _placed(layers, unit, lambda la, old, new: 0)

    @misconception(
        "You scale the padding by the jump after the layer. Padding is laid around the layer's input, so "
        "the jump before the layer counts."
    )
    def jump_after_layer(layers, unit):
        return _placed(layers, unit, lambda la, old, new: la.padding * new)

    @misconception(
        "You add the paddings as if each were in pixels. A cell of padding on a strided map is as wide"
        " as that map's jump."
    )
    def padding_in_pixels(layers, unit):
        return _placed(layers, unit, lambda la, old, new: la.padding)

    @misconception(
        "You cut the box off at the picture's edge. Here a field may begin in the padding, at a negative "
        "position: say where."
    )
    def clipped(layers: Sequence[Layer], unit: int) -> tuple[int, int]:
        first, last = receptive_fields(layers)[-1].box(unit)
        return max(first, 0), max(last, 0)

    @misconception(
        "Your code subtracts the padding twice. It lies on both sides, but only the cells on the left move the first "
        "pixel: subtract it once."
    )
    def padding_of_both_sides(layers, unit):
        return _placed(layers, unit, lambda la, old, new: 2 * la.padding * old)

    @misconception("One pixel too far: the box is (first, last), and the last pixel belongs to it.")
    def next_cell(layers: Sequence[Layer], unit: int) -> tuple[int, int]:
        first, last = receptive_fields(layers)[-1].box(unit)
        return first, last + 1

    @misconception("You move one pixel per unit. Neighbouring units lie one jump apart.")
    def unit_as_pixel(layers: Sequence[Layer], unit: int) -> tuple[int, int]:
        field = receptive_fields(layers)[-1]
        return field.first + unit, field.first + unit + field.size - 1

    @misconception(
        "You move by the last layer's stride. In input pixels, neighbouring units lie one jump apart: "
        "the product of all strides."
    )
    def last_stride_apart(layers: Sequence[Layer], unit: int) -> tuple[int, int]:
        first = receptive_fields(layers)[-1].first + unit * layers[-1].stride
        return first, first + receptive_fields(layers)[-1].size - 1


@exercise
class PathCounts:
    """Stretch: by how many paths each pixel reaches a unit."""

    package = arithmetic.path_counts
    show = _show
    hints = (
        "Start at the top with one path at `unit`, and walk down: `for layer in reversed(layers)`.",
        "`layer.taps(u)` gives the cells that unit u reads. Each of them inherits all paths that reach u.",
        "Cells outside a layer's input are padding: drop them. `arithmetic.receptive_fields(layers, input_size)` "
        "has every map's size as `.out`.",
    )

    def path_counts(layers, unit, input_size):
        sizes = [input_size]
        for layer in layers:
            sizes.append(layer.output_size(sizes[-1]))
        paths = {unit: 1}
        for depth in reversed(range(len(layers))):
            below = dict.fromkeys(range(sizes[depth]), 0)
            for reader, count in paths.items():
                for cell in layers[depth].taps(reader):
                    if cell in below:
                        below[cell] += count
            paths = below
        return [paths[pixel] for pixel in range(input_size)]

    def cases(rng: random.Random) -> Iterator[tuple]:
        yield [Layer(3)], 1, 5
        yield [Layer(3, stride=2)], 1, 7
        yield [Layer(3, dilation=2)], 1, 7
        yield [Layer(3), Layer(3)], 1, 7
        yield [Layer(3, padding=1)], 0, 3
        yield [Layer(3, padding=1), Layer(3, padding=1)], 0, 3
        yield [Layer(3, dilation=2), Layer(3, dilation=2)], 1, 11
        yield [Layer(3), Layer(2), Layer(3, padding=1)], 2, 6
        yield [Layer(2, stride=2), Layer(2), Layer(3, padding=1)], 2, 8
        for turn in range(60):
            stack = [_layer(rng) for _ in range(rng.randint(1, 2 + turn // 20))]
            size = receptive_fields(stack)[-1].size + rng.randint(0, 6)
            yield stack, rng.randrange(receptive_fields(stack, size)[-1].out), size

    @misconception(
        "You fill the whole box with ones. Within the box some pixels are read by many paths, and some "
        "perhaps by none."
    )
    def whole_box(layers: Sequence[Layer], unit: int, input_size: int) -> list[int]:
        first, last = receptive_fields(layers)[-1].box(unit)
        return [int(first <= pixel <= last) for pixel in range(input_size)]

    @misconception(
        "Your code says which pixels are reached; the question is by how many paths. Add where paths meet. "
        "(`counts[cells] += 1` with a list of cells counts each cell once.)"
    )
    def yes_or_no(layers: Sequence[Layer], unit: int, input_size: int) -> list[int]:
        return [min(count, 1) for count in arithmetic.path_counts(layers, unit, input_size=input_size)]

    @misconception("Your code ignores the dilation: the taps of a dilated layer lie `dilation` cells apart.")
    def no_holes(layers: Sequence[Layer], unit: int, input_size: int) -> list[int]:
        def closed(layer: Layer) -> Layer:
            return Layer(layer.kernel_size, layer.stride, layer.padding)

        return _with_layers(layers, unit, input_size, closed)

    @misconception("Your code ignores the stride: unit u's first tap is at u * stride - padding.")
    def no_stride(layers: Sequence[Layer], unit: int, input_size: int) -> list[int]:
        def slow(layer: Layer) -> Layer:
            return Layer(layer.kernel_size, 1, layer.padding, layer.dilation)

        return _with_layers(layers, unit, input_size, slow)

    @misconception("Your code ignores the padding: unit u's first tap is at u * stride - padding.")
    def no_padding(layers: Sequence[Layer], unit: int, input_size: int) -> list[int]:
        def bare(layer: Layer) -> Layer:
            return Layer(layer.kernel_size, layer.stride, 0, layer.dilation)

        return _with_layers(layers, unit, input_size, bare)

    @misconception(
        "You count paths that run through padding of a map between. A padded cell is a zero that "
        "belongs to no pixel: drop it at every layer, not only at the input."
    )
    def through_padding(layers: Sequence[Layer], unit: int, input_size: int) -> list[int]:
        return _with_layers(layers, unit, input_size, lambda layer: layer)
