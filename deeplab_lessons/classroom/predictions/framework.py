"""How a prediction is declared: a question above a function that computes the answer.

`@number`, `@choice` and `@order` turn the function into a `Prediction`, which a notebook shows as a form. The answer
is computed when the form is made, so that the form also works on a page without a kernel.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from deeplab_lessons.classroom import progress
from deeplab_lessons.classroom.exercises.surroundings import defaults, random_numbers
from deeplab_lessons.classroom.widgets.prediction import PredictionForm


@dataclass(frozen=True)
class Answer:
    """A computed answer, and the texts by which the next cell of the lesson shows it."""

    value: float | str | tuple[str, ...]
    shows: str | tuple[str, ...] = ()


@dataclass
class Prediction:
    """One question of a lesson. `compute()` returns the answer, or an `Answer` that also says what shows it.

    `kind` is "number", "choice" or "order". `slips` maps wrong answers to one sentence each. A number is right
    within `tolerance`. In a notebook the prediction is shown as its form, which keeps what the reader commits.
    """

    question: str
    compute: Callable[[], object]
    kind: str
    options: tuple[str, ...] = ()
    unit: str = ""
    tolerance: float = 0
    slips: Mapping = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name in the lesson: `predict.NAME`."""
        return self.compute.__name__

    @property
    def lesson(self) -> str:
        """The module that declares it, such as "lesson02"."""
        return self.compute.__module__.rpartition(".")[2]

    @cached_property
    def answer(self) -> Answer:
        """The computed answer, as a number, text or tuple of Python's own."""
        with defaults(), random_numbers():  # a lesson's own random numbers come as if nobody had predicted
            found = self.compute()
        answer = found if isinstance(found, Answer) else Answer(found)
        value = answer.value.item() if hasattr(answer.value, "item") else answer.value
        shows = answer.shows or (str(value) if self.kind == "number" else ())
        return Answer(value, (shows,) if isinstance(shows, str) else tuple(shows))

    def is_right(self, answer: object) -> bool:
        """Whether an answer of the form's kind is the computed one."""
        return self._same(answer, self.answer.value)

    @cached_property
    def form(self) -> PredictionForm:
        """The form that a notebook shows, with the answer that the reader committed before, if there is one."""
        form = PredictionForm(
            self.question, self.kind, self.answer.value, self.options, self.unit, self.tolerance,
            list(self.slips.items()),
        )  # fmt: skip
        before = progress.committed(self.lesson, self.name)
        if form.can_give(before):
            form.committed = before
        form.observe(self._committed, names="committed")
        return form

    def __repr__(self) -> str:
        return repr(self.form)

    def _repr_mimebundle_(self, **options) -> tuple[dict, dict]:
        return self.form._repr_mimebundle_(**options)

    def _committed(self, change) -> None:
        progress.prediction_committed(self.lesson, self.name, change["new"], self.is_right(change["new"]))

    def _same(self, one: object, other: object) -> bool:
        if self.kind == "number":
            return abs(one - other) <= self.tolerance + 1e-9 * abs(other)
        return list(one) == list(other)


def number(question: str, unit: str = "", tolerance: float = 0, slips: Mapping | None = None) -> Callable:
    """Declare a prediction that is answered by a number; `tolerance` is absolute."""
    return lambda compute: Prediction(question, compute, "number", (), unit, tolerance, slips or {})


def choice(question: str, options: tuple[str, ...], slips: Mapping | None = None) -> Callable:
    """Declare a prediction that is answered by one of the options."""
    return lambda compute: Prediction(question, compute, "choice", tuple(options), slips=slips or {})


def order(question: str, options: tuple[str, ...], slips: Mapping | None = None) -> Callable:
    """Declare a prediction that is answered by the options in order, first one at the top."""
    return lambda compute: Prediction(question, compute, "order", tuple(options), slips=slips or {})
