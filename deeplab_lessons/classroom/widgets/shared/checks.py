"""Checks that several widgets share: each returns the value as the widget keeps it, or says what was expected."""

import operator
from collections.abc import Iterable


def unknown(kind: str, value: object, choices: Iterable) -> str:
    """Return the message for a value that is none of the choices."""
    return f"unknown {kind} {value!r}: choose from {', '.join(map(str, choices))}"


def checked_number(name: str, value: int, most: int | None = None) -> int:
    """Return the value as an int. Raises TypeError or ValueError if it is not a whole number from 1 to `most`."""
    if isinstance(value, bool) or not hasattr(type(value), "__index__"):
        raise TypeError(f"{name} must be a whole number, got {value!r} ({type(value).__name__})")
    if value < 1 or (most is not None and value > most):
        span = "at least 1" if most is None else f"from 1 to {most}"
        raise ValueError(f"{name} must be {span}, got {value}")
    return operator.index(value)


def checked_index(name: str, value: int, count: int, what: str) -> int:
    """Return the value as an int. Raises TypeError for no whole number, IndexError outside 0 … count - 1.

    `what` is counted: "rows of the map".
    """
    try:
        value = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be a whole number, got {value!r}") from None
    if not 0 <= value < count:
        raise IndexError(f"{name} must be from 0 to {count - 1}, the {what}, got {value}")
    return value


def checked_position(name: str, value: Iterable[int], shape: Iterable[int], whole: str) -> list[int]:
    """Return [row, column] as ints. Raises TypeError for anything else, IndexError outside `shape` (rows, columns).

    `whole` is what has the rows and columns: "map".
    """
    try:
        row, column = map(operator.index, value)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be [row, column], two whole numbers, got {value!r}") from None
    return [
        checked_index(f"{name} {axis}", place, count, f"{axis}s of the {whole}")
        for axis, place, count in zip(("row", "column"), (row, column), shape, strict=True)
    ]
