"""Pictures and label maps read from files, with every foreseeable fault named together with its file."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from deeplab_lessons.datasets.palettes import colours_to_indices
from deeplab_lessons.datasets.scenes import IGNORE_INDEX

_UNKNOWN = -1


def read_picture(path: str | Path) -> np.ndarray:
    """A photograph from a file, uint8 [H, W, 3]; grey and palette files become red, green and blue.

    Raises FileNotFoundError for a missing file and ValueError for one that is cut off or no picture.
    """
    return np.array(_open(path).convert("RGB"))


def read_label_map(path: str | Path, palette: np.ndarray | None = None) -> np.ndarray:
    """The numbers that a label map holds, [H, W], before they are turned into classes.

    Palette and grey files hold the numbers themselves (8 or 16 bits). A file of colours is looked up in
    `palette` [C, 3]. Raises FileNotFoundError for a missing file, and ValueError for one that is cut off or
    no picture, for colours without a palette, and for colours that the palette does not know.
    """
    file = _open(path)
    if file.mode in ("P", "L", "1") or file.mode.startswith("I"):
        return np.array(file).astype(np.int32)
    if palette is None:
        raise ValueError(
            f"{path} holds {file.mode} colours, but a label map holds one class number a pixel (mode P or L), "
            "and this data set has no colours to look them up by: give `palette`"
        )
    try:
        return colours_to_indices(np.array(file.convert("RGB")), palette)
    except ValueError as fault:
        raise ValueError(f"{path}: {fault}") from None


def class_table(ids: Mapping[int, int]) -> np.ndarray:
    """Table int16 [65536] from the number in a file to the class; -1 marks numbers that nobody expects."""
    table = np.full(65536, _UNKNOWN, np.int16)
    for number, label in ids.items():
        table[number] = label
    return table


def to_classes(numbers: np.ndarray, table: np.ndarray, path: str | Path) -> np.ndarray:
    """Classes, uint8 [H, W], of the numbers read from `path`, by `class_table`.

    Raises ValueError naming the file, the unexpected numbers, and the expected ones.
    """
    inside = (numbers >= 0) & (numbers < len(table))
    labels = np.where(inside, table[np.where(inside, numbers, 0)], _UNKNOWN)
    if labels.min(initial=0) == _UNKNOWN:
        strange = np.unique(numbers[labels == _UNKNOWN]).tolist()
        more = f" and {len(strange) - 8} more" if len(strange) > 8 else ""
        raise ValueError(
            f"{path} holds the class numbers {strange[:8]}{more}, but this data set knows "
            f"{_ranges(np.flatnonzero(table != _UNKNOWN))}. Is it a label map of another data set? Was a palette "
            'map saved as grey (`convert("L")` turns colours, not numbers, into grey)?'
        )
    return labels.astype(np.uint8)


def same_size(picture: np.ndarray, labels: np.ndarray, picture_path, labels_path) -> None:
    """Raise ValueError, naming both files and sizes, unless the label map is as large as its picture."""
    if picture.shape[:2] != labels.shape:
        (height, width), (rows, columns) = picture.shape[:2], labels.shape
        raise ValueError(
            f"{labels_path} is {columns} x {rows} pixels (width x height), but its picture {picture_path} is "
            f"{width} x {height}. Each pixel needs its label: are the two a pair, and was one resized?"
        )


def _open(path: str | Path) -> Image.Image:
    try:
        with Image.open(path) as file:
            file.load()
            return file
    except FileNotFoundError:
        raise FileNotFoundError(f"{path} is not there, though the data set's list names it") from None
    except UnidentifiedImageError:
        raise ValueError(
            f"{path} is no picture that can be read. Is it empty, or a web page saved?"
        ) from None
    except (OSError, SyntaxError, ValueError) as fault:  # Pillow's words for a file cut off are all of these
        if isinstance(fault, PermissionError):
            raise
        raise ValueError(f"{path} is cut off or damaged ({fault}). Copy or download it again") from fault


def _ranges(numbers: np.ndarray) -> str:
    """Numbers in words: 0-20, 255."""
    runs = np.split(numbers, np.flatnonzero(np.diff(numbers) > 1) + 1)
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs)


def identity(num_classes: int, void: tuple[int, ...] = (IGNORE_INDEX,)) -> dict[int, int]:
    """Numbers that are the classes already, and the numbers that mean void."""
    return {label: label for label in range(num_classes)} | dict.fromkeys(void, IGNORE_INDEX)
