"""A stand-in for CUDA's convolutions: what they read is rounded to TF32, unless torch's setting forbids it."""

import torch
from torch.utils._python_dispatch import TorchDispatchMode

#: How many arguments of each operator are rounded: image and kernel; and the gradient before them.
ROUNDED = {torch.ops.aten.convolution.default: 2, torch.ops.aten.convolution_backward.default: 3}


def to_tf32(values):
    """Return float32 numbers rounded to the nearest with 10 bits of fraction, ties to the even one."""
    bits = values.contiguous().view(torch.int32)
    return ((bits + 0xFFF + ((bits >> 13) & 1)) & ~0x1FFF).view(torch.float32)


class TF32Convolutions(TorchDispatchMode):
    """Inside, convolutions and their gradients read TF32 while `torch.backends.cudnn.allow_tf32` is True."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        count = ROUNDED.get(function, 0) if torch.backends.cudnn.allow_tf32 else 0
        rounded = [to_tf32(each) if each.dtype == torch.float32 else each for each in args[:count]]
        return function(*rounded, *args[count:], **kwargs or {})
