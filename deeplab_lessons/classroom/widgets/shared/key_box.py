"""`KeyBox`: a column of ipywidgets' own controls that can be used by keyboard in JupyterLab."""

from collections.abc import Sequence
from pathlib import Path

import anywidget
import ipywidgets

from deeplab_lessons.classroom.widgets.shared.page import joined


class _Keeper(anywidget.AnyWidget):
    """Nothing to be seen; its script keeps the keys that are pressed in the box around it from JupyterLab."""

    _esm = joined(Path(__file__).with_name("keeper.js"))


class KeyBox(ipywidgets.VBox):
    """A `VBox` whose keys are its own: in a bare one an arrow or a letter is a command for JupyterLab's cells."""

    def __init__(self, children: Sequence[ipywidgets.Widget]):
        super().__init__([*children, _Keeper(layout={"display": "none"})])


class StepSlider(ipywidgets.SelectionSlider):
    """A slider of chosen values. The value next to it is only to be read: ipywidgets lets one type there, in vain."""

    def __init__(self, **options):
        super().__init__(**options)
        self.add_class("dl-steps")
