"""Rules for operators that combine maps, or mix a whole one: sums, concatenation, norms, linear layers."""

from collections.abc import Sequence
from dataclasses import replace

import torch

from deeplab_lessons.arithmetic import Layer
from deeplab_lessons.receptive_field import layout as lay
from deeplab_lessons.receptive_field.calls import Call, State, rule
from deeplab_lessons.receptive_field.graph import Reach

POINTWISE = {
    "clone", "detach", "detach_", "alias", "_to_copy", "contiguous", "lift_fresh", "native_dropout", "bernoulli",
    "log_sigmoid_forward", "rrelu_with_noise", "hardtanh", "masked_fill", "_prelu_kernel", "glu", "view_as_real",
    "_unsafe_masked", "hardswish", "hardsigmoid", "silu", "gelu", "mish", "elu", "celu", "selu", "softplus",
    "leaky_relu", "prelu", "threshold", "relu6", "clamp", "log_sigmoid", "softshrink", "hardshrink", "nan_to_num",
    "where", "lerp", "addcmul", "addcdiv", "dropout", "feature_dropout", "alpha_dropout",
}  # fmt: skip
NO_VALUES = {
    "zeros_like", "ones_like", "empty_like", "full_like", "rand_like", "randn_like", "randint_like", "new_empty",
    "new_zeros", "new_ones", "new_full", "new_empty_strided", "zero", "fill", "is_same_size", "sym_size",
    "sym_numel", "sym_stride", "normal", "uniform",
}  # fmt: skip


def pointwise(call: Call) -> State:
    """Unit by unit: one traced tensor keeps its map, several are joined."""
    states = call.states()
    out = call.run()
    out = out[0] if isinstance(out, (tuple, list)) else out
    layout = lay.broadcast([state.layout for state in states], out.shape)
    if len({state.node for state in states}) == 1:
        call.tracer.note_pointwise(call)
    words = {
        "add": "sum",
        "sub": "sum",
        "mul": "product",
        "div": "product",
        "maximum": "maximum",
        "where": "choice",
    }
    return call.join(states, layout, words.get(call.op, call.op))


@rule("copy")
def copy(call: Call) -> State | None:
    """Writing one tensor over another: what was there before is gone."""
    source, out = call.state("src"), call.run()
    if source is None:
        call.tracer.forget(out)
        return None
    return call.join([source], lay.broadcast([source.layout], out.shape), "copy")


@rule("cat")
def cat(call: Call) -> State:
    """Concatenation along the channels."""
    states, out = call.states(), call.run()
    dim = call["dim"] % out.dim()
    if any(lay.tags(state.layout[dim]) for state in states):
        call.refuse("it puts maps side by side along their rows or columns")
    layouts = [(*s.layout[:dim], (), *s.layout[dim + 1 :]) for s in states if len(s.layout) == out.dim()]
    layout = list(lay.broadcast(layouts, out.shape))
    layout[dim] = lay.entry("c", out.shape[dim])
    joined = call.join(states, tuple(layout), "concat")
    parts = [
        (tensor.shape[dim], call.tracer.state(tensor))
        for tensor in call["tensors"]
        if tensor.dim() == out.dim()
    ]
    if joined.joined and all(state is None or state.node.size == joined.node.size for _, state in parts):
        return replace(joined, parts=tuple((n, None if state is None else state.node) for n, state in parts))
    return joined


@rule("stack")
def stack(call: Call) -> State:
    """A new dimension that counts the maps."""
    states, out = call.states(), call.run()
    dim = call["dim"] % out.dim()
    layouts = [(*s.layout[:dim], (), *s.layout[dim:]) for s in states]
    layout = list(lay.broadcast(layouts, out.shape))
    layout[dim] = lay.entry("c", out.shape[dim])
    return call.join(states, tuple(layout), "stack")


@rule("mean", "sum", "amax", "amin", "max", "min", "var", "var_mean", "std", "std_mean", "prod", "logsumexp", "any",
      "all", "argmax", "argmin", "linalg_vector_norm", "norm", "median", "aminmax")  # fmt: skip
def reduce(call: Call) -> State:
    """One number from a whole dimension: along rows and columns the field becomes that of the whole map."""
    state, name = call.states()[0], "self" if "self" in call.args else "input"
    if call.state("other") is not None:
        return pointwise(call)
    total = len(state.layout)
    dims = call.args.get("dim")
    dims = range(total) if dims is None or dims == [] else dims if isinstance(dims, (list, tuple)) else [dims]
    dims = {dim % total for dim in dims}
    out = call.run()
    out = out[0] if isinstance(out, (tuple, list)) else out
    keep = out.dim() == call[name].dim()
    gone = sorted({tag for dim in dims for tag in lay.tags(state.layout[dim])})
    layout = tuple(() if i in dims else d for i, d in enumerate(state.layout) if keep or i not in dims)
    if not gone:
        call.tracer.note_pointwise(call)
        return State(state.node, layout)
    cells = dict(zip("yx", state.node.size, strict=True))
    new = call.axes(state, layout, {tag: Reach.of_all(cells[tag]) for tag in gone}, dict.fromkeys(gone, 1))
    word = {"mean": "average", "amax": "max", "max": "max"}.get(call.op, call.op)
    new.node.name = call.note(
        f"global {word} pool" if len(gone) == 2 else f"{word} over {_axes(gone)}", new.node
    )
    return new


def _axes(tags: Sequence[str]) -> str:
    return " and ".join(lay.AXIS_NAMES[tag] for tag in sorted(tags, reverse=True))


def _mix(call: Call, state: State, dims: Sequence[int], kind: str) -> State:
    """Each unit sees all units along these dimensions, which stay."""
    tags = sorted({tag for dim in dims for tag in lay.tags(state.layout[dim])})
    call.run()
    if not tags:
        call.tracer.note_pointwise(call, kind)
        return replace(state, joined=False)
    cells = dict(zip("yx", state.node.size, strict=True))
    new = call.axes(state, state.layout, {tag: Reach.of_all(cells[tag]) for tag in tags}, {})
    new.node.name = call.note(f"{kind} over the {_axes(tags)} of the whole map", new.node)
    return new


@rule("_softmax", "_log_softmax", "_safe_softmax", "softmax", "log_softmax", "cumsum", "cumprod", "logcumsumexp",
      "sort", "topk")  # fmt: skip
def softmax(call: Call) -> State:
    """Softmax (and running sums): over channels nothing changes, over rows or columns all see all."""
    state = call.states()[0]
    if (call.op == "topk" or "cum" in call.op) and lay.tags(state.layout[call["dim"]]):
        call.refuse("it reorders or sums up the units of a map one after the other")
    return _mix(call, state, [call["dim"] % len(state.layout)], call.op.strip("_").replace("_", " "))


@rule("avg_pool3d")
def over_channels(call: Call) -> State:
    """The average over neighbouring channels inside local response norm."""
    state = call.states()[0]
    if len(state.layout) != 5 or any(n != 1 for n in (*call["kernel_size"][1:], *call["stride"][1:])):
        call.refuse("only pooling over rows and columns (2-D) is")
    out = call.run()
    return State(state.node, (*lay.channels(out.shape[:-2]), *state.layout[-2:]))


@rule("native_batch_norm", "_native_batch_norm_legit", "_native_batch_norm_legit_no_training", "cudnn_batch_norm",
      "batch_norm", "_batch_norm_with_update", "_batch_norm_no_update", "miopen_batch_norm")  # fmt: skip
def batch_norm(call: Call) -> State:
    """With stored statistics it is pointwise; with the map's own (instance norm) every unit sees the map."""
    state = call.states()[0]
    own = call.args.get("training", False)
    if call.op == "native_batch_norm" and not own:  # spares most of the time: torch's shape run of it is slow
        blank = call["input"].new_empty(0)
        call.run_as((torch.empty_like(call["input"]), blank, blank))
        call.tracer.note_pointwise(call, "batch norm")
        return replace(state, joined=False)
    dims = range(len(state.layout)) if own else ()
    return _mix(call, state, dims, "normalisation" if own else "batch norm")


@rule("native_group_norm", "native_layer_norm", "_fused_rms_norm", "rms_norm")
def own_statistics(call: Call) -> State:
    """Group, layer and RMS norm: the mean and spread come from the map itself, also in evaluation."""
    state = call.states()[0]
    count = len(state.layout)
    last = len(call["normalized_shape"]) if "normalized_shape" in call.args else count
    kind = call.op.replace("native_", "").replace("_fused_", "").replace("_", " ")
    return _mix(call, state, range(count - last, count), kind)


@rule("mm", "bmm", "addmm", "baddbmm", "mv", "addmv", "dot", "linear", "addbmm", "matmul")
def matrix_product(call: Call) -> State:
    """Linear layers: over channels they work unit by unit, over a flattened map each unit sees the map."""
    added = (
        call.state("bias" if call.op == "linear" else "self")
        if call.op not in ("mm", "bmm", "mv", "dot")
        else None
    )
    left, right = next(
        pair for pair in (("mat1", "mat2"), ("batch1", "batch2"), ("mat", "vec"), ("input", "weight"),
                          ("self", "mat2"), ("self", "vec"), ("self", "tensor")) if set(pair) <= set(call.args)
    )  # fmt: skip
    a, b, out = call.state(left), call.state(right), call.run()
    if added is not None or (a is not None and b is not None):
        states = call.states()
        if any(state.node.size != (1, 1) for state in states):
            call.refuse(
                "it multiplies maps with each other, so that which units meet depends on the values (as in attention)"
            )
        return call.join(states, lay.channels(out.shape), "matrix product")
    state, tensor = (a, call[left]) if a is not None else (b, call[right])
    over = len(state.layout) - 1 if a is not None or tensor.dim() == 1 else len(state.layout) - 2
    summed = state.layout[over]
    layout = _product_layout(state.layout, over, out, a is not None)
    gone = lay.tags(summed)
    cells = dict(zip("yx", state.node.size, strict=True))
    work = out.numel() * tensor.shape[over]
    if not gone and not call.tracer.origins(call[right if a is not None else left]):
        call.tracer.note_pointwise(call, "matrix product", work)
        return State(state.node, layout)
    reach = {tag: Reach.of_layer(Layer(cells[tag])) for tag in gone}
    new = call.axes(state, layout, reach, dict.fromkeys(gone, 1))
    rows, columns = (cells[tag] if tag in gone else 1 for tag in "yx")
    kind = f"linear over {rows}×{columns} map" if gone else "linear"
    new.node.name = call.note(kind, new.node, multiply_adds=work, kernel_size=(rows, columns))
    return new


def _product_layout(layout: lay.Layout, over: int, out: torch.Tensor, first: bool) -> lay.Layout:
    """The traced factor's layout without the summed dimension; the other factor adds channels."""
    rest = [d for i, d in enumerate(layout) if i != over]
    if len(rest) < out.dim():
        rest.insert(len(rest) if first else len(rest) - 1, lay.entry("c", out.shape[-1 if first else -2]))
    return tuple(rest)


_WHY = {
    "roll": "it moves units around the edge of the map, so that neighbours are no longer neighbours",
    "flip": "it mirrors the map",
    "im2col": "it cuts the map into patches",
    "unfold": "it cuts the map into patches",
    "as_strided": "it reads the tensor's memory in an order of its own",
    "grid_sampler_2d": "where its units look depends on a grid of values",
    "max_unpool2d": "where its values go depends on the input's values",
    "deform_conv2d": "where its taps look depends on values",
    "nonzero": "the size of its result depends on values",
}


def unknown(call: Call) -> State:
    """Everything else: a name and a reason instead of a number."""
    why = _WHY.get(call.op)
    if why is None and ("fft" in call.op):
        why = "a Fourier transform mixes the whole map with values of every place"
    if why is None and "attention" in call.op:
        why = "in attention every unit may look at every other, as the values say"
    call.refuse(why or "there is no rule for this operator, and a guess could be wrong")
