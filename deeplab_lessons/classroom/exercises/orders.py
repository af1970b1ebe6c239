"""Exercises that ask for the order of steps: every order in which a step finds what it needs is right.

    @order
    class Tea:
        "Order: a pot of tea."

        hints = ("What must be hot before it meets the leaves?",)
        needs = {"pour": ("boil",)}
        why = {("pour", "boil"): "Cold water draws nothing out of the leaves."}

        def boil(state):
            "Bring the water to the boil."
            state["degrees"] = 100

        def pour(state):
            "Pour the water over the leaves."
            state["tea"] = state["degrees"] > 90

The steps are functions in one right order. Their docstrings are what a learner reads, under letters in a fixed shuffle;
the answer is the letters: "BDAC". Each step changes `state`, so that a test can run all orders and prove that the
result is right exactly where `needs` is respected. `start()` returns the state that the first step gets, {} unless it
is declared, and `result(state)` what counts at the end, all of the state unless it is declared.
"""

import inspect
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from string import ascii_uppercase

from deeplab_lessons.classroom.exercises.base import Exercise, declared, put
from deeplab_lessons.classroom.exercises.cards import Card, Verdict
from deeplab_lessons.classroom.exercises.compare import show
from deeplab_lessons.classroom.exercises.words import SAY

Pair = tuple[str, str]  # a step, and one that must come before it


def _everything(state: dict) -> dict:
    return state


@dataclass(eq=False, repr=False)
class Order(Exercise):
    """Steps, what each needs before it, and why. `letters` holds the steps as the learner sees them."""

    kind = "order"
    functions: tuple[Callable[[dict], None], ...]
    needs: dict[str, tuple[str, ...]]
    why: dict[Pair, str]
    start: Callable[[], dict] = dict
    result: Callable[[dict], object] = _everything
    letters: dict[str, Callable] = field(init=False)

    def __post_init__(self) -> None:
        rng, shuffled = random.Random(self.name), list(self.functions)
        while self.broken(shuffled) is None:  # the order of the alphabet is never an answer
            rng.shuffle(shuffled)
        self.letters = dict(zip(ascii_uppercase, shuffled, strict=False))

    def steps(self) -> Card:
        """Show the steps under their letters."""
        rows = tuple((letter, _text(step)) for letter, step in self.letters.items())
        return Card(self._say("steps"), (self._say("how to order", letters="".join(self.letters)),), rows)

    def broken(self, steps: "list[Callable] | tuple[Callable, ...]") -> Pair | None:
        """The first step that comes before one that it needs, and that one; None for a right order."""
        names = [step.__name__ for step in steps]
        for place, name in enumerate(names):
            for need in self.needs.get(name, ()):
                if need not in names[:place]:
                    return name, need
        return None

    def _check(self, answer: object) -> Verdict:
        letters = _letters(answer)
        if letters is None:
            return self._verdict(
                "error", self._say("want letters", all="".join(self.letters), got=show(answer))
            )
        if not letters:
            return self._verdict("not attempted", self._say("no order"))
        if sorted(letters) != sorted(self.letters):
            missing = [letter for letter in self.letters if letter not in letters]
            twice = sorted({letter for letter in letters if letters.count(letter) > 1})
            other = sorted(set(letters) - set(self.letters))
            said = [
                SAY[words].format(letters=", ".join(found))
                for words, found in (("missing", missing), ("twice", twice), ("other", other))
                if found
            ]
            return self._verdict("error", *said)
        steps = [self.letters[letter] for letter in letters]
        pair = self.broken(steps)
        rows = tuple((letter, _text(self.letters[letter])) for letter in letters)
        if pair is None:
            return self._verdict("correct", SAY["in order"], rows=rows)
        step, need = (letters[[each.__name__ for each in steps].index(name)] for name in pair)
        return self._verdict(
            "wrong", SAY["too early"].format(step=step, need=need, why=self.why[pair]), rows=rows
        )

    def _solution(self) -> Card:
        letter = {step: letter for letter, step in self.letters.items()}
        rows = tuple((letter[step], _text(step)) for step in self.functions)
        one = "".join(label for label, _ in rows)
        return Card(self._say("solution"), (SAY["one order"],), rows, code=repr(one))


def _text(step: Callable) -> str:
    return inspect.getdoc(step)


def _letters(answer: object) -> str | None:
    """The letters of "BDAC", "b d a c", "B, D, A, C" or ["B", "D", "A", "C"]; None for anything else."""
    if isinstance(answer, (list, tuple)) and all(isinstance(each, str) for each in answer):
        answer = "".join(answer)
    if not isinstance(answer, str):
        return None
    return re.sub(r"[\s,;.>→-]", "", answer).upper()


def order(declaration: type) -> type:
    """Put the `Order` that a class declares into the class's module, under its name in snake case.

    The class holds `hints`, `needs`, `why`, perhaps `start` and `result`, and four to six steps. Raises TypeError where
    a step has no docstring, where the steps as declared do not respect `needs`, where `why` has other pairs than
    `needs`, and where the module has the name already.
    """
    name, held = declared(declaration)
    plain = {key: held.pop(key) for key in ("hints", "needs", "why", "start", "result") if key in held}
    pairs = {(step, need) for step, needed in plain.get("needs", {}).items() for need in needed}
    for fault, words in (
        (not 4 <= len(held) <= 6, f"four to six steps, got {len(held)}"),
        (not all(map(inspect.getdoc, held.values())), "a docstring for each step"),
        (
            not pairs or not {each for pair in pairs for each in pair} <= held.keys(),
            "needs that name its steps",
        ),
        (pairs != plain.get("why", {}).keys(), "a `why` for every pair in `needs`, and for no other"),
    ):
        if fault:
            raise TypeError(f"{declaration.__name__} must have {words}")
    made = Order(tuple(held.values()), name=name, **plain)
    if (pair := made.broken(made.functions)) is not None:
        raise TypeError(f"{declaration.__name__} must declare {pair[1]} before {pair[0]}")
    return put(declaration, made)
