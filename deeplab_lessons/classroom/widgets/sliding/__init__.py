"""`SlidingKernel`: one kernel on one row of cells, with its four numbers."""

import operator

import anywidget
import traitlets

from deeplab_lessons import arithmetic
from deeplab_lessons.classroom.widgets.shared.checks import checked_index
from deeplab_lessons.classroom.widgets.shared.page import SavesHtml, module, style
from deeplab_lessons.classroom.widgets.sliding.words import WORDS

_NUMBERS = ("input_size", "kernel_size", "stride", "padding", "dilation")
_LARGEST = 64


class SlidingKernel(SavesHtml, anywidget.AnyWidget):
    """One kernel slides over one row of `input_size` cells; all numbers can be read, set and moved.

    `position` is the output cell that is computed now, counted from 0. Raises the arithmetic's errors for
    numbers that cannot be, and IndexError for a position that the output does not have.
    """

    _esm = module(__file__)
    _css = style(__file__)

    input_size = traitlets.Any(12).tag(sync=True)
    kernel_size = traitlets.Any(3).tag(sync=True)
    stride = traitlets.Any(1).tag(sync=True)
    padding = traitlets.Any(0).tag(sync=True)
    dilation = traitlets.Any(1).tag(sync=True)
    position = traitlets.Any(0).tag(sync=True)
    _words = traitlets.Dict(WORDS).tag(sync=True)

    def __init__(
        self,
        input_size: int = 12,
        kernel_size: int = 3,
        stride: int = 1,
        padding: int = 0,
        dilation: int = 1,
        position: int = 0,
    ):
        numbers = dict(zip(_NUMBERS, (input_size, kernel_size, stride, padding, dilation), strict=True))
        out = _output_size(**numbers)
        super().__init__(**numbers, position=_position_in(out, position))

    @property
    def output_size(self) -> int:
        """Cells of the output row, from `arithmetic.output_size`."""
        return _output_size(**{name: getattr(self, name) for name in _NUMBERS})

    @property
    def effective_kernel_size(self) -> int:
        """Cells that the kernel covers, from `arithmetic.effective_kernel_size`."""
        return arithmetic.effective_kernel_size(self.kernel_size, self.dilation)

    @property
    def taps(self) -> list[int]:
        """Input cells under the taps now; those outside 0 … input_size − 1 lie in the padding."""
        layer = arithmetic.Layer(self.kernel_size, self.stride, self.padding, self.dilation)
        return list(layer.taps(self.position))

    @traitlets.validate(*_NUMBERS)
    def _valid_number(self, proposal):
        name = proposal["trait"].name
        _output_size(**({number: getattr(self, number) for number in _NUMBERS} | {name: proposal["value"]}))
        return operator.index(proposal["value"])

    @traitlets.validate("position")
    def _valid_position(self, proposal):
        return _position_in(self.output_size, proposal["value"])

    @traitlets.observe(*_NUMBERS)
    def _stay_on_the_row(self, change):
        self.position = min(self.position, self.output_size - 1)

    def __repr__(self) -> str:
        numbers = ", ".join(f"{name}={getattr(self, name)}" for name in (*_NUMBERS, "position"))
        return f"{type(self).__name__}({numbers})"


def _output_size(input_size: int, kernel_size: int, stride: int, padding: int, dilation: int) -> int:
    if isinstance(padding, (tuple, list, str)):
        raise TypeError(f"padding must be one whole number here, got {padding!r}: cells added on each side")
    out = arithmetic.output_size(input_size, kernel_size, stride, padding, dilation)
    if input_size > _LARGEST:
        raise ValueError(
            f"input_size must be at most {_LARGEST} here, got {input_size}: it has to fit on the screen"
        )
    return out


def _position_in(out: int, position: int) -> int:
    return checked_index("position", position, out, "cells of the output")
