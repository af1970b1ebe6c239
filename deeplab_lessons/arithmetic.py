"""The arithmetic of convolution and pooling layers along one axis, in whole numbers.

Cells are counted from 0, and the centre of cell 0 is position 0. A picture has two axes: ask once for its rows
and once for its columns. Pooling follows the same rules as convolution. Nothing here needs torch.
"""

import operator
from collections.abc import Iterable
from dataclasses import dataclass, replace

_MINIMUM = {
    "kernel_size": (1, "a kernel needs at least one tap"),
    "dilation": (1, "a convolution without holes has dilation 1 (its taps are neighbours), not 0"),
    "stride": (1, "with stride 0 the kernel would never move on"),
    "padding": (0, "padding adds cells; to cut cells off, crop the input instead"),
    "input_size": (1, "an input needs at least one cell"),
}


def _check_number(name: str, value: int, where: str = "") -> int:
    minimum, why = _MINIMUM[name]
    if isinstance(value, (tuple, list)):
        raise TypeError(f"{where}{name} must be one whole number, got {value!r}: pass one axis at a time")
    if isinstance(value, bool) or not hasattr(type(value), "__index__"):
        raise TypeError(f"{where}{name} must be a whole number, got {value!r} ({type(value).__name__})")
    value = operator.index(value)
    if value < minimum:
        raise ValueError(f"{where}{name} must be at least {minimum}, got {value}: {why}")
    return value


def effective_kernel_size(kernel_size: int, dilation: int = 1) -> int:
    """Return the cells that a dilated kernel covers from its first tap to its last: `k + (k - 1)(d - 1)`.

    Source: DeepLab v2, section 3.1. Raises ValueError for `kernel_size` or `dilation` below 1.
    """
    k, d = _check_number("kernel_size", kernel_size), _check_number("dilation", dilation)
    return k + (k - 1) * (d - 1)


def same_padding(kernel_size: int, dilation: int = 1) -> int:
    """Return the padding on each side that keeps the size at stride 1: `(k - 1) d / 2` cells.

    Raises ValueError where the kernel covers an even number of cells, because the two sides then differ.
    """
    before, after = Layer(kernel_size, padding="same", dilation=dilation).sides
    if before != after:
        raise ValueError(
            f"a kernel covering {before + after + 1} cells (kernel_size {kernel_size}, dilation {dilation}) has no "
            f"equal padding that keeps the size: it needs {before} before and {after} after. A Layer takes "
            'padding="same" or a pair (before, after).'
        )
    return before


def output_size(
    input_size: int,
    kernel_size: int,
    stride: int = 1,
    padding: int | tuple[int, int] = 0,
    dilation: int = 1,
    ceil_mode: bool = False,
) -> int:
    """Return the number of positions at which the kernel fits: `floor((in - k - (k - 1)(d - 1) + 2p) / s) + 1`.

    `padding` is one number or a pair (before, after). With `ceil_mode` the division rounds up, as Caffe's pooling
    does: the last window may hang over the end, not start beyond it. Raises ValueError where the kernel fits nowhere.
    """
    return Layer(kernel_size, stride, padding, dilation, ceil_mode).output_size(input_size)


@dataclass(frozen=True)
class Layer:
    """One convolution or pooling layer along one axis.

    `padding` counts cells on each side; it may be a pair (before, after), or "same" at stride 1. Raises TypeError
    or ValueError, with the layer's name, for a layer that cannot exist.
    """

    kernel_size: int
    stride: int = 1
    padding: int | tuple[int, int] | str = 0
    dilation: int = 1
    ceil_mode: bool = False
    name: str = ""

    def __post_init__(self):
        for name in ("kernel_size", "stride", "dilation"):
            object.__setattr__(self, name, _check_number(name, getattr(self, name), self._where))
        if isinstance(self.padding, str) and self.padding != "same":
            raise ValueError(f'{self._where}padding must be a number, a pair or "same", got {self.padding!r}')
        if self.padding == "same" and self.stride != 1:
            why = f"keeps the size at stride 1 only, got stride {self.stride}: pass the padding as a number"
            raise ValueError(f'{self._where}padding "same" {why}')
        for side in self.sides:
            _check_number("padding", side, self._where)

    @property
    def _where(self) -> str:
        return f"layer {self.name!r}: " if self.name else ""

    @property
    def covers(self) -> int:
        """Effective kernel size, in cells of the layer's input."""
        return effective_kernel_size(self.kernel_size, self.dilation)

    @property
    def sides(self) -> tuple[int, int]:
        """Padding (before, after), in cells of the layer's input; an odd cell of "same" goes after, as in PyTorch."""
        if isinstance(self.padding, str):
            return (self.covers - 1) // 2, self.covers // 2
        if not isinstance(self.padding, (tuple, list)):
            return self.padding, self.padding
        if len(self.padding) != 2:
            raise ValueError(f"{self._where}a padding pair is (before, after), got {self.padding!r}")
        return self.padding[0], self.padding[1]

    def output_size(self, input_size: int) -> int:
        """Return the units this layer makes from `input_size` cells; ValueError where its kernel fits nowhere."""
        cells, (before, after) = _check_number("input_size", input_size, self._where), self.sides
        room = cells + before + after - self.covers
        out = (-(-room // self.stride) if self.ceil_mode else room // self.stride) + 1
        if out < 1:
            raise ValueError(
                f"{self._where}the kernel covers {self.covers} cells (kernel_size {self.kernel_size}, dilation "
                f"{self.dilation}), but there are only {cells + before + after} (input {cells} + padding {before} + "
                f"{after}), so the output size would be below 1. Pass a larger input or more padding."
            )
        starts_beyond = self.ceil_mode and (out - 1) * self.stride >= cells + before
        return out - 1 if starts_beyond else out

    def taps(self, unit: int) -> range:
        """Return the input cells under the taps of unit `unit`; those outside the input lie in the padding."""
        first = unit * self.stride - self.sides[0]
        return range(first, first + self.covers, self.dilation)


@dataclass(frozen=True)
class Field:
    """What the units after a layer see of the input, in input pixels.

    `size`: width of a unit's receptive field. `jump`: distance between the fields of neighbouring units. `first`:
    leftmost pixel of unit 0's field, negative in the padding. `out`: number of units, None without an input size.
    """

    size: int = 1
    jump: int = 1
    first: int = 0
    out: int | None = None
    name: str = "input"

    @property
    def start(self) -> float:
        """Centre of unit 0's field; 0.0 is the centre of pixel 0."""
        return self.first + (self.size - 1) / 2

    def box(self, unit: int) -> tuple[int, int]:
        """Return the first and last pixel that unit `unit` sees; they may lie in the padding."""
        first = self.first + unit * self.jump
        return first, first + self.size - 1


def extend(field: Field, layer: Layer) -> Field:
    """Return the field after `layer`, given the field before it: one step of the recursion.

    `RF' = RF + (k - 1) d jump` and `jump' = jump s`. The old jump counts, not the new one: the taps step
    over the layer's input. Source: DeepLab v1, section 3.1, for the use; the recursion is folklore.
    """
    return Field(
        size=field.size + (layer.kernel_size - 1) * layer.dilation * field.jump,
        jump=field.jump * layer.stride,
        first=field.first - layer.sides[0] * field.jump,
        out=None if field.out is None else layer.output_size(field.out),
        name=layer.name,
    )


def receptive_fields(layers: Iterable[Layer], input_size: int | None = None) -> list[Field]:
    """Return the fields of the input (index 0: size 1, jump 1) and after each of `layers`, in order.

    With `input_size` in pixels the number of units too. Raises ValueError naming the layer whose kernel fits
    nowhere; unnamed layers are called "layer 1", "layer 2", …
    """
    fields = [Field(out=None if input_size is None else _check_number("input_size", input_size))]
    for number, layer in enumerate(layers, 1):
        if not isinstance(layer, Layer):
            kind = type(layer).__name__
            raise TypeError(f"layer {number} must be an arithmetic.Layer, got {layer!r} ({kind})")
        fields.append(extend(fields[-1], replace(layer, name=layer.name or f"layer {number}")))
    return fields
