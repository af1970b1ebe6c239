"""Exercises that ask for a design: any data with the wanted properties is right, and calculators tell.

    @design
    class FieldOf15:
        "Design: three layers that see 15 pixels."

        hints = ("How much does a 3-tap layer of dilation d add?",)
        takes = list_of(Layer)

        def field_of_15():
            return [Layer(3), Layer(3, dilation=2), Layer(3, dilation=4)]

        @wanted("a field of exactly 15 pixels")
        def field(layers):
            size = receptive_fields(layers)[-1].size
            return size == 15, f"{size} pixels"

A design is data: numbers, text, lists, tuples, dicts, `Layer`s. `takes(design)` returns None, or a sentence that says
what is expected. A property returns whether the design has it, and in words what the design has. The class's own
function of the exercise's name returns one right design in one expression, which `solution()` shows.
"""

import ast
import inspect
import numbers
import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass

from deeplab_lessons.classroom.exercises.base import Exercise, declared, put
from deeplab_lessons.classroom.exercises.cards import Card, Verdict
from deeplab_lessons.classroom.exercises.compare import show, show_error, tidy
from deeplab_lessons.classroom.exercises.surroundings import defaults, random_numbers
from deeplab_lessons.classroom.exercises.words import SAY


@dataclass(frozen=True)
class Property:
    """What a design must have: `text` says it, `measure(design)` returns whether it is so, and what there is."""

    text: str
    measure: Callable[[object], tuple[bool, str]]


@dataclass(eq=False, repr=False)
class Design(Exercise):
    """Properties that a design must have. `example()` returns one that has them all."""

    kind = "design"
    example: Callable[[], object]
    takes: Callable[[object], str | None]
    properties: tuple[Property, ...]

    def _check(self, answer: object) -> Verdict:
        with defaults(), random_numbers():
            try:
                unfit = self.takes(answer)
            except Exception as error:
                unfit = SAY["not read"].format(got=show(answer), error=show_error(error))
            if unfit:
                return self._verdict("error", unfit)
            found = [_measured(each, answer) for each in self.properties]
        rows = tuple(
            (each.text, has, SAY["met" if met else "not met"])
            for each, (met, has) in zip(self.properties, found, strict=True)
        )
        missing = sum(not met for met, _ in found)
        words = ("all met", "one missing")[missing] if missing < 2 else "some missing"
        said = SAY[words].format(missing=missing, count=len(rows))
        columns = (SAY["wanted"], SAY["yours"], SAY["result"])
        return self._verdict("wrong" if missing else "correct", said, columns=columns, rows=rows)

    def _solution(self) -> Card:
        return Card(self._say("solution"), (SAY["one design"],), code=_returned(self.example))


def _measured(wanted: Property, answer: object) -> tuple[bool, str]:
    """Whether `answer` has a property, and in words what it has; a calculator that refuses it says why."""
    try:
        met, has = wanted.measure(answer)
    except Exception as error:
        return False, SAY["no value"].format(error=show_error(error))
    return bool(met), tidy(f"1 {singular(has[2:])}" if has.startswith("1 ") else has, 200)


def singular(words: str) -> str:
    """Return words with the first of them in the singular, as after a 1: "layer" for "layers"."""
    words = re.sub(r"^vertices\b", "vertex", words)
    return re.sub(r"^(\w+?)(?:(?<=ch)es|s)\b", r"\1", words)


def _returned(function: Callable) -> str:
    """Source of the expression that a function returns in its one statement."""
    source = textwrap.dedent(inspect.getsource(function))
    (body,) = ast.parse(source).body[0].body
    return ast.get_source_segment(source, body.value).replace("\n" + " " * body.col_offset, "\n")


# ---------------------------------------------------------------- how a design is declared


def wanted(text: str) -> Callable[[Callable], Callable]:
    """Mark a function in a design's class as a property; `text` says what is wanted."""

    def mark(measure: Callable) -> Callable:
        measure.wanted = text
        return measure

    return mark


def list_of(kind: type) -> Callable[[object], str | None]:
    """Return a `takes` for a list or a tuple of `kind` with at least one item; whole numbers are `int`."""

    def is_one(item: object) -> bool:
        if kind is int:
            return isinstance(item, numbers.Integral) and not isinstance(item, bool)
        return isinstance(item, kind)

    def takes(design: object) -> str | None:
        if isinstance(design, (list, tuple)) and design and all(map(is_one, design)):
            return None
        return SAY["want list of"].format(
            kind="whole numbers" if kind is int else f"{kind.__name__}s", got=show(design)
        )

    return takes


def design(declaration: type) -> type:
    """Put the `Design` that a class declares into the class's module, under its name in snake case.

    The class holds `hints`, `takes`, a function under the exercise's name and functions marked by `wanted`. Raises
    TypeError for any other name, where one of these is missing, and where the module has that name already.
    """
    name, held = declared(declaration)
    properties = [key for key, value in held.items() if hasattr(value, "wanted")]
    measured = tuple(Property(each.wanted, each) for each in map(held.pop, properties))
    if held.keys() != {"hints", "takes", name} or not measured:
        raise TypeError(
            f"{declaration.__name__} must hold hints, takes, {name} and functions marked with @wanted, got "
            f"{', '.join([*held, *properties])}"
        )
    made = Design(held[name], held["takes"], measured, name=name, hints=held["hints"])
    return put(declaration, made)
