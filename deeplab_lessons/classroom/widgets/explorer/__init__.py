"""`ReceptiveFieldExplorer`: what the units of a stack of layers see, drawn and explored."""

import operator
from collections.abc import Iterable

import anywidget
import numpy as np
import traitlets

from deeplab_lessons import arithmetic
from deeplab_lessons.arithmetic import Field, Layer
from deeplab_lessons.classroom import stacks
from deeplab_lessons.classroom.widgets.explorer.presets import preset_table
from deeplab_lessons.classroom.widgets.explorer.words import WORDS
from deeplab_lessons.classroom.widgets.shared.checks import checked_position, unknown
from deeplab_lessons.classroom.widgets.shared.page import SavesHtml, module, style
from deeplab_lessons.classroom.widgets.shared.pictures import checked_picture, data_url, middle_square

OWN = "own"
_LARGEST = 1025
_PHOTO_PIXELS = 224
_KEYS = ("name", "kernel_size", "stride", "padding", "dilation", "ceil_mode")


class ReceptiveFieldExplorer(SavesHtml, anywidget.AnyWidget):
    """A stack of layers, an output unit, and the input pixels this unit sees.

    layers: a preset's name (see `ReceptiveFieldExplorer.presets()`), or a list of `arithmetic.Layer` or of
        dicts with the same names.
    unit: [row, column] of the output unit; the middle one if not given.
    input_size: rows and columns of the input in pixels; the preset's own, or 64, if not given.
    photograph: name of a photograph of the course, or an array [H, W, 3] of dtype uint8.

    Read and set `layers`, `unit`, `input_size` and `preset`; the picture follows, and gestures change them.
    Assign a whole new list: a change inside the old one goes unnoticed. Raises the arithmetic's errors for a
    stack that cannot exist.
    """

    _esm = module(__file__)
    _css = style(__file__)

    layers = traitlets.Any().tag(sync=True)
    unit = traitlets.Any().tag(sync=True)
    input_size = traitlets.Any().tag(sync=True)
    preset = traitlets.Unicode(OWN).tag(sync=True)
    _words = traitlets.Dict(WORDS).tag(sync=True)
    _presets = traitlets.Dict().tag(sync=True)
    _photo = traitlets.Unicode().tag(sync=True)

    def __init__(
        self,
        layers: str | Iterable[Layer | dict] = "plain",
        unit: Iterable[int] | None = None,
        input_size: int | None = None,
        photograph: str | np.ndarray | None = None,
    ):
        table = preset_table()
        preset = OWN
        if isinstance(layers, str):
            preset = _known_preset(layers, table)
            layers = table[preset]["layers"]
            input_size = table[preset]["input_size"] if input_size is None else input_size
        stack = to_layers(layers)
        size = 64 if input_size is None else input_size
        out = _check(stack, size)[-1].out
        super().__init__(
            layers=[_plain(layer) for layer in stack],
            input_size=operator.index(size),
            unit=checked_unit(out, middle_unit(out) if unit is None else unit),
            preset=preset,
            _presets={
                key: {**row, "layers": [_plain(layer) for layer in row["layers"]]}
                for key, row in table.items()
            },
            _photo=photograph_url(photograph),
        )

    @staticmethod
    def presets() -> list[str]:
        """Names that `layers=` and `preset` take."""
        return list(preset_table())

    @property
    def fields(self) -> list[Field]:
        """Fields of the input (index 0) and after each layer, from `arithmetic.receptive_fields`."""
        return arithmetic.receptive_fields(to_layers(self.layers), self.input_size)

    @property
    def receptive_field(self) -> dict:
        """What the chosen unit sees, from `deeplab_lessons.arithmetic`, in input pixels.

        size, jump, start: of the last layer, the same for rows and columns. out: rows and columns of the
        output map. box: ((first row, last row), (first column, last column)), padding included.
        """
        field = self.fields[-1]
        box = tuple(field.box(place) for place in self.unit)
        return {"size": field.size, "jump": field.jump, "start": field.start, "out": field.out, "box": box}

    @property
    def path_counts(self) -> tuple[list[int], list[int]]:
        """Paths from each row and from each column of the input to the unit; a pixel has their product."""
        stack = to_layers(self.layers)
        return tuple(stacks.path_counts(stack, place, input_size=self.input_size) for place in self.unit)

    @traitlets.validate("layers")
    def _valid_layers(self, proposal):
        stack = to_layers(proposal["value"])
        _check(stack, self.input_size)
        return [_plain(layer) for layer in stack]

    @traitlets.validate("input_size")
    def _valid_input_size(self, proposal):
        _check(to_layers(self.layers), proposal["value"])
        return operator.index(proposal["value"])

    @traitlets.validate("unit")
    def _valid_unit(self, proposal):
        return checked_unit(self.fields[-1].out, proposal["value"])

    @traitlets.validate("preset")
    def _valid_preset(self, proposal):
        return (
            proposal["value"] if proposal["value"] == OWN else _known_preset(proposal["value"], self._presets)
        )

    @traitlets.observe("preset")
    def _use_preset(self, change):
        """Take over a preset's layers and input size, and its middle unit."""
        if change["new"] == OWN or self.layers == self._presets[change["new"]]["layers"]:
            return
        chosen = self._presets[change["new"]]
        out = _check(to_layers(chosen["layers"]), chosen["input_size"])[-1].out
        with self.hold_trait_notifications():
            self.layers, self.input_size, self.unit = chosen["layers"], chosen["input_size"], middle_unit(out)

    @traitlets.observe("layers", "input_size")
    def _stay_in_step(self, change):
        """Keep the unit on the map, and the preset's name only as long as it is true."""
        last = self.fields[-1].out - 1
        self.unit = [min(place, last) for place in self.unit]
        if self.preset != OWN and self.layers != self._presets[self.preset]["layers"]:
            self.preset = OWN

    def __repr__(self) -> str:
        count = len(self.layers)
        return f"{type(self).__name__}({count} layer{'' if count == 1 else 's'}, unit {self.unit})"


def to_layers(stack: Iterable[Layer | dict]) -> list[Layer]:
    """Layers or dicts -> named `arithmetic.Layer`s; raises the arithmetic's errors for impossible ones."""
    if isinstance(stack, str):
        raise TypeError(
            f"layers must be a list of layers, got {stack!r}. For a preset, set explorer.preset = {stack!r}"
        )
    if isinstance(stack, (Layer, dict)):
        raise TypeError("layers must be a list, got a single layer: put it into [ ]")
    return [_to_layer(layer, place) for place, layer in enumerate(stack, 1)]


def _to_layer(layer: Layer | dict, place: int) -> Layer:
    if isinstance(layer, Layer):
        layer = _plain(layer)
    if not isinstance(layer, dict):
        raise TypeError(f"layer {place} must be an arithmetic.Layer or a dict, got {layer!r}")
    unknown = sorted(set(layer) - set(_KEYS))
    if unknown or "kernel_size" not in layer:
        wrong = f"unknown {', '.join(map(repr, unknown))}" if unknown else "no 'kernel_size'"
        raise ValueError(f"layer {place} has {wrong}; a layer may have {', '.join(_KEYS)}")
    return Layer(**{**layer, "name": layer.get("name") or f"layer {place}"})


def _plain(layer: Layer) -> dict:
    """A layer as a dict that JSON can carry."""
    padding = list(layer.padding) if isinstance(layer.padding, (tuple, list)) else layer.padding
    plain = {"name": layer.name, "kernel_size": layer.kernel_size, "stride": layer.stride}
    plain |= {"padding": padding, "dilation": layer.dilation}
    return plain | {"ceil_mode": True} if layer.ceil_mode else plain


def _check(stack: list[Layer], input_size: int) -> list[Field]:
    fields = arithmetic.receptive_fields(stack, input_size)
    if input_size > _LARGEST:
        raise ValueError(
            f"input_size must be at most {_LARGEST} here, got {input_size}: it has to fit on the screen"
        )
    return fields


def checked_unit(out: int, unit: Iterable[int]) -> list[int]:
    """Return [row, column] of a unit as ints. Raises TypeError or IndexError if an output `out` units wide lacks it."""
    return checked_position("unit", unit, (out, out), "output")


def middle_unit(out: int) -> list[int]:
    """Return [row, column] of the middle unit of `out` rows and columns, the first of two middle ones."""
    return [(out - 1) // 2] * 2


def _known_preset(name: str, table: dict) -> str:
    if name not in table:
        raise ValueError(unknown("preset", name, table))
    return name


def photograph_url(photograph: str | np.ndarray | None) -> str:
    """Return the middle square of a photograph, named or uint8 [H, W, 3], as a small JPEG in a data URL."""
    if photograph is None or isinstance(photograph, str):
        from deeplab_lessons.classroom import built_in  # brings torch, which the arithmetic does without

        photograph = built_in.photograph(photograph or "chelsea")
    square = middle_square(checked_picture("photograph", photograph), _PHOTO_PIXELS)
    return data_url(square, "jpeg", quality=80)
