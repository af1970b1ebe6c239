"""The course's two widgets: JavaScript draws and computes, Python holds the state and the last word.

`ReceptiveFieldExplorer` shows what the units of a stack of layers see; `SlidingKernel` shows one kernel on
one row. Both also live in a saved HTML page, with no kernel and no network (`save_html`).
"""

from deeplab_lessons.classroom.widgets.explorer import ReceptiveFieldExplorer
from deeplab_lessons.classroom.widgets.sliding import SlidingKernel

__all__ = ["ReceptiveFieldExplorer", "SlidingKernel"]
