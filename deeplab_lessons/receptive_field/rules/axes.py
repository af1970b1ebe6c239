"""Rules for operators that move the axes of a map about or keep a part of it: views, permutations, slices."""

from bisect import bisect
from dataclasses import replace
from itertools import accumulate
from math import prod

import torch

from deeplab_lessons.receptive_field.calls import Call, State, rule
from deeplab_lessons.receptive_field.graph import Node, Window
from deeplab_lessons.receptive_field.record import Entry, broadcast, channels, entry, reshape, tags


@rule("view", "_unsafe_view", "reshape", "_reshape_alias", "_reshape_copy", "view_copy", "flatten", "unflatten",
      "squeeze", "unsqueeze", "squeeze_copy", "unsqueeze_copy")  # fmt: skip
def view(call: Call) -> State:
    """The same numbers in the same order, counted in other dimensions."""
    state, out = call.states()[0], call.run()
    return replace(state, parts=(), layout=reshape(state.layout, out.shape))


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


@rule("expand", "expand_copy", "repeat")
def expand(call: Call) -> State:
    """A tensor repeated along dimensions of size 1."""
    state, out = call.states()[0], call.run()
    if call.op == "repeat":
        times = list(call["repeats"])
        dims = [()] * (len(times) - len(state.layout)) + list(state.layout)
        if any(n > 1 and tags(dim) for n, dim in zip(times, dims, strict=True)):
            call.refuse("it puts copies of a map side by side")
        dims = [dim if n == 1 else () for n, dim in zip(times, dims, strict=True)]
        state = replace(state, layout=tuple(dims))
    return call.join([state], broadcast([state.layout], out.shape), "expand")


@rule("slice", "select", "narrow", "split", "split_with_sizes", "chunk", "unbind", "slice_copy", "unsafe_split",
      "unsafe_split_with_sizes", "select_copy", "unsafe_chunk")  # fmt: skip
def part(call: Call) -> State | list[State]:
    """Some channels of a map keep its field; some rows or columns are a crop."""
    state = call.states()[0]
    call.run()
    dim = call.args.get("dim", 0) % len(state.layout)
    size = next(v for v in call.args.values() if isinstance(v, torch.Tensor)).shape[dim]
    kept = slice(call.args.get("start"), call.args.get("end"), call.args.get("step") or 1)
    start, every = call["index"] % size if "index" in call.args else kept.indices(size)[0], kept.step
    states = []
    for piece in call.outs:
        states.append(_one_part(call, state, piece, dim, start, every))
        start += 1 if piece.dim() < len(state.layout) else piece.shape[dim]
    return states


def _one_part(call: Call, state: State, piece: torch.Tensor, dim: int, start: int, every: int) -> State:
    dropped = piece.dim() < len(state.layout)
    kept, here = 1 if dropped else piece.shape[dim], state.layout[dim]
    axis = "".join(sorted(tags(here)))
    if axis and kept == prod(size for _, size in here) and every == 1:
        return state
    layout = list(state.layout)
    layout[dim : dim + 1] = [] if dropped else [entry(axis or "c", kept)]
    if not axis:
        return State(_of_channels(state, here, start, kept, every), tuple(layout))
    if len(here) > 1:
        call.refuse("it takes some of the units of a flattened map")
    kind = "crop" if every == 1 else "subsample"
    return call.apply(state, tuple(layout), {axis: Window.of_crop(start, every)}, kind)


def _of_channels(state: State, here: Entry, start: int, kept: int, every: int) -> Node:
    """The branch of a concatenation that the kept channels come from; the whole map if there are several."""
    if not state.parts or here != entry("c", sum(n for n, _ in state.parts)):
        return state.node
    ends, last = list(accumulate(n for n, _ in state.parts)), start + (kept - 1) * every
    first, final = bisect(ends, start), bisect(ends, last)
    return state.parts[first][1] or state.node if first == final else state.node


@rule("as_strided")
def as_strided(call: Call) -> State:
    """Only the harmless form that torch itself uses: the memory order of a map of one unit."""
    state = call.states()[0]
    if state.node.size != (1, 1):
        call.refuse("it reads the tensor's memory in an order of its own")
    return State(state.node, channels(call.run().shape))


@rule("index", "index_select", "gather", "take_along_dim")
def index(call: Call) -> State:
    """Picking channels is fine; picking units of a map by number is not followed."""
    state = call.states()[0]
    if state is not call.state("self"):
        call.refuse("what it picks depends on the input's values")
    picks = call.args.get("indices")
    dims = [call["dim"]] if picks is None else [i for i, pick in enumerate(picks) if pick is not None]
    if len(dims) != 1 or tags(state.layout[dims[0]]):
        call.refuse("it picks units of the map by number")
    if picks is not None and picks[dims[0]].dtype in (torch.bool, torch.uint8):
        call.refuse("it picks with a mask, so that what it picks depends on values")
    out = call.run()
    if out.dim() != len(state.layout):
        call.refuse("it picks with a table of numbers")
    layout = list(state.layout)
    layout[dims[0]] = entry("c", out.shape[dims[0]])
    return State(state.node, tuple(layout))
