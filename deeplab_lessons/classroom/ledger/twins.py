"""What the small twins of the papers' networks measured: one number for each seed."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from deeplab_lessons.classroom.ledger import snapshot


@dataclass(frozen=True)
class Twin:
    """mIoU in per cent of the runs called `name` in the results of `lesson` ("10").

    `at`: the way of testing, where a run was tested in several. `band`: within that many pixels of a boundary.
    """

    lesson: str
    name: str
    at: str = ""
    band: int | None = None

    def __call__(self) -> list[float]:
        """Return one number for each seed."""
        return snapshot.mean_ious(str(self))

    def __str__(self) -> str:
        within = f", within {self.band} px" * bool(self.band)
        return f"lesson {self.lesson}: {self.name}" + f", at {self.at}" * bool(self.at) + within


@dataclass(frozen=True)
class Gain:
    """How much `more` has over `less` in points, seed by seed."""

    more: Twin
    less: Twin

    def __call__(self) -> list[float]:
        """Return one number for each seed that both have."""
        return [a - b for a, b in zip(self.more(), self.less(), strict=False)]

    def __str__(self) -> str:
        return f"{self.more} against {self.less.name}"


def spread(values: Sequence[float]) -> str:
    """Return mean and standard deviation over the seeds, as the lessons write them."""
    mean = statistics.fmean(values)
    if len(values) == 1:
        return f"{mean:.1f} (one seed)"
    return f"{mean:.1f} ± {statistics.stdev(values):.1f}"
