"""Is an answer right, and if not, in what does it differ? Torch is used only where it is loaded already."""

import inspect
import math
import numbers
import operator
import re
import sys

from deeplab_lessons.classroom.exercises.words import SAY

LONGEST = 300  # characters of a value that a verdict shows


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
        if isinstance(value, tuple) and any(is_array(item) for item in value):
            return f"({', '.join(show(item) for item in value)})"
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
    """What `value` is, as the first words of a sentence: "A list", "A tensor of shape [1, 3]"."""
    if value is None:
        return "Nothing (None)"
    if is_array(value):
        return f"{'A tensor' if is_tensor(value) else 'A numpy array'} of shape {list(value.shape)}"
    name = {"str": "text (str)", "int": "whole number (int)"}.get(type(value).__name__, type(value).__name__)
    return f"{'An' if name[0] in 'aeio' else 'A'} {name}"


def difference(got: object, expected: object) -> str | None:
    """None where `got` is a right answer; otherwise what differs, in words ("" where the values say it).

    The rule for whole numbers: an int, a numpy integer or a float without a fraction is right if it is
    equal; True and False are never numbers. Tensors and arrays need shape, dtype and close values.
    """
    try:
        return _oddity(got, expected) or _difference(got, expected)
    except Exception as error:
        return SAY["no compare"].format(error=type(error).__name__)


def _oddity(got: object, expected: object) -> str | None:
    """Answers that no exercise wants, whatever is expected."""
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
    if isinstance(expected, bool):
        if type(got).__name__ not in ("bool", "bool_"):
            return SAY["want bool"].format(kind=kind(got))
        return None if bool(got) == expected else ""
    if isinstance(expected, numbers.Integral):
        return _from_whole(got, int(expected))
    if isinstance(expected, numbers.Real):
        return _from_real(got, float(expected))
    if isinstance(expected, (tuple, list)):
        return _from_sequence(got, expected)
    if is_array(expected):
        return _from_array(got, expected)
    return None if bool(got == expected) else ""


def _not_finite(got: float) -> str | None:
    if math.isnan(got):
        return SAY["nan"]
    return SAY["inf"] if math.isinf(got) else None


def _from_whole(got: object, expected: int) -> str | None:
    if type(got).__name__ in ("bool", "bool_"):
        return SAY["bool"]
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
    if type(got).__name__ in ("bool", "bool_"):
        return SAY["bool"]
    if is_array(got) and math.prod(got.shape) == 1 and not got.shape:
        got = got.item()
    if not isinstance(got, numbers.Real):
        return SAY["want float"].format(kind=kind(got))
    if got == expected or math.isclose(got, expected, rel_tol=1e-6, abs_tol=1e-9):
        return None
    return _not_finite(float(got)) or ""


def _from_sequence(got: object, expected: tuple | list) -> str | None:
    if not isinstance(got, (tuple, list)):
        want = {"expected": type(expected).__name__, "length": len(expected)}
        return SAY["want sequence"].format(kind=kind(got), **want)
    if len(got) != len(expected):
        return SAY["length"].format(got=len(got), expected=len(expected))
    for place, (mine, theirs) in enumerate(zip(got, expected, strict=True)):
        problem = difference(mine, theirs)
        if problem is not None:
            return f"{SAY['place'].format(place=place)} {problem}".strip()
    return None


def _from_array(got: object, expected) -> str | None:
    if is_tensor(got) != is_tensor(expected) or not is_array(got):
        return SAY["want array"].format(kind=kind(got), expected=kind(expected).lower())
    for what in ("shape", "dtype"):
        mine, theirs = getattr(got, what), getattr(expected, what)
        if mine != theirs:
            mine, theirs = (list(mine), list(theirs)) if what == "shape" else (mine, theirs)
            return SAY[what].format(got=mine, expected=theirs)
    import numpy as np

    if is_tensor(got):
        got, expected = got.detach().cpu().numpy(), expected.detach().cpu().numpy()
    wrong = ~np.isclose(got, expected, rtol=1e-5, atol=1e-5, equal_nan=True)
    if not wrong.any():
        return None
    if np.isfinite(expected).all() and not np.isfinite(got).all():
        return SAY["nan inside"]
    place = [int(i) for i in np.argwhere(wrong)[0]]
    largest = np.abs(got.astype(float) - expected.astype(float)).max()
    return SAY["far"].format(count=int(wrong.sum()), all=wrong.size, place=place, largest=f"{largest:.3g}")
