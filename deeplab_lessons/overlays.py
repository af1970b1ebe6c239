"""Labels laid over a photo: bright colours, outlines, and a legend under it."""

import contextlib
import warnings
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

Legend = Sequence[tuple[str, Sequence[int] | np.ndarray | None]]  # names with their colours
#: Each as far from those before it as it can be, in CIE Lab; the first ones for deuteranopes and protanopes as well.
_BRIGHT = np.frombuffer(bytes.fromhex("""
    ff8c00 00b4ff e600a0 ffff28 5a46ff 3cffb4 dc0032 ffaad2 a0ff78 e65078 7878ff ff7850 ff0000 ff7878 00ffff
    ffe650 c828e6 e678e6 28e650 a0e600 e600c8 e60078 ff78c8 50e678 ffc800 78e6a0 50a0ff e67828 5078e6 ff5000
    a078e6 00ff28 ffc878 ffc850 a050ff e650c8 ffa0e6 e6ff50 a000ff e60050 e65028 e65050 ff50a0 ff78a0 00ffe6
    ffe678 ffa050 78ffa0 e678ff 78ffc8 ff00e6 e6a028 28ff50 a028e6 ff28a0 0078ff e62828 e67850 c850ff ffa0ff
"""), np.uint8).reshape(-1, 3).astype(int)  # fmt: skip
_BACKGROUND = ("background", "bg", "none", "nothing", "other", "others", "rest", "unlabelled", "unlabeled")
#: Of Linux, Windows and macOS, with more letters than Pillow's own, which has English ones only.
_FONTS = ("DejaVuSans.ttf", "arial.ttf", "Arial Unicode.ttf", "NotoSansCJK-Regular.ttc", "msyh.ttc")


def background_of(classes: Sequence[str]) -> int | None:
    """Return the class that an overlay leaves as the photo was: 0 if it is called "background" or so, else None."""
    return 0 if len(classes) and classes[0].strip(" _").lower() in _BACKGROUND else None


def padded(
    palette: np.ndarray | Sequence[Sequence[int]], void: Sequence[int] = (255, 255, 255)
) -> np.ndarray:
    """Return a palette [C, 3] as uint8 [256, 3]: every label that it does not hold, void too, gets `void`."""
    colours = np.tile(np.array(void, np.uint8), (256, 1))
    colours[: len(palette)] = palette
    return colours


def bright(palette: np.ndarray | Sequence[Sequence[int]]) -> np.ndarray:
    """Return the colours to draw with, uint8 [C, 3]: bright ones instead of dark and greyish ones.

    A replacement has about the hue of the old colour and is unlike those that stay: bright colours, a grey of class 0,
    void's (white, or row 255), and labels from 60 on. The first eight differ for colour-blind readers too.
    """
    colours = padded(palette)
    old = colours[: len(_BRIGHT)].astype(int)
    vivid = (old.max(1) >= 200) & (np.ptp(old, axis=1) >= 80)
    stays = vivid | (old == colours[255]).all(1)
    # both are classes in every set: their white is not void
    stays[:2] = vivid[0] or np.ptp(old[0]) < 30, vivid[1]
    apart = np.linalg.norm(_BRIGHT[:, None] - old[vivid], axis=-1).min(1, initial=255)
    free = [*_BRIGHT[apart >= 80]]
    for count, label in enumerate(np.flatnonzero(~stays[: len(palette)])[: len(free)]):
        wanted = old[label] * 255 / max(old[label].max(), 1)
        choice = np.linalg.norm(free[: 8 - count % 8] - wanted, axis=-1)  # eight classes, eight colours
        colours[label] = free.pop(int(choice.argmin()))
    return colours[: len(palette)]


_brightened = bright  # whose name is an argument of `overlay`


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

    `opacity` 1 hides the picture, 0 leaves it as it is. `palette` [C, 3]: row n is the colour of label n, or what the
    function `bright` makes of it. `background`, if any, is the class that is left as the picture was. Raises
    ValueError for another opacity, and for labels of another size than the picture.
    """
    size, labels = picture.shape[:2], np.asarray(labels)
    if not 0 <= opacity <= 1:
        raise ValueError(f"opacity must be from 0 (the picture only) to 1 (the labels only), got {opacity!r}")
    if labels.shape != size:
        raise ValueError(f"labels must be {list(size)}, as the picture, got {list(labels.shape)}")
    if not opacity:
        return picture.copy()
    colours = padded(_brightened(palette) if bright else palette)
    kept = np.zeros(size, bool) if background is None else labels == background
    fade = ((1 - opacity) * np.arange(256)).round().astype(np.uint8)
    tint = (opacity * colours).astype(np.uint8)  # cut, not rounded: no sum of the two is above 255
    mixed = np.where(kept[..., None], picture, fade[picture] + tint[labels])
    if outlines:  # dark, with a rim in full colour at each side: one of them shows on any picture
        width = max(round(max(size) / 900), 1)
        rim = _at_borders(labels, 2 * width) | _at_borders(labels[::-1, ::-1], 2 * width)[::-1, ::-1]
        mixed[rim & ~kept] = colours[labels[rim & ~kept]]
        mixed[_at_borders(labels, width)] = 0
    return mixed


def _at_borders(labels: np.ndarray, reach: int) -> np.ndarray:
    """The pixels with another label up to `reach` below or to the right of them, bool [H, W]."""
    found = np.zeros(labels.shape, bool)
    for each, marks in ((labels, found), (labels.T, found.T)):
        for step in range(1, min(reach, len(each) - 1) + 1):
            marks[:-step] |= each[step:] != each[:-step]
    return found


def legend_of(labels: np.ndarray, classes: Sequence[str], palette: np.ndarray, background=None) -> Legend:
    """Return what `with_legend` writes of `labels`: each class's name and fraction of the area, largest first.

    `palette`: the colours that are drawn (`bright`). The `background` has no colour.
    """
    found, counts = np.unique(labels, return_counts=True)
    legend, colours = [], [*padded(palette)]
    for label, count in sorted(zip(found.tolist(), counts.tolist(), strict=True), key=lambda pair: -pair[1]):
        name = classes[label] if label < len(classes) else "void" if label == 255 else str(label)
        percent = 100 * count / labels.size
        shown = f"{percent:.{0 if percent >= 0.95 else 1}f}" if percent >= 0.05 else "<0.1"
        legend.append((f"{name}  {shown}%", None if label == background else colours[label]))
    return legend


def with_legend(picture: np.ndarray, names_and_colours: Legend) -> np.ndarray:
    """Return `picture`, uint8 [H, W, 3], with squares and names under it; None is a square without colour.

    No name is cut: the result is wider than the picture where the longest name needs it. Warns if no font on this
    machine has all letters.
    """
    if not names_and_colours:
        return picture
    (height, width), names = picture.shape[:2], [name for name, _ in names_and_colours]
    size = max(max(height, width) // 36, 11)  # of the letters, in pixels
    font, line, gap = _font(size, "".join(names)), size * 3 // 2, size // 2
    column = size + 3 * gap + max(int(font.getlength(name)) for name in names)
    columns = max((width - gap) // column, 1)
    below = -(-len(names) // columns) * line + gap
    page = Image.new("RGB", (max(width, gap + column), height + below), "white")
    page.paste(Image.fromarray(picture))
    draw = ImageDraw.Draw(page)
    for i, (name, colour) in enumerate(names_and_colours):
        left, top = gap + i % columns * column, height + gap + i // columns * line
        fill = None if colour is None else tuple(map(int, colour))
        draw.rectangle((left, top, left + size, top + size), fill, (110, 110, 110), max(size // 16, 1))
        draw.text((left + size + gap, top + size / 2), name, (20, 20, 20), font, anchor="lm")
    return np.array(page)


def _font(size: int, text: str):
    """The font that has most of the letters of `text`, Pillow's own if it has all; warns of those it lacks."""
    lacking = {}
    for name in ("", *_FONTS):
        with contextlib.suppress(OSError):
            font = ImageFont.truetype(name, size) if name else ImageFont.load_default(size)
            unknown = bytes(font.getmask("\uffff"))
            lacking[font] = sorted(a for a in {*text} if a.strip() and bytes(font.getmask(a)) == unknown)
    best = min(lacking, key=lambda font: len(lacking[font]))
    if lacking[best]:
        warnings.warn(f"no font here has {', '.join(lacking[best])}: the legend lacks them", stacklevel=3)
    return best
