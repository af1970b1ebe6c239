"""The one way in for files: pictures of any kind, and label maps; every foreseeable fault names its file."""

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from deeplab_lessons.datasets.palettes import colours_to_indices, few
from deeplab_lessons.metrics.label_maps import IGNORE_INDEX

_UNKNOWN = -1


def as_picture(source: str | Path | bytes | np.ndarray | Image.Image) -> np.ndarray:
    """Return a picture uint8 [H, W, 3] from a path, the bytes of a file, a PIL image or an array of that form.

    The camera's note on how it was held (EXIF) is followed, transparent places become white, grey becomes three
    equal channels, 16 bits become 8. Raises FileNotFoundError, and ValueError for what is no picture.
    """
    if isinstance(source, np.ndarray):
        if source.ndim != 3 or source.shape[2] != 3 or source.dtype != np.uint8:
            raise ValueError(
                f"a picture must be uint8 [H, W, 3], got {source.dtype} {list(source.shape)}: "
                "pass a normalised image as a torch tensor [3, H, W]"
            )
        return source
    image = ImageOps.exif_transpose(source) if isinstance(source, Image.Image) else _open(source)
    if image.mode.startswith("I"):
        image = Image.fromarray((np.array(image).astype(np.uint32) >> 8).astype(np.uint8))
    if "A" in image.getbands() or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return np.array(image.convert("RGB"))


def read_label_map(path: str | Path, palette: np.ndarray | None = None) -> np.ndarray:
    """Return the numbers that a label map holds, [H, W], before they are turned into classes.

    Palette and grey files hold the numbers themselves (8 or 16 bits); colours are looked up in `palette` [C, 3].
    Raises FileNotFoundError, and ValueError for a file that is no picture and for colours that cannot be looked up.
    """
    image = _open(path)
    if image.mode in ("P", "L", "1") or image.mode.startswith("I"):
        return np.array(image).astype(np.int32)
    if palette is None:
        raise ValueError(
            f"{path} holds {image.mode} colours, but a label map holds one class index per pixel (mode P or L), "
            "and this data set has no colours to look them up by: pass palette"
        )
    try:
        return colours_to_indices(np.array(image.convert("RGB")), palette)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def class_table(ids: Mapping[int, int]) -> np.ndarray:
    """Return a table int16 [65536] from the number in a file to the class; -1 marks unexpected numbers."""
    table = np.full(65536, _UNKNOWN, np.int16)
    for number, label in ids.items():
        table[number] = label
    return table


def identity(num_classes: int, void: tuple[int, ...] = (IGNORE_INDEX,)) -> dict[int, int]:
    """Return `ids` for files whose numbers are the classes already; the numbers in `void` mean void."""
    return {label: label for label in range(num_classes)} | dict.fromkeys(void, IGNORE_INDEX)


def to_classes(numbers: np.ndarray, table: np.ndarray, path: str | Path) -> np.ndarray:
    """Turn the numbers read from `path` into classes, uint8 [H, W], by `class_table`; ValueError for others."""
    inside = (numbers >= 0) & (numbers < len(table))
    labels = np.where(inside, table[np.where(inside, numbers, 0)], _UNKNOWN)
    if labels.min(initial=0) == _UNKNOWN:
        strange = np.unique(numbers[labels == _UNKNOWN]).tolist()
        expected = np.flatnonzero(table != _UNKNOWN)
        runs = np.split(expected, np.flatnonzero(np.diff(expected) > 1) + 1)
        known = ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs)
        raise ValueError(
            f"{path} holds the class numbers [{few(strange)}], but this data set knows {known}. Is it a label "
            'map of another data set? Was a palette map saved as grey (`convert("L")` turns colours, not numbers, '
            "into grey)?"
        )
    return labels.astype(np.uint8)


def _open(source: str | Path | bytes) -> Image.Image:
    """Read a file, or its bytes, to its end, and turn it upright."""
    file: Path | io.BytesIO
    if isinstance(source, (str, Path)):
        name, file = str(source), Path(source).expanduser()
    else:
        name, file = "the file", io.BytesIO(source)
    try:
        with Image.open(file) as image:
            return ImageOps.exif_transpose(image)
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no picture {name}") from None
    except PermissionError:
        raise
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        reason = str(error).partition("<")[0].strip()  # Pillow's words for a file cut off are all of these
        raise ValueError(
            f"{name} cannot be read as a picture ({reason}): if it is cut off, empty or a web page, copy or "
            "download it again; if it is HEIC, as phones save, export it as JPEG or PNG first"
        ) from None
