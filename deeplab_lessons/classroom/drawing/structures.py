"""Drawings of network structures, made of bars: a bar's height is the map's side, its shade the depth."""

from itertools import pairwise

from deeplab_lessons.classroom.drawing._shapes import GREY, arrow, box
from deeplab_lessons.classroom.drawing.style import COLOURS, use_style
from deeplab_lessons.classroom.drawing.words import say

_INPUT, _MAP, _DILATED, _OUT = GREY, COLOURS[5], COLOURS[1], COLOURS[2]


def _bar(ax, x: float, y: float, height: float, colour: str) -> tuple[float, float]:
    """Draw a map as a bar with its centre at (x, y); return the centre."""
    box(ax, x, y, 0.32, height, colour, edgecolor="black")
    return x, y


def _arrow(ax, start: tuple[float, float], end: tuple[float, float]) -> None:
    """An arrow from bar to bar, stopping short of both."""
    (x0, y0), (x1, y1) = start, end
    arrow(ax, (x0 + 0.2, y0), (x1 - 0.2, y1), mutation_scale=9, shrinkA=2, shrinkB=2)


def _chain(ax, y: float, bars: list[tuple[float, float, str]]) -> tuple[float, float]:
    """Draw bars (x, height, colour) on one line, an arrow between neighbours; return the last one's centre."""
    centres = [_bar(ax, x, y, height, colour) for x, height, colour in bars]
    for start, end in pairwise(centres):
        _arrow(ax, start, end)
    return centres[-1]


def _image_pyramid(ax) -> None:
    ends = [
        _chain(ax, 1.0, [(0.5, 2.2, _INPUT), (1.3, 1.5, _MAP), (2.1, 1.0, _MAP)]),
        _chain(ax, 3.2, [(0.5, 1.1, _INPUT), (1.3, 0.75, _MAP), (2.1, 0.5, _MAP)]),
    ]
    out = _bar(ax, 3.4, 2.0, 1.0, _OUT)
    for end in ends:
        _arrow(ax, end, out)


def _encoder_decoder(ax) -> None:
    heights = (2.8, 2.0, 1.2, 0.6)
    down = [_bar(ax, 0.4 + 0.45 * i, 2, h, _MAP if i else _INPUT) for i, h in enumerate(heights)]
    up = [_bar(ax, 2.35 + 0.45 * i, 2, h, _OUT) for i, h in enumerate(heights[2:0:-1] + heights[:1])]
    _arrow(ax, down[-1], up[0])
    for (x0, _), (x1, _), height in ((down[2], up[0], 1.2), (down[1], up[1], 2.0)):
        top = 2 + height / 2
        ax.plot(
            [x0, x0, x1, x1], [top, top + 0.25, top + 0.25, top], color="black", linestyle=":", linewidth=1.5
        )


def _context_module(ax) -> None:
    before = [(0.4, 2.8, _INPUT), (1.05, 2.0, _MAP), (1.7, 1.2, _MAP)]
    _chain(ax, 2, [*before, (2.35, 1.2, _DILATED), (3.0, 1.2, _DILATED), (3.65, 1.2, _OUT)])


def _pyramid_pooling(ax) -> None:
    last = _chain(ax, 2, [(0.4, 2.8, _INPUT), (1.05, 2.0, _MAP), (1.7, 1.2, _MAP)])
    out = _bar(ax, 3.6, 2, 1.2, _OUT)
    for y in (0.5, 1.5, 2.5, 3.5):
        branch = _bar(ax, 2.65, y, 0.7, _DILATED)
        _arrow(ax, last, branch)
        _arrow(ax, branch, out)


_IN_WORDS = {
    "image pyramid": "the image in two sizes, each through layers of its own, then together to the output",
    "encoder–decoder": "maps get smaller, then larger again; dotted lines take early maps to the later ones",
    "context module": "maps get smaller, then dilated layers follow at one size",
    "spatial pyramid\npooling": "maps get smaller, then four dilated branches side by side join in the output",
}


def four_structures():
    """Draw the four structures of figure 2 of DeepLab v3 in our own way; return the matplotlib figure."""
    import matplotlib.pyplot as plt

    use_style()
    figure, axes = plt.subplots(1, 4, figsize=(8, 2.5))
    parts = {
        "image pyramid": _image_pyramid,
        "encoder–decoder": _encoder_decoder,
        "context module": _context_module,
        "spatial pyramid\npooling": _pyramid_pooling,
    }
    for ax, (title, draw) in zip(axes, parts.items(), strict=True):
        draw(ax)
        say(ax, _IN_WORDS[title])
        ax.set(xlim=(0, 4), ylim=(-0.2, 4.3), title=title)
        ax.axis("off")
    return figure
