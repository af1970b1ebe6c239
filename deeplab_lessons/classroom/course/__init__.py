"""The course's own files, and the way from them to a learner's JupyterLab.

`delivery` copies the lessons into a learner's folder, `jupyterlab` opens a folder, `installation` says what is missing,
and `command` is `deeplab-lessons lab`. None of them needs torch, so that a broken installation can say so.
"""

import json
from pathlib import Path

from deeplab_lessons import runtime

#: Has `notebooks/`, `lessons/` and `tools/built_outputs.json`: a checkout, or the copy that the wheel brings along.
ROOT = runtime.checkout() or Path(__file__).parent
#: What a learner's folder remembers of what was delivered into it.
RECORD = "deeplab_course.json"


def stored_results(name: str) -> dict:
    """Return what a long run has measured, such as "lesson05", from `lessons/results/`.

    Each call returns a dictionary of its own. Raises ValueError for a name that no run has.
    """
    folder = ROOT / "lessons" / "results"
    if not (path := folder / f"{name}.json").is_file():
        known = ", ".join(sorted(each.stem for each in folder.glob("*.json")))
        raise ValueError(f"unknown results {name!r}: choose from {known}")
    return json.loads(path.read_text(encoding="utf-8"))
