"""`PhasesStepper`: an image that parts into its phases, is convolved phase by phase, and is woven together again."""

import base64

import anywidget
import numpy as np
import torch
import torch.nn.functional as F
import traitlets

from deeplab_lessons.classroom import atrous, built_in
from deeplab_lessons.classroom.widgets.phases.words import WORDS
from deeplab_lessons.classroom.widgets.shared.checks import checked_number, checked_position
from deeplab_lessons.classroom.widgets.shared.page import SavesHtml, module, style
from deeplab_lessons.classroom.widgets.shared.pictures import checked_picture, middle_square

SIZE = 72  # pixels per side: every dilation has phases of one size
MOST = {"dilation": 4, "step": 4}
EDGES = [[1, 0, -1], [2, 0, -2], [1, 0, -1]]


class PhasesStepper(SavesHtml, anywidget.AnyWidget):
    """Four steps from an image to its dilated convolution with the kernel of lesson 02, by way of its phases.

    `picture` is uint8 [H, W, 3], by default the cat; its middle square is shown, with 72 pixels per side. Traits to
    read and set: `step` and `dilation`, whole numbers from 1 to 4, and `unit` [row, column] of the result, counted
    from 0. `answers` is the result, and `different` counts where it is not torch's dilated convolution. Raises
    TypeError, ValueError or IndexError for what cannot be. Source: DeepLab v2, section 3.1.
    """

    _esm = module(__file__)
    _css = style(__file__)

    dilation = traitlets.Any().tag(sync=True)
    step = traitlets.Any().tag(sync=True)
    unit = traitlets.Any().tag(sync=True)
    _size = traitlets.Int(SIZE).tag(sync=True)
    _most = traitlets.Dict(MOST).tag(sync=True)
    _kernel = traitlets.List(EDGES).tag(sync=True)
    _pixels = traitlets.Unicode().tag(sync=True)
    _words = traitlets.Dict(WORDS).tag(sync=True)

    def __init__(self, picture: np.ndarray | None = None, dilation: int = 2, step: int = 1, unit=(28, 20)):
        picture = built_in.photograph("chelsea") if picture is None else checked_picture("picture", picture)
        self.picture = middle_square(picture, SIZE)
        pixels = base64.b64encode(np.ascontiguousarray(self.picture).tobytes()).decode()
        super().__init__(_pixels=pixels, dilation=dilation, step=step, unit=unit)

    @property
    def answers(self) -> torch.Tensor:
        """The result by phases, whole numbers [72 - 2 dilation, 72 - 2 dilation]: edges of the green channel."""
        return atrous.convolve_by_phases(*self._green_and_kernel(), self.dilation)[0, 0].long()

    @property
    def different(self) -> int:
        """How many answers differ from torch's dilated convolution of the whole image."""
        dilated = F.conv2d(*self._green_and_kernel(), dilation=self.dilation)[0, 0].long()
        return int((self.answers != dilated).sum())

    def _green_and_kernel(self) -> list[torch.Tensor]:
        return [torch.tensor(x, dtype=torch.float64)[None, None] for x in (self.picture[..., 1], EDGES)]

    @traitlets.validate("dilation", "step")
    def _valid_number(self, proposal):
        name, value = proposal["trait"].name, proposal["value"]
        if name == "dilation" and value == 0:
            raise ValueError("a convolution without holes has dilation 1 (its taps are neighbours), not 0")
        return checked_number(name, value, MOST[name])

    @traitlets.validate("unit")
    def _valid_unit(self, proposal):
        outputs = SIZE - 2 * self.dilation
        return checked_position("unit", proposal["value"], (outputs, outputs), "result")

    @traitlets.observe("dilation")
    def _stay_in_the_result(self, change):
        """A unit beyond the smaller result of a larger dilation moves to its last row or column."""
        if self.unit is not None:
            self.unit = [min(place, SIZE - 2 * change["new"] - 1) for place in self.unit]

    def __repr__(self) -> str:
        return f"PhasesStepper(dilation={self.dilation}, step={self.step}, unit={self.unit})"
