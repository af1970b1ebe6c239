"""Answers as text: JSON that only data can be made of, so that reading it runs nothing.

Numbers, text, truth values and None stand for themselves. Everything else is a dict with one entry, the kind:
`{"tuple": [1, 2]}`. What has no kind of its own (a generator, a function, an object of some class) is sent as the
name of its class.
"""

import base64
import itertools
import math
import numbers
from collections.abc import Callable
from dataclasses import astuple
from fractions import Fraction

import numpy as np
import torch

from deeplab_lessons.arithmetic import Layer

LONGEST = 4_000_000  # characters of one answer
MOST_PARTS = 100_000
DEEPEST = 12  # lists in lists
BITS = 4_000  # of a whole number
_DTYPES = {str(kind): kind for kind in vars(torch).values() if isinstance(kind, torch.dtype)}


class TooLarge(ValueError):
    """An answer of more than `LONGEST` characters, or lists nested too deeply."""


class Other:
    """Something that is not data: all that is known of it is a name, which becomes that of its class."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


def other(name: str) -> Other:
    """Return something that is only known by `name`."""
    return type(name[:200], (Other,), {})()


def encode(value: object) -> object:
    """Return `value` in kinds that JSON knows. Raises TooLarge."""
    return _encode(value, [LONGEST], DEEPEST)


def _encode(value: object, left: list[int], depth: int) -> object:
    """Encode one part; `left` holds the characters that all parts together may still have."""
    left[0] -= LONGEST // MOST_PARTS
    if depth < 0 or left[0] < 0:
        raise TooLarge("an answer of too many parts")
    if value is None or type(value) in (bool, float):
        return value
    if value is Ellipsis:
        return {"dots": None}
    for kind, name, parts in _KINDS:
        if isinstance(value, kind):
            found = parts(value)
            if name in _WITH_PARTS:
                if len(found) > MOST_PARTS:
                    raise TooLarge("an answer of too many parts")
                found = [_encode(part, left, depth - 1) for part in found]
            left[0] -= sum(len(text) for text in (found if name else [found]) if isinstance(text, str))
            return {name: found} if name else found
    return {"other": type(value).__name__}


def _text(value: str) -> str:
    if len(value) > LONGEST // 6:
        raise TooLarge("text that is too long")
    return str(value)


def _whole(value: int) -> int:
    if value.bit_length() > BITS:
        raise TooLarge(f"a number of more than {BITS} bits")
    return int(value)


def _bytes(array: np.ndarray) -> str:
    if array.nbytes > LONGEST * 3 // 4:
        raise TooLarge(f"an array of {array.nbytes:,} bytes")
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def _array(value: np.ndarray | np.generic) -> list:
    if value.dtype.kind not in "biufcU":
        return ["", list(value.shape), ""]
    return [value.dtype.str, list(value.shape), _bytes(np.asarray(value))]


def _tensor(value: torch.Tensor) -> list:
    plain = value.detach()
    if plain.numel() * plain.element_size() > LONGEST * 3 // 4:
        raise TooLarge(f"a tensor of {plain.numel() * plain.element_size():,} bytes")
    dense = torch.empty(plain.numel(), dtype=plain.dtype).copy_(
        plain.reshape(-1)
    )  # whatever the strides were
    cells = dense.view(torch.uint8).numpy()
    return [str(plain.dtype), list(plain.shape), _bytes(cells), bool(value.requires_grad)]


# kind, its name in the text, and the parts it is made of; the first that fits is taken
_KINDS: tuple[tuple[type | tuple[type, ...], str, Callable], ...] = (
    (np.generic, "number", _array),
    (np.ndarray, "array", _array),
    (torch.Tensor, "tensor", _tensor),
    (str, "", _text),
    (bool, "", bool),
    (int, "", _whole),
    (float, "", float),
    (complex, "complex", lambda value: [value.real, value.imag]),
    (Fraction, "fraction", lambda value: [_whole(value.numerator), _whole(value.denominator)]),
    (Layer, "layer", astuple),
    (range, "range", lambda value: [_whole(end) for end in (value.start, value.stop, value.step)]),
    (list, "list", list),
    (tuple, "tuple", tuple),
    ((set, frozenset), "set", list),
    (dict, "dict", lambda value: [*itertools.chain.from_iterable(value.items())]),
)
_WITH_PARTS = ("layer", "list", "tuple", "set", "dict")


def decode(data: object, depth: int = DEEPEST) -> object:
    """Return the value that `encode` made `data` of. Raises ValueError for anything that it can't have made."""
    if data is None or isinstance(data, bool | numbers.Number | str):
        return data
    try:
        if depth < 0 or not isinstance(data, dict):
            raise ValueError(f"expected an entry, got {type(data).__name__}")
        ((name, parts),) = data.items()
        if name in _WITH_PARTS:
            parts = [decode(part, depth - 1) for part in parts]
        return _READERS[name](parts)
    except Exception as error:
        raise ValueError(f"no answer in this form: {type(error).__name__}") from None


def _read_array(parts: list) -> object:
    dtype, shape, text = parts
    if not dtype:
        return other("array of objects")
    kind = np.dtype(str(dtype))
    if kind.kind not in "biufcU":
        raise ValueError(f"an array of {kind}")
    return np.frombuffer(bytearray(base64.b64decode(text)), kind).reshape(_shape(shape))


def _read_number(parts: list) -> object:
    found = _read_array(parts)
    return found if isinstance(found, Other) else found.reshape(())[()]


def _read_tensor(parts: list) -> torch.Tensor:
    dtype, shape, text, gradient = parts
    plain = torch.empty(_shape(shape), dtype=_DTYPES[dtype])
    if plain.numel():
        cells = torch.frombuffer(bytearray(base64.b64decode(text)), dtype=torch.uint8)
        plain = cells.view(plain.dtype).reshape(plain.shape)
    return plain.requires_grad_(bool(gradient))


def _shape(parts: list) -> list[int]:
    shape = [int(side) for side in parts]
    if len(shape) > 32 or any(side < 0 for side in shape) or math.prod(shape) > LONGEST:
        raise ValueError(f"a shape {shape}")
    return shape


_READERS: dict[str, Callable] = {
    "dots": lambda parts: Ellipsis,
    "other": lambda parts: other(str(parts)),
    "number": _read_number,
    "array": _read_array,
    "tensor": _read_tensor,
    "complex": lambda parts: complex(*parts),
    "fraction": lambda parts: Fraction(*parts),
    "layer": lambda parts: Layer(*parts),
    "range": lambda parts: range(*parts),
    "list": list,
    "tuple": tuple,
    "set": set,
    "dict": lambda parts: dict(zip(parts[::2], parts[1::2], strict=True)),
}
