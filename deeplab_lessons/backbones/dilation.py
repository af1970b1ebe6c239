"""Strides that become dilations. Source: DeepLab v1, section 3.1."""

from collections.abc import Iterable

from torch import nn

OUTPUT_STRIDES = (8, 16, 32)  # of every dilated backbone


def set_dilation(conv: nn.Conv2d, dilation: int) -> None:
    """Set the dilation of a kernel with several taps, and let its padding grow with it; works in place."""
    if conv.kernel_size == (1, 1):
        return
    if not isinstance(conv.padding, str):  # "same" grows by itself
        conv.padding = tuple(dilation * p // d for p, d in zip(conv.padding, conv.dilation, strict=True))
    conv.dilation = (dilation, dilation)


def dilate_strides(
    convolutions: Iterable[nn.Conv2d], output_stride: int, stride: int = 1, dilation: int = 1
) -> tuple[int, int]:
    """Take out the strides beyond `output_stride`, in place; return the stride and the dilation reached.

    A stride of 2 that goes becomes a dilation of 2 in every later layer, so that the map holds the trained
    network's map at every 2nd position. `stride` and `dilation` are those reached before.
    """
    for conv in convolutions:
        step = conv.stride[0]
        set_dilation(conv, dilation)
        if stride * step > output_stride:
            conv.stride, dilation = (1, 1), dilation * step
        else:
            stride *= step
    return stride, dilation
