"""A row of pictures in a widget, with their words: what the sliders of lessons 01, 05 and 08 redraw."""

import base64
import html
from collections.abc import Sequence

import ipywidgets
import numpy as np

from deeplab_lessons.classroom.widgets.shared.pictures import data_url, side_by_side

_GAP = 8  # white pixels between two panels


class Panels(ipywidgets.HTML):
    """Pictures side by side over a caption, which is also their text for readers who can't see them.

    The picture travels inside the text, so that a stored notebook shows it before any cell is run.
    """

    png = b""

    def show(self, panels: Sequence[np.ndarray], caption: str) -> None:
        """Draw `panels`, each uint8 [H, W, 3] of one height, and say `caption`."""
        source, words = data_url(side_by_side(panels, _GAP), "png"), html.escape(caption)
        self.png = base64.b64decode(source.partition(",")[2])
        self.value = (
            f'<img src="{source}" alt="{words}" style="max-width: 100%"><div role="status">{words}</div>'
        )
