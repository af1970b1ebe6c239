"""How the course's figures look: one style, one set of colours, and one way to show images and label maps."""

import base64
import io
from collections.abc import Mapping, Sequence
from itertools import cycle

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import torch
from PIL import Image

from deeplab_lessons.classroom import built_in
from deeplab_lessons.classroom.drawing.words import describe_in_notebooks, say

#: Okabe and Ito's eight colours, distinct for colour-blind readers; the ones that read best as lines first.
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442"]

#: The built-in classes' colours as matplotlib names them, class 0 (background) first.
CLASS_COLOURS = [f"#{red:02X}{green:02X}{blue:02X}" for red, green, blue in built_in.CLASS_COLOURS]


def use_style() -> None:
    """Set matplotlib's defaults for the course: 8 inches wide, 90 dpi, white paper, legible text.

    In a notebook, figures also carry their description, for readers who cannot see them.
    """
    describe_in_notebooks()
    mpl.rcParams.update(
        {
            "figure.figsize": (8, 3.2),
            "figure.dpi": 90,
            "savefig.dpi": 90,
            "figure.facecolor": "white",  # opaque, so that a dark page does not swallow the black text
            "savefig.facecolor": "white",
            "figure.constrained_layout.use": True,
            "axes.facecolor": "white",
            "axes.prop_cycle": mpl.cycler(color=COLOURS[:-1]),
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlesize": 12,
            "axes.labelsize": 12,
            "font.size": 12,
            "xtick.labelsize": 11,
            "ytick.labelsize": 11,
            "legend.fontsize": 11,
            "legend.frameon": False,
            "lines.linewidth": 2,
            "image.interpolation": "nearest",
        }
    )


def colour_labels(labels: np.ndarray, palette: np.ndarray | None = None) -> np.ndarray:
    """Return a label map [H, W] as an image, uint8 [H, W, 3], by default in the built-in scenes' colours."""
    return (built_in.Embedded.palette if palette is None else palette)[np.asarray(labels).astype(np.uint8)]


def show_image(ax, image, title: str = ""):
    """Show an image [H, W, 3] or a grey map [H, W] on `ax`, without ticks; return what imshow returns."""
    ax.set(title=title, xticks=[], yticks=[])
    ax.spines[:].set(visible=True, color="grey", linewidth=0.8)
    return ax.imshow(image, cmap="gray" if np.ndim(image) == 2 else None)


def show_labels(ax, labels, title: str = "", palette: np.ndarray | None = None):
    """Show a label map [H, W] in class colours on `ax`; pass `datasets.voc_colours()` for PASCAL VOC labels."""
    return show_image(ax, colour_labels(labels, palette), title)


def show_panels(
    *rows: Mapping[str, np.ndarray | torch.Tensor],
    names: Sequence[str] = (),
    words: str = "",
    palette: np.ndarray | None = None,
    **look,
) -> None:
    """Show rows of panels, title -> image [H, W, 3], label map (integers [H, W]) or map of other numbers [H, W].

    The titles of the first row are above all of them, `names` to the left of the rows. Label maps are in class
    colours, as in `show_labels`; `look` holds what the other maps get, for example `cmap` and `clim`. `words` says what
    is in the images, for readers who cannot see them.
    """
    shapes = [panel.shape for row in rows for panel in row.values()]
    tallest = max(height / width for height, width, *_ in shapes)
    size = (8, 0.3 + len(rows) * (8 * tallest / len(rows[0]) + 0.05))
    figure, axes = plt.subplots(len(rows), len(rows[0]), figsize=size, squeeze=False)
    for number, (row, line) in enumerate(zip(rows, axes, strict=True)):
        for (title, panel), ax in zip(row.items(), line, strict=True):
            title, panel = "" if number else title, np.asarray(panel)
            if panel.ndim == 2 and panel.dtype.kind in "iu":
                show_labels(ax, panel, title, palette)
            else:
                shown = show_image(ax, panel, title)
                shown.set(**look if panel.ndim == 2 else {})
    for name, ax in zip(names, axes[:, 0], strict=False):
        ax.set_ylabel(name)
    say(figure, words)
    plt.show()


def show_photo(image: np.ndarray, words: str, width: int = 860) -> None:
    """Show an image [H, W, 3] in a notebook, at most `width` pixels wide, `words` being its alternative text.

    It is stored as JPEG: a sheet of photos whose names can be read has a third of the size that a figure would have.
    """
    from IPython.display import display  # where there are no notebooks, IPython may be missing

    photo, stored = Image.fromarray(image), io.BytesIO()
    photo.thumbnail((width, 10 * width), Image.Resampling.LANCZOS)
    photo.save(stored, "jpeg", quality=80)
    data = {"image/jpeg": base64.b64encode(stored.getvalue()).decode(), "text/plain": words}
    display(data, metadata={"image/jpeg": {"alt": words}}, raw=True)


def show_lines(
    ax,
    lines: Mapping[str, tuple[Sequence, Sequence]],
    title: str,
    xlabel: str,
    ylabel: str,
    styles: Sequence[str] = ("o-",),
    colours: Sequence[str] = COLOURS,
) -> None:
    """Draw lines, name -> (x values, y values), and the names of two or more in a legend on the right.

    Styles and colours are taken in turn, and begin again where there are more lines than of them.
    """
    for (name, (x, y)), style, colour in zip(lines.items(), cycle(styles), cycle(colours), strict=False):
        ax.plot(x, y, style, color=colour, label=name)
    ax.set(title=title, xlabel=xlabel, ylabel=ylabel)
    if len(lines) > 1:
        ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
