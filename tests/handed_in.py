"""Notebooks as a class hands them in: those of lesson 02, with answers of many kinds in place of its stubs."""

import json
import re
from pathlib import Path

from pasted import cells

RIGHT = {
    "effective_kernel_size": "def effective_kernel_size(k, d=1):\n    return (k - 1) * d + 1",
    "output_size": (
        "def output_size(input_size, kernel_size, stride=1, padding=0, dilation=1):\n"
        "    return (input_size + 2 * padding - effective_kernel_size(kernel_size, dilation)) // stride + 1"
    ),
    "same_padding": "def same_padding(kernel_size, dilation=1):\n    return (kernel_size - 1) * dilation // 2",
    "dilate_kernel": (
        "def dilate_kernel(weight, dilation):\n"
        "    side = (weight.shape[-1] - 1) * dilation + 1\n"
        "    spread = weight.new_zeros(*weight.shape[:2], side, side)\n"
        "    spread[..., ::dilation, ::dilation] = weight\n"
        "    return spread"
    ),
}


def notebook(sources) -> str:
    """Return the text of a notebook with these code cells."""
    kinds = [{"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": [], "source": source}
             for source in sources]  # fmt: skip
    words = {"cell_type": "markdown", "metadata": {}, "source": ["# A lesson\n", "with words"]}
    return json.dumps({"cells": [words, *kinds], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def answered(lesson: str = "lesson02", **answers: str) -> list[str]:
    """Return the cells of a lesson with these definitions in place of its stubs."""
    found = list(cells(lesson))
    for name, code in answers.items():
        (place,) = (n for n, cell in enumerate(found) if re.search(rf"^def {name}\(", cell, re.MULTILINE))
        found[place] = code
    return found


def hand_in(folder: Path, name: str, sources) -> Path:
    """Write a notebook, from its cells or from its text, and return its path."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(sources, bytes):
        path.write_bytes(sources)
    else:
        path.write_text(notebook(sources), encoding="utf-8")
    return path
