"""`ValidTapsExplorer`: dilation against map size, and at how many cells how many of nine taps are on the map."""

import math

import anywidget
import traitlets

from deeplab_lessons.classroom import stacks
from deeplab_lessons.classroom.drawing.cascade import TAP_COLOURS
from deeplab_lessons.classroom.widgets.shared.checks import checked_number, checked_position
from deeplab_lessons.classroom.widgets.shared.page import SavesHtml, module, style
from deeplab_lessons.classroom.widgets.valid_taps.words import WORDS

LARGEST = 129  # cells per side, and the largest dilation


class ValidTapsExplorer(SavesHtml, anywidget.AnyWidget):
    """A square map coloured by how many taps of a dilated 3 x 3 kernel fall on it, and the fractions of its cells.

    Traits to read and set: `dilation` and `map_size` (cells per side), whole numbers from 1 to 129, and `cell` [row,
    column], counted from 0, the middle if not given. Properties say what comes of them: `shares` {taps: fraction},
    `valid_taps` of the cell, `sentence`. Raises TypeError, ValueError or IndexError for what cannot be.
    Source: DeepLab v3, section 3.3 and figure 4.
    """

    _esm = module(__file__)
    _css = style(__file__)

    dilation = traitlets.Any().tag(sync=True)
    map_size = traitlets.Any().tag(sync=True)
    cell = traitlets.Any().tag(sync=True)
    _largest = traitlets.Int(LARGEST).tag(sync=True)
    _colours = traitlets.Dict({str(taps): colour for taps, colour in TAP_COLOURS.items()}).tag(sync=True)
    _words = traitlets.Dict(WORDS).tag(sync=True)

    def __init__(self, dilation: int = 24, map_size: int = 65, cell: tuple[int, int] | None = None):
        size = checked_number("map_size", map_size, LARGEST)
        super().__init__(
            map_size=size,
            dilation=dilation,
            cell=[size // 2, size // 2] if cell is None else cell,
        )

    @property
    def shares(self) -> dict[int, float]:
        """Fraction of the map's cells by how many of the nine taps fall on it, few taps first."""
        return stacks.tap_shares(self.map_size, 3, self.dilation)

    @property
    def valid_taps(self) -> int:
        """How many of the nine taps fall on the map at the chosen cell."""
        on_axis = stacks.taps_on_map(self.map_size, 3, self.dilation)
        return on_axis[self.cell[0]] * on_axis[self.cell[1]]

    @property
    def sentence(self) -> str:
        """What the widget says of the map and of the chosen cell."""
        shares = self.shares
        kind = "said_whole" if shares[9] else "said_point" if shares[1] == 1 else "said_none"
        values = {"dilation": self.dilation, "size": self.map_size}
        values |= {"nine": percent(shares[9]), "one": percent(shares[1])}
        row, column = self.cell
        said = WORDS["said_cell"].format(row=row, column=column, taps=self.valid_taps)
        return f"{WORDS[kind].format(**values)} {said}"

    @traitlets.validate("dilation", "map_size")
    def _valid_number(self, proposal):
        name, value = proposal["trait"].name, proposal["value"]
        if name == "dilation" and value == 0:
            raise ValueError("a convolution without holes has dilation 1 (its taps are neighbours), not 0")
        return checked_number(name, value, LARGEST)

    @traitlets.validate("cell")
    def _valid_cell(self, proposal):
        return checked_position("cell", proposal["value"], (self.map_size, self.map_size), "map")

    @traitlets.observe("map_size")
    def _stay_on_the_map(self, change):
        """A cell beyond the new map moves to its last row or column."""
        if self.cell is not None:
            self.cell = [min(place, change["new"] - 1) for place in self.cell]

    def __repr__(self) -> str:
        return f"ValidTapsExplorer(dilation={self.dilation}, map_size={self.map_size}, cell={self.cell})"


def percent(share: float) -> str:
    """Return a fraction in per cent with one decimal, halves rounded up as in JavaScript."""
    return f"{math.floor(1000 * share + 0.5) / 10:.1f}"
