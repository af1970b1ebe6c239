"""A check that every package shares."""

from collections.abc import Iterable


def check_choice(kind: str, value: object, choices: Iterable) -> None:
    """Raise ValueError, with the choices, unless `value` is one of them."""
    choices = list(choices)
    if value not in choices:
        raise ValueError(f"unknown {kind} {value!r}: choose from {', '.join(map(str, choices))}")
