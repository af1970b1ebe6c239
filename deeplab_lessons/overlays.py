"""Labels laid over a photo: bright colours, outlines, and a legend under it."""

import contextlib
import importlib.util
import warnings
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

#: Each as far from those before it as it can be, in CIE Lab; the first ones for deuteranopes and protanopes as well.
_BRIGHT = np.frombuffer(bytes.fromhex("""
    ff8c00 00b4ff e600a0 ffff28 5a46ff 3cffb4 dc0032 ffaad2 a0ff78 e65078 7878ff ff7850 ff0000 ff7878 00ffff
    ffe650 c828e6 e678e6 28e650 a0e600 e600c8 e60078 ff78c8 50e678 ffc800 78e6a0 50a0ff e67828 5078e6 ff5000
    a078e6 00ff28 ffc878 ffc850 a050ff e650c8 ffa0e6 e6ff50 a000ff e60050 e65028 e65050 ff50a0 ff78a0 00ffe6
    ffe678 ffa050 78ffa0 e678ff 78ffc8 ff00e6 e6a028 28ff50 a028e6 ff28a0 0078ff e62828 e67850 c850ff ffa0ff
"""), np.uint8).reshape(-1, 3).astype(int)  # fmt: skip
#: What the class 0 is called where it is everything that was not labelled.
BACKGROUND_WORDS = (
    "background",
    "bg",
    "none",
    "nothing",
    "other",
    "others",
    "rest",
    "unlabelled",
    "unlabeled",
)
_FONTS = ("DejaVuSans.ttf", "arial.ttf", "Arial Unicode.ttf", "NotoSansCJK-Regular.ttc", "msyh.ttc")


def background_of(classes: Sequence[str]) -> int | None:
    """Return the class that an overlay leaves as the photo was: 0 if it is called "background" or so, else None."""
    return 0 if len(classes) and str(classes[0]).strip().lower() in BACKGROUND_WORDS else None


def padded(palette: np.ndarray | Sequence[Sequence[int]]) -> np.ndarray:
    """Return a palette [C, 3] as uint8 [256, 3]; the labels that it does not hold, void too, are white."""
    colours = np.full((256, 3), 255, np.uint8)
    colours[: len(palette)] = palette
    return colours


def bright(palette: np.ndarray | Sequence[Sequence[int]]) -> np.ndarray:
    """Return the colours to draw with, uint8 [C, 3]: dark and greyish ones are replaced by bright ones.

    A replacement has about the hue of what it replaces, is unlike the colours that stay, and depends on nothing else.
    What stays: bright colours, a grey for class 0, the colour of void (white, or row 255), and labels from 60 on.
    """
    colours = padded(palette)
    drawn = colours[: len(_BRIGHT)].astype(int)
    vivid = (drawn.max(1) >= 200) & (np.ptp(drawn, axis=1) >= 80)
    stays = vivid | (drawn == colours[255]).all(1)
    stays[:2] = vivid[:2]  # every data set has these two classes: their white is not void
    stays[0] |= np.ptp(drawn[0]) < 30
    free = [new for new in _BRIGHT if not (_distance(drawn[vivid], new) < 80).any()]
    for count, label in enumerate(np.flatnonzero(~stays[: len(palette)])):
        if free:
            wanted, choice = (
                drawn[label] * (255 / max(drawn[label].max(), 1)),
                np.array(free[: 8 - count % 8]),
            )
            colours[label] = free.pop(int(_distance(choice, wanted).argmin()))
    return colours[: len(palette)]


_brightened = bright  # in `overlay`, `bright` is an argument


def _distance(colours: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.linalg.norm(colours - other, axis=-1)


def overlay(
    picture: np.ndarray,
    labels: np.ndarray,
    palette: np.ndarray | Sequence[Sequence[int]],
    opacity: float = 0.6,
    background: int | None = None,
    outlines: bool = True,
    bright: bool = True,
) -> np.ndarray:
    """Lay the colours of `labels` [H, W] over `picture` uint8 [H, W, 3]; return uint8 [H, W, 3].

    `opacity` 1 hides the picture, 0 leaves it as it is. `palette` [C, 3]: row n is the colour of label n; with
    `bright`, of the function `bright`. `background` is the class that is left as the picture was (`background_of`).
    Raises ValueError for another opacity, and for labels of another size than the picture.
    """
    labels = np.asarray(labels)
    if not 0 <= opacity <= 1:
        raise ValueError(f"opacity must be from 0 (the picture only) to 1 (the labels only), got {opacity!r}")
    if labels.shape != picture.shape[:2]:
        raise ValueError(
            f"labels must be {list(picture.shape[:2])}, as the picture, got {list(labels.shape)}"
        )
    if not opacity:
        return picture.copy()
    colours = padded(_brightened(palette) if bright else palette)
    left = np.zeros_like(labels, bool) if background is None else labels == background
    fade = ((1 - opacity) * np.arange(256)).round().astype(np.uint8)
    tint = (opacity * colours).astype(np.uint8)  # cut, not rounded: the two sums never pass 255
    mixed = np.where(left[..., None], picture, fade[picture] + tint[labels])
    if outlines:  # dark between rims of the full colours: one of them shows on any picture
        width = max(round(max(labels.shape) / 900), 1)
        rim = near_edges(labels, 2 * width, 2 * width) & ~left
        mixed[rim] = colours[labels[rim]]
        mixed[near_edges(labels, width // 2, width - width // 2)] = 0
    return mixed


def near_edges(labels: np.ndarray, after: int, before: int) -> np.ndarray:
    """Return the pixels up to `after` right of or below one with another label, or `before` left or above it."""
    near = np.zeros(labels.shape, bool)
    for each, marks in ((labels, near), (labels.T, near.T)):
        for step in range(1, min(max(after, before), len(each) - 1) + 1):
            differ = each[step:] != each[:-step]
            if step <= after:
                marks[step:] |= differ
            if step <= before:
                marks[:-step] |= differ
    return near


def legend_of(
    labels: np.ndarray,
    classes: Sequence[str],
    palette: np.ndarray | Sequence[Sequence[int]],
    background: int | None = None,
) -> list[tuple[str, Sequence[int] | None]]:
    """Return the names, with their fractions of the area, and the colours of the classes in `labels`, largest first.

    `palette` holds the colours that are drawn (`bright`); the background has None.
    """
    found, counts = np.unique(labels, return_counts=True)
    legend = []
    for i in np.argsort(-counts, kind="stable"):
        label, percent = int(found[i]), 100 * counts[i] / labels.size
        name = classes[label] if label < len(classes) else "void" if label == 255 else str(label)
        shown = f"{percent:.0f}%" if percent >= 0.95 else f"{percent:.1f}%" if percent >= 0.05 else "<0.1%"
        legend.append((f"{name}  {shown}", None if label == background else padded(palette)[label]))
    return legend


def with_legend(
    picture: np.ndarray, names_and_colours: Sequence[tuple[str, Sequence[int] | None]]
) -> np.ndarray:
    """Return `picture`, uint8 [H, W, 3], with rows of squares and names under it; None is a square without colour.

    No name is cut: the result is wider than the picture where the longest name needs it. Warns if no font on this
    machine has all letters of the names.
    """
    if not names_and_colours:
        return picture
    height, width = picture.shape[:2]
    size = max(max(height, width) // 36, 11)  # of the letters, in pixels
    font = _font(size, {letter for name, _ in names_and_colours for letter in name})
    line, gap = size * 3 // 2, size // 2
    column = size + 3 * gap + max(int(font.getlength(name)) for name, _ in names_and_colours)
    columns = min(max((width - gap) // column, 1), len(names_and_colours))
    rows = -(-len(names_and_colours) // columns)
    page = Image.new("RGB", (max(width, gap + column), height + rows * line + gap), "white")
    page.paste(Image.fromarray(picture))
    draw = ImageDraw.Draw(page)
    for i, (name, colour) in enumerate(names_and_colours):
        left, top = gap + i % columns * column, height + gap + i // columns * line
        fill = None if colour is None else tuple(int(part) for part in colour)
        draw.rectangle((left, top, left + size, top + size), fill, (110, 110, 110), max(size // 16, 1))
        draw.text((left + size + gap, top + size / 2), name, (20, 20, 20), font, anchor="lm")
    return np.array(page)


def _font(size: int, letters: Collection[str]) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return the first font that has all `letters`, or else Pillow's own, with a warning: it has only English ones."""
    matplotlib = importlib.util.find_spec("matplotlib")
    inside = Path(matplotlib.origin).parent / "mpl-data/fonts/ttf" if matplotlib and matplotlib.origin else ""
    fonts, absent = [ImageFont.load_default(size)], []
    for name in (Path(inside, "DejaVuSans.ttf"), *_FONTS):
        with contextlib.suppress(OSError):
            fonts.append(ImageFont.truetype(name, size))
    for font in fonts:
        unknown = bytes(font.getmask("\uffff"))
        absent.append({each for each in letters if each.strip() and bytes(font.getmask(each)) == unknown})
        if not absent[-1]:
            return font
    warnings.warn(
        f"no font here has the letters {', '.join(sorted(absent[0]))}: the legend lacks them", stacklevel=3
    )
    return fonts[0]
