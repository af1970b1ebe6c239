"""Figures of receptive fields: what units see, which pixels paths reach, and how much each one matters."""

from itertools import pairwise

import matplotlib as mpl
import numpy as np

from deeplab_lessons.arithmetic import Field, Layer, receptive_fields
from deeplab_lessons.classroom import stacks
from deeplab_lessons.classroom.drawing.style import COLOURS, show_image
from deeplab_lessons.classroom.drawing.words import listed, rounded, say
from deeplab_lessons.classroom.gradient_fields import EffectiveField


def show_box(ax, box, colour: str, name: str = "", **line) -> None:
    """Outline `box` = (top, left, bottom, right), in whole pixels, both ends included, on an image.

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
    """Draw `boxes`, name -> (top, left, bottom, right), over an image, and next to it what each box shows."""
    left, right = fig.subfigures(1, 2, width_ratios=(1.05, 1))
    ax = left.subplots()
    ax.imshow(image // 8 * 8)  # few shades: a small file
    ax.set(xlim=(-0.5, image.shape[1] - 0.5), ylim=(image.shape[0] - 0.5, -0.5))
    ax.set(title="How much does one unit see?", xlabel="column (pixels)", ylabel="row (pixels)")
    sides = {name: box[2] - box[0] + 1 for name, box in boxes.items()}
    say(
        ax,
        f"boxes over an image, the fields of one unit each: {listed(f'{n} {s} px' for n, s in sides.items())}",
    )
    grid = right.subplots(-(-len(boxes) // columns), columns, squeeze=False).ravel()
    for ax_view in grid[len(boxes) :]:
        ax_view.axis("off")
    for (name, box), colour, ax_view in zip(boxes.items(), COLOURS, grid, strict=False):
        show_box(ax, box, colour)
        top, first, bottom, last = box
        view = image[max(top, 0) : bottom + 1, max(first, 0) : last + 1]
        show_image(ax_view, view, f"{name}: {bottom - top + 1} px")
        ax_view.title.set_fontsize(11)
        ax_view.spines[:].set(color=colour, linewidth=2.5)


def show_stack(ax, layers: list[Layer], unit: int, input_size: int, title: str = "") -> None:
    """Draw a 1-D stack, the input lowest, and every path from `unit` of the last map down to the pixels.

    Each cell is drawn over the centre of its field, so that the jump shows as the distance between cells. Taps
    in the padding end at a hollow grey cell.
    """
    fields = receptive_fields(layers, input_size)
    reached, seen = {unit}, {}
    for level in range(len(fields) - 1, -1, -1):
        field = fields[level]
        seen[field.name] = len(reached)
        cells = np.arange(field.out)
        colours = [COLOURS[4] if cell in reached else "white" for cell in cells]
        centres = field.start + field.jump * cells
        ax.scatter(centres, np.full(len(cells), level), 70, colours, marker="s", edgecolors="0.35", zorder=3)
        if level:
            reached = _draw_taps(ax, layers[level - 1], fields[level - 1], field, level, reached)
    names = ["input", *(field.name for field in fields[1:])]
    ax.set_yticks(range(len(fields)), names)
    ax.set_xticks(range(0, input_size, 2))
    down = [f"{count} cells of {name}" for name, count in list(seen.items())[1:-1]] + [
        f"{seen[fields[0].name]} input pixels"
    ]
    say(ax, f"one unit of {fields[-1].name} and its paths down to {listed(down)}")
    ax.set(title=title, xlabel="position (input pixels)", xlim=(-0.8, input_size - 0.2))
    ax.set_ylim(-0.45, len(fields) - 0.55)
    ax.tick_params(left=False)
    ax.spines["left"].set_visible(False)


def _draw_taps(ax, layer: Layer, below: Field, field: Field, level: int, reached: set[int]) -> set[int]:
    """Draw the lines from `reached` cells of one map to the cells that they read; return those."""
    read = {(cell, tap) for cell in reached for tap in layer.taps(cell)}
    for cell, tap in read:
        ends = [field.start + field.jump * cell, below.start + below.jump * tap]
        ax.plot(ends, [level, level - 1], color="0.45", lw=1.2, zorder=2)
        if not 0 <= tap < below.out:
            ax.scatter(ends[1], level - 1, 70, "white", marker="s", edgecolors="0.8", zorder=3)
    return {tap for _, tap in read if 0 <= tap < below.out}


def show_growth(ax, layers: list[Layer], title: str = "") -> None:
    """Draw the field of every layer as a bar, all around one centre, the first layer lowest.

    A bar is pale where the layer below saw already. What the layer adds is in the colour of the jump by which it
    steps, and written next to it: (kernel size - 1) · dilation · jump.
    """
    fields = receptive_fields(layers)
    jumps = sorted({field.jump for field in fields[:-1]})
    for level, (layer, below, field) in enumerate(zip(layers, fields, fields[1:], strict=False), 1):
        colour = COLOURS[jumps.index(below.jump)]
        ax.barh(level, field.size, left=-field.size / 2, color=colour)
        ax.barh(level, below.size, left=-below.size / 2, color="#DDDDDD")
        step = f"{layer.kernel_size - 1} · {layer.dilation} · {below.jump}"
        ax.text(field.size / 2 + 8, level, step, va="center", fontsize=9, color=colour, weight="bold")
    widest = fields[-1].size
    ax.set_yticks(range(1, len(fields)), [field.name for field in fields[1:]], fontsize=9)
    ax.set(title=title, xlabel="pixels from the centre", xlim=(-widest / 2 - 5, widest / 2 + 100))
    ax.set_ylim(0.4, len(layers) + 0.6)
    steps = [f"{field.name} {field.size - below.size}" for below, field in pairwise(fields)]
    say(
        ax,
        f"pixels that each layer adds to a field of 1 px, at jumps of {listed(jumps)}: {listed(steps)}; "
        f"{widest} px in total",
    )


def show_counts(ax, counts, title: str = ""):
    """Show how many paths [H, W] reach each pixel, pixels that none reaches in white; return what imshow returns."""
    counts = np.asarray(counts)
    cmap = mpl.colormaps["viridis"].with_extremes(bad="white")
    shown = show_image(ax, np.ma.masked_equal(counts, 0), title)
    shown.set(cmap=cmap, clim=(0, counts.max()))
    rows, columns = counts.shape
    say(
        ax,
        f"paths to each of {rows} × {columns} pixels, at most {rounded(counts.max())}; none to "
        f"{(counts == 0).mean():.0%} of the pixels",
    )
    return shown


def show_paths(ax, layers: list[Layer], title: str = "") -> None:
    """Draw the paths from each pixel of the window to the middle unit of a stack on a row, as bars."""
    window = receptive_fields(layers)[-1].size
    counts = stacks.path_counts(layers, window // 2, input_size=window)
    ax.bar(range(-(window // 2), window // 2 + 1), counts, color=COLOURS[0])
    ax.set(title=f"{title}:\n{window} pixels wide, {counts.count(0)} holes")
    ax.set(xlabel="pixels from the centre", ylabel="paths to the unit")
    ax.label_outer()
    tops = [rounded(place - window // 2) for place, count in enumerate(counts) if count == max(counts)]
    where = f"{listed(tops)} px from the centre" if len(tops) <= 3 else f"{len(tops)} of the pixels"
    say(ax, f"bars for the paths from each pixel to the unit, at most {max(counts)}, at {where}")


def show_units(ax, image: np.ndarray, field: Field, title: str = "", unit: int | None = None) -> None:
    """Dot the centres of all units of `field`, whose `out` must be known, over an image [H, W, 3].

    The receptive field of one unit is outlined: number `unit` of its row and of its column, or the one
    nearest to the middle of the map. The image is paled so that the dots are visible, and has few shades
    so that a notebook's file stays small.
    """
    show_image(ax, (image // 16 * 7 + 145).astype(np.uint8), title)
    centres = field.start + field.jump * np.arange(field.out)
    columns, rows = np.meshgrid(centres, centres)
    ax.scatter(columns, rows, 4 * field.jump**0.5, COLOURS[0], zorder=3, clip_on=False)
    unit = (field.out - 1) // 2 if unit is None else unit
    first, last = field.box(unit)
    show_box(ax, (first, first, last, last), COLOURS[1])
    ax.scatter(centres[unit], centres[unit], 70, COLOURS[1], edgecolors="white", zorder=4)
    say(
        ax,
        f"a pale image with {field.out} × {field.out} dots, {rounded(field.jump)} px apart, and a box of "
        f"{rounded(last - first + 1)} px around what one of them sees",
    )
    ax.spines[:].set_visible(False)


def show_reached(
    ax, image: np.ndarray, reached: np.ndarray, box: tuple[int, int, int, int], title: str = ""
) -> None:
    """Leave an image [H, W, 3] visible where `reached` [H, W] is True, grey elsewhere, and outline `box`."""
    show_image(ax, np.where(reached[..., None], image, 225).astype(np.uint8), title)
    show_box(ax, box, COLOURS[1])
    say(
        ax,
        f"a box around what one unit can see; {reached.mean():.0%} of the image's pixels reach it, the others are grey",
    )
    ax.set(xlim=(-4, image.shape[1] + 3), ylim=(image.shape[0] + 3, -4))
    ax.spines[:].set_visible(False)


def show_heat(ax, heat: np.ndarray, boxes: dict[str, tuple[int, int, int, int]], block: int = 4) -> None:
    """Show how much each pixel matters, [H, W], as strength (square root of the energy), with named boxes.

    The energy is averaged over blocks of `block` x `block` pixels, which reduces the noise.
    """
    height, width = (size // block for size in heat.shape)
    energy = heat[: height * block, : width * block].reshape(height, block, width, block).mean((1, 3))
    edges = (-0.5, width * block - 0.5, height * block - 0.5, -0.5)
    ax.imshow(np.sqrt(energy), cmap="gray", extent=edges)
    for (name, box), colour in zip(boxes.items(), (COLOURS[5], COLOURS[4]), strict=False):
        show_box(ax, box, colour, name)
    ax.set(xlabel="column (pixels)", ylabel="row (pixels)")
    sides = [f"“{name}”, {right - left + 1} px wide" for name, (_, left, _, right) in boxes.items()]
    say(ax, f"a bright spot on black, with boxes around {listed(sides)}")


def show_profiles(ax, effective: list[EffectiveField], box: tuple[int, int, int, int]) -> None:
    """Draw the energy per column of several effective fields, the first one's Gaussian, and the box's width."""
    _, left, _, right = box
    ax.axvspan(left - 0.5, right + 0.5, color=COLOURS[5], alpha=0.25, lw=0, label="can see")
    for number, field in enumerate(effective):
        label = f"{len(effective)} networks" if number == 0 else None
        ax.plot(field.heat.sum(0) * 100, color="0.3", lw=1, alpha=0.8, label=label)
    ax.plot(effective[0].gaussian().sum(0) * 100, color=COLOURS[1], label="Gaussian")
    profile = effective[0].heat.sum(0) * 100
    say(
        ax,
        f"energy in per cent per column, of {len(effective)} networks and of a Gaussian: a hill with its top, "
        f"{rounded(profile.max())}, at column {profile.argmax()}; the unit can see columns {left} to {right}",
    )
    ax.set(xlabel="column (pixels)", ylabel="energy (% per column)", ylim=(0, None))
    ax.legend(loc="upper left", fontsize=10)


def show_effective(fig, effective: list[EffectiveField], box: tuple[int, int, int, int]) -> None:
    """Draw where one unit's energy is, averaged over `effective`, and next to it the energy of each column."""
    left, right = fig.subplots(1, 2, width_ratios=(1, 1.15))
    heat = sum(found.heat for found in effective) / len(effective)
    show_heat(left, heat, {"can see": box, "95 % of the energy": effective[0].energy_box(0.95)})
    show_profiles(right, effective, box)
    left.set_title("Which pixels matter to one unit?")
    right.set_title("Is it a Gaussian?")


def show_widths(ax, widths: dict[str, int | None], image_width: int, title: str = "") -> None:
    """Draw a bar per branch, as wide as its field in pixels, and a line at the image's width.

    None is a field without edges, that of image pooling: its bar is as wide as the image.
    """
    shown = [image_width if width is None else width for width in widths.values()]
    ax.barh(list(widths), shown, color=COLOURS[: len(widths)])
    ax.axvline(image_width, color="black", lw=1.5, ls="--")
    ax.text(image_width + 7, len(widths) - 1, f"width of the image: {image_width}", va="center", fontsize=11)
    ax.invert_yaxis()
    ax.set(title=title, xlabel="width (input pixels)")
    bars = [f"{name} {'the whole image' if width is None else width}" for name, width in widths.items()]
    say(
        ax,
        f"bars for the widths of fields in pixels: {listed(bars)}; a line at the image's width, {image_width}",
    )
