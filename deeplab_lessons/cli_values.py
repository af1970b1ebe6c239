"""What is typed on the command line, turned into values: numbers in a range, names, colours, devices."""

import argparse
import contextlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from deeplab_lessons.datasets import finding
from deeplab_lessons.training import class_weights


def reader(read: Callable[[str], Any], wanted: str) -> dict[str, Any]:
    """Return options for argparse where `read` understands a value or raises ValueError: `wanted` in words."""

    def checked(text: str) -> Any:
        with contextlib.suppress(ValueError, OSError):
            return read(text)
        raise argparse.ArgumentTypeError(f"must be {wanted}, got {text!r}")

    return {"type": checked}


def number(kind: type, least: float, most: float) -> dict[str, Any]:
    """Return options for argparse where a number has a range."""

    def read(text: str) -> float:
        if not least <= (value := kind(text)) <= most:
            raise ValueError
        return value

    return reader(read, f"a {'whole number' if kind is int else 'number'} from {least} to {most}")


def _path(text: str) -> Path:
    return Path(text).expanduser()


def _device(text: str) -> str:
    with contextlib.suppress(RuntimeError, AssertionError):  # of torch: one is unknown, one is absent
        if text == "auto" or torch.zeros(1, device=text).device.type in ("cpu", "cuda", "mps"):
            return text
    raise ValueError


def _lines(text: str, mark: str) -> list[str]:
    """The lines of the text file called `text`, or the parts of `text` between marks."""
    path = _path(text)
    if not path.is_file():
        return [part.strip() for part in text.split(mark)]
    try:
        return list(finding.read_list(path))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _classes(text: str) -> list[str]:
    names = _lines(text, ",")
    if len(names) < 2 or not all(names):
        raise ValueError
    return names


def _ids(text: str) -> dict[int, int]:
    pairs = [(int(old), int(new)) for old, new in (part.split(":") for part in text.split(","))]
    if len(dict(pairs)) < len(pairs):
        raise ValueError
    return dict(pairs)


def _palette(text: str) -> list[tuple[int, ...]]:
    found = [re.fullmatch(r"(\d+)[,\s]+(\d+)[,\s]+(\d+)(\s+\D.*)?", line) for line in _lines(text, ":")]
    colours = [tuple(map(int, colour.groups()[:3])) for colour in found if colour]
    if len(colours) < len(found) or max(map(max, colours)) > 255:
        raise ValueError
    return colours


def _class_weights(text: str) -> str | list[float] | None:
    return class_weights.checked(text if "median" in text else [float(part) for part in text.split(",")])


PATH: dict[str, Any] = {"type": _path}
DEVICE = reader(_device, "auto or a device of this machine")
CLASSES = reader(
    _classes,
    "two or more names with commas and no spaces between them (background,cup), or a text file with one on each line",
)
IDS = reader(_ids, "number:class with commas between them, each number once (0:0,255:1; class 255 is void)")
PALETTE = reader(
    _palette, "colours of three numbers up to 255 (0,0,0:255,0,0), or a text file with one on each line"
)
CLASS_WEIGHTS = reader(
    _class_weights,
    "median-frequency, or a number for each class with commas between them: none below 0, not all 0",
)
