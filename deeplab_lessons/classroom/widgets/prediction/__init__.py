"""`PredictionForm`: a question with its form, and the answer once the reader has committed theirs."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import anywidget
import ipywidgets
import traitlets

from deeplab_lessons.classroom.widgets.prediction.words import WORDS
from deeplab_lessons.classroom.widgets.shared.checks import unknown
from deeplab_lessons.classroom.widgets.shared.page import SavesHtml, compact, module

KINDS = ("number", "choice", "order")


class PredictionForm(SavesHtml, anywidget.AnyWidget):
    """One question that the reader answers by a number, one of the options, or the options in order.

    `committed` is the reader's answer, None until there is one; the first one stays. `slips` are pairs of a wrong
    answer and its sentence. Raises ValueError for a computed answer that the form cannot give,
    and TraitError for a committed one.
    """

    _esm = module(__file__)
    _css = compact(Path(__file__).with_name("style.css").read_text(encoding="utf-8"))

    question = traitlets.Unicode().tag(sync=True)
    kind = traitlets.Unicode("number").tag(sync=True)
    options = traitlets.List(traitlets.Unicode()).tag(sync=True)
    unit = traitlets.Unicode().tag(sync=True)
    answer = traitlets.Any().tag(sync=True)
    tolerance = traitlets.Float(0).tag(sync=True)
    slips = traitlets.List().tag(sync=True)
    committed = traitlets.Any(None, allow_none=True).tag(sync=True)
    _words = traitlets.Dict(WORDS).tag(sync=True)

    def __init__(
        self,
        question: str,
        kind: str,
        answer: float | str | Sequence[str],
        options: Sequence[str] = (),
        unit: str = "",
        tolerance: float = 0,
        slips: Sequence[tuple] = (),
    ):
        if kind not in KINDS:
            raise ValueError(unknown("kind of prediction", kind, KINDS))
        slips = [[_listed(wrong), sentence] for wrong, sentence in slips]
        super().__init__(
            question=question, kind=kind, answer=_listed(answer), options=list(options), unit=unit,
            tolerance=tolerance, slips=slips, layout=_layout(),
        )  # fmt: skip
        if not self.can_give(self.answer):
            raise ValueError(
                f"the answer must be one that the form can give, got {answer!r} for {question!r}"
            )

    @traitlets.validate("committed")
    def _once(self, proposal):
        if self.committed is not None:
            return self.committed
        if not self.can_give(proposal["value"]):
            raise traitlets.TraitError(f"the form cannot give the answer {proposal['value']!r}")
        return proposal["value"]

    def can_give(self, answer: object) -> bool:
        """Whether the reader could commit this answer with the form as it is."""
        if self.kind == "number":
            return isinstance(answer, int | float) and not isinstance(answer, bool)
        if self.kind == "choice":
            return answer in self.options
        return isinstance(answer, list) and sorted(map(str, answer)) == sorted(self.options)

    def __repr__(self) -> str:
        options = [f"- {option}" for option in self.options]
        unit = f" [{self.unit}]" if self.unit else ""
        return "\n".join([f"{WORDS['predict']} {self.question}{unit}", *options])


@cache
def _layout() -> ipywidgets.Layout:
    """One layout for all predictions of a notebook, which would store an empty one for each."""
    return ipywidgets.Layout()


def _listed(answer):
    return list(answer) if isinstance(answer, tuple) else answer
