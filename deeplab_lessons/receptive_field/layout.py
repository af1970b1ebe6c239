"""Where the rows and columns of a map lie among the dimensions of a tensor.

A tensor's layout is one entry per dimension; an entry lists the axes merged in it, each as (tag, size), with
tag "y" for rows of the map, "x" for columns and "c" for everything else (batch, channels). `[N, C, H, W]` is
`((c, N),) ((c, C),) ((y, H),) ((x, W),)`; flattening merges entries; a dimension of size 1 is empty, `()`.
So views, permutations and flattening are followed exactly, and what would tear a map apart is noticed.
"""

from collections.abc import Sequence

Entry = tuple[tuple[str, int], ...]
Layout = tuple[Entry, ...]
AXIS_NAMES = {"y": "rows", "x": "columns"}


class LayoutError(Exception):
    """The axes of a map cannot be followed; the message says why."""


def entry(tag: str, size: int) -> Entry:
    """Return one dimension that holds one axis."""
    return () if size == 1 else ((tag, size),)


def channels(shape: Sequence[int]) -> Layout:
    """Return the layout of a tensor with no map in it."""
    return tuple(entry("c", size) for size in shape)


def image(shape: Sequence[int]) -> Layout:
    """Return the layout of `[..., H, W]`."""
    return (*channels(shape[:-2]), entry("y", shape[-2]), entry("x", shape[-1]))


def tags(*dimensions: Entry) -> set[str]:
    """Return which axes of the map some dimensions hold: a subset of {"y", "x"}."""
    return {tag for dimension in dimensions for tag, _ in dimension if tag != "c"}


def map_size(layout: Layout) -> tuple[int, int]:
    """Return the rows and columns of the map that a layout holds."""
    sizes = {tag: size for dimension in layout for tag, size in dimension}
    return sizes.get("y", 1), sizes.get("x", 1)


def axis_at(back: int, dims: int, taken: set[str]) -> str:
    """Return the axis that dimension `-back` of constants counts as: rows or columns by its place in [N, C, H, W]."""
    tag = {2: "y", 1: "x"}.get(back, "c") if dims == 4 else "c"
    return "c" if tag in taken else tag


def tidy(dimension: Entry) -> Entry:
    """Return the same dimension with neighbouring "c" parts merged into one."""
    parts: list[tuple[str, int]] = []
    for tag, size in dimension:
        if parts and tag == parts[-1][0] == "c":
            parts[-1] = ("c", parts[-1][1] * size)
        else:
            parts.append((tag, size))
    return tuple(parts)


def reshape(layout: Layout, shape: Sequence[int]) -> Layout:
    """Return the layout after `view` or `reshape` to `shape`; LayoutError where it cuts rows or columns apart."""
    parts = [part for dimension in layout for part in dimension]
    new = []
    for size in shape:
        dimension: list[tuple[str, int]] = []
        while size > 1:
            tag, have = parts.pop(0)
            if have and size % have == 0:
                dimension.append((tag, have))
                size //= have
            elif tag == "c" and have % size == 0:
                dimension.append((tag, size))
                parts.insert(0, (tag, have // size))
                size = 1
            else:
                what = AXIS_NAMES.get(tag, "channels")
                raise LayoutError(
                    f"it cuts the {have} {what} of the map into pieces (as patches or windows do), so that a "
                    "unit no longer has one place on the map"
                )
        new.append(tidy(tuple(dimension)))
    return tuple(new)


def broadcast(layouts: Sequence[Layout], shape: Sequence[int]) -> Layout:
    """Return the layout of an element-wise operation on several tensors, aligned at the last dimension.

    A dimension that only constants fill is that of `axis_at`. Raises LayoutError where rows would meet columns or
    channels.
    """
    result: list[Entry] = []
    taken = {tag for layout in layouts for tag in tags(*layout)}
    for back in range(len(shape), 0, -1):
        filled = {tidy(layout[-back]) for layout in layouts if len(layout) >= back and layout[-back]}
        if len(filled) > 1:
            raise LayoutError("it combines tensors whose rows, columns and channels lie in different places")
        free = entry(axis_at(back, len(shape), taken), shape[-back])
        result.append(filled.pop() if filled else free)
    return tuple(result)
