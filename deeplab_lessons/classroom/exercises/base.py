"""What all exercises have in common: a name, a lesson, hints, and a solution that an instructor can switch off."""

import os
import sys
from dataclasses import dataclass, field
from typing import ClassVar

from deeplab_lessons.classroom import progress
from deeplab_lessons.classroom.exercises.cards import BORDERS, Card, Verdict
from deeplab_lessons.classroom.exercises.words import SAY
from deeplab_lessons.classroom.progress import snake_case


@dataclass(kw_only=True, eq=False, repr=False)
class Exercise:
    """One exercise of any kind: `.check(answer)`, `.hint()` and `.solution()`.

    `lesson` is the module that declares it, such as "lesson03". `kind` is "write", "repair", "design" or "order".
    A kind of its own answers `_check(answer)` with a verdict and `_solution()` with a card.
    """

    kind: ClassVar[str]
    name: str = ""
    lesson: str = field(default="", init=False)
    hints: tuple[str, ...] = ()
    _shown: int = field(default=0, init=False)

    def __repr__(self) -> str:
        return f"<exercise {self.name} ({self.kind}): .check(your_answer), .hint(), .solution()>"

    def check(self, answer: object = ...) -> Verdict:
        """Say how `answer` does, and remember a right one. Raises nothing for what the learner wrote."""
        if answer is Ellipsis:
            return self._verdict("not attempted", self._say(f"no {self.kind}"))
        verdict = self._check(answer)
        if verdict.state == "correct":
            progress.exercise_done(self.lesson, self.name)
        return verdict

    def hint(self) -> Card:
        """Show the next hint; the last one is repeated."""
        if not self.hints:
            return Card(self._say("solution"), (SAY["no hints"],))
        self._shown = min(self._shown + 1, len(self.hints))
        more = SAY["more hints"]
        if self._shown == len(self.hints):
            more = SAY["last hint" if _solutions_are_shown() else "last hint of all"]
        title = self._say("hint", number=self._shown, count=len(self.hints))
        return Card(title, (self.hints[self._shown - 1], more))

    def solution(self) -> Card:
        """Show one right answer, unless the instructor has switched solutions off."""
        if _solutions_are_shown():
            return self._solution()
        return Card(self._say("solution"), (SAY["solutions off"],))

    def _check(self, answer: object) -> Verdict:
        raise NotImplementedError

    def _solution(self) -> Card:
        raise NotImplementedError

    def _say(self, words: str, **blanks) -> str:
        return SAY[words].format(name=self.name, **blanks)

    def _verdict(self, state: str, *sentences: str, **more) -> Verdict:
        said = tuple(sentence for sentence in sentences if sentence)
        return Verdict(self._say(state), said, border=BORDERS[state], state=state, **more)


def _solutions_are_shown() -> bool:
    return os.environ.get("DEEPLAB_LESSONS_SOLUTIONS", "").strip().lower() != "off"


# ---------------------------------------------------------------- how an exercise is declared


def declared(declaration: type) -> tuple[str, dict]:
    """Return the name in snake case that a class gives its exercise, and what the class holds, in its order.

    Names that begin with an underscore are the class's own business.
    """
    held = {key: value for key, value in vars(declaration).items() if not key.startswith("_")}
    return snake_case(declaration.__name__), held


def put(declaration: type, made: Exercise) -> type:
    """Put the exercise that a class declares next to it, and return the class.

    Raises TypeError where the module has the exercise's name already.
    """
    module = vars(sys.modules[declaration.__module__])
    there = module.get(made.name)  # an Exercise when the module is reloaded
    if not isinstance(there, Exercise | None):
        raise TypeError(
            f"{made.name} must be a free name in its module, got {there!r}: rename one of the two"
        )
    made.lesson = declaration.__module__.rpartition(".")[2]
    module[made.name] = made
    return declaration
