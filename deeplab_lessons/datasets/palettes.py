"""Colours of label maps, both ways: from class indices to colours, and from colours to class indices."""

import numpy as np


def voc_colours() -> np.ndarray:
    """PASCAL VOC's colours of the labels 0 … 255, uint8 [256, 3]: bits of the label dealt out to R, G and B.

    Label 0 (background) is black and 255 (void) a pale cream. Source: the VOC 2012 development kit.
    """
    labels = np.arange(256)[:, None]
    places = np.arange(8)
    bits = [(labels >> (3 * places + channel)) & 1 for channel in range(3)]
    return np.stack([(bit << (7 - places)).sum(axis=1) for bit in bits], axis=1).astype(np.uint8)


def indices_to_colours(labels: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """Colour of each pixel, uint8 [H, W, 3], from labels [H, W] and a palette [256, 3].

    Raises ValueError, naming them, for labels outside the palette.
    """
    labels, palette = np.asarray(labels), np.asarray(palette, dtype=np.uint8)
    strange = [int(label) for label in np.unique(labels) if not 0 <= label < len(palette)]
    if strange:
        raise ValueError(f"labels {_few(strange)} have no colour: the palette holds {len(palette)} colours")
    return palette[labels]


def colours_to_indices(colours: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """Label of each pixel, uint8 [H, W], from colours [H, W, 3] and a palette [C, 3] of at most 256 colours.

    Where the palette repeats a colour, the smaller label is meant. Raises ValueError, naming the first few,
    for colours that are not in the palette, such as those a resize has mixed.
    """
    colours = np.asarray(colours)
    if colours.ndim != 3 or colours.shape[2] != 3:
        raise ValueError(f"a coloured label map is [H, W, 3], got shape {list(colours.shape)}")
    numbers, known = _as_numbers(colours), _as_numbers(np.asarray(palette))
    distinct, first = np.unique(known, return_index=True)  # sorted, so that a search finds each colour
    place = np.minimum(np.searchsorted(distinct, numbers), len(distinct) - 1)
    missing = np.unique(numbers[distinct[place] != numbers])
    if missing.size:
        named = _few([(int(n >> 16), int(n >> 8 & 255), int(n & 255)) for n in missing])
        raise ValueError(
            f"colours {named} are not in the palette of {len(known)} colours. Was the map resized with mixed "
            "colours, saved as JPEG, or coloured with another palette?"
        )
    return first[place].astype(np.uint8)


def _as_numbers(colours: np.ndarray) -> np.ndarray:
    red, green, blue = np.moveaxis(colours.astype(np.int64), -1, 0)
    return red << 16 | green << 8 | blue


def _few(found: list) -> str:
    more = f" and {len(found) - 5} more" if len(found) > 5 else ""
    return ", ".join(map(str, found[:5])) + more
