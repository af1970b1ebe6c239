"""Operators that let every influence through: what `Positive` runs instead of PyTorch's own."""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import torch
import torch.nn.functional as F
from torch.utils._pytree import tree_map, tree_map_only

from deeplab_lessons.receptive_field.evaluation import UntraceableError

#: Names as torch has them, without the underscores of operators that write in place and of Python's own.
NAMES = {
    "questions": """
        shape dtype device ndim layout names requires_grad is_leaf is_cuda is_cpu is_meta is_mps is_quantized is_sparse
        is_nested itemsize nbytes size dim ndimension numel nelement stride element_size storage_offset is_contiguous
        is_floating_point is_complex is_tensor is_same_size is_signed get_device result_type len repr str format hash
        grad_fn parse_to zeros_like ones_like empty_like full_like rand_like randn_like randint_like new_zeros new_ones
        new_empty new_full new_tensor""",
    "values": """
        item tolist numpy equal allclose is_nonzero __bool__ __float__ __int__ __index__ __complex__ __array__
        __contains__ nonzero""",
    "writes": "__setitem__ copy_",
    "same": """
        contiguous to float double half bfloat16 int long short byte char bool type type_as cpu cuda detach data
        requires_grad_ real dropout dropout1d dropout2d dropout3d alpha_dropout feature_dropout
        feature_alpha_dropout""",
    "pointwise": """
        relu relu6 leaky_relu elu selu celu gelu silu mish softplus softsign sigmoid special_expit tanh hardswish rrelu
        hardsigmoid hardtanh logsigmoid log_sigmoid hardshrink softshrink tanhshrink threshold logit clone exp exp2
        expm1 log log2 log10 log1p sqrt rsqrt square pow float_power reciprocal abs absolute neg negative pos positive
        sign sgn erf erfc sin cos tan asin acos atan asinh acosh atanh sinh cosh sinc atan2 hypot round floor ceil
        trunc fix frac fmod mod remainder floordiv floor_divide nan_to_num heaviside copysign clamp clip clamp_min
        clamp_max add sub rsub mul div truediv true_divide multiply divide subtract maximum minimum fmax fmin lerp
        addcmul addcdiv where masked_fill eq ne lt le gt ge greater greater_equal less less_equal not_equal isnan isinf
        isfinite signbit and or xor invert logical_and logical_or logical_xor logical_not bitwise_and bitwise_or
        bitwise_xor bitwise_not""",
    "moves": """
        reshape reshape_as flatten unflatten ravel squeeze unsqueeze permute transpose swapaxes swapdims movedim
        moveaxis t T mT expand expand_as broadcast_to repeat tile repeat_interleave chunk split split_with_sizes
        tensor_split hsplit vsplit dsplit unsafe_chunk unsafe_split unbind narrow select getitem index_select gather
        take_along_dim flip fliplr flipud roll rot90 pad pixel_shuffle pixel_unshuffle channel_shuffle
        native_channel_shuffle unfold fold tril triu diagonal sum nansum mean nanmean cumsum""",
    "joins": "cat concat concatenate stack hstack vstack dstack column_stack broadcast_tensors",
    "products": """
        matmul rmatmul mm bmm mv dot inner outer einsum tensordot bilinear addmm addbmm baddbmm conv1d conv3d
        conv_transpose1d conv_transpose3d""",
    "reductions": """
        amax amin max min aminmax argmax argmin std var var_mean std_mean prod logsumexp norm linalg_vector_norm median
        nanmedian any all count_nonzero""",
    "like": "to type_as expand_as reshape_as view_as",  # their second tensor lends no more than its shape or type
}
_KINDS = {name: kind for kind, names in NAMES.items() if kind != "like" for name in names.split()}


def kind(name: str, args: Sequence[Any], tensors: Sequence[torch.Tensor]) -> str:
    """Return which of `NAMES` holds an operator; if none does, its name without underscores."""
    bare = name.strip("_")
    if name.startswith(("__i", "__r")) and _KINDS.get(bare[1:]) == "pointwise":
        bare = bare[1:]
    if bare in ("max", "min") and len(tensors) > 1:
        return "pointwise"
    if bare in ("where", "type") and len(args) == 1:
        return {"where": "values", "type": "questions"}[bare]
    return _KINDS.get(name) or _KINDS.get(bare, bare)


def refusal(name: str, why: str = "there is no rule for it, and a guess could be wrong") -> UntraceableError:
    """Return the error for an operator through which influence cannot be followed."""
    hint = "Pass layer= for a module that runs before, or use effective_field, which takes the model's own gradients."
    return UntraceableError(f"{name} cannot be followed: {why}. {hint}")


def flows(value: Any) -> bool:
    """Return whether the image influences a value (new weights want a gradient too, but come from nowhere)."""
    return isinstance(value, torch.Tensor) and value.grad_fn is not None


def _is_one_channel(tensor: torch.Tensor) -> bool:
    return tensor.shape[1] == 1 or tensor.stride(1) == 0


def _one(tensor: torch.Tensor) -> torch.Tensor:
    """One channel [N, 1, …] that stands for all: the channel itself where all are views of it, else their sum."""
    if tensor.dim() != 4:
        raise refusal(f"a map of shape {tuple(tensor.shape)}", "only [N, C, H, W] is")
    return tensor[:, :1] if _is_one_channel(tensor) else tensor.sum(1, keepdim=True)


def equal_channels(tensor: torch.Tensor, channels: int) -> torch.Tensor:
    """Return one channel seen as `channels` equal ones, without a copy."""
    return tensor.expand(tensor.shape[0], channels, *tensor.shape[2:])


def summed(tensors: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return the sum, in memory of its own, of the tensors that flow; views of one channel stay so."""
    shape = torch.broadcast_shapes(*(tensor.shape for tensor in tensors))
    given = [tensor for tensor in tensors if flows(tensor)]
    if len(shape) > 1 and all(t.dim() == len(shape) and _is_one_channel(t) for t in given):
        given = [tensor[:, :1] for tensor in given]
    return sum(given[1:], given[0].clone()).expand(shape)


def product(func: Callable, *args: Any, **kwargs: Any) -> Any:
    """Return a product of factors that are ones, with the gradients of the given ones."""
    return func(*tree_map_only(torch.Tensor, _as_ones, args), **tree_map_only(torch.Tensor, _as_ones, kwargs))


def _as_ones(tensor: torch.Tensor) -> torch.Tensor:
    if not tensor.is_floating_point():
        return tensor
    ones = torch.ones(tensor.shape, dtype=torch.float64)
    return ones + (tensor - tensor.detach()) if flows(tensor) else ones


def reduced(func: Callable, tensor: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
    """Return the mean, which every number reaches, in the shapes that torch gives to maxima and spreads."""
    place = int("norm" in func.__name__)
    dim = kwargs.get("dim", args[place] if len(args) > place else None)
    everything = dim is None or isinstance(dim, bool) or dim in ((), [])
    mean = tensor.mean() if everything else tensor.mean(dim)
    return tree_map(lambda real: mean.reshape(real.shape), func(tensor.detach(), *args, **kwargs))


def _kernel(like: torch.Tensor, *size: int) -> torch.Tensor:
    return like.new_ones(1, 1, *size) / prod(size) ** 0.5


def _conv2d(func, input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    given, expected = input.shape[-3], weight.shape[1] * groups
    if given != expected:
        raise ValueError(f"a convolution expects {expected} channels, but {given} arrive")
    kernel = _kernel(input, *weight.shape[2:])
    return equal_channels(func(_one(input), kernel, None, stride, padding, dilation), weight.shape[0])


def _conv_transpose2d(
    func, input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1
):
    kernel = _kernel(input, *weight.shape[2:])
    moved = func(_one(input), kernel, None, stride, padding, output_padding, 1, dilation)
    return equal_channels(moved, weight.shape[1] * groups)


def _linear(func, input, weight, bias=None):
    alike = input.dim() > 1 and input.stride(-1) == 0
    total = input[..., :1] if alike else input.mean(-1, keepdim=True)
    return total.expand(*input.shape[:-1], weight.shape[0])


def _max_pool2d(
    func, input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    one = _one(input)
    rows, columns = F.max_pool2d(one.detach(), kernel_size, stride, padding, dilation, ceil_mode).shape[-2:]
    numbers = (kernel_size, padding, dilation)
    (kh, kw), (ph, pw), (dh, dw) = (v if isinstance(v, (tuple, list)) else (v, v) for v in numbers)
    room = F.pad(one, (pw, pw + dw * kw, ph, ph + dh * kh))
    total = F.conv2d(room, _kernel(one, kh, kw), None, stride or kernel_size, 0, dilation)
    return equal_channels(total[..., :rows, :columns], input.shape[1])


def _pool(func, input, *args, **kwargs):
    return equal_channels(func(_as_ones(_one(input)), *args, **kwargs), input.shape[1])


def _adaptive_max_pool2d(func, input, output_size, return_indices=False):
    return _pool(F.adaptive_avg_pool2d, input, output_size)


def _interpolate(
    func, input, size=None, scale_factor=None, mode="nearest", align_corners=None, recompute_scale_factor=None,
    antialias=False,
):  # fmt: skip
    """Axis by axis, with torch's own weights made positive and rounding errors dropped."""
    one, options = _one(input), {"mode": mode, "align_corners": align_corners, "antialias": antialias}
    flat = one.detach().float()
    full = func(flat, size, scale_factor, recompute_scale_factor=recompute_scale_factor, **options).shape[-2:]
    factors = scale_factor if isinstance(scale_factor, (tuple, list)) else (scale_factor, scale_factor)
    for axis, (units, factor) in enumerate(zip(full, factors, strict=True)):
        cells = one.shape[2 + axis]
        eye = torch.eye(cells).view(1, cells, cells, 1).expand(-1, -1, -1, 2)  # torch errs on one column
        by_size = scale_factor is None or recompute_scale_factor
        how = {"size": (units, 2)} if by_size else {"scale_factor": (factor, 1.0)}
        weights = func(eye, **how, **options)[0, :, :, 0].abs().double()
        weights = torch.where(weights > 1e-5, weights, 0.0)
        one = torch.einsum("nchw,hk->nckw" if axis == 0 else "nchw,wk->nchk", one, weights)
    return equal_channels(one, input.shape[1])


_MIXED: dict[str, Callable[..., Any]] = {  # the dimensions along which each number sees all
    "batch_norm": lambda x, *args, training=False, **_: [0, 2, 3] if training or args[4:5] == (True,) else [],
    "instance_norm": lambda x, *args, use_input_stats=True, **_: (
        [] if not use_input_stats or args[4:5] == (False,) else [2, 3]
    ),
    "group_norm": lambda x, *_, **__: list(range(1, x.dim())),
    **dict.fromkeys(("layer_norm", "rms_norm"), lambda x, shape, *_, **__: list(range(-len(shape), 0))),
    **dict.fromkeys(("softmax", "log_softmax", "softmin"), lambda x, dim, *_, **__: dim),
    "normalize": lambda x, p=2.0, dim=1, *_, **__: dim,
    "local_response_norm": lambda x, *_, **__: 1,
    "prelu": lambda x, weight: [],
}

REPLACED: dict[str, Callable] = {
    "conv2d": _conv2d,
    "conv_transpose2d": _conv_transpose2d,
    "linear": _linear,
    "max_pool2d": _max_pool2d,
    "max_pool2d_with_indices": lambda *args, **kwargs: (_max_pool2d(*args, **kwargs),) * 2,
    "avg_pool2d": _pool,
    "lp_pool2d": lambda func, x, norm_type, *sizes, **more: _pool(func, x, 1, *sizes, **more),
    "adaptive_avg_pool2d": _pool,
    "adaptive_max_pool2d": _adaptive_max_pool2d,
    "adaptive_max_pool2d_with_indices": lambda *args, **kwargs: (_adaptive_max_pool2d(*args, **kwargs),) * 2,
    "interpolate": _interpolate,
    "glu": lambda func, x, dim=-1: summed(x.chunk(2, dim)),
    "view": lambda func, x, *shape: x.reshape(*shape),
    "view_as": lambda func, x, other: x.reshape(other.shape),
}


def mixed(name: str, tensor: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor | None:
    """Return a map of which each number sees all along some dimensions, as norms make it; None for other operators."""
    if name not in _MIXED:
        return None
    dims = _MIXED[name](tensor, *args, **kwargs)
    return summed([tensor]) if dims == [] else tensor + tensor.mean(dims, keepdim=True)
