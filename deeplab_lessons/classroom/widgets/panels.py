"""A row of pictures in a widget, with their words: what the sliders of lessons 01 and 05 redraw."""

import base64
import html
import io
from collections.abc import Sequence

import ipywidgets
import numpy as np
from PIL import Image

_GAP = 8  # white pixels between two panels


class Panels(ipywidgets.HTML):
    """Pictures side by side over a caption, which is also their text for those who can't see them.

    The picture travels inside the text, so that a stored notebook shows it before any cell is run.
    """

    png = b""

    def show(self, panels: Sequence[np.ndarray], caption: str) -> None:
        """Draw `panels`, each uint8 [H, W, 3] of one height, and say `caption`."""
        gap = np.full((len(panels[0]), _GAP, 3), 255, np.uint8)
        row = [part for panel in panels for part in (gap, panel)][1:]
        file = io.BytesIO()
        Image.fromarray(np.concatenate(row, axis=1)).save(file, "png")
        self.png, words = file.getvalue(), html.escape(caption)
        source = f"data:image/png;base64,{base64.b64encode(self.png).decode()}"
        self.value = (
            f'<img src="{source}" alt="{words}" style="max-width: 100%"><div role="status">{words}</div>'
        )
