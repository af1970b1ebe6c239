"""`EditsExplorer`: the edits that turn VGG16 into DeepLab v1, switched on and off."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import anywidget
import traitlets

from deeplab_lessons import arithmetic
from deeplab_lessons.arithmetic import Field, Layer
from deeplab_lessons.classroom import stacks
from deeplab_lessons.classroom.widgets.edits.words import WORDS
from deeplab_lessons.classroom.widgets.explorer import checked_unit, middle_unit, photograph_url
from deeplab_lessons.classroom.widgets.shared.checks import unknown
from deeplab_lessons.classroom.widgets.shared.page import SavesHtml, module, style

#: Choices for fc6: taps in a row, rate once the network has its holes, channels of fc6 and fc7.
FC6 = {"7x7": (7, 4, 4096), "4x4-rate4": (4, 4, 4096), "4x4": (4, 8, 4096), "3x3": (3, 12, 1024)}

_SWITCHES = ("keep_resolution", "dilate", "dilate_pool5", "new_classes", "pad_fc6")
_SIZES = (224, 640)
_CHANNELS = {"1": 64, "2": 128, "3": 256, "4": 512, "5": 512}


@dataclass(frozen=True)
class Patch:
    """Numbers that change in one layer where the switches are as `when` says."""

    when: Mapping[str, object]
    layer: str
    changes: Mapping[str, object]


def base_stack() -> list[dict]:
    """Return VGG16 with its fully connected layers read as convolutions, as dicts with `channels` and `pool`."""
    layers = [*stacks.vgg16(), Layer(1, name="fc7"), Layer(1, name="fc8")]
    channels = {"fc6": 4096, "fc7": 4096, "fc8": 1000}
    return [
        {
            "name": layer.name,
            "kernel_size": layer.kernel_size,
            "stride": layer.stride,
            "padding": layer.padding,
            "dilation": layer.dilation,
            "channels": channels.get(layer.name) or _CHANNELS[layer.name[4]],
            "pool": layer.name.startswith("pool"),
        }
        for layer in layers
    ]


def patches() -> list[Patch]:
    """Return what each edit changes, in order; a later patch wins. Python and JavaScript both apply this list."""
    keep, holes, holes5 = {"keep_resolution": True}, {"dilate": True}, {"dilate_pool5": True}
    listed = [Patch(keep, pool, {"stride": 1, "padding": [0, 1]}) for pool in ("pool4", "pool5")]
    listed += [Patch(holes, f"conv5_{i}", {"dilation": 2, "padding": 2}) for i in (1, 2, 3)]
    listed += [Patch(holes5, "pool5", {"dilation": 2}), Patch(holes5 | keep, "pool5", {"padding": [0, 2]})]
    for choice, (kernel_size, rate, channels) in FC6.items():
        for dilated in (False, True):
            when = {"fc6": choice, "dilate": dilated}
            dilation = rate if dilated else rate // 4
            shape = {"kernel_size": kernel_size, "dilation": dilation, "channels": channels}
            same = list(Layer(kernel_size, 1, "same", dilation).sides)
            listed += [Patch(when, "fc6", shape), Patch(when | {"pad_fc6": True}, "fc6", {"padding": same})]
        listed.append(Patch({"fc6": choice}, "fc7", {"channels": channels}))
    return [*listed, Patch({"new_classes": True}, "fc8", {"channels": 21})]


def edited(stack: list[dict], edits: list[Patch], switches: Mapping[str, object]) -> list[dict]:
    """Return the stack after those patches whose switches are set as in `switches`."""
    after = {layer["name"]: dict(layer) for layer in stack}
    for patch in edits:
        if all(switches[name] == value for name, value in patch.when.items()):
            after[patch.layer] |= patch.changes
    return list(after.values())


class EditsExplorer(SavesHtml, anywidget.AnyWidget):
    """VGG16 at full width, and the edits that make DeepLab v1 of it, one switch each.

    Switches (True or False): `keep_resolution`, `dilate`, `dilate_pool5`, `new_classes`, `pad_fc6`; and `fc6`, one
    of "7x7", "4x4-rate4", "4x4", "3x3". `input_size` is 224 to 640 pixels; `unit` is [row, column] on
    the map. Properties say what comes of it: `output_stride`, `map_size`, `field`, `parameters`,
    `multiply_adds`. Raises the arithmetic's ValueError for edits that do not fit together.
    """

    _esm = module(__file__)
    _css = style(__file__)

    keep_resolution = traitlets.Bool(False).tag(sync=True)
    dilate = traitlets.Bool(False).tag(sync=True)
    dilate_pool5 = traitlets.Bool(False).tag(sync=True)
    new_classes = traitlets.Bool(False).tag(sync=True)
    pad_fc6 = traitlets.Bool(False).tag(sync=True)
    fc6 = traitlets.Unicode("7x7").tag(sync=True)
    input_size = traitlets.Int(320).tag(sync=True)
    unit = traitlets.Any().tag(sync=True)
    _base = traitlets.List().tag(sync=True)
    _patches = traitlets.List().tag(sync=True)
    _choices = traitlets.List().tag(sync=True)
    _photo = traitlets.Unicode().tag(sync=True)
    _words = traitlets.Dict(WORDS).tag(sync=True)

    def __init__(self, input_size: int = 320, photograph: str = "chelsea", **switches):
        self._stack, self._edits = base_stack(), patches()
        if others := sorted(set(switches) - {*_SWITCHES, "fc6", "unit"}):
            raise TypeError(unknown("edit", others[0], (*_SWITCHES, "fc6")))
        unit = switches.pop("unit", None)
        super().__init__(
            input_size=input_size,
            unit=[0, 0],
            _base=self._stack,
            _patches=[asdict(patch) for patch in self._edits],
            _choices=list(FC6),
            _photo=photograph_url(photograph),
            **switches,
        )
        self.unit = middle_unit(self.map_size) if unit is None else unit

    def _layers(self, **changes) -> list[dict]:
        switches = {name: getattr(self, name) for name in (*_SWITCHES, "fc6")} | changes
        if switches["fc6"] not in FC6:
            raise ValueError(f"fc6 must be one of {', '.join(map(repr, FC6))}, got {switches['fc6']!r}")
        return edited(self._stack, self._edits, switches)

    def _fields(self, size: int | None = None, **changes) -> list[Field]:
        """Fields of the stack with these changes; every validator asks here, so all say the same."""
        size, (least, most) = self.input_size if size is None else size, _SIZES
        if not least <= size <= most:
            raise ValueError(f"input_size must be {least} to {most} pixels here, got {size}")
        return arithmetic.receptive_fields(map(_to_layer, self._layers(**changes)), size)

    @property
    def layers(self) -> list[Layer]:
        """The edited stack up to fc8, as `arithmetic.Layer`s."""
        return [_to_layer(layer) for layer in self._layers()]

    @property
    def output_stride(self) -> int:
        """Input pixels from one cell of the map to the next."""
        return self._fields()[-1].jump

    @property
    def map_size(self) -> int:
        """Units along each side of the map."""
        return self._fields()[-1].out

    @property
    def field(self) -> int:
        """Receptive field of a unit, in input pixels along each side."""
        return self._fields()[-1].size

    @property
    def parameters(self) -> int:
        """Weights and biases of all convolutions."""
        return sum(weights + outs for weights, outs, _ in self._convolutions())

    @property
    def multiply_adds(self) -> int:
        """Multiplications in all convolutions for one picture."""
        return sum(weights * side**2 for weights, _, side in self._convolutions())

    def _convolutions(self):
        """(weights, output channels, side of the map) of each convolution."""
        channels = 3
        for layer, field in zip(self._layers(), self._fields()[1:], strict=True):
            if not layer["pool"]:
                yield layer["kernel_size"] ** 2 * channels * layer["channels"], layer["channels"], field.out
            channels = layer["channels"]

    @traitlets.validate(*_SWITCHES, "fc6")
    def _valid_switch(self, proposal):
        self._fields(**{proposal["trait"].name: proposal["value"]})
        return proposal["value"]

    @traitlets.validate("input_size")
    def _valid_input_size(self, proposal):
        self._fields(proposal["value"])
        return proposal["value"]

    @traitlets.validate("unit")
    def _valid_unit(self, proposal):
        return checked_unit(self.map_size, proposal["value"])

    @traitlets.observe(*_SWITCHES, "fc6", "input_size")
    def _stay_on_the_map(self, change):
        """A smaller map keeps the unit on it."""
        last = self.map_size - 1
        if self.unit:
            self.unit = [min(place, last) for place in self.unit]

    def __repr__(self) -> str:
        on = [name for name in _SWITCHES if getattr(self, name)]
        return f"{type(self).__name__}({', '.join([f'fc6={self.fc6!r}', *on])}; {self.input_size} px)"


def _to_layer(layer: Mapping) -> Layer:
    numbers = {key: layer[key] for key in ("name", "kernel_size", "stride", "dilation")}
    padding = layer["padding"]
    return Layer(**numbers, padding=tuple(padding) if isinstance(padding, list) else padding)
