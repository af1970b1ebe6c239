"""Which input pixels can influence a unit: asked of autograd, not of arithmetic.

A real model may hide an influence: ReLU stops a gradient, max pooling picks one cell, two weights cancel. So its
geometry runs with friendlier numbers, in float64 (`Positive`): then no gradient can die or cancel, and a pixel
has one exactly if some path leads from it to the unit. Nothing is shared with the tracer's rules, so that the
two can check each other. All channels of a map hold the same numbers: one is computed, the others are views.
"""

from collections.abc import Callable, Sequence
from functools import partial, reduce
from math import prod
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from deeplab_lessons.receptive_field.evaluation import check_input, evaluating, layer_output, unit_values


def empirical_field(
    model: nn.Module,
    input_size: int | tuple[int, int],
    layer: str | None = None,
    unit: int | tuple[int, int] | None = None,
    in_channels: int = 3,
) -> np.ndarray:
    """Return the input pixels that can influence one unit, from gradients: bool [H, W].

    `layer` names a module (default: the model's output; of a dict or tuple the first tensor), `unit` is
    (row, column) on its map (default: the middle one). Runs on the CPU; weights may be on any device, even meta.
    The model is left as it was. Raises KeyError for a module that is not there or did not run, IndexError for a
    unit that the map has not, TypeError and ValueError as `trace` does.
    """
    size = check_input(model, input_size, in_channels)
    image = torch.ones(1, 1, *size, dtype=torch.float64, requires_grad=True)
    with evaluating(model, _ones), torch.enable_grad(), Positive():
        output = layer_output(model, layer, _equal_channels(image, in_channels))
    return unit_gradient(output, image, unit, layer or "output") != 0


def unit_gradient(
    output: torch.Tensor, image: torch.Tensor, unit: Any, name: str, again: bool = False
) -> np.ndarray:
    """Return the gradient of one unit (all its channels) at the image: [H, W]; `again` lets one ask for another."""
    total = unit_values(output, unit, name)[0].sum()
    (gradient,) = torch.autograd.grad(total, image, retain_graph=again, allow_unused=True)
    return np.zeros(image.shape[-2:]) if gradient is None else gradient.sum((0, 1)).numpy()


def _ones(tensor: torch.Tensor) -> torch.Tensor:
    floating = tensor.is_floating_point()
    number = torch.ones((), dtype=torch.float64) if floating else torch.zeros((), dtype=tensor.dtype)
    return number.expand(tensor.shape)


# names as torch has them, without the underscores of operators that write in place and of Python's own
_IDENTITY = {
    "relu", "relu6", "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "mish", "softplus", "softsign", "sigmoid",
    "tanh", "hardswish", "hardsigmoid", "hardtanh", "prelu", "rrelu", "logsigmoid", "dropout", "dropout1d", "dropout2d",
    "dropout3d", "feature_dropout", "alpha_dropout", "feature_alpha_dropout", "batch_norm", "clamp", "clip", "exp",
    "log", "sqrt", "abs", "neg", "square", "pow", "rsqrt", "reciprocal", "sign", "erf", "log1p", "hardshrink",
    "softshrink", "tanhshrink", "threshold", "normalize", "local_response_norm", "float", "double", "half", "bfloat16",
    "type",
}  # fmt: skip
_SUMS = {
    "add", "sub", "mul", "div", "maximum", "minimum", "true_divide", "multiply", "divide", "subtract", "radd", "rsub",
    "rmul", "truediv", "rtruediv", "max", "min", "where", "iadd", "isub", "imul", "itruediv",
}  # fmt: skip
_EXTREMES = {"amax", "amin", "max", "min"}
_SPREADS = {"std", "var", "var_mean", "std_mean"}
_NORMS = {"group_norm", "instance_norm", "layer_norm", "rms_norm"}


class Positive(TorchFunctionMode):
    """Replaces operators by ones that let every influence through, above autograd.

    Every weight is positive, max pooling becomes sum pooling, products become sums; ReLU and batch norm are left out.
    """

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs, name = kwargs or {}, func.__name__.strip("_")
        given = [value for value in tree_leaves((args, kwargs)) if _flows(value)]
        if not given:
            return func(*args, **kwargs)
        if any(getattr(tensor, "overwritten", False) for tensor in given):
            raise NotImplementedError(
                "a tensor is used after x.add_(y) changed it; write x = x + y or x += y there"
            )
        with torch._C.DisableTorchFunction():
            if name in _SUMS and func.__name__ == f"{name}_":
                args[0].overwritten = True
                return _sum(args)
            if name == "batch_norm" and (kwargs.get("training") or (len(args) > 5 and args[5])):
                return _mixed(args[0], range(2, args[0].dim()))
            if name in _IDENTITY:
                return given[0].view(given[0].shape)
            if name in ("softmax", "log_softmax"):
                return _mixed(args[0], [kwargs.get("dim", args[1] if len(args) > 1 else 1)])
            if name in _SUMS and (name not in _EXTREMES or (len(args) > 1 and _flows(args[1]))):
                return _sum(args)
            if name in _EXTREMES | _SPREADS:
                return _averaged(name, *args, **kwargs)
            if name in _NORMS:
                last = len(args[1]) if name in ("layer_norm", "rms_norm") else args[0].dim() - 1
                return _mixed(args[0], range(args[0].dim() - last, args[0].dim()))
            if name in _REPLACED:
                return _REPLACED[name](*args, **kwargs)
            return (torch.Tensor.reshape if name == "view" else func)(*args, **kwargs)


def _flows(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.requires_grad


def _is_one_channel(tensor: torch.Tensor) -> bool:
    return tensor.shape[1] == 1 or tensor.stride(1) == 0


def _one(tensor: torch.Tensor) -> torch.Tensor:
    """One channel [N, 1, …] that stands for all: the channel itself where all are views of it, else their sum."""
    return tensor[:, :1] if _is_one_channel(tensor) else tensor.sum(1, keepdim=True)


def _equal_channels(tensor: torch.Tensor, channels: int) -> torch.Tensor:
    """One channel seen as `channels` equal ones, without a copy."""
    return tensor.expand(tensor.shape[0], channels, *tensor.shape[2:])


def _sum(values: Sequence[Any]) -> torch.Tensor:
    """The sum of those tensors that the image influences; views of one channel stay so."""
    shape = torch.broadcast_shapes(*(value.shape for value in values if isinstance(value, torch.Tensor)))
    tensors = [value for value in values if _flows(value)]
    if len(shape) > 1 and all(t.dim() == len(shape) and _is_one_channel(t) for t in tensors):
        tensors = [tensor[:, :1] for tensor in tensors]
    return reduce(torch.add, tensors).expand(shape)


def _mixed(tensor: torch.Tensor, dims: Any) -> torch.Tensor:
    """Every number sees all along `dims`."""
    return tensor + tensor.mean(list(dims), keepdim=True)


def _averaged(
    name: str, tensor: torch.Tensor, dim: Any = None, *args: Any, keepdim: bool = False, **kwargs: Any
) -> Any:
    """Maxima and spreads over a dimension: the mean, which every number reaches."""
    keepdim = keepdim or (name in _EXTREMES and bool(args and args[-1]))
    mean = tensor.mean() if dim is None or isinstance(dim, bool) else tensor.mean(dim, keepdim)
    several = name.endswith("_mean") or (name in ("max", "min") and dim is not None)
    return (mean, mean) if several else mean


def _kernel(like: torch.Tensor, *size: int) -> torch.Tensor:
    return like.new_ones(1, 1, *size) / prod(size) ** 0.5


def _conv2d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    given, expected = input.shape[1], weight.shape[1] * groups
    if given != expected:
        raise ValueError(f"a convolution expects {expected} channels, but {given} arrive")
    kernel = _kernel(weight, *weight.shape[2:])
    return _equal_channels(F.conv2d(_one(input), kernel, None, stride, padding, dilation), weight.shape[0])


def _conv_transpose2d(input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    kernel = _kernel(weight, *weight.shape[2:])
    moved = F.conv_transpose2d(_one(input), kernel, None, stride, padding, output_padding, 1, dilation)
    return _equal_channels(moved, weight.shape[1] * groups)


def _max_pool2d(
    input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    one = _one(input)
    rows, columns = F.max_pool2d(one.detach(), kernel_size, stride, padding, dilation, ceil_mode).shape[-2:]
    numbers = (kernel_size, padding, dilation)
    (kh, kw), (ph, pw), (dh, dw) = (v if isinstance(v, (tuple, list)) else (v, v) for v in numbers)
    room = F.pad(one, (pw, pw + dw * kw, ph, ph + dh * kh))
    summed = F.conv2d(room, _kernel(one, kh, kw), None, stride or kernel_size, 0, dilation)
    return _equal_channels(summed[..., :rows, :columns], input.shape[1])


def _pool(operator, input, *args, **kwargs):
    return _equal_channels(operator(_one(input), *args, **kwargs), input.shape[1])


def _adaptive_max_pool2d(input, output_size, return_indices=False):
    return _pool(F.adaptive_avg_pool2d, input, output_size)


def _lp_pool2d(input, norm_type, kernel_size, stride=None, ceil_mode=False):
    return _pool(F.avg_pool2d, input, kernel_size, stride, 0, ceil_mode)


def _interpolate(input, size=None, scale_factor=None, mode="nearest", align_corners=None, *args, **kwargs):
    """Axis by axis, with torch's own weights made positive and rounding errors dropped."""
    one = _one(input)
    options = {"mode": mode, "align_corners": align_corners}
    full = F.interpolate(one.detach().float(), size, scale_factor, **options).shape[-2:]
    factors = scale_factor if isinstance(scale_factor, (tuple, list)) else (scale_factor, scale_factor)
    for axis, (units, factor) in enumerate(zip(full, factors, strict=True)):
        cells = one.shape[2 + axis]
        eye = torch.eye(cells).view(1, cells, cells, 1)
        how = {"size": (units, 1)} if scale_factor is None else {"scale_factor": (factor, 1.0)}
        weights = F.interpolate(eye, **how, **options)[0, :, :, 0].abs().double()
        weights = torch.where(weights > 1e-5, weights, 0.0)
        one = torch.einsum("nchw,hk->nckw" if axis == 0 else "nchw,wk->nchk", one, weights)
    return _equal_channels(one, input.shape[1])


def _linear(input, weight, bias=None):
    alike = input.dim() > 1 and input.stride(-1) == 0
    summed = input[..., :1] if alike else input.mean(-1, keepdim=True)
    return summed.expand(*input.shape[:-1], weight.shape[0])


_REPLACED: dict[str, Callable] = {
    "conv2d": _conv2d,
    "conv_transpose2d": _conv_transpose2d,
    "max_pool2d": _max_pool2d,
    "avg_pool2d": partial(_pool, F.avg_pool2d),
    "lp_pool2d": _lp_pool2d,
    "adaptive_avg_pool2d": partial(_pool, F.adaptive_avg_pool2d),
    "adaptive_max_pool2d": _adaptive_max_pool2d,
    "interpolate": _interpolate,
    "linear": _linear,
}
