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


class Misfit(Exception):
    """The axes of a map cannot be followed; the message says why."""


def entry(tag: str, size: int) -> Entry:
    """One dimension that holds one axis."""
    return ((tag, size),) if size > 1 else ()


def channels(shape: Sequence[int]) -> Layout:
    """The layout of a tensor with no map in it."""
    return tuple(entry("c", size) for size in shape)


def image(shape: Sequence[int]) -> Layout:
    """The layout of `[..., H, W]`."""
    return (*channels(shape[:-2]), entry("y", shape[-2]), entry("x", shape[-1]))


def tags(dimension: Entry) -> set[str]:
    """Which axes of the map a dimension holds: a subset of {"y", "x"}."""
    return {tag for tag, _ in dimension if tag != "c"}


def tidy(dimension: Entry) -> Entry:
    """The same dimension with neighbouring "c" parts merged into one."""
    parts: list[tuple[str, int]] = []
    for tag, size in dimension:
        if parts and tag == parts[-1][0] == "c":
            parts[-1] = ("c", parts[-1][1] * size)
        else:
            parts.append((tag, size))
    return tuple(parts)


def reshape(layout: Layout, shape: Sequence[int]) -> Layout:
    """The layout after `view` or `reshape` to `shape`; Misfit where it cuts rows or columns apart."""
    parts = [part for dimension in layout for part in dimension]
    new = []
    for size in shape:
        dimension: list[tuple[str, int]] = []
        while size > 1:
            tag, have = parts.pop(0)
            if size % have == 0:
                dimension.append((tag, have))
                size //= have
            elif tag == "c" and have % size == 0:
                dimension.append((tag, size))
                parts.insert(0, (tag, have // size))
                size = 1
            else:
                what = AXIS_NAMES.get(tag, "channels")
                raise Misfit(
                    f"it cuts the {have} {what} of the map into pieces (as patches or windows do), so that a "
                    "unit no longer has one place on the map"
                )
        new.append(tidy(tuple(dimension)))
    return tuple(new)


def broadcast(layouts: Sequence[Layout], shape: Sequence[int]) -> Layout:
    """The layout of an element-wise operation on several tensors, aligned at the last dimension.

    A dimension that only constants fill counts as rows or columns if it is the last but one or the last of
    four, else as channels. Raises Misfit where rows would meet columns or channels.
    """
    result: list[Entry] = []
    free = {"y", "x"} - {tag for layout in layouts for dimension in layout for tag in tags(dimension)}
    for back in range(len(shape), 0, -1):
        found = {tidy(layout[-back]) for layout in layouts if len(layout) >= back and layout[-back]}
        if len(found) > 1:
            raise Misfit("it combines tensors whose rows, columns and channels lie in different places")
        if found:
            result.append(found.pop())
            continue
        place = {2: "y", 1: "x"}.get(back, "c") if len(shape) == 4 else "c"
        result.append(entry(place if place in free else "c", shape[-back]))
    return tuple(result)


def holds(layout: Layout, tag: str) -> bool:
    """Whether any dimension holds this axis of the map."""
    return any(tag in tags(dimension) for dimension in layout)
