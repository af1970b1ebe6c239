"""`ASPPExplorer`: a cell of the map, the taps of every branch on the picture, and which of them fall outside."""

from collections.abc import Iterable

import anywidget
import numpy as np
import traitlets
from PIL import Image

from deeplab_lessons import arithmetic
from deeplab_lessons.classroom import built_in, stacks
from deeplab_lessons.classroom.drawing.style import COLOURS
from deeplab_lessons.classroom.widgets.aspp.words import WORDS
from deeplab_lessons.classroom.widgets.shared.checks import (
    checked_index,
    checked_number,
    checked_position,
    unknown,
)
from deeplab_lessons.classroom.widgets.shared.page import SavesHtml, module, style
from deeplab_lessons.classroom.widgets.shared.pictures import checked_picture, data_url, middle_square
from deeplab_lessons.grid import Grid, cell_centres
from deeplab_lessons.heads import ASPP_RATES

BRANCHES, LARGEST_RATE = 4, 40
OWN = "own"
_SIDE = 321  # pixels per side of a photograph chosen by name: a map of 41 x 41 cells at output stride 8
_LARGEST = 641  # pixels per side of a picture that is passed
_VGG = {"output_stride": 8, "trunk_field": 227}  # up to pool5, pools of 3 x 3, as in v2
_RESNET = {"output_stride": 16, "trunk_field": 1283}  # v3's ResNet-101 with multi-grid (1, 2, 4)

#: Numbers of each preset. Source: DeepLab v2, section 4.1.2 and table 3; DeepLab v3, section 3.3.
PRESETS = {
    "aspp_s": {"rates": list(ASPP_RATES["S"]), **_VGG},
    "aspp_l": {"rates": list(ASPP_RATES["L"]), **_VGG},
    "large_fov": {"rates": [12], **_VGG},
    "v3": {"rates": [6, 12, 18], **_RESNET},
}
_AXES = {"row": 0, "column": 1}


class ASPPExplorer(SavesHtml, anywidget.AnyWidget):
    """A picture under the grid of its map, and the 3 x 3 taps of each branch of ASPP around one cell.

    photograph: name of a photograph of the course (its middle square, 321 pixels per side), or an array uint8
        [H, W, 3], taken as it is, at most 641 pixels per side.
    rates: dilation of each branch, one to four numbers from 1 to 40.
    output_stride: pixels from one cell of the map to the next. trunk_field: pixels per side that one tap sees;
        227 for VGG16 with pools of 3 x 3.
    cell: (row, column) of the map, counted from 0; the middle if not given. The last branch is chosen.

    Traits to read and set: `rates`, `output_stride`, `trunk_field`, `row`, `column`, `chosen` (the branch that
    the sentence is about, counted from 0), `show_field`, `show_whole`. Properties say what comes of them:
    `valid_taps`, `whole_shares`, `windows`, `fields`, `taps`, `map_size`, `sentence`; `preset` may be set as well.
    Raises TypeError, ValueError or IndexError for numbers that cannot be.
    """

    _esm = module(__file__)
    _css = style(__file__)

    rates = traitlets.Any().tag(sync=True)
    output_stride = traitlets.Any().tag(sync=True)
    trunk_field = traitlets.Any().tag(sync=True)
    row = traitlets.Any().tag(sync=True)
    column = traitlets.Any().tag(sync=True)
    chosen = traitlets.Any().tag(sync=True)
    show_field = traitlets.Bool(False).tag(sync=True)
    show_whole = traitlets.Bool(False).tag(sync=True)
    _shape = traitlets.List().tag(sync=True)
    _photo = traitlets.Unicode().tag(sync=True)
    _colours = traitlets.List(COLOURS[:BRANCHES]).tag(sync=True)
    _presets = traitlets.Dict(PRESETS).tag(sync=True)
    _words = traitlets.Dict(WORDS).tag(sync=True)

    def __init__(
        self,
        photograph: str | np.ndarray | None = None,
        rates: Iterable[int] = ASPP_RATES["L"],
        output_stride: int = 8,
        cell: tuple[int, int] | None = None,
        trunk_field: int = 227,
    ):
        self._from_browser = False
        picture, rates = _picture(photograph), _checked_rates(rates)
        sides = picture.shape[:2]
        output_stride = checked_number("output_stride", output_stride, min(sides))
        map_size = _cells(sides, output_stride)
        middle = [cells // 2 for cells in map_size]
        row, column = checked_position("cell", middle if cell is None else cell, map_size, "map")
        super().__init__(
            _shape=list(sides),
            _photo=data_url(picture, "jpeg", quality=82),
            output_stride=output_stride,
            rates=rates,
            trunk_field=trunk_field,
            row=row,
            column=column,
            chosen=len(rates) - 1,
        )

    @property
    def map_size(self) -> tuple[int, int]:
        """Rows and columns of the map: the picture's sides over the output stride, rounded up."""
        return _cells(self._shape, self.output_stride)

    @property
    def windows(self) -> list[int]:
        """Cells that each branch covers from its first tap to its last: 2 r + 1."""
        return [arithmetic.effective_kernel_size(3, rate) for rate in self.rates]

    @property
    def fields(self) -> list[int]:
        """What each branch sees of the picture, in pixels per side: field of the trunk + 2 r times the stride."""
        return [self.trunk_field + (window - 1) * self.output_stride for window in self.windows]

    @property
    def valid_taps(self) -> list[int]:
        """How many of the nine taps of each branch fall on the map at the chosen cell."""
        down, across = (
            [stacks.taps_on_map(cells, 3, rate)[place] for rate in self.rates]
            for cells, place in zip(self.map_size, (self.row, self.column), strict=True)
        )
        return [a * b for a, b in zip(down, across, strict=True)]

    @property
    def whole_shares(self) -> list[float]:
        """Fraction of all cells of the map at which all nine taps fall on it, for each branch."""
        return [stacks.tap_shares(self.map_size, 3, rate)[9] for rate in self.rates]

    @property
    def taps(self) -> list[list[tuple[int, int]]]:
        """(row, column) on the map of the nine taps of each branch; outside 0 … size - 1 they read zeros."""
        steps = (-1, 0, 1)
        return [
            [(self.row + down * rate, self.column + across * rate) for down in steps for across in steps]
            for rate in self.rates
        ]

    @property
    def position(self) -> tuple[float, float]:
        """Row and column of the cell's centre on the picture, in pixels; 0.0 is the centre of pixel 0."""
        places = zip(self._shape, self.map_size, (self.row, self.column), strict=True)
        return tuple(
            cell_centres(side, cells, Grid(self.output_stride, None))[at].item() for side, cells, at in places
        )

    @property
    def sentence(self) -> str:
        """What the widget says of the chosen branch at this cell."""
        taps = self.valid_taps[self.chosen]
        kind = {9: "said_all", 1: "said_one"}.get(taps, "said_some")
        return WORDS[kind].format(branch=self.chosen + 1, dilation=self.rates[self.chosen], taps=taps)

    @property
    def preset(self) -> str:
        """Name of the preset with these rates, this output stride and this trunk, or "own"; may be set."""
        names = [
            name for name, numbers in PRESETS.items() if all(getattr(self, n) == numbers[n] for n in numbers)
        ]
        return names[0] if names else OWN

    @preset.setter
    def preset(self, name: str) -> None:
        if name not in PRESETS:
            raise ValueError(unknown("preset", name, PRESETS))
        with self.hold_sync():
            for number, value in PRESETS[name].items():
                setattr(self, number, value)
            self.chosen = len(self.rates) - 1

    def set_state(self, sync_data: dict) -> None:
        """Take what the browser sends; it moves the cell along by itself."""
        self._from_browser = True
        try:
            super().set_state(sync_data)
        finally:
            self._from_browser = False

    @traitlets.validate("rates")
    def _valid_rates(self, proposal):
        return _checked_rates(proposal["value"])

    @traitlets.validate("output_stride", "trunk_field")
    def _valid_length(self, proposal):
        name = proposal["trait"].name
        most = min(self._shape) if name == "output_stride" else None
        return checked_number(name, proposal["value"], most)

    @traitlets.validate("row", "column")
    def _valid_place(self, proposal):
        name = proposal["trait"].name
        return checked_index(name, proposal["value"], self.map_size[_AXES[name]], f"{name}s of the map")

    @traitlets.validate("chosen")
    def _valid_branch(self, proposal):
        return checked_index("chosen", proposal["value"], len(self.rates), "branches")

    @traitlets.observe("rates")
    def _stay_among_the_branches(self, change):
        if change["old"] is not None:
            self.chosen = min(self.chosen, len(self.rates) - 1)

    @traitlets.observe("output_stride")
    def _stay_at_the_place(self, change):
        """On a coarser or finer map the cell stays where it was on the picture."""
        if self._from_browser or change["old"] is None:
            return
        for name, cells in zip(_AXES, self.map_size, strict=True):
            place = moved(getattr(self, name), change["old"], change["new"])
            setattr(self, name, min(place, cells - 1))

    def __repr__(self) -> str:
        return f"ASPPExplorer(rates={self.rates}, output_stride={self.output_stride}, cell={[self.row, self.column]})"


def _cells(sides: Iterable[int], stride: int) -> tuple[int, ...]:
    return tuple(-(-side // stride) for side in sides)


def _picture(photograph: str | np.ndarray | None) -> np.ndarray:
    if photograph is None or isinstance(photograph, str):
        return middle_square(built_in.photograph(photograph or "astronaut"), _SIDE, Image.Resampling.LANCZOS)
    return checked_picture("photograph", photograph, _LARGEST)


def _checked_rates(rates: Iterable[int]) -> list[int]:
    """One to four dilations as ints, or what was expected of them."""
    if isinstance(rates, (str, bytes)) or not isinstance(rates, Iterable):
        raise TypeError(
            f"rates must list one dilation for each branch, such as (6, 12, 18, 24), got {rates!r}"
        )
    rates = list(rates)
    if not 1 <= len(rates) <= BRANCHES:
        raise ValueError(f"rates must be of 1 to {BRANCHES} branches, got {len(rates)}: {rates}")
    if 0 in rates:
        raise ValueError("a branch without holes has dilation 1 (its taps are neighbours), not 0")
    return [
        checked_number(f"the dilation of branch {i}", rate, LARGEST_RATE) for i, rate in enumerate(rates, 1)
    ]


def moved(place: int, before: int, after: int) -> int:
    """Return the cell at output stride `after` that lies nearest to cell `place` at output stride `before`."""
    return (2 * place * before + after) // (2 * after)
