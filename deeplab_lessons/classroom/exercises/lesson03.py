"""Lesson 03, receptive fields: size, jump and offset, two stacks to design, and the paths inside the box."""

import random
from collections.abc import Iterator, Sequence

import torch

from deeplab_lessons.arithmetic import Layer, receptive_fields
from deeplab_lessons.classroom import stacks
from deeplab_lessons.classroom.exercises.cases import torch_generator
from deeplab_lessons.classroom.exercises.compare import show as _show_plain
from deeplab_lessons.classroom.exercises.designs import design, list_of, wanted
from deeplab_lessons.classroom.exercises.framework import exercise, fault, misconception


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


@design
class FieldOf15:
    """Warm-up, design: three layers that see 15 pixels, in another way than the lesson's."""

    hints = (
        "How much does each layer add to the size? It's (k - 1) d times the jump below, and together they must add 14.",
        "With strides of 1, the three dilations must add up to 7. Or keep the dilations at 1 and use strides.",
        "Where do holes come from? They appear when taps are further apart than the fields below are wide.",
    )
    takes = list_of(Layer)

    def field_of_15():
        return [Layer(3), Layer(3, dilation=3), Layer(3, dilation=3)]

    @wanted("a field of exactly 15 pixels")
    def field(layers):
        size = receptive_fields(layers)[-1].size
        return size == 15, f"{size} pixels"

    @wanted("at most three layers")
    def depth(layers):
        return len(layers) <= 3, f"{len(layers)} layers"

    @wanted("3 taps in each of them")
    def taps(layers):
        taps = [layer.kernel_size for layer in layers]
        return set(taps) == {3}, ", ".join(map(str, taps))

    @wanted("no hole in the field")
    def holes(layers):
        holes, size = stacks.holes(layers), receptive_fields(layers)[-1].size
        return holes == 0, f"{holes} of {size} pixels are holes"

    @wanted("dilations other than 1, 2 and 4")
    def another(layers):
        dilations = [layer.dilation for layer in layers]
        return sorted(dilations) != [1, 2, 4], ", ".join(map(str, dilations))


@exercise
class ReceptiveFieldSize:
    """The recursion for the size of the field."""

    cases = _only_stacks
    show = _show
    hints = (
        "Which two numbers do you have to know after each layer? Both size and jump are 1 at the input.",
        "There are (kernel_size - 1) * dilation steps from the first tap to the last. How many pixels is each step?",
        "First `size += (layer.kernel_size - 1) * layer.dilation * jump`, and only then `jump *= layer.stride`.",
    )

    def receptive_field_size(layers):
        size, jump = 1, 1
        for layer in layers:
            size += (layer.kernel_size - 1) * layer.dilation * jump
            jump *= layer.stride
        return size

    @misconception(
        "Your code uses the jump after the layer. The taps read the layer's input, and its own stride only affects the "
        "layers above. Use the jump before the layer."
    )
    def jump_after_layer(layers):
        return _grow(layers, lambda la, old, new: (la.kernel_size - 1) * la.dilation * new)

    @misconception(
        "Your code ignores the strides. Above a strided layer, one step between taps is several pixels. Multiply "
        "the jump by each layer's stride."
    )
    def no_strides(layers):
        return _grow(layers, lambda la, old, new: (la.kernel_size - 1) * la.dilation)

    @misconception(
        "Your code ignores the dilation. Neighbouring taps are `dilation` cells apart, so two 3-tap layers of "
        "dilation 2 and 4 see 13 pixels, not 5. Multiply the steps by the dilation."
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
        "Your code counts d - 1 cells from one tap to the next. That is the number of zeros between them. Count d "
        "cells per step, which is 1 without dilation."
    )
    def zeros_not_steps(layers):
        return _grow(layers, lambda la, old, new: (la.kernel_size - 1) * (la.dilation - 1) * old)

    @misconception(
        "Your code adds up the kernel sizes. A second kernel shares a cell with the first. Add one less than the "
        "kernel size, times the dilation and the jump below."
    )
    def sum_of_taps(layers):
        return sum(layer.kernel_size for layer in layers)

    @misconception(
        "Your code adds kernel_size steps. Between k taps there are only k - 1 steps, so a 1-tap layer must add "
        "nothing. Count k - 1 steps."
    )
    def taps_not_gaps(layers):
        return _grow(layers, lambda la, old, new: la.kernel_size * la.dilation * old)

    @misconception(
        "Your code adds the effective kernel size. From its first cell to its last there is one step less, so a 1-tap "
        "layer must add nothing. Subtract 1."
    )
    def effective_kernel(layers):
        return _grow(layers, lambda la, old, new: la.covers * old)

    @misconception(
        "Your code returns one pixel too few. With no layer at all, an input pixel sees itself. The size starts at 1."
    )
    def one_too_few(layers):
        return receptive_fields(layers)[-1].size - 1

    @misconception(
        "Your code multiplies only by the stride of the layer directly below. All strides below make the steps longer. "
        "Carry their product along as the jump."
    )
    def previous_stride_only(layers: Sequence[Layer]) -> int:
        before = [1, *_strides(layers)[:-1]]
        return 1 + sum((la.kernel_size - 1) * la.dilation * s for la, s in zip(layers, before, strict=True))

    @misconception(
        "Your code lets the padding enlarge the field. Padding moves the first unit's field to the left and makes no "
        "field wider. Leave it out."
    )
    def padding_widens(layers):
        return _grow(layers, lambda la, old, new: ((la.kernel_size - 1) * la.dilation + 2 * la.padding) * old)

    @misconception(
        "Your code subtracts the padding from the field. Padding moves the first unit's field to the left and makes no "
        "field narrower. Leave it out."
    )
    def padding_narrows(layers):
        return _grow(layers, lambda la, old, new: ((la.kernel_size - 1) * la.dilation - 2 * la.padding) * old)


def _drawn(row: torch.Tensor, start: float, jump: float, width: int) -> torch.Tensor:
    """The values of `row` at `start`, `start + jump`, …, with straight lines between."""
    at = ((torch.arange(width) - start) / jump).clamp(0, len(row) - 1)
    left = at.long()
    right = (left + 1).clamp(max=len(row) - 1)
    return row[left] + (at - left) * (row[right] - row[left])


def _start(layers: Sequence[Layer], shift) -> float:
    """The centre of unit 0 as it goes wrong: `shift(layer, old jump, new jump)` per layer."""
    start, jump = 0.0, 1
    for layer in layers:
        start += shift(layer, jump, jump * layer.stride)
        jump *= layer.stride
    return start


def _gaps(layer: Layer) -> float:
    return (layer.kernel_size - 1) * layer.dilation / 2


@exercise
class Enlarge:
    """Repair: a row of a map, drawn over the photograph: a value belongs to the centre of its unit's field."""

    show = _show
    trials = 120
    hints = (
        "Over which pixel is unit 0 drawn now, and where is its field centred after one pooling layer?",
        "Unit u is centred on start + u · jump. `arithmetic.receptive_fields(layers)[-1]` knows `start` and `jump`.",
        "A pixel's position on the map is its distance from `start`, divided by the jump.",
    )

    def enlarge(row, layers, width):
        start, jump = 0, 1
        for layer in layers:
            start += ((layer.kernel_size - 1) * layer.dilation / 2 - layer.padding) * jump
            jump *= layer.stride
        at = ((torch.arange(width) - start) / jump).clamp(0, len(row) - 1)
        left = at.long()
        right = (left + 1).clamp(max=len(row) - 1)
        return row[left] + (at - left) * (row[right] - row[left])

    def cases(rng: random.Random) -> Iterator[tuple]:
        yield torch.tensor([0.0, 4.0]), [Layer(2, stride=2)], 4
        yield torch.tensor([0.0, 8.0]), [Layer(2, stride=2), Layer(2, stride=2)], 8
        yield torch.tensor([0.0, 6.0, 0.0]), [Layer(3)], 5
        yield torch.tensor([0.0, 6.0]), [Layer(3, dilation=2)], 6
        yield torch.tensor([0.0, 4.0, 2.0]), [Layer(3, stride=2, padding=1)], 5
        yield torch.tensor([0.0, 4.0, 8.0]), [Layer(2, padding=1, stride=2)], 4
        yield torch.tensor([1.0, 5.0]), [Layer(2, stride=2), Layer(3, padding=1)], 4
        yield torch.tensor([2.0, 6.0]), [Layer(2, stride=2), Layer(2, stride=2, padding=1)], 5
        yield torch.tensor([7.0]), [Layer(3)], 3
        while True:
            layers = [_layer(rng) for _ in range(rng.randint(1, 4))]
            width = receptive_fields(layers)[-1].size + rng.randint(0, 30)
            units, dtype = receptive_fields(layers, width)[-1].out, rng.choice((torch.float32, torch.float64))
            yield torch.randn(units, generator=torch_generator(rng), dtype=dtype), layers, width

    @fault(
        "The drawing is displaced: after two pooling layers of stride 2 by 1.5 pixels to the left, after five by 15.5 "
        'pixels. A stack of convolutions with "same" padding is drawn in the right position.'
    )
    def displaced(row, layers, width):
        jump = 1
        for layer in layers:
            jump *= layer.stride
        at = (torch.arange(width) / jump).clamp(0, len(row) - 1)
        left = at.long()
        right = (left + 1).clamp(max=len(row) - 1)
        return row[left] + (at - left) * (row[right] - row[left])

    @misconception(
        "Your code draws the value of a unit at the first pixel of its field. The value belongs to the centre. Move it "
        "(size - 1) / 2 pixels to the right."
    )
    def first_pixel(row, layers, width):
        field = receptive_fields(layers)[-1]
        return _drawn(row, field.first, field.jump, width)

    @misconception(
        "Your code centres unit 0 in the first tile of `jump` pixels. That is right after pooling layers, but other "
        "kernels and padding move the field. Compute its centre from the layers."
    )
    def centre_of_the_tile(row, layers, width):
        jump = receptive_fields(layers)[-1].jump
        return _drawn(row, (jump - 1) / 2, jump, width)

    @misconception(
        "Your code always moves the drawing by half a jump. Kernels and padding decide where unit 0 is centred, and "
        "pixel 0 is centred on 0, not on 0.5. Compute `start` from the layers."
    )
    def half_a_jump(row, layers, width):
        jump = receptive_fields(layers)[-1].jump
        return _drawn(row, jump / 2, jump, width)

    @misconception(
        "Your code adds the start. Unit 0 is `start` pixels to the right of pixel 0, and distances are counted from "
        "there. Subtract the start from the pixel."
    )
    def other_direction(row, layers, width):
        field = receptive_fields(layers)[-1]
        return _drawn(row, -field.start, field.jump, width)

    @misconception(
        "Your code ignores the padding. Each cell of it moves unit 0 to the left. Subtract the padding times the jump "
        "before the layer."
    )
    def no_padding(row, layers, width):
        start = _start(layers, lambda la, old, new: _gaps(la) * old)
        return _drawn(row, start, receptive_fields(layers)[-1].jump, width)

    @misconception(
        "Your code counts the padding in pixels. A cell of padding is as wide as the jump of the layer's input. "
        "Multiply the padding by that jump."
    )
    def padding_in_pixels(row, layers, width):
        start = _start(layers, lambda la, old, new: _gaps(la) * old - la.padding)
        return _drawn(row, start, receptive_fields(layers)[-1].jump, width)

    @misconception(
        "Your code counts a layer's taps and padding with the jump after the layer. They are on the layer's input. Use "
        "the jump before the layer."
    )
    def jump_after_layer(row, layers, width):
        start = _start(layers, lambda la, old, new: (_gaps(la) - la.padding) * new)
        return _drawn(row, start, receptive_fields(layers)[-1].jump, width)

    @misconception(
        "Your code ignores the dilation. The outer taps of a layer are (k - 1) d cells apart, not k - 1. Multiply by d."
    )
    def no_dilation(row, layers, width):
        start = _start(layers, lambda la, old, new: ((la.kernel_size - 1) / 2 - la.padding) * old)
        return _drawn(row, start, receptive_fields(layers)[-1].jump, width)

    @misconception(
        "Your code stretches the row until its outer units are on the outer pixels. Units belong where their fields "
        "are centred. Leave them there, and repeat the outer values beyond them."
    )
    def corners(row, layers, width):
        return _drawn(row, 0, max(width - 1, 1) / max(len(row) - 1, 1), width)

    @misconception(
        "Your code gives each pixel the value of the nearest unit, which draws steps. Between two centres, values lie "
        "on a straight line. Interpolate between the two units."
    )
    def nearest(row, layers, width):
        field = receptive_fields(layers)[-1]
        at = ((torch.arange(width) - field.start) / field.jump).round().long()
        return row[at.clamp(0, len(row) - 1)]


@design
class NineCells:
    """Design: the jump, the size of the map and the field at once."""

    hints = (
        "Which strides make a jump of 8? Three layers of stride 2, for example.",
        "Which padding turns 65 cells into 33, then 17, then 9? Try 3 taps, stride 2 and padding 1.",
        "Three such layers see 15 pixels. A 3-tap layer of dilation d after them adds 16 d pixels, and 48 are missing.",
        "A single layer of dilation 3 leaves holes: its taps are 24 pixels apart, and the fields below are 15 wide.",
    )
    takes = list_of(Layer)

    def nine_cells():
        return [
            Layer(3, stride=2, padding=1),
            Layer(3, stride=2, padding=1),
            Layer(3, stride=2, padding=1),
            Layer(3, padding=1),
            Layer(3, padding=2, dilation=2),
        ]

    @wanted("a jump of 8 pixels")
    def jump(layers):
        jump = receptive_fields(layers)[-1].jump
        return jump == 8, f"{jump} pixels"

    @wanted("a map of 9 cells for 65 pixels")
    def size_of_the_map(layers):
        cells = receptive_fields(layers, 65)[-1].out
        return cells == 9, f"{cells} cells"

    @wanted("a field of exactly 63 pixels")
    def field(layers):
        size = receptive_fields(layers)[-1].size
        return size == 63, f"{size} pixels"

    @wanted("no hole in the field")
    def holes(layers):
        return FieldOf15.holes(layers)


@exercise
class PathCounts:
    """Stretch: by how many paths each pixel reaches a unit."""

    package = stacks.path_counts
    show = _show
    hints = (
        "Where do all paths meet? Start there with one path, and walk down to the pixels.",
        "Start with one path at `unit`, and go through `reversed(layers)`. `layer.taps(u)` gives the cells that unit "
        "u reads: each inherits all paths that reach u.",
        "Cells outside a layer's input are padding, so drop them. `arithmetic.receptive_fields(layers, input_size)` "
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
        "Your code fills the whole box with ones. Within the box some pixels are read by many paths, and some perhaps "
        "by none. Count the paths of each pixel."
    )
    def whole_box(layers: Sequence[Layer], unit: int, input_size: int) -> list[int]:
        first, last = receptive_fields(layers)[-1].box(unit)
        return [int(first <= pixel <= last) for pixel in range(input_size)]

    @misconception(
        "Your code says which pixels are reached, but the question is by how many paths. Add where paths meet. "
        "(`counts[cells] += 1` with a list of cells counts each cell once.)"
    )
    def yes_or_no(layers: Sequence[Layer], unit: int, input_size: int) -> list[int]:
        return [min(count, 1) for count in stacks.path_counts(layers, unit, input_size=input_size)]

    @misconception(
        "Your code ignores the dilation. The taps of a dilated layer are `dilation` cells apart. `layer.taps(u)` knows "
        "them."
    )
    def no_holes(layers: Sequence[Layer], unit: int, input_size: int) -> list[int]:
        def closed(layer: Layer) -> Layer:
            return Layer(layer.kernel_size, layer.stride, layer.padding)

        return _with_layers(layers, unit, input_size, closed)

    @misconception(
        "Your code ignores the stride. The taps of two neighbouring units are `stride` cells apart. Let unit u start "
        "at u * stride - padding."
    )
    def no_stride(layers: Sequence[Layer], unit: int, input_size: int) -> list[int]:
        def slow(layer: Layer) -> Layer:
            return Layer(layer.kernel_size, 1, layer.padding, layer.dilation)

        return _with_layers(layers, unit, input_size, slow)

    @misconception(
        "Your code ignores the padding. It moves the taps of every unit to the left. Let unit u start at u * stride - "
        "padding."
    )
    def no_padding(layers: Sequence[Layer], unit: int, input_size: int) -> list[int]:
        def bare(layer: Layer) -> Layer:
            return Layer(layer.kernel_size, layer.stride, 0, layer.dilation)

        return _with_layers(layers, unit, input_size, bare)

    @misconception(
        "Your code counts paths that run through padding of a map in between. A padded cell is a zero that belongs to "
        "no pixel. Drop it at every layer, not only at the input."
    )
    def through_padding(layers: Sequence[Layer], unit: int, input_size: int) -> list[int]:
        return _with_layers(layers, unit, input_size, lambda layer: layer)
