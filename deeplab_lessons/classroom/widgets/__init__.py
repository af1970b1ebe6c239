"""The course's widgets, a room each.

A widget is a folder: `__init__.py` (traits), index.js, style.css, words.py; shared/ holds what several use. Python
holds the state and has the last word, JavaScript draws and computes, so that the widget also lives in a saved HTML
page, with no kernel and no network (`save_html`). The two that need no torch are exported here.
"""

from deeplab_lessons.classroom.widgets.explorer import ReceptiveFieldExplorer
from deeplab_lessons.classroom.widgets.sliding import SlidingKernel

__all__ = ["ReceptiveFieldExplorer", "SlidingKernel"]
