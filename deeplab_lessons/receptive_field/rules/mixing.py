"""Rules for operators that combine maps, or mix a whole one: sums, concatenation, norms, linear layers."""

from collections.abc import Sequence
from dataclasses import replace

import torch

from deeplab_lessons.arithmetic import Layer
from deeplab_lessons.receptive_field.calls import Call, State, rule
from deeplab_lessons.receptive_field.graph import Window
from deeplab_lessons.receptive_field.record import AXIS_NAMES, broadcast, channels, entry, tags

#: Operators that work unit by unit, beside those that torch itself marks as pointwise.
POINTWISE = {
    "detach", "alias", "_to_copy", "contiguous", "lift_fresh", "native_dropout", "bernoulli", "log_sigmoid_forward",
    "rrelu_with_noise", "masked_fill", "_prelu_kernel", "view_as_real", "hardswish", "prelu",
    "log_sigmoid", "where", "dropout", "feature_dropout", "alpha_dropout",
}  # fmt: skip
NO_VALUES = {
    "zeros_like", "ones_like", "empty_like", "full_like", "rand_like", "randn_like", "randint_like", "new_empty",
    "new_zeros", "new_ones", "new_full", "new_empty_strided", "zero", "fill", "is_same_size", "sym_size",
    "sym_numel", "sym_stride", "normal", "uniform",
}  # fmt: skip
_JOINS = {"add": "sum", "sub": "sum", "mul": "product", "div": "product", "where": "choice"}


def pointwise(call: Call) -> State:
    """Unit by unit: one traced tensor keeps its map, several are joined."""
    states, out = call.states(), call.run()
    layout = broadcast([state.layout for state in states], out.shape)
    if len({state.node for state in states}) == 1:
        call.note_pointwise()
    return call.join(states, layout, _JOINS.get(call.op, call.op))


@rule("copy")
def copy(call: Call) -> State | None:
    """Writing one tensor over another: what was there before is gone."""
    source, out = call.state("src"), call.run()
    if source is None:
        call.record.forget(out)
        return None
    return call.join([source], broadcast([source.layout], out.shape), "copy")


@rule("glu")
def glu(call: Call) -> State:
    """One half of the channels, each weighed by its partner in the other half."""
    state, out = call.states()[0], call.run()
    dim = call["dim"] % out.dim()
    if tags(state.layout[dim]):
        call.refuse("it multiplies one half of the map's rows or columns with the other")
    call.note_pointwise()
    return State(state.node, (*state.layout[:dim], entry("c", out.shape[dim]), *state.layout[dim + 1 :]))


@rule("cat", "stack")
def concatenate(call: Call) -> State:
    """Concatenation along the channels, or along a new dimension that counts the maps."""
    states, out = call.states(), call.run()
    dim, replaced = call["dim"] % out.dim(), int(call.op == "cat")
    dims = out.dim() - 1 + replaced
    if replaced and any(tags(state.layout[dim]) for state in states):
        call.refuse("it puts maps side by side along their rows or columns")
    layouts = [(*s.layout[:dim], (), *s.layout[dim + replaced :]) for s in states if len(s.layout) == dims]
    layout = list(broadcast(layouts, out.shape))
    layout[dim] = entry("c", out.shape[dim])
    if not replaced:
        return call.join(states, tuple(layout), "stack")
    joined = call.join(states, tuple(layout), "concat")
    tensors = [tensor for tensor in call["tensors"] if tensor.dim() == dims]
    branches = [(tensor.shape[dim], call.record.state(tensor)) for tensor in tensors]
    if joined.joined and all(state is None or state.node.size == joined.node.size for _, state in branches):
        return replace(joined, parts=tuple((n, state.node if state else None) for n, state in branches))
    return joined


@rule("mean", "sum", "amax", "amin", "max", "min", "var", "var_mean", "std", "std_mean", "prod", "logsumexp", "any",
      "all", "argmax", "argmin", "linalg_vector_norm", "norm", "median", "aminmax")  # fmt: skip
def reduce(call: Call) -> State:
    """One number from a whole dimension: along rows and columns the field becomes that of the whole map."""
    if call.state("other") is not None:
        return pointwise(call)
    state, out, total = call.states()[0], call.run(), len(call.states()[0].layout)
    dim = call.args.get("dim")
    dims = range(total) if dim is None or dim == [] else dim if isinstance(dim, (list, tuple)) else [dim]
    reduced = {dim % total for dim in dims}
    gone = tags(*(state.layout[dim] for dim in reduced))
    keep = out.dim() == total
    layout = tuple(() if i in reduced else d for i, d in enumerate(state.layout) if keep or i not in reduced)
    if not gone:
        call.note_pointwise()
        return State(state.node, layout)
    word = {"mean": "average", "amax": "max"}.get(call.op, call.op)
    kind = f"global {word} pool" if len(gone) == 2 else f"{word} over {_axes(gone)}"
    return call.apply(state, layout, _whole(state, gone), kind)


def _axes(axes: set[str]) -> str:
    return " and ".join(AXIS_NAMES[axis] for axis in "yx" if axis in axes)


def _whole(state: State, axes: set[str]) -> dict[str, Window]:
    """Windows that see the whole map along some axes."""
    sizes = zip("yx", state.node.size, strict=True)
    return {axis: Window.of_all(cells) for axis, cells in sizes if axis in axes}


def _mix(call: Call, state: State, dims: Sequence[int], kind: str) -> State:
    """Each unit sees all units along these dimensions, which stay."""
    if len(call.states()) > 1:
        call.refuse("more than one of its arguments depends on the input")
    axes = tags(*(state.layout[dim] for dim in dims))
    if call.out is None:
        call.run()
    if not axes:
        call.note_pointwise(kind)
        return replace(state, joined=False, parts=() if dims else state.parts)
    kind = f"{kind} over the {_axes(axes)} of the whole map"
    return call.apply(state, state.layout, _whole(state, axes), kind)


@rule("_softmax", "_log_softmax", "_safe_softmax", "softmax", "log_softmax", "cumsum", "cumprod", "logcumsumexp",
      "sort", "topk")  # fmt: skip
def softmax(call: Call) -> State:
    """Softmax (and running sums): over channels nothing changes, over rows or columns all see all."""
    state = call.states()[0]
    if (call.op == "topk" or "cum" in call.op) and tags(state.layout[call["dim"]]):
        call.refuse("it reorders or sums up the units of a map one after the other")
    return _mix(call, state, [call["dim"] % len(state.layout)], call.op.strip("_").replace("_", " "))


@rule("avg_pool3d")
def over_channels(call: Call) -> State:
    """The average over neighbouring channels inside local response norm."""
    state = call.states()[0]
    if len(state.layout) != 5 or any(n != 1 for n in (*call["kernel_size"][1:], *call["stride"][1:])):
        call.refuse("only pooling over rows and columns (2-D) is")
    return State(state.node, (*channels(call.run().shape[:-2]), *state.layout[-2:]))


@rule("native_batch_norm", "_native_batch_norm_legit", "_native_batch_norm_legit_no_training", "cudnn_batch_norm",
      "batch_norm", "_batch_norm_with_update", "_batch_norm_no_update", "miopen_batch_norm")  # fmt: skip
def batch_norm(call: Call) -> State:
    """With stored statistics it is pointwise; with the map's own (instance norm) every unit sees the map."""
    state = call.states()[0]
    if call.args.get("training", False):
        return _mix(call, state, range(len(state.layout)), "normalisation")
    if call.op == "native_batch_norm":  # spares most of the time: torch's shape run of it is slow
        blank = call["input"].new_empty(0)
        call.out = (torch.empty_like(call["input"]), blank, blank)
    return _mix(call, state, (), "batch norm")


@rule("native_group_norm", "native_layer_norm", "_fused_rms_norm", "rms_norm")
def own_statistics(call: Call) -> State:
    """Group, layer and RMS norm: the mean and spread come from the map itself, also in evaluation."""
    state = call.states()[0]
    count = len(state.layout)
    last = len(call["normalized_shape"]) if "normalized_shape" in call.args else count
    kind = call.op.replace("native_", "").replace("_fused_", "").replace("_", " ")
    return _mix(call, state, range(count - last, count), kind)


_FACTORS = (("mat1", "mat2"), ("batch1", "batch2"), ("mat", "vec"), ("input", "weight"), ("self", "mat2"),
            ("self", "vec"), ("self", "tensor"))  # fmt: skip


@rule("mm", "bmm", "addmm", "baddbmm", "mv", "addmv", "dot", "linear", "addbmm")
def matrix_product(call: Call) -> State:
    """Linear layers: over channels they work unit by unit, over a flattened map each unit sees the map."""
    left, right = next(pair for pair in _FACTORS if set(pair) <= set(call.args))
    a, b, out = call.state(left), call.state(right), call.run()
    state, added = a or b, any(call.state(name) for name in ("self", "bias") if name not in (left, right))
    if state is None or added or (a and b):
        states = call.states()
        if any(state.node.size != (1, 1) for state in states):
            call.refuse("it multiplies maps, so which units meet depends on their values (as in attention)")
        return call.join(states, channels(out.shape), "matrix product")
    other = call[left if b else right]
    over = len(state.layout) - (1 if a or call[right].dim() == 1 else 2)
    work = out.numel() * call[left if a else right].shape[over]
    kept = list(state.layout[:over] + state.layout[over + 1 :])
    if len(kept) < out.dim():  # the other factor adds channels
        kept.insert(len(kept) - (a is None), entry("c", out.shape[-2 if a is None else -1]))
    layout = tuple(kept)
    gone = tags(state.layout[over])
    if not gone and not call.record.origins(other):
        call.note_pointwise("matrix product", work)
        return State(state.node, layout)
    cells = {axis: n for axis, n in zip("yx", state.node.size, strict=True) if axis in gone}
    rows, columns = (cells.get(axis, 1) for axis in "yx")
    windows = {axis: Window(Layer(n).taps) for axis, n in cells.items()}
    kind = f"linear over {rows}×{columns} map" if gone else "linear"
    return call.apply(state, layout, windows, kind, multiply_adds=work, kernel_size=(rows, columns))


_WHY = {
    "roll": "it moves units around the edge of the map, so that neighbours are no longer neighbours",
    "flip": "it mirrors the map",
    **dict.fromkeys(("im2col", "unfold"), "it cuts the map into patches"),
    "grid_sampler_2d": "where its units look depends on a grid of values",
    "max_unpool2d": "where its values go depends on the input's values",
    "deform_conv2d": "where its taps look depends on values",
    "nonzero": "the size of its result depends on values",
    "fft": "a Fourier transform mixes the whole map with values of every position",
    "attention": "in attention every unit may look at every other, as the values say",
}


@rule("flip", "roll")
def turned(call: Call) -> State:
    """Channels in another order; rows and columns are refused."""
    state = call.states()[0]
    if tags(*(state.layout[dim] for dim in call["dims"] or range(len(state.layout)))):
        return unknown(call)
    call.run()
    return replace(state, parts=())


def unknown(call: Call) -> State:
    """Everything else: a name and a reason instead of a number."""
    reasons = (reason for word, reason in _WHY.items() if word in call.op)
    call.refuse(next(reasons, "there is no rule for this operator, and a guess could be wrong"))
