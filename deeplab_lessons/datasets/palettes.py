"""The real sets' classes, in the order of their labels, and colours of label maps: to and from class indices."""

from collections.abc import Sequence

import numpy as np

# fmt: off
VOC_CLASSES = (
    "background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow",
    "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
)
CAMVID_CLASSES = {
    "sky": (128, 128, 128), "building": (128, 0, 0), "pole": (192, 192, 128), "road": (128, 64, 128),
    "pavement": (60, 40, 222), "tree": (128, 128, 0), "sign": (192, 128, 128), "fence": (64, 64, 128),
    "car": (64, 0, 128), "pedestrian": (64, 64, 0), "bicyclist": (0, 128, 192),
}
# fmt: on


def checked(palette: np.ndarray | Sequence[Sequence[int]]) -> np.ndarray:
    """Return a palette as uint8 [C, 3]; ValueError for what is none."""
    colours = np.asarray(palette)
    if colours.ndim != 2 or colours.shape[1] != 3 or not 1 <= len(colours) <= 256:
        raise ValueError(f"palette must be [C, 3] with 1 to 256 colours, got {list(colours.shape)}")
    if colours.min() < 0 or colours.max() > 255 or (colours != colours.astype(np.uint8)).any():
        raise ValueError("palette must hold whole numbers from 0 to 255: multiply fractions by 255 and round")
    return colours.astype(np.uint8)


def voc_colours() -> np.ndarray:
    """Return PASCAL VOC's colours of the labels 0 … 255, uint8 [256, 3]: bits of the label dealt to R, G and B.

    Label 0 (background) is black and 255 (void) a pale cream. Source: the VOC 2012 development kit.
    """
    labels = np.arange(256)[:, None]
    places = np.arange(8)
    bits = [(labels >> (3 * places + channel)) & 1 for channel in range(3)]
    return np.stack([(bit << (7 - places)).sum(axis=1) for bit in bits], axis=1).astype(np.uint8)


def colours_to_indices(colours: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """Return the label of each pixel, uint8 [H, W], from colours [H, W, 3] and a palette [C, 3], C up to 256.

    Where the palette repeats a colour, the smaller label is meant. Raises ValueError for colours that are not in it.
    """
    colours = np.asarray(colours)
    if colours.ndim != 3 or colours.shape[2] != 3:
        raise ValueError(f"a coloured label map must be [H, W, 3], got {list(colours.shape)}")
    numbers, known = (np.asarray(each).astype(np.int64) @ (65536, 256, 1) for each in (colours, palette))
    distinct, first = np.unique(known, return_index=True)  # sorted, so that a search finds each colour
    place = np.minimum(np.searchsorted(distinct, numbers), len(distinct) - 1)
    missing = np.unique(numbers[distinct[place] != numbers])
    if missing.size:
        named = few([(int(n >> 16), int(n >> 8 & 255), int(n & 255)) for n in missing])
        raise ValueError(
            f"colours {named} are not in the palette of {len(known)} colours: was the map resized with mixed "
            "colours, saved as JPEG, or coloured with another palette?"
        )
    return first[place].astype(np.uint8)


def few(values: list) -> str:
    """Return the first five values in words, and how many more there are."""
    more = f" and {len(values) - 5} more" if len(values) > 5 else ""
    return ", ".join(map(str, values[:5])) + more
