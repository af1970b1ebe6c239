"""Figures in words, for readers who cannot see them: what was said of a drawing, or can be read off it."""

import re
import sys
from collections.abc import Iterable
from functools import cache

import numpy as np
from matplotlib.category import StrCategoryLocator
from matplotlib.collections import PathCollection
from matplotlib.container import BarContainer, ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator

from deeplab_lessons import datasets
from deeplab_lessons.classroom import built_in

#: Alternative text is read aloud in one go: no longer than this many characters.
LONGEST = 600


def say(drawn, words: str) -> None:
    """Note in words what axes show, or what a figure shows as a whole; it replaces what was noted before.

    The words follow the title, so leave out what the title says. matplotlib keeps them as the label, which it does
    not draw.
    """
    drawn.set_label(" ".join(words.split()))


def describe(figure: Figure) -> str:
    """Return a figure's alternative text: what was said of the figure, then of each of its axes.

    Where nothing was said of axes, their content is read off: the classes of label maps, the range of maps, lines
    with their ends and extremes. At most `LONGEST` characters, and none for a figure without content.
    """
    for full in (True, False):
        panels = [_panel(ax, full) for ax in figure.axes if ax.get_visible()]
        text = " ".join([*_sentences([("", figure.get_label())]), *_sentences(_together(panels))])
        if len(text) <= LONGEST:
            return text
    return text[: LONGEST - 1].rpartition(" ")[0] + "…"


def describe_in_notebooks() -> None:
    """Let every figure that a notebook's cell shows carry its description: metadata {"image/png": {"alt": …}}.

    The inline backend still makes the images; IPython asks this function only for what goes with them. Outside
    IPython nothing happens.
    """
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is not None:
        shell.display_formatter.mimebundle_formatter.for_type(Figure, _metadata)


def _metadata(figure: Figure) -> tuple[dict, dict]:
    """A figure's MIME bundle as IPython wants it: no data of its own, and the metadata of the image."""
    try:
        alt = describe(figure)
    except Exception:  # a reader's figure of an unforeseen kind is shown all the same, without a traceback
        alt = ""
    return {}, {"image/png": {"alt": alt}} if alt else {}


def listed(words: Iterable) -> str:
    """Return words as a list in a sentence: "a, b and c"."""
    *first, last = map(str, words)
    return f"{', '.join(first)} and {last}" if first else last


def rounded(value: float) -> str:
    """Return a number with three digits that count, without an exponent: "0.00012", "−16,384"."""
    if abs(value) < 1e-9:
        return "0"
    text = np.format_float_positional(value, precision=3, fractional=False, trim="-")
    return (f"{value:,.0f}" if abs(value) >= 1000 else text).replace("-", "−")


# ------------------------------------------------------------------------------------------------- from panels to text


def _together(panels: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Panels (title, words) without the empty ones; neighbours with the same words become one, with all titles."""
    found: list[tuple[str, str]] = []
    for title, words in panels:
        if words and found and found[-1][1] == words:
            found[-1] = ("; ".join(filter(None, (found[-1][0], title))), words)
        elif words:
            found.append((title, words))
    return found


def _sentences(panels: Iterable[tuple[str, str]]) -> list[str]:
    """Each panel as a sentence: "Title: words." or "A question? Words."."""
    found = []
    for title, words in panels:
        title = re.sub(r":?\n(?![a-z])|: ", ", ", title)
        if words == "image":
            kind = "images" if "; " in title else "image"
            title, words = (kind, title) if title not in ("", kind) else ("", "the image")
        if title[-1:] in ("?", "!", "."):
            text = f"{title} {_capital(words)}"
        else:
            text = f"{title}: {words}" if title else words
        text = " ".join(re.sub(r"[$\\{}]", "", text).split())
        if text:
            found.append(_capital(text) + "." * (text[-1] not in ".!?…"))
    return found


def _capital(text: str) -> str:
    """A sentence's first letter as a capital, but not that of mIoU or v1."""
    return text if text[1:2].isupper() or text[1:2].isdigit() else text[:1].upper() + text[1:]


def _panel(ax, full: bool) -> tuple[str, str]:
    """Title and words of axes; the words are empty where there is nothing to say."""
    title, said = ax.get_title() or _title_above(ax), ax.get_label()
    if said and not said.startswith("<"):  # "<colorbar>"
        return title, said
    if said:
        return "", ""
    if ax.images:
        name = ax.get_ylabel() * (len(ax.get_yticks()) == 0)  # of a row of panels
        return ", ".join(filter(None, (name, title))), _image(ax.images[0].get_array(), full)
    return title, _chart(ax, full)


def _title_above(ax) -> str:
    """The title of the nearest panel above in the same column: in rows of panels only the first row has titles."""
    place, titles = ax.get_subplotspec(), {}
    for other in ax.figure.axes if place else ():
        theirs = other.get_subplotspec()
        if (
            theirs
            and theirs.get_gridspec() is place.get_gridspec()
            and theirs.colspan == place.colspan
            and theirs.rowspan.stop <= place.rowspan.start
            and other.get_title()
        ):
            titles[theirs.rowspan.stop] = other.get_title()
    return titles[max(titles)] if titles else ""


# ------------------------------------------------------------------------------------------------- what can be read off


@cache
def _palettes() -> list[dict[int, str]]:
    """The course's palettes, each colour -> class, a colour as one number."""
    void = datasets.IGNORE_INDEX
    known = [
        (built_in.CLASSES, built_in.Embedded.palette),
        (datasets.CamVid.classes, datasets.CamVid.palette),
        (datasets.VOC_CLASSES, datasets.voc_colours()),
    ]
    return [
        dict(zip(_colours(palette[[*range(len(names)), void]]).tolist(), [*names, "void"], strict=True))
        for names, palette in known
    ]


def _colours(image: np.ndarray) -> np.ndarray:
    """Colours uint8 [..., 3] as one number each."""
    return image[..., :3].astype(int) @ (65536, 256, 1)


def _image(shown: np.ndarray, full: bool) -> str:
    """An image or a map in words; an image that has only the colours of a palette is a label map."""
    if shown.ndim == 2:
        rows, columns = shown.shape
        shown = np.ma.filled(np.ma.asarray(shown).astype(float), np.nan)
        if np.isnan(shown).all():
            return f"{rows} × {columns} empty cells"
        low, high = rounded(np.nanmin(shown)), rounded(np.nanmax(shown))
        if set(np.unique(shown)) == {0, 1}:
            return f"{rows} × {columns} cells, {(shown == 0).mean():.1%} of them 0 and the others 1"
        values = f"from {low} to {high}" if low != high else f"all {low}"
        return f"{rows} × {columns} values, {values}"
    if shown.dtype != np.uint8:
        return "image"
    colours, counts = np.unique(_colours(shown), return_counts=True)
    for names in _palettes():
        if set(colours.tolist()) <= set(names):
            order = counts.argsort()[::-1][: 4 if full else 2]
            shares = (f"{names[colours[place]]} {counts[place] / counts.sum():.0%}" for place in order)
            more = [f"{len(counts) - len(order)} more"] * (len(counts) > len(order))
            return f"label map with {listed([*shares, *more])}"
    return "image"


def _chart(ax, full: bool) -> str:
    """Lines, bars and points in words: what is drawn over what, and for each name its ends and extremes."""
    series = list(_series(ax))
    what = " over ".join(filter(None, (axis.get_label_text() for axis in (ax.yaxis, ax.xaxis))))
    if not series:
        points = sum(len(each.get_offsets()) for each in ax.collections if isinstance(each, PathCollection))
        words = [what, f"{points} points" * (points > 0), *(text.get_text() for text in ax.texts)]
        return ", ".join(filter(None, words))
    what = what or "values"
    if full and len(series) <= 8:
        parts = [f"{name} {_course(ax, x, y)}".strip() for name, x, y in series]
        return f"{what}: {'; '.join(parts)}"
    values = np.concatenate([y for _, _, y in series])
    named = list(filter(None, (name for name, _, _ in series)))
    names = f"{listed(named[:8])}, " if named else ""
    return f"{what}: {names}from {rounded(np.nanmin(values))} to {rounded(np.nanmax(values))}"


def _series(ax):
    """Name, x and y of all that the legend would name or, without names, of all lines with two points or more."""
    handles, labels = ax.get_legend_handles_labels()
    named = list(zip(labels, handles, strict=True)) or [("", each) for each in (*ax.containers, *ax.lines)]
    for name, handle in named:
        if isinstance(handle, ErrorbarContainer):
            handle = handle[0]
        if isinstance(handle, BarContainer):
            middles = [(bar.get_x() + bar.get_width() / 2, bar.get_height()) for bar in handle]
            x, y = np.array(middles, float).reshape(-1, 2).T
        elif isinstance(handle, Line2D):
            x, y = (
                np.ma.filled(np.ma.asarray(each).astype(float), np.nan)
                for each in handle.get_data(orig=False)
            )
        else:
            continue
        if np.isfinite(y).any() and (name or (len(y) > 1 and len(set(x)) > 1)):
            yield name, x, y


def _course(ax, x: np.ndarray, y: np.ndarray) -> str:
    """How values go along an axis: the first, the last, and between them the highest or lowest."""
    known = np.isfinite(y)
    x, y = x[known], y[known]
    if y.min() == y.max():
        return f"at {rounded(y[0])}"
    text = f"from {rounded(y[0])} at {_place(ax, x[0])} to {rounded(y[-1])} at {_place(ax, x[-1])}"
    ends, margin = y[[0, -1]], (y.max() - y.min()) / 5
    if y.max() > ends.max() + margin:
        text += f", highest {rounded(y.max())} at {_place(ax, x[y.argmax()])}"
    if y.min() < ends.min() - margin:
        text += f", lowest {rounded(y.min())} at {_place(ax, x[y.argmin()])}"
    return text


def _place(ax, x: float) -> str:
    """A place on the x axis as it is labelled there: a word, or a number."""
    locator, words = ax.xaxis.get_major_locator(), ax.xaxis.get_major_formatter()
    if isinstance(locator, FixedLocator | StrCategoryLocator):
        ticks = np.asarray(locator())
        nearest = ticks[np.abs(ticks - x).argmin()] if len(ticks) else np.inf
        if abs(nearest - x) < 0.5 and (word := str(words(nearest))):
            return word.splitlines()[0]
    return rounded(x)
