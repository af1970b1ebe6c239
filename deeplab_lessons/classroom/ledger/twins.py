"""What the small twins measured: read from `lessons/results/`, one number for each seed."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from deeplab_lessons.classroom.ledger.reading import LESSONS

#: Lists of runs by name; a results file has one or several of them.
_GROUPS = ("runs", "results", "heads", "losses", "budgets")


@cache
def _runs(path: Path) -> dict[str, list[dict]]:
    """All runs of a results file by their names, each name with one entry for each seed."""
    found = {}
    stored = json.loads(path.read_text(encoding="utf-8"))
    for group in _GROUPS:
        for name, runs in stored.get(group, {}).items():
            if isinstance(runs, list):
                found.setdefault(name, runs)
    return found


def runs(lesson: str, name: str) -> list[dict]:
    """The runs called `name` in the results of `lesson` ("10"). Raises KeyError listing the names there are."""
    found = _runs(LESSONS / "results" / f"lesson{lesson}.json")
    if name not in found:
        raise KeyError(f"lesson{lesson}.json has no runs called {name!r}; there are: {', '.join(found)}")
    return found[name]


@dataclass(frozen=True)
class Twin:
    """mIoU in per cent of the runs called `name`, for each seed; called without arguments it reads them.

    `at`: the way of testing, where a run was tested in several. `band`: within so many pixels of a boundary.
    """

    lesson: str
    name: str
    at: str = ""
    band: int | None = None

    def __call__(self) -> list[float]:
        """One number for each seed."""
        told = [run["at"][self.at] if self.at else run for run in runs(self.lesson, self.name)]
        return [run["trimap"][str(self.band)] if self.band else run["mean_iou"] for run in told]

    def __str__(self) -> str:
        """Lesson and name of the runs."""
        within = f", within {self.band} px" * bool(self.band)
        return f"lesson {self.lesson}: {self.name}" + f", at {self.at}" * bool(self.at) + within


@dataclass(frozen=True)
class Gain:
    """How much `more` has over `less`, seed by seed, in points."""

    more: Twin
    less: Twin

    def __call__(self) -> list[float]:
        """One number for each seed that both have."""
        return [a - b for a, b in zip(self.more(), self.less(), strict=False)]

    def __str__(self) -> str:
        """Both twins."""
        return f"{self.more} against {self.less.name}"


def spread(values: Sequence[float]) -> str:
    """Mean and standard deviation over the seeds, as the lessons write them."""
    mean = statistics.fmean(values)
    if len(values) == 1:
        return f"{mean:.1f} (one seed)"
    return f"{mean:.1f} ± {statistics.stdev(values):.1f}"
