"""Export every stored notebook to HTML with its widgets alive: no kernel, no network."""

import sys
from pathlib import Path

from deeplab_lessons.classroom.widgets.shared.export import export_html

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"

folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
for notebook in sorted(NOTEBOOKS.glob("*.ipynb")):
    page = folder / f"{notebook.stem}.html"
    export_html(notebook, page)
    print(page)
