"""Rules for operators that slide a window over the map: convolution, pooling, resizing, padding, cropping."""

from fractions import Fraction
from functools import cache, partial
from math import ceil, floor

import numpy as np
import torch
import torch.nn.functional as F

from deeplab_lessons.arithmetic import Layer
from deeplab_lessons.receptive_field import layout as lay
from deeplab_lessons.receptive_field.calls import ONE, Call, State, pair, rule, unfolded
from deeplab_lessons.receptive_field.graph import SAME, Reach


def _layers(call: Call, kernel, stride, padding, dilation=1, ceil_mode=False) -> tuple[Layer, Layer]:
    """The arithmetic of both axes, from an operator's arguments."""
    both = zip(pair(kernel), pair(stride), pair(padding), pair(dilation), strict=True)
    return tuple(Layer(k, s, p, d, ceil_mode, call.tracer.where_row) for k, s, p, d in both)


def _slide(call: Call, state: State, layers: tuple[Layer, Layer], kind: str, **details) -> State:
    """Run the operator and compare torch's map size with the arithmetic's."""
    expected = tuple(layer.output_size(cells) for layer, cells in zip(layers, state.node.size, strict=True))
    out = call.run()
    out = out[0] if isinstance(out, (tuple, list)) else out
    if tuple(out.shape[-2:]) != expected:
        call.refuse(f"torch makes a map of {tuple(out.shape[-2:])}, the arithmetic says {expected}")
    numbers = {
        name: tuple(getattr(layer, name) for layer in layers)
        for name in ("kernel_size", "stride", "padding", "dilation")
    }
    return call.window(state, tuple(map(Reach.of_layer, layers)), kind, out=out, **numbers, **details)


@rule("convolution", "_convolution", "convolution_overrideable")
def convolution(call: Call) -> State:
    """2-D convolution, plain, grouped or transposed."""
    state, weight, groups = call.image("input"), call["weight"], call["groups"]
    given = call["input"].shape[1]
    if weight.dim() != 4:
        call.refuse("only convolutions over rows and columns (2-D) are")
    if call.tracer.state(weight) is not None:
        call.refuse("its weights depend on the input")
    if call["transposed"]:
        return _transposed(call, state)
    expected = weight.shape[1] * groups
    if given != expected:
        raise ValueError(
            f"{call.tracer.where} expects {expected} channels, but {given} arrive. "
            f"If this is the first layer, call trace(..., in_channels={expected})."
        )
    kind = "conv" if groups == 1 else "depthwise conv" if groups == expected else "grouped conv"
    layers = _layers(call, weight.shape[2:], call["stride"], call["padding"], call["dilation"])
    work = weight.numel() * _cells(layers, state.node.size)
    return _slide(call, state, layers, kind, multiply_adds=work)


def _cells(layers: tuple[Layer, Layer], size: tuple[int, int]) -> int:
    """Units in the map that two axes' layers make."""
    return layers[0].output_size(size[0]) * layers[1].output_size(size[1])


def _transposed(call: Call, state: State) -> State:
    """Unit `u` sees the cells `i` for which `u + padding - i stride` falls on a tap."""
    weight = call["weight"]
    call.run()
    numbers = [pair(v) for v in (weight.shape[2:], call["stride"], call["padding"], call["dilation"])]
    reaches = []
    for k, s, p, d in zip(*numbers, strict=True):
        seen = partial(_cells_under, kernel=k, stride=s, padding=p, dilation=d)
        if not all(seen(unit) for unit in range(s)):
            call.refuse(
                f"with kernel_size {k}, stride {s} and dilation {d} some of its units see nothing at all"
            )
        reaches.append(Reach.of_taps(seen, units=s, cells=1))
    work = weight.numel() * state.node.size[0] * state.node.size[1]
    kernel, stride, padding, dilation = numbers
    return call.window(
        state, tuple(reaches), "transposed conv", kernel_size=kernel, stride=stride, padding=padding,
        dilation=dilation, multiply_adds=work,
    )  # fmt: skip


def _cells_under(unit: int, kernel: int, stride: int, padding: int, dilation: int) -> list[int]:
    """Cells of its input that one unit of a transposed convolution sees, in order."""
    landed = (unit + padding - tap * dilation for tap in reversed(range(kernel)))
    return [place // stride for place in landed if place % stride == 0]


@rule("max_pool2d_with_indices", "max_pool2d", "mkldnn_max_pool2d")
def max_pool(call: Call) -> State:
    """Max pooling: the stride is the kernel size unless given."""
    args = (call["kernel_size"], call["stride"] or call["kernel_size"], call["padding"], call["dilation"])
    return _slide(call, call.image(), _layers(call, *args, call["ceil_mode"]), "max pool")


@rule("avg_pool2d")
def avg_pool(call: Call) -> State:
    """Average pooling (and the sum inside power-average pooling)."""
    args = (call["kernel_size"], call["stride"] or call["kernel_size"], call["padding"], 1)
    return _slide(call, call.image(), _layers(call, *args, call["ceil_mode"]), "average pool")


@rule("_adaptive_avg_pool2d", "adaptive_avg_pool2d", "adaptive_max_pool2d")
def adaptive_pool(call: Call) -> State:
    """Unit `u` of `n` sees cells `floor(u m / n)` … `ceil((u + 1) m / n) - 1` of `m`."""
    state, out = call.image(), call.run()
    out = out[0] if isinstance(out, (tuple, list)) else out
    which = "max" if "max" in call.op else "average"
    reaches = [_adaptive(cells, units) for cells, units in zip(state.node.size, out.shape[-2:], strict=True)]
    kind = f"global {which} pool" if tuple(out.shape[-2:]) == (1, 1) else f"adaptive {which} pool"
    return call.window(state, tuple(reaches), kind, out=out)


def _adaptive(cells: int, units: int) -> Reach:
    if units == 1:
        return Reach.of_all(cells)
    ratio = Fraction(cells, units)
    sees = lambda unit: range(floor(unit * ratio), ceil((unit + 1) * ratio))  # noqa: E731
    return Reach.of_taps(sees, units=ratio.denominator, cells=ratio.numerator)


_MODES = {
    "upsample_nearest2d": "nearest",
    "_upsample_nearest_exact2d": "nearest-exact",
    "upsample_bilinear2d": "bilinear",
    "upsample_bicubic2d": "bicubic",
}


@rule(*_MODES)
def upsample(call: Call) -> State:
    """Resizing to another map size; a unit may see one cell or several, as its place falls."""
    mode, state, out = _MODES[call.op], call.image(), call.run()
    factors = call.args.get("scale_factors") or (call.args.get("scales_h"), call.args.get("scales_w"))
    align = bool(call.args.get("align_corners"))
    sizes = zip(state.node.size, out.shape[-2:], factors, strict=True)
    reaches = tuple(_resize(mode, cells, units, factor, align) for cells, units, factor in sizes)
    return call.window(state, reaches, f"upsample {mode}" if _grows(state, out) else f"resize {mode}")


def _grows(state: State, out: torch.Tensor) -> bool:
    return all(new >= old for new, old in zip(out.shape[-2:], state.node.size, strict=True))


def _resize(mode: str, cells: int, units: int, factor: float | None, align: bool) -> Reach:
    """One axis of a resize: which cells weigh in is read from torch's own operator, the field from exact fractions."""
    if cells == 1:
        return ONE
    ratio = Fraction(cells, units) if factor is None else 1 / Fraction(factor).limit_denominator(10**6)
    if align:
        ratio = Fraction(cells - 1, units - 1) if units > 1 else Fraction(0)
    middle = Fraction(0) if align or mode == "nearest" else Fraction(1, 2)

    @cache
    def sees(unit: int) -> range:
        if mode.startswith("nearest"):
            return range(floor((unit + middle) * ratio), floor((unit + middle) * ratio) + 1)
        place = (unit + middle) * ratio - middle
        wide = 1 if mode == "bicubic" and place.denominator > 1 else 0
        return range(floor(place) - wide, ceil(place) + wide + 1)

    period = (ratio.denominator, ratio.numerator) if ratio else (1, 0)
    return Reach(
        lambda field: field.resampled(sees, *period),
        lambda n, m: _weights(mode, m, n, factor, align),
    )


def _weights(mode: str, cells: int, units: int, factor: float | None, align: bool) -> np.ndarray:
    """Which cells torch's own operator uses for each unit: bool [units, cells]."""
    with torch.device("cpu"):
        single = torch.eye(cells, dtype=torch.float32 if mode.startswith("nearest") else torch.float64)
        how = {"size": (units, 1)} if factor is None else {"scale_factor": (factor, 1.0)}
        if not mode.startswith("nearest"):
            how["align_corners"] = align
        moved = F.interpolate(single.view(1, cells, cells, 1), mode=mode, **how)
    return moved[0, :, :units, 0].abs().numpy().T > 1e-9


@rule("pixel_shuffle")
def pixel_shuffle(call: Call) -> State:
    """Channels folded into r x r units: each sees the cell it came from."""
    state, factor = call.image(), call["upscale_factor"]
    call.run()
    return call.window(state, (Reach.of_repeat(factor),) * 2, "pixel shuffle")


@rule("pixel_unshuffle")
def pixel_unshuffle(call: Call) -> State:
    """r x r cells folded into channels: a unit sees all of them, channel by channel."""
    factor = call["downscale_factor"]
    return _slide(call, call.image(), _layers(call, factor, factor, 0), "pixel unshuffle")


@rule("constant_pad_nd")
def pad(call: Call) -> State:
    """Cells added around the map (or, with a negative number, cut off), whichever dimensions hold it."""
    state, amounts = unfolded(call.state()), list(call["pad"])
    out = call.run()
    sides: dict[str, tuple[int, int]] = {}
    layout = list(state.layout)
    for back in range(1, len(amounts) // 2 + 1):
        before, after = amounts[2 * back - 2 : 2 * back]
        if before or after:
            tag = _tag(call, state, back)
            layout[-back] = lay.entry(tag, out.shape[-back])
            if tag != "c":
                sides[tag] = (before, after)
    if not sides:
        return State(state.node, tuple(layout))
    size = {"y": state.node.size[0], "x": state.node.size[1]}
    size |= {tag: size[tag] + before + after for tag, (before, after) in sides.items()}
    new = call.axes(
        state, tuple(layout), {tag: Reach.of_crop(-before) for tag, (before, _) in sides.items()}, size
    )
    kind = "crop" if max(max(pair) for pair in sides.values()) <= 0 else "pad"
    new.node.name = call.note(kind, new.node, padding=tuple(sides.get(tag, (0, 0)) for tag in "yx"))
    return new


def _tag(call: Call, state: State, back: int) -> str:
    """Which axis a dimension holds; one of size 1 is taken for rows or columns by its place in [N, C, H, W]."""
    here = state.layout[-back]
    if len(here) == 1:
        return here[0][0]
    if here:
        call.refuse("it pads a flattened map")
    place = {2: "y", 1: "x"}.get(back, "c") if len(state.layout) == 4 else "c"
    return "c" if lay.holds(state.layout, place) else place


@rule("reflection_pad2d", "replication_pad2d")
def mirror_pad(call: Call) -> State:
    """Cells around the map that repeat what lies inside."""
    state, (left, right, top, bottom) = call.image(), call["padding"]
    mode = "reflect" if "reflection" in call.op else "replicate"
    call.run()
    reaches = tuple(_padded(mode, *sides) for sides in ((top, bottom), (left, right)))
    return call.window(state, reaches, f"{mode} pad", padding=((top, bottom), (left, right)))


def _padded(mode: str, before: int, after: int) -> Reach:
    if not before and not after:
        return SAME

    def matrix(units: int, cells: int) -> np.ndarray:
        with torch.device("cpu"):
            ramp = torch.arange(cells, dtype=torch.float64).view(1, 1, cells, 1)
            under = F.pad(ramp, (0, 0, before, after), mode=mode).view(-1).long().numpy()
        return np.eye(cells, dtype=bool)[under]

    return Reach(Reach.of_crop(-before).field, matrix)
