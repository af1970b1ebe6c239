"""Is a right answer the learner's own, or the package's function handed in?"""

import contextlib
import functools
import inspect
import sys
from collections.abc import Callable, Iterator
from types import CodeType

PACKAGE = "deeplab_lessons"


def hands_in(attempt: Callable, own: Callable) -> bool:
    """Whether `attempt` is `own`, a function of the package, or a function whose code names it."""
    if not own.__module__.startswith(f"{PACKAGE}."):
        return False
    while isinstance(attempt, functools.partial):
        attempt = attempt.func
    with contextlib.suppress(ValueError):  # a wrapper that wraps itself
        attempt = inspect.unwrap(attempt)
    code = getattr(attempt, "__code__", None)
    return attempt is own or (code is not None and _holds(_named(code, attempt.__globals__), own))


def _named(code: CodeType, scope: dict) -> list:
    """What the names in `code` lead to, through the package's modules too: `metrics.mean_iou`."""
    names = set(_names(code))
    found = [scope[name] for name in names if name in scope]
    found += [sys.modules[name] for name in names if name in sys.modules]  # imported inside the function
    for each in found:  # grows while we walk over it
        if inspect.ismodule(each) and each.__name__.partition(".")[0] == PACKAGE:
            found += [
                value for name, value in vars(each).items() if name in names and not _holds(found, value)
            ]
    return found


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for inner in code.co_consts:  # comprehensions and functions inside
        if isinstance(inner, CodeType):
            yield from _names(inner)


def _holds(found: list, value: object) -> bool:
    return any(each is value for each in found)
