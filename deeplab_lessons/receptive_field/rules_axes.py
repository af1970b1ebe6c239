"""Rules for operators that move the axes of a map about or keep a part of it: views, permutations, slices."""

from bisect import bisect
from dataclasses import replace
from itertools import accumulate

import torch

from deeplab_lessons.receptive_field import layout as lay
from deeplab_lessons.receptive_field.calls import Call, State, rule
from deeplab_lessons.receptive_field.graph import Node, Reach


@rule(
    "view", "_unsafe_view", "reshape", "_reshape_alias", "_reshape_copy", "view_copy", "flatten", "unflatten"
)
def view(call: Call) -> State:
    """The same numbers in the same order, counted in other dimensions."""
    state, out = call.states()[0], call.run()
    return replace(state, parts=(), layout=lay.reshape(state.layout, out.shape))


@rule("permute", "transpose", "t", "movedim", "numpy_T", "permute_copy", "transpose_copy", "t_copy")
def permute(call: Call) -> State:
    """Dimensions in another order."""
    state = call.states()[0]
    order = list(range(len(state.layout)))
    if call.op.startswith("permute"):
        order = [dim % len(order) for dim in call["dims"]]
    elif call.op.startswith("transpose"):
        a, b = call["dim0"], call["dim1"]
        order[a], order[b] = order[b], order[a]
    else:
        order.reverse()
    call.run()
    return replace(state, parts=(), layout=tuple(state.layout[dim] for dim in order))


@rule("squeeze", "unsqueeze", "squeeze_copy", "unsqueeze_copy")
def squeeze(call: Call) -> State:
    """Dimensions of size 1 dropped or added."""
    state, out = call.states()[0], call.run()
    return replace(state, parts=(), layout=lay.reshape(state.layout, out.shape))


@rule("expand", "expand_copy", "repeat")
def expand(call: Call) -> State:
    """A tensor repeated along dimensions of size 1."""
    state, out = call.states()[0], call.run()
    if call.op == "repeat":
        times = list(call["repeats"])
        dims = [(), ] * (len(times) - len(state.layout)) + list(state.layout)  # fmt: skip
        if any(n > 1 and lay.tags(dim) for n, dim in zip(times, dims, strict=True)):
            call.refuse("it puts copies of a map side by side")
        dims = [d if n == 1 else () for n, d in zip(times, dims, strict=True)]
        state = replace(state, layout=tuple(dims))
    return call.join([state], lay.broadcast([state.layout], out.shape), "expand")


@rule("slice", "select", "narrow", "split", "split_with_sizes", "chunk", "unbind", "slice_copy", "unsafe_split",
      "unsafe_split_with_sizes", "select_copy", "unsafe_chunk")  # fmt: skip
def part(call: Call) -> State | list[State]:
    """Some channels of a map keep its field; some rows or columns are a crop."""
    state, out = call.states()[0], call.run()
    outs = out if isinstance(out, (tuple, list)) else [out]
    dim = call.args.get("dim", 0) % len(state.layout)
    start, every = _first_kept(call, dim)
    states = []
    for piece in outs:
        states.append(_one_part(call, state, piece, dim, start, every))
        start += 1 if piece.dim() < len(state.layout) else piece.shape[dim]
    return states if isinstance(out, (tuple, list)) else states[0]


def _first_kept(call: Call, dim: int) -> tuple[int, int]:
    """The first index kept along `dim`, and the step."""
    size = next(v for v in call.args.values() if isinstance(v, torch.Tensor)).shape[dim]
    if "index" in call.args:
        return call["index"] % size, 1
    start, _, step = slice(call.args.get("start"), call.args.get("end"), call.args.get("step") or 1).indices(
        size
    )
    return start, step


def _one_part(call: Call, state: State, piece: torch.Tensor, dim: int, start: int, every: int) -> State:
    dropped = piece.dim() < len(state.layout)
    kept = 1 if dropped else piece.shape[dim]
    here = state.layout[dim]
    layout = list(state.layout)
    if not lay.tags(here):
        node = _of_channels(state.parts, here, start, kept, every)
        if node is not None:
            layout[dim : dim + 1] = [] if dropped else [lay.entry("c", kept)]
            return State(node, tuple(layout))
        layout[dim : dim + 1] = [] if dropped else [lay.entry("c", kept)]
        return State(state.node, tuple(layout))
    size = 1
    for _, n in here:
        size *= n
    if kept == size and every == 1:
        return state
    if len(here) > 1:
        call.refuse("it takes some of the units of a flattened map")
    tag = here[0][0]
    layout[dim : dim + 1] = [] if dropped else [lay.entry(tag, kept)]
    new = call.axes(state, tuple(layout), {tag: Reach.of_crop(start, every)}, {tag: kept})
    new.node.name = call.note("crop" if every == 1 else "subsample", new.node)
    return new


def _of_channels(
    parts: tuple[tuple[int, Node | None], ...], here: lay.Entry, start: int, kept: int, every: int
) -> Node | None:
    """The one branch of a concatenation that the kept channels come from; None if there are several."""
    if not parts or here != lay.entry("c", sum(n for n, _ in parts)):
        return None
    ends, last = list(accumulate(n for n, _ in parts)), start + (kept - 1) * every
    chosen = {bisect(ends, start), bisect(ends, last)}
    return parts[chosen.pop()][1] if len(chosen) == 1 else None


@rule("as_strided")
def as_strided(call: Call) -> State:
    """Only the harmless form that torch itself uses: the memory order of a map of one unit."""
    state = call.states()[0]
    if state.node.size != (1, 1):
        call.refuse("it reads the tensor's memory in an order of its own")
    out = call.run()
    return State(state.node, lay.channels(out.shape))


@rule("index", "index_select", "gather", "take_along_dim")
def index(call: Call) -> State:
    """Picking channels is fine; picking units of a map by number is not followed."""
    state = call.states()[0]
    if state is not call.state("self"):
        call.refuse("what it picks depends on the input's values")
    picks = call.args.get("indices")
    dims = [call["dim"]] if picks is None else [i for i, pick in enumerate(picks) if pick is not None]
    if len(dims) != 1 or lay.tags(state.layout[dims[0]]):
        call.refuse("it picks units of the map by number")
    if picks is not None and any(
        pick is not None and pick.dtype in (torch.bool, torch.uint8) for pick in picks
    ):
        call.refuse("it picks with a mask, so that what it picks depends on values")
    out = call.run()
    if out.dim() != len(state.layout):
        call.refuse("it picks with a table of numbers")
    layout = list(state.layout)
    layout[dims[0]] = lay.entry("c", out.shape[dims[0]])
    return State(state.node, tuple(layout))
