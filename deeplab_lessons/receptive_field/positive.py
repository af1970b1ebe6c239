"""Stand-ins for torch's operators that let every influence through, for `empirical_field`.

They are written from torch's own operators alone and share nothing with the tracer's rules, so that the two
can check each other. All channels of a map hold the same numbers here: one is computed, the others are views.
"""

from collections.abc import Callable, Sequence
from functools import reduce
from math import prod
from typing import Any

import torch
import torch.nn.functional as F
from torch.overrides import TorchFunctionMode

IDENTITY = {
    "relu", "relu_", "relu6", "leaky_relu", "leaky_relu_", "elu", "elu_", "selu", "selu_", "celu", "celu_", "gelu",
    "silu", "mish", "softplus", "softsign", "sigmoid", "sigmoid_", "tanh", "tanh_", "hardswish", "hardsigmoid",
    "hardtanh", "hardtanh_", "prelu", "rrelu", "logsigmoid", "dropout", "dropout_", "dropout2d", "feature_dropout",
    "dropout1d", "dropout3d", "alpha_dropout", "feature_alpha_dropout", "batch_norm", "clamp", "clamp_", "clip",
    "exp", "log", "sqrt", "abs", "neg", "square", "pow", "__pow__", "rsqrt", "reciprocal", "sign", "erf", "log1p",
    "hardshrink", "softshrink", "tanhshrink", "threshold", "normalize", "local_response_norm",
    "float", "double", "half", "bfloat16", "type", "__neg__", "__abs__",
}  # fmt: skip
SUMS = {
    "add", "sub", "mul", "div", "maximum", "minimum", "true_divide", "multiply", "divide", "subtract", "__add__",
    "__radd__", "__sub__", "__rsub__", "__mul__", "__rmul__", "__truediv__", "rsub", "__rtruediv__", "max", "min",
    "where", "__iadd__", "__isub__", "__imul__", "__itruediv__",
}  # fmt: skip
IN_PLACE = {"add_", "sub_", "mul_", "div_"}
SPREADS = {"amax", "amin", "max", "min", "std", "var", "var_mean", "std_mean"}
NORMS = {"group_norm", "instance_norm", "layer_norm", "rms_norm"}


def _one(tensor: torch.Tensor) -> torch.Tensor:
    """One channel [N, 1, …] that stands for all: the channel itself where all are views of it, else their sum."""
    return tensor[:, :1] if _is_one_channel(tensor) else tensor.sum(1, keepdim=True)


def equal_channels(tensor: torch.Tensor, channels: int) -> torch.Tensor:
    """Return one channel seen as `channels` equal ones, without a copy."""
    return tensor.expand(tensor.shape[0], channels, *tensor.shape[2:])


class Positive(TorchFunctionMode):
    """Replaces operators by ones that let every influence through, above autograd."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs, name = kwargs or {}, func.__name__
        given = [v for value in (*args, *kwargs.values()) for v in _each(value) if _flows(v)]
        if not given:
            return func(*args, **kwargs)
        if any(getattr(tensor, "overwritten", False) for tensor in given):
            raise NotImplementedError(
                "a tensor is used after x.add_(y) changed it; write x = x + y or x += y there"
            )
        with torch._C.DisableTorchFunction():
            if name in IN_PLACE:
                args[0].overwritten = True
                return _sum(args)
            if name == "batch_norm" and (kwargs.get("training") or (len(args) > 5 and args[5])):
                return _mixed(args[0], range(2, args[0].dim()))
            if name in IDENTITY:
                return given[0].view(given[0].shape)
            if name in ("softmax", "log_softmax"):
                return _mixed(args[0], [kwargs.get("dim", args[1] if len(args) > 1 else 1)])
            if name in SUMS and (name not in ("max", "min") or (len(args) > 1 and _flows(args[1]))):
                return _sum(args)
            if name in SPREADS:
                return _averaged(name, *args, **kwargs)
            if name in NORMS:
                last = len(args[1]) if name in ("layer_norm", "rms_norm") else args[0].dim() - 1
                return _mixed(args[0], range(args[0].dim() - last, args[0].dim()))
            if name in REPLACED:
                return REPLACED[name](*args, **kwargs)
            return (torch.Tensor.reshape if name == "view" else func)(*args, **kwargs)


def _each(value: Any) -> Any:
    return value if isinstance(value, (list, tuple)) else (value,)


def _flows(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.requires_grad


def _is_one_channel(tensor: torch.Tensor) -> bool:
    return tensor.shape[1] == 1 or tensor.stride(1) == 0


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
    keepdim = keepdim or (name in ("amax", "amin", "max", "min") and bool(args and args[-1]))
    mean = tensor.mean() if dim is None or isinstance(dim, bool) else tensor.mean(dim, keepdim)
    several = name.endswith("_mean") or (name in ("max", "min") and dim is not None)
    return (mean, mean) if several else mean


def _kernel(like: torch.Tensor, *size: int) -> torch.Tensor:
    return like.new_ones(1, 1, *size) / prod(size) ** 0.5


def _conv2d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    if input.shape[1] != weight.shape[1] * groups:
        raise ValueError(
            f"a convolution expects {weight.shape[1] * groups} channels, but {input.shape[1]} arrive"
        )
    kernel = _kernel(weight, *weight.shape[2:])
    return equal_channels(F.conv2d(_one(input), kernel, None, stride, padding, dilation), weight.shape[0])


def _conv_transpose2d(input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    kernel = _kernel(weight, *weight.shape[2:])
    moved = F.conv_transpose2d(_one(input), kernel, None, stride, padding, output_padding, 1, dilation)
    return equal_channels(moved, weight.shape[1] * groups)


def _max_pool2d(
    input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    one = _one(input)
    rows, columns = F.max_pool2d(one.detach(), kernel_size, stride, padding, dilation, ceil_mode).shape[-2:]
    (kh, kw), (ph, pw), (dh, dw) = (
        v if isinstance(v, (tuple, list)) else (v, v) for v in (kernel_size, padding, dilation)
    )
    room = F.pad(one, (pw, pw + dw * kw, ph, ph + dh * kh))
    summed = F.conv2d(room, _kernel(one, kh, kw), None, stride or kernel_size, 0, dilation)
    return equal_channels(summed[..., :rows, :columns], input.shape[1])


def _on_one(function):
    def run(input, *args, **kwargs):
        return equal_channels(function(_one(input), *args, **kwargs), input.shape[1])

    return run


def _interpolate(input, size=None, scale_factor=None, mode="nearest", align_corners=None, *args, **kwargs):
    """Axis by axis, with torch's own weights made positive and rounding errors dropped."""
    one, channels = _one(input), input.shape[1]
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
    return equal_channels(one, channels)


def _linear(input, weight, bias=None):
    alike = input.dim() > 1 and input.stride(-1) == 0
    summed = input[..., :1] if alike else input.mean(-1, keepdim=True)
    return summed.expand(*input.shape[:-1], weight.shape[0])


def _adaptive_max_pool2d(input, output_size, return_indices=False):
    return equal_channels(F.adaptive_avg_pool2d(_one(input), output_size), input.shape[1])


def _lp_pool2d(input, norm_type, kernel_size, stride=None, ceil_mode=False):
    return _on_one(F.avg_pool2d)(input, kernel_size, stride, 0, ceil_mode)


REPLACED: dict[str, Callable] = {
    "conv2d": _conv2d,
    "conv_transpose2d": _conv_transpose2d,
    "max_pool2d": _max_pool2d,
    "avg_pool2d": _on_one(F.avg_pool2d),
    "lp_pool2d": _lp_pool2d,
    "adaptive_avg_pool2d": _on_one(F.adaptive_avg_pool2d),
    "adaptive_max_pool2d": _adaptive_max_pool2d,
    "interpolate": _interpolate,
    "linear": _linear,
}
