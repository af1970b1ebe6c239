"""Rules for operators that slide a window over the map: convolution, pooling, resizing, padding, cropping."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache, partial
from math import ceil, floor, prod
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from deeplab_lessons.arithmetic import Layer
from deeplab_lessons.receptive_field.calls import Call, State, rule
from deeplab_lessons.receptive_field.graph import ONE, Window
from deeplab_lessons.receptive_field.record import axis_at, entry, tags


def _pair(value: Any) -> tuple[int, int]:
    """(y, x) from an operator's list of one or two numbers."""
    return (value[0], value[-1]) if isinstance(value, (list, tuple)) else (value, value)


def _slide_layers(
    call: Call, state: State, kind: str, numbers: Sequence[Any], ceil_mode: bool = False, weights: int = 0
) -> State:
    """Windows by kernel size, stride, padding and dilation (`numbers`); torch's map size must be the arithmetic's."""
    pairs = [_pair(value) for value in numbers]
    name = call.record.frames[-1].name or "the model's forward"
    layers = [Layer(k, s, p, d, ceil_mode, name) for k, s, p, d in zip(*pairs, strict=True)]
    expected = tuple(layer.output_size(cells) for layer, cells in zip(layers, state.node.size, strict=True))
    shape = tuple(call.run().shape[-2:])
    if shape != expected:
        call.refuse(f"PyTorch makes a map of {shape}, the arithmetic says {expected}")
    details = dict(zip(("kernel_size", "stride", "padding", "dilation"), pairs, strict=True))
    windows = [Window(layer.taps, cells=layer.stride) for layer in layers]
    return call.slide(state, windows, kind, multiply_adds=weights * prod(expected), **details)


@rule("convolution", "_convolution", "convolution_overrideable")
def convolution(call: Call) -> State:
    """2-D convolution, plain, grouped or transposed."""
    state, weight, groups = call.image("input"), call["weight"], call["groups"]
    given = call["input"].shape[1]
    if weight.dim() != 4:
        call.refuse("only convolutions over rows and columns (2-D) are")
    if len(call.states()) > 1:
        call.refuse("its weights depend on the input")
    numbers = (list(weight.shape[2:]), call["stride"], call["padding"], call["dilation"])
    if call["transposed"]:
        return _transposed(call, state, numbers)
    expected = weight.shape[1] * groups
    if given != expected:
        raise ValueError(
            f"{call.record.where} expects {expected} channels, but {given} arrive. "
            f"If this is the first layer, call trace(..., in_channels={expected})."
        )
    kind = "conv" if groups == 1 else "depthwise conv" if groups == expected else "grouped conv"
    return _slide_layers(call, state, kind, numbers, weights=weight.numel())


def _transposed(call: Call, state: State, numbers: Sequence[Any]) -> State:
    """Unit `u` sees the cells `i` for which `u + padding - i stride` falls on a tap."""
    call.run()
    pairs, windows = [_pair(value) for value in numbers], []
    for k, s, p, d in zip(*pairs, strict=True):
        taps = partial(_cells_under, kernel=k, stride=s, padding=p, dilation=d)
        if not all(taps(unit) for unit in range(s)):
            sizes = f"kernel_size {k}, stride {s} and dilation {d}"
            call.refuse(f"with {sizes} some of its units see nothing at all")
        windows.append(Window(taps, units=s))
    details = dict(zip(("kernel_size", "stride", "padding", "dilation"), pairs, strict=True))
    work = call["weight"].numel() * prod(state.node.size)
    return call.slide(state, windows, "transposed conv", multiply_adds=work, **details)


def _cells_under(unit: int, kernel: int, stride: int, padding: int, dilation: int) -> list[int]:
    """Cells of its input that one unit of a transposed convolution sees, in order."""
    landed = (unit + padding - tap * dilation for tap in reversed(range(kernel)))
    return [place // stride for place in landed if place % stride == 0]


@rule("max_pool2d_with_indices", "max_pool2d", "mkldnn_max_pool2d", "avg_pool2d")
def pool(call: Call) -> State:
    """Max and average pooling (also inside power-average pooling): the stride is the kernel size unless given."""
    kernel, kind = call["kernel_size"], "max pool" if "max" in call.op else "average pool"
    numbers = (kernel, call["stride"] or kernel, call["padding"], call.args.get("dilation", 1))
    return _slide_layers(call, call.image(), kind, numbers, call["ceil_mode"])


@rule("_adaptive_avg_pool2d", "adaptive_avg_pool2d", "adaptive_max_pool2d")
def adaptive_pool(call: Call) -> State:
    """Unit `u` of `n` sees cells `floor(u m / n)` … `ceil((u + 1) m / n) - 1` of `m`."""
    state, size = call.image(), tuple(call.run().shape[-2:])
    kind = f"{'global' if size == (1, 1) else 'adaptive'} {'max' if 'max' in call.op else 'average'} pool"
    windows = [_adaptive(cells, units) for cells, units in zip(state.node.size, size, strict=True)]
    return call.slide(state, windows, kind)


def _adaptive(cells: int, units: int) -> Window:
    if units == 1:
        return Window.of_all(cells)
    ratio = Fraction(cells, units)
    period = ratio.denominator, ratio.numerator
    return Window(lambda unit: range(floor(unit * ratio), ceil((unit + 1) * ratio)), *period)


@rule("upsample_nearest2d", "_upsample_nearest_exact2d", "upsample_bilinear2d", "upsample_bicubic2d")
def upsample(call: Call) -> State:
    """Resizing to another map size; a unit may see one cell or several, as its centre falls."""
    mode = call.op.strip("_").removeprefix("upsample_").removesuffix("2d").replace("_", "-")
    state, size = call.image(), tuple(call.run().shape[-2:])
    factors = call.args.get("scale_factors") or (call.args.get("scales_h"), call.args.get("scales_w"))
    align = bool(call.args.get("align_corners"))
    axes = list(zip(state.node.size, size, factors, strict=True))
    word = "upsample" if all(units >= cells for cells, units, _ in axes) else "resize"
    return call.slide(state, [_resize(mode, *axis, align) for axis in axes], f"{word} {mode}")


def _resize(mode: str, cells: int, units: int, factor: float | None, align: bool) -> Window:
    """One axis of a resize: which cells weigh in is read from torch's own operator, the field from exact fractions."""
    if cells == 1:
        return ONE
    ratio = Fraction(cells, units) if factor is None else 1 / Fraction(factor).limit_denominator(10**6)
    if align:
        ratio = Fraction(cells - 1, units - 1) if units > 1 else Fraction(0)
    middle = Fraction(0) if align or mode == "nearest" else Fraction(1, 2)

    @cache
    def taps(unit: int) -> range:
        if mode.startswith("nearest"):
            return range(floor((unit + middle) * ratio), floor((unit + middle) * ratio) + 1)
        centre = (unit + middle) * ratio - middle
        wide = 1 if mode == "bicubic" and centre.denominator > 1 else 0
        return range(floor(centre) - wide, ceil(centre) + wide + 1)

    period = (ratio.denominator, ratio.numerator) if ratio else (1, 0)
    how: dict[str, Any] = {"size": (units, 1)} if factor is None else {"scale_factor": (factor, 1.0)}
    if not mode.startswith("nearest"):
        how["align_corners"] = align
    return Window(taps, *period, exact=_by_torch(lambda cell: F.interpolate(cell, mode=mode, **how)))


def _by_torch(operator: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[int, int], np.ndarray]:
    """Which cells torch's own operator uses for each unit along the rows of a map: bool [units, cells]."""

    def exact(units: int, cells: int) -> np.ndarray:
        with torch.device("cpu"):
            moved = operator(torch.eye(cells, dtype=torch.float64).view(1, cells, cells, 1))
        return moved[0, :, :units, 0].abs().numpy().T > 1e-9

    return exact


@rule("pixel_shuffle")
def pixel_shuffle(call: Call) -> State:
    """Channels folded into r x r units: each sees the cell it came from."""
    state, window = call.image(), Window.of_repeat(call["upscale_factor"])
    call.run()
    return call.slide(state, (window, window), "pixel shuffle")


@rule("pixel_unshuffle")
def pixel_unshuffle(call: Call) -> State:
    """r x r cells folded into channels: a unit sees all of them, channel by channel."""
    factor = call["downscale_factor"]
    return _slide_layers(call, call.image(), "pixel unshuffle", (factor, factor, 0, 1))


@rule("constant_pad_nd")
def pad(call: Call) -> State:
    """Cells added around the map (or, with a negative number, cut off), whichever dimensions hold it."""
    state, amounts = call.states()[0].unfolded(), call["pad"]
    out, layout = call.run(), list(state.layout)
    sides: dict[str, tuple[int, int]] = {}
    for back in range(1, len(amounts) // 2 + 1):
        before, after = amounts[2 * back - 2 : 2 * back]
        if before or after:
            if len(here := state.layout[-back]) > 1:
                call.refuse("it pads a flattened map")
            tag = here[0][0] if here else axis_at(back, len(state.layout), tags(*state.layout))
            layout[-back] = entry(tag, out.shape[-back])
            if tag != "c":
                sides[tag] = (before, after)
    if not sides:
        return State(state.node, tuple(layout))
    windows = {tag: Window.of_crop(-before) for tag, (before, _) in sides.items()}
    kind = "crop" if max(max(pair) for pair in sides.values()) <= 0 else "pad"
    padding = tuple(sides.get(tag, (0, 0)) for tag in "yx")
    return call.apply(state, tuple(layout), windows, kind, padding=padding)


@rule("reflection_pad2d", "replication_pad2d")
def mirror_pad(call: Call) -> State:
    """Cells around the map that repeat what lies inside."""
    state, (left, right, top, bottom) = call.image(), call["padding"]
    mode, sides = "reflect" if "reflection" in call.op else "replicate", ((top, bottom), (left, right))
    call.run()
    exact = [_by_torch(partial(F.pad, pad=(0, 0, *side), mode=mode)) for side in sides]
    windows = [replace(Window.of_crop(-side[0]), exact=e) for side, e in zip(sides, exact, strict=True)]
    return call.slide(state, windows, f"{mode} pad", padding=sides)
