"""Is an answer right, and if not, in what does it differ? PyTorch is used only where it is loaded already."""

import inspect
import math
import numbers
import operator
import re
import sys
from collections.abc import Sequence

from deeplab_lessons.classroom.exercises.words import SAY

LONGEST = 300  # characters of a value that a verdict shows
RELATIVE, ABSOLUTE = 1e-4, 1e-6  # float32 arithmetic, in whatever order, is right


def is_tensor(value: object) -> bool:
    """Whether `value` is a torch tensor; does not load torch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def is_array(value: object) -> bool:
    """Whether `value` is a tensor or a numpy array."""
    numpy = sys.modules.get("numpy")
    return is_tensor(value) or (numpy is not None and isinstance(value, numpy.ndarray))


def show(value: object) -> str:
    """Text for `value`, the same on every run: no addresses, not too long, whatever its repr does."""
    try:
        if is_array(value):
            return _show_array(value)
        if isinstance(value, (tuple, list)) and any(is_array(item) for item in value):
            inside = ", ".join(map(show, value))
            return f"[{inside}]" if isinstance(value, list) else f"({inside})"
        if hasattr(value, "dtype") and hasattr(value, "item"):
            value = value.item()  # numpy's number as Python's
        return tidy(repr(value))
    except Exception as error:
        return f"<{type(value).__name__} whose repr raises {type(error).__name__}>"


def show_error(error: BaseException) -> str:
    """Type of `error` and the first line of its message, with no addresses in it, whatever its message does."""
    try:
        lines = str(error).strip().splitlines()
    except Exception:
        lines = []
    return f"{type(error).__name__}: {tidy(lines[0])}" if lines else type(error).__name__


def tidy(text: str, longest: int = LONGEST) -> str:
    """`text` without memory addresses, cut where it grows too long."""
    text = re.sub(r" at 0x[0-9a-fA-F]+", "", text)
    return text if len(text) <= longest else text[:longest] + " …"


def _show_array(value) -> str:
    if is_tensor(value):
        value = value.detach().cpu()
    dtype = str(value.dtype).removeprefix("torch.")
    about = f"{'tensor' if is_tensor(value) else 'array'} of shape {list(value.shape)}, {dtype}"
    if math.prod(value.shape) > 64:
        return about
    rounded = [round(item, 4) if isinstance(item, float) else item for item in value.reshape(-1).tolist()]
    return f"{about}: {tidy(str(_nest(rounded, list(value.shape))))}"


def _nest(values: list, shape: list[int]) -> object:
    if not shape:
        return values[0]
    step = math.prod(shape[1:])
    return [_nest(values[i * step : (i + 1) * step], shape[1:]) for i in range(shape[0])]


def kind(value: object) -> str:
    """Return what `value` is, as a sentence names it: "a list", "a tensor of shape [1, 3]"."""
    if value is None:
        return "nothing (None)"
    if is_array(value):
        return f"{'a tensor' if is_tensor(value) else 'a numpy array'} of shape {list(value.shape)}"
    if isinstance(value, str):
        return "text (str)"
    name = "whole number (int)" if type(value) is int else type(value).__name__
    return f"{'an' if name[0] in 'aeio' else 'a'} {name}"


def difference(got: object, expected: object) -> str | None:
    """None where `got` is a right answer; otherwise what differs, in words ("" where the values say it).

    Right are the same values in other clothes: a float without a fraction for a whole number, numpy's and torch's
    numbers, an array for a list, and what differs by no more than float32 arithmetic does. True and False are never
    numbers. Where a tensor is expected only a tensor is right, and where it carries a gradient only one that does.
    """
    try:
        return _oddity(got, expected) or _difference(got, expected)
    except Exception as error:
        return SAY["no compare"].format(error=type(error).__name__)


def _oddity(got: object, expected: object) -> str | None:
    """Answers that no exercise wants, no matter which one is expected."""
    if inspect.isgenerator(got):
        return SAY["generator"]
    if inspect.iscoroutine(got):
        return SAY["coroutine"]
    if inspect.isroutine(got) and not inspect.isroutine(expected):
        return SAY["function"]
    if got is None and expected is not None:
        return SAY["one path"]
    return SAY["dots"] if got is Ellipsis else None


def _difference(got: object, expected: object) -> str | None:
    if isinstance(expected, (tuple, list)):
        return _from_sequence(got, expected)
    if isinstance(expected, dict):
        return _from_dict(got, expected)
    if is_array(expected):
        return _from_array(got, expected)
    if isinstance(expected, numbers.Real):
        return _from_number(got, expected)
    return None if bool(got == expected) else ""


def _from_number(got: object, expected: numbers.Real) -> str | None:
    if is_array(got) and not got.shape:
        return _from_number(got.item(), expected)
    if is_array(got) and math.prod(got.shape) == 1 and _from_number(got.item(), expected) is None:
        return SAY["inside"].format(kind=kind(got))
    truth = type(got).__name__ in ("bool", "bool_")
    if isinstance(expected, bool):
        return (None if bool(got) == expected else "") if truth else SAY["want bool"].format(kind=kind(got))
    if isinstance(expected, numbers.Integral):
        return SAY["bool"] if truth else _from_whole(got, int(expected))
    return SAY["want number"].format(kind=kind(got)) if truth else _from_real(got, float(expected))


def _not_finite(got: float) -> str | None:
    if math.isnan(got):
        return SAY["nan"]
    return SAY["inf"] if math.isinf(got) else None


def _from_whole(got: object, expected: int) -> str | None:
    if isinstance(got, numbers.Real) and not isinstance(got, numbers.Integral):
        problem = _not_finite(float(got))
        if problem is None and got != int(got):
            problem = SAY["fraction"]
        return problem if problem is not None or got == expected else ""
    try:
        return None if operator.index(got) == expected else ""
    except (TypeError, ValueError):
        words = "one axis" if isinstance(got, (tuple, list)) else "want int"
        return SAY[words].format(kind=kind(got))


def _from_real(got: object, expected: float) -> str | None:
    if not isinstance(got, numbers.Real):
        return SAY["want number"].format(kind=kind(got))
    if _close(got, expected):
        return None
    return _not_finite(float(got)) or _rounded([float(got)], [expected]) or ""


def _rounded(got: list[float], expected: list[float]) -> str | None:
    """What to say where `got` is `expected` rounded to two or three places, and not to fewer."""
    for places in (2, 3):
        shorter = [round(value, places - 1) for value in got]
        if got != shorter and all(
            math.isclose(mine, round(value, places), rel_tol=RELATIVE / 100)
            for mine, value in zip(got, expected, strict=True)
        ):
            return SAY["rounded"].format(places=places)
    return None


def _close(got: float, expected: float) -> bool:
    both_nan = math.isnan(got) and math.isnan(expected)
    return both_nan or math.isclose(got, expected, rel_tol=RELATIVE, abs_tol=ABSOLUTE)


def _from_sequence(got: object, expected: tuple | list) -> str | None:
    row = is_array(got) and len(got.shape) > 0
    if not row and (not isinstance(got, Sequence) or isinstance(got, (str, bytes))):
        want = {"expected": type(expected).__name__, "length": len(expected)}
        return SAY["want sequence"].format(kind=kind(got), **want)
    if len(got) != len(expected):
        return SAY["length"].format(got=len(got), expected=len(expected))
    for place, (mine, theirs) in enumerate(zip(got, expected, strict=True)):
        problem = difference(mine, theirs)
        if problem is not None:
            return f"{SAY['place'].format(place=place)} {problem}".strip()
    return None


def _from_dict(got: object, expected: dict) -> str | None:
    if not isinstance(got, dict):
        return SAY["want dict"].format(kind=kind(got), length=len(expected))
    for words, ours, theirs in (("no key", got, expected), ("strange key", expected, got)):
        other = [key for key in theirs if key not in ours]
        if other:
            return SAY[words].format(key=show(other[0]))
    for key, theirs in expected.items():
        problem = difference(got[key], theirs)
        if problem is not None:
            return f"{SAY['key'].format(key=show(key))} {problem}".strip()
    return None


def _from_array(got: object, expected) -> str | None:
    if isinstance(got, tuple) and hasattr(got, "values"):
        return SAY["pair"].format(expected=kind(expected))
    mine, theirs = _numbers(got), _numbers(expected)
    if mine is None:
        return SAY["want array"].format(kind=kind(got), expected=kind(expected))
    problem = _between(mine, theirs)
    if is_tensor(expected) and not is_tensor(got):
        if problem is None:
            return SAY["only type"].format(kind=kind(got), expected=kind(expected))
        return SAY["want array"].format(kind=kind(got), expected=kind(expected))
    if problem is None and is_tensor(expected) and expected.requires_grad and not got.requires_grad:
        return SAY["no gradient"]
    return problem


def _numbers(value: object):
    """`value` as a numpy array of numbers or truth values; None for what does not form a rectangle of them."""
    import numpy as np

    if is_tensor(value):
        value = value.detach().cpu()
        value = (value.double() if value.is_floating_point() else value).numpy()
    elif not isinstance(value, (numbers.Number, np.ndarray, list, tuple)):
        return None
    try:
        array = np.asarray(value)
    except (TypeError, ValueError, RuntimeError):
        return None
    return array if array.dtype.kind in "biufc" else None


def _between(got, expected) -> str | None:
    """What differs between two numpy arrays: shape, truth values against numbers, values."""
    import numpy as np

    if got.shape != expected.shape:
        want = {"got": list(got.shape), "expected": list(expected.shape)}
        alike = got.size == expected.size and got.squeeze().shape == expected.squeeze().shape
        right = alike and _between(got.reshape(expected.shape), expected) is None
        return SAY["only shape" if right else "shape"].format(**want)
    if (got.dtype == bool) != (expected.dtype == bool):
        return SAY["truth inside" if got.dtype == bool else "no truth inside"]
    far = ~np.isclose(got, expected, rtol=RELATIVE, atol=10 * ABSOLUTE, equal_nan=True)
    if not far.any():
        return None
    if np.isfinite(expected).all() and not np.isfinite(got).all():
        return SAY["nan inside"]
    if got.dtype.kind == "f" and (rounded := _rounded(got.ravel().tolist(), expected.ravel().tolist())):
        return rounded
    if not far.shape:
        return ""
    blanks = {"count": far.sum(), "all": far.size, "differ": "differs" if far.sum() == 1 else "differ"}
    one_nan = np.isnan(got) != np.isnan(expected)
    if one_nan.any():
        return SAY["nan on one side"].format(place=np.argwhere(one_nan)[0].tolist(), **blanks)
    largest = np.abs(got - expected.astype(got.dtype if got.dtype.kind == "c" else float))[far].max()
    return SAY["far"].format(place=np.argwhere(far)[0].tolist(), largest=f"{largest:.3g}", **blanks)
