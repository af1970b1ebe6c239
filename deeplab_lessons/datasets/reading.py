"""The one way in for files: pictures of any kind, and label maps; every foreseeable fault names its file."""

import contextlib
import io
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageOps, TiffImagePlugin

from deeplab_lessons.datasets.palettes import colours_to_indices, few
from deeplab_lessons.metrics.label_maps import IGNORE_INDEX

_UNKNOWN = -1
_ONE_WITH_EXTRAS = ("MPO", "PSD")  # a photograph with a map of its depth, a drawing with its layers
_LOSSY = ("JPEG", "MPO", "JPEG2000", "WEBP", "AVIF")


def as_picture(source: str | Path | bytes | np.ndarray | Image.Image) -> np.ndarray:
    """Return a picture uint8 [H, W, 3] from a path, the bytes of a file, a PIL image or an array of that form.

    The camera's note on how it was held (EXIF) is followed, transparent places become white, grey becomes three
    equal channels, 16 bits become 8. Raises FileNotFoundError, and ValueError for what is not a picture or has no plain
    black and white: decimal numbers, integers that do not fill 16 bits, several images in one file.
    """
    if not isinstance(source, (str, Path, bytes, bytearray, memoryview, Image.Image)):
        picture = np.asarray(source)
        if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
            raise ValueError(
                f"a picture must be uint8 [H, W, 3], got {picture.dtype} {list(picture.shape)}: "
                "pass a normalised image as a torch tensor [3, H, W]"
            )
        return picture
    if isinstance(source, (str, Path)) and Path(source).suffix.lower() == ".npy":
        return as_picture(_array(source))
    name, image = _open(source)
    if image.mode.startswith(("I", "F")):
        image = _of_eight_bits(name, image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return np.array(image.convert("RGB"))


def _of_eight_bits(name: str, image: Image.Image) -> Image.Image:
    """Return a grey picture of 16 bits with 8; ValueError for numbers of which nothing says what white is."""
    values = np.array(image).astype(np.float64)
    low, high = values.min(), values.max()
    if image.mode == "F" or low < 0 or high > 65535 or 0 < high < 4096:
        raise ValueError(
            f"{name} holds {'decimal' if image.mode == 'F' else 'whole'} numbers from {low:g} to {high:g}, and "
            "nothing says which is white: save it with 8 bits or all of 16, or pass an array uint8 [H, W, 3]"
        )
    values[values == image.info.get("transparency")] = 65535
    return Image.fromarray((values // 256).astype(np.uint8))


def read_label_map(path: str | Path, palette: np.ndarray | None = None) -> np.ndarray:
    """Return the numbers that a label map holds, [H, W], before they are turned into classes.

    Palette and grey files and arrays (.npy) hold the numbers themselves, up to 32 bits; colours are looked up in
    `palette` [C, 3], and grey ones that are not in it are numbers. Raises FileNotFoundError, and ValueError for a file
    that is not a picture, not lossless, or holds several images, decimal numbers, or colours that cannot be looked up.
    """
    if Path(path).suffix.lower() == ".npy":
        values = _array(path)
        if values.ndim != 2 or values.dtype.kind not in "biu":
            raise ValueError(f"{path} must hold whole numbers [H, W], got {values.dtype} {[*values.shape]}")
        return values.astype(np.int64)
    _, image = _open(path)
    if image.format in _LOSSY or image.info.get("compression") == "jpeg":
        reason = f" is {image.format}, whose compression can change class numbers: save label maps as PNG"
        raise ValueError(f"{path}{reason}. Or is it the picture of the pair?")
    if image.format == "GIF":  # whose writers number the colours anew
        image = image.convert("RGB")
    values, mode = np.array(image), image.mode
    if mode in ("LA", "PA", "RGBA"):
        *shown, alpha = np.ptp(values, axis=(0, 1))
        if alpha and not any(shown):
            raise ValueError(f"{path} shows its shapes by transparency only: save class indices or colours")
        values, mode = values[..., :-1], mode[:-1]
    if mode == "P" and palette is not None:
        values = _of_indexed(image, values.reshape(values.shape[:2]), palette)
    if mode in ("1", "L", "P") or mode.startswith("I"):
        return values.reshape(values.shape[:2]).astype(np.int32)
    try:
        if mode != "RGB":
            raise ValueError(f"it must hold class indices (P, L) or colours (RGB), got mode {mode}")
        if palette is None:
            counts = colour_counts(values)
            found = few([f"{colour} {100 * n / counts.total():.3g} %" for colour, n in counts.most_common()])
            raise ValueError(
                f"it holds colours, {found}, and nothing says what they mean: pass palette= with a "
                "colour for each number, or save the numbers themselves"
            )
        return colours_to_indices(values, palette)
    except ValueError as error:
        if mode == "RGB" and (values == values[..., :1]).all():
            return values[..., 0].astype(np.int32)
        raise ValueError(f"{path}: {error}") from None


def _of_indexed(image: Image.Image, numbers: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """The numbers by `palette` of a file with colours of its own, where these are in it at other rows."""
    own = _palette_of(image)
    if numbers.max() < len(palette) and np.array_equal(own[numbers], np.asarray(palette)[numbers]):
        return numbers
    with contextlib.suppress(ValueError):
        return colours_to_indices(own[numbers], palette)
    return numbers


def _palette_of(image: Image.Image) -> np.ndarray:
    """The colours of a file with a palette, uint8 [256, 3]."""
    own = np.zeros((256, 3), np.uint8)
    colours = np.array(image.getpalette("RGB"), np.uint8).reshape(-1, 3)
    own[: len(colours)] = colours
    return own


def palette_of(path: Path) -> list[tuple[int, int, int]]:
    """Return the 256 colours in which a file with a palette draws its numbers."""
    return [(*colour,) for colour in _palette_of(_open(path, whole=False)[1]).tolist()]


def colour_counts(pixels: np.ndarray) -> Counter[tuple[int, int, int]]:
    """Return how many of the pixels, uint8 [H, W, 3], have each colour."""
    packed, counts = np.unique(pixels.astype(np.int64) @ (65536, 256, 1), return_counts=True)
    colours = zip((packed >> 16).tolist(), (packed >> 8 & 255).tolist(), (packed & 255).tolist(), strict=True)
    return Counter(dict(zip(colours, counts.tolist(), strict=True)))


def lossless_colours(path: Path) -> Counter[tuple[int, int, int]]:
    """Return how many pixels have each of the 1,000 most frequent colours of a label map; none for other files."""
    with contextlib.suppress(ValueError, OSError):
        _, image = _open(path)
        if image.format not in _LOSSY and image.mode in ("RGB", "RGBA"):
            return Counter(dict(colour_counts(np.array(image.convert("RGB"))).most_common(1000)))
    return Counter()


def shape_of(path: Path) -> tuple[str, int, int]:
    """Return the kind of a file ("JPEG RGB"), and height and width of what it shows, without reading its pixels.

    Raises what `as_picture` raises for a file that is none.
    """
    if path.suffix.lower() == ".npy":
        array = _array(path)
        if array.ndim not in (2, 3):
            raise ValueError(f"{path} must be [H, W] or [H, W, 3], got {list(array.shape)}")
        return f"npy {array.dtype}", *array.shape[:2]
    _, image = _open(path, whole=False)
    width, height = image.size
    held = image.getexif().get(ExifTags.Base.Orientation, 1)
    kind = f"{image.format} {image.mode}{' turned by EXIF' * (2 <= held <= 8)}"
    return kind, *((width, height) if 5 <= held <= 8 else (height, width))


def class_table(ids: Mapping[int, int], num_classes: int, others: int | None = None) -> np.ndarray:
    """Return a table int16 [65537] from the number in a file to the class; -1 marks unexpected numbers.

    The last entry is for all numbers without one of their own. `others` is the class of numbers not in `ids`.
    """
    known = f"0-{num_classes - 1} or {IGNORE_INDEX} (void)"
    if others not in (None, *range(num_classes), IGNORE_INDEX):
        raise ValueError(f"others must be {known}, got {others}")
    table = np.full(65537, _UNKNOWN if others is None else others, np.int16)
    for number, label in ids.items():
        if not 0 <= number < 65536 or label not in (*range(num_classes), IGNORE_INDEX):
            raise ValueError(f"ids must map 0-65535 to {known}, got {number}: {label}")
        table[number] = label
    return table


def identity(num_classes: int, void: tuple[int, ...] = (IGNORE_INDEX,)) -> dict[int, int]:
    """Return `ids` for files whose numbers are the classes already; the numbers in `void` mean void."""
    return {label: label for label in range(num_classes)} | dict.fromkeys(void, IGNORE_INDEX)


def to_classes(numbers: np.ndarray, table: np.ndarray, path: str | Path) -> np.ndarray:
    """Turn the numbers read from `path` into classes, uint8 [H, W], by `class_table`; ValueError for others."""
    inside = (numbers >= 0) & (numbers < 65536)
    labels = table[np.where(inside, numbers, 65536)]
    if labels.min(initial=0) == _UNKNOWN:
        strange = np.unique(numbers[labels == _UNKNOWN]).tolist()
        expected = np.flatnonzero(table != _UNKNOWN)
        runs = np.split(expected, np.flatnonzero(np.diff(expected) > 1) + 1)
        known = ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs)
        raise ValueError(
            f"{path} holds the class numbers [{few(strange)}], but this data set knows {known}. Is it a label "
            'map of another one, or a palette map saved as grey (`convert("L")` turns its colours, not its numbers)?'
        )
    return labels.astype(np.uint8)


def _array(path: str | Path) -> np.ndarray:
    """What numpy saved; ValueError for a damaged file and for one that holds Python's objects."""
    try:
        return np.load(Path(path).expanduser(), allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(f"{path} cannot be read as an array of numbers ({error}): use numpy.save") from None


def _open(source: str | Path | bytes | Image.Image, whole: bool = True) -> tuple[str, Image.Image]:
    """Return a name for the source and its one image: the `whole` one turned upright, or as far as its header says."""
    name = str(source) if isinstance(source, (str, Path)) else getattr(source, "filename", "") or "the file"
    try:
        if isinstance(source, (str, Path)):  # opened by its path, Pillow 13 turns grey TIFF wrongly
            source = Path(source).expanduser().read_bytes()
        image = source if isinstance(source, Image.Image) else Image.open(io.BytesIO(source))
        frames = 1 if image.format in _ONE_WITH_EXTRAS else getattr(image, "n_frames", 1)
        upright = ImageOps.exif_transpose(image) if whole else image
        upright.format = image.format
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no picture {name}") from None
    except (PermissionError, MemoryError):
        raise
    except Exception as error:  # Pillow has no one kind of error for a file that is damaged
        if isinstance(source, bytes) and (bands := _bands(source)) > 4:
            raise ValueError(f"{name} has {bands} bands: save the three of red, green and blue") from None
        reason = str(error).partition("<")[0].strip()
        raise ValueError(
            f"{name} cannot be read as a picture ({reason}): if it is cut off, empty or a web page, copy or "
            "download it again; if it is HEIC, as phones save, export it as JPEG or PNG first"
        ) from None
    if frames > 1:
        raise ValueError(f"{name} holds {frames} images: save the one you mean as a file of its own")
    return name, upright


def _bands(content: bytes) -> int:
    """How many bands a TIFF has, as far as its header can be read; else 0."""
    with contextlib.suppress(Exception):
        directory = TiffImagePlugin.ImageFileDirectory_v2(content[:8])
        file = io.BytesIO(content)
        file.seek(directory.next)
        directory.load(file)
        return directory[TiffImagePlugin.SAMPLESPERPIXEL]
    return 0
