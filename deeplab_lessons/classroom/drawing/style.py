"""How the course's figures look: one style, one set of colours, pictures and label maps shown alike."""

import matplotlib as mpl
import numpy as np

from deeplab_lessons.arithmetic import Layer, receptive_fields
from deeplab_lessons.datasets import embedded

#: Okabe and Ito's eight colours, distinct for colour-blind readers; the ones that read best as lines first.
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442"]

#: The embedded classes' colours as matplotlib names them, class 0 (background) first.
CLASS_COLOURS = [f"#{red:02X}{green:02X}{blue:02X}" for red, green, blue in embedded.CLASS_COLOURS]


def use_style() -> None:
    """Set matplotlib's defaults for the course: 8 inches wide, 90 dpi, white paper, legible text."""
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
    """Turn a label map [H, W] into a picture, uint8 [H, W, 3]; by default in the embedded set's colours."""
    return (embedded.Embedded.palette if palette is None else palette)[np.asarray(labels).astype(np.uint8)]


def show_image(ax, image, title: str = ""):
    """Show a picture [H, W, 3] or a grey map [H, W] on `ax`, without ticks; return what imshow returns."""
    ax.set(title=title, xticks=[], yticks=[])
    ax.spines[:].set(visible=True, color="grey", linewidth=0.8)
    return ax.imshow(image, cmap="gray" if np.ndim(image) == 2 else None)


def show_labels(ax, labels, title: str = "", palette: np.ndarray | None = None):
    """Show a label map [H, W] in class colours on `ax`; pass `datasets.voc_colours()` for PASCAL VOC labels."""
    return show_image(ax, colour_labels(labels, palette), title)


# ---------------------------------------------------------------- receptive fields


def show_box(ax, box, colour: str, name: str = "", **line) -> None:
    """Outline `box` = (top, left, bottom, right), in whole pixels, both ends included, on a picture.

    A white line runs beneath the coloured one, so that the box is seen on dark and on light ground.
    """
    top, left, bottom, right = (edge + side for edge, side in zip(box, (-0.5, -0.5, 0.5, 0.5), strict=True))
    corners = [left, right, right, left, left], [top, top, bottom, bottom, top]
    ax.plot(*corners, color="white", lw=line.get("lw", 2.2) + 1.8, solid_joinstyle="miter")
    ax.plot(*corners, color=colour, **{"lw": 2.2, "solid_joinstyle": "miter", **line})
    if name:
        paper = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
        ax.text(left, top, name, color=colour, ha="left", va="top", fontsize=11, weight="bold", bbox=paper)


def show_views(fig, image: np.ndarray, boxes: dict[str, tuple[int, int, int, int]], columns: int = 3) -> None:
    """Draw `boxes`, name -> (top, left, bottom, right), over a picture, and beside it what each box shows."""
    left, right = fig.subfigures(1, 2, width_ratios=(1.05, 1))
    ax = left.subplots()
    ax.imshow(image)
    ax.set(xlim=(-0.5, image.shape[1] - 0.5), ylim=(image.shape[0] - 0.5, -0.5))
    ax.set(title="How much does one unit see?", xlabel="column (pixels)", ylabel="row (pixels)")
    grid = right.subplots(-(-len(boxes) // columns), columns, squeeze=False).ravel()
    for ax_view in grid[len(boxes) :]:
        ax_view.axis("off")
    for (name, box), colour, ax_view in zip(boxes.items(), COLOURS, grid, strict=False):
        show_box(ax, box, colour)
        top, first, bottom, last = box
        view = image[max(top, 0) : bottom + 1, max(first, 0) : last + 1]
        show_image(ax_view, view, f"{name}: {bottom - top + 1} px")
        ax_view.title.set_fontsize(11)
        for side in ax_view.spines.values():
            side.set(visible=True, color=colour, linewidth=2.5)


def show_stack(ax, layers: list[Layer], unit: int, input_size: int, title: str = "") -> None:
    """Draw a 1-D stack, the input lowest, and every path from `unit` of the last map down to the pixels.

    Each cell stands over the centre of its field, so the jump is seen as the distance between cells. Taps
    in the padding end at a hollow grey cell.
    """
    fields = receptive_fields(layers, input_size)
    reached = {unit}
    for level in range(len(fields) - 1, -1, -1):
        field = fields[level]
        cells = np.arange(field.out)
        colours = [COLOURS[4] if cell in reached else "white" for cell in cells]
        places = field.start + field.jump * cells
        ax.scatter(places, np.full(len(cells), level), 70, colours, marker="s", edgecolors="0.35", zorder=3)
        if level:
            reached = _draw_taps(ax, layers[level - 1], fields[level - 1], field, level, reached)
    names = ["input", *(field.name for field in fields[1:])]
    ax.set_yticks(range(len(fields)), names)
    ax.set_xticks(range(0, input_size, 2))
    ax.set(title=title, xlabel="place (input pixels)", xlim=(-0.8, input_size - 0.2))
    ax.set_ylim(-0.45, len(fields) - 0.55)
    ax.tick_params(left=False)
    ax.spines["left"].set_visible(False)


def _draw_taps(ax, layer: Layer, below, field, level: int, reached: set[int]) -> set[int]:
    """Draw the lines from `reached` cells of one map to the cells that they read; return those."""
    read = {(cell, tap) for cell in reached for tap in layer.taps(cell)}
    for cell, tap in read:
        ends = [field.start + field.jump * cell, below.start + below.jump * tap]
        ax.plot(ends, [level, level - 1], color="0.45", lw=1.2, zorder=2)
        if not 0 <= tap < below.out:
            ax.scatter(ends[1], level - 1, 70, "white", marker="s", edgecolors="0.8", zorder=3)
    return {tap for _, tap in read if 0 <= tap < below.out}


def show_counts(ax, counts, title: str = ""):
    """Show on `ax` how many paths [H, W] reach each pixel; pixels that none reaches stay white."""
    counts = np.asarray(counts)
    cmap = mpl.colormaps["viridis"].with_extremes(bad="white")
    shown = show_image(ax, np.ma.masked_equal(counts, 0), title)
    shown.set(cmap=cmap, clim=(0, counts.max()))
    for side in ax.spines.values():
        side.set_visible(True)
    return shown


def show_units(ax, image: np.ndarray, field, title: str = "", unit: int | None = None) -> None:
    """Dot the centres of all units of `field` (an `arithmetic.Field` with `out`) over a picture [H, W, 3].

    The receptive field of one unit is outlined: number `unit` of its row and of its column, or the one
    nearest to the middle of the map. The picture is paled, so that the dots stand out, and has few shades,
    so that a notebook's file stays small.
    """
    show_image(ax, (image // 16 * 7 + 145).astype(np.uint8), title)
    places = field.start + field.jump * np.arange(field.out)
    columns, rows = np.meshgrid(places, places)
    ax.scatter(columns, rows, 4 * field.jump**0.5, COLOURS[0], zorder=3, clip_on=False)
    unit = (field.out - 1) // 2 if unit is None else unit
    first, last = field.box(unit)
    show_box(ax, (first, first, last, last), COLOURS[1])
    ax.scatter(places[unit], places[unit], 70, COLOURS[1], edgecolors="white", zorder=4)
    for side in ax.spines.values():
        side.set_visible(False)


# ---------------------------------------------------------------- kernels


def show_taps(ax, kernels: list[tuple[int, int]], title: str = "") -> None:
    """Draw one row of cells for each (kernel size, dilation): taps dark, the holes between them pale."""
    names = []
    for row, (kernel_size, dilation) in enumerate(kernels):
        layer = Layer(kernel_size, dilation=dilation)
        for cell in range(layer.covers):
            colour = COLOURS[0] if cell in layer.taps(0) else "#E8E8E8"
            ax.add_patch(mpl.patches.Rectangle((cell + 0.05, row - 0.4), 0.9, 0.8, color=colour))
        ax.text(layer.covers + 0.3, row, f"covers {layer.covers}", va="center")
        names.append(f"{kernel_size} taps, dilation {dilation}")
    widest = max(Layer(k, dilation=d).covers for k, d in kernels)
    ax.set(title=title, xlabel="cells", xlim=(0, widest + 2.5), ylim=(len(kernels) - 0.5, -0.5))
    ax.set_yticks(range(len(kernels)), names)
    ax.set_xticks([cell + 0.5 for cell in range(widest)], range(widest))
    ax.tick_params(left=False)
    ax.spines["left"].set_visible(False)


def show_reached(ax, image: np.ndarray, reached: np.ndarray, box: tuple[int, int, int, int]) -> None:
    """Leave a picture [H, W, 3] visible where `reached` [H, W] is True, grey elsewhere, and outline `box`."""
    show_image(ax, np.where(reached[..., None], image, 225).astype(np.uint8))
    show_box(ax, box, COLOURS[1])
    ax.set(xlim=(-4, image.shape[1] + 3), ylim=(image.shape[0] + 3, -4))
    for side in ax.spines.values():
        side.set_visible(False)


def show_heat(ax, heat: np.ndarray, boxes: dict[str, tuple[int, int, int, int]], block: int = 4) -> None:
    """Show how much each pixel matters, [H, W], as strength (square root of the energy), with named boxes.

    The energy is averaged over blocks of `block` × `block` pixels, which calms the noise.
    """
    height, width = (size // block for size in heat.shape)
    energy = heat[: height * block, : width * block].reshape(height, block, width, block).mean((1, 3))
    edges = (-0.5, width * block - 0.5, height * block - 0.5, -0.5)
    ax.imshow(np.sqrt(energy), cmap="gray", extent=edges)
    for (name, box), colour in zip(boxes.items(), (COLOURS[5], COLOURS[4]), strict=False):
        show_box(ax, box, colour, name)
    ax.set(xlabel="column (pixels)", ylabel="row (pixels)")


def show_profiles(ax, effective, box: tuple[int, int, int, int]) -> None:
    """Draw the energy per column of several effective fields, the first one's Gaussian, and the box's width."""
    _, left, _, right = box
    ax.axvspan(left - 0.5, right + 0.5, color=COLOURS[5], alpha=0.25, lw=0, label="can see")
    for number, found in enumerate(effective):
        label = f"{len(effective)} networks" if number == 0 else None
        ax.plot(found.heat.sum(0) * 100, color="0.3", lw=1, alpha=0.8, label=label)
    ax.plot(effective[0].gaussian().sum(0) * 100, color=COLOURS[1], label="Gaussian")
    ax.set(xlabel="column (pixels)", ylabel="energy (% per column)", ylim=(0, None))
    ax.legend(loc="upper left", fontsize=10)
