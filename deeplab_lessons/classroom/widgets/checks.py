"""Checks that several widgets share."""

import operator


def checked_index(name: str, value: int, count: int, there: str) -> int:
    """The value as an int in 0 … count - 1, or what there is."""
    try:
        value = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be a whole number, got {value!r}") from None
    if not 0 <= value < count:
        raise IndexError(f"{name} {value} asked for, but {there} 0 to {count - 1}")
    return value
