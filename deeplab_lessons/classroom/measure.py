"""What a network costs: one row of a table, milliseconds, and what training has to keep."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from deeplab_lessons.classroom.experiments import Experiment
from deeplab_lessons.receptive_field import trace


def describe(net: nn.Module, input_size: int, layer: str = "fc6") -> dict[str, object]:
    """What an edit changes, as one row of a table: for pictures of `input_size` pixels per side.

    Output stride (input pixels between neighbouring cells), map size and field after `layer`, parameters in
    millions, multiply-adds in thousand millions (10⁹).
    """
    table = trace(net, input_size)
    row = table[layer]
    return {
        "output stride": row.jump,
        "map": "{}×{}".format(*row.map_size),
        "field (px)": row.size,
        "parameters (10⁶)": round(table.parameters / 1e6, 2),
        "multiply-adds (10⁹)": round(table.multiply_adds / 1e9, 1),
    }


def cost(which: Experiment, size: tuple[int, int]) -> dict[str, float]:
    """Return parameters in millions, and multiply-adds in billions for one image of `size` (H, W) pixels."""
    with torch.device("meta"):
        table = trace(which.model(), size)
    return {"parameters (10⁶)": table.parameters / 1e6, "multiply-adds (10⁹)": table.multiply_adds / 1e9}


def milliseconds(
    net: nn.Module, input_size: int | tuple[int, int], repeats: int = 3, training: bool = False
) -> float:
    """Fastest of `repeats` runs on one random picture, in milliseconds, after one run to warm up.

    `input_size` is the picture's side, or its height and width. The network stays on its device. With `training` a
    run is a forward and a backward pass.
    """
    device = next(net.parameters()).device
    size = (input_size, input_size) if isinstance(input_size, int) else input_size
    x = torch.randn(1, 3, *size, device=device)
    times = []
    with _left_as_it_was(net):
        for _ in range(repeats + 1):
            begin = time.perf_counter()
            with torch.set_grad_enabled(training):
                out = net(x)
                if training:
                    out.sum().backward()
            float(out.detach().sum())  # waits for a GPU to finish
            times.append(time.perf_counter() - begin)
    return 1000 * min(times[1:])


def kept_for_backward(net: nn.Module, input_size: int, batch_size: int = 1) -> int:
    """Bytes that autograd keeps from the forward pass until the backward pass, weights not counted.

    This is most of what a training needs beyond weights, gradients and momentum. It is counted on random
    pictures [batch_size, 3, input_size, input_size], tensor by tensor; memory that two share counts once.
    """
    weights = {tensor.untyped_storage().data_ptr() for tensor in (*net.parameters(), *net.buffers())}
    kept: dict[int, torch.UntypedStorage] = {}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage  # holding it keeps its address from being used again
        return tensor

    device = next(net.parameters()).device
    pictures = torch.zeros(batch_size, 3, input_size, input_size, device=device)
    keeping = torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor)
    with _left_as_it_was(net), torch.enable_grad(), keeping:
        net(pictures)
    return sum(storage.nbytes() for storage in kept.values())


@contextmanager
def _left_as_it_was(net: nn.Module) -> Iterator[None]:
    """Restore the network's buffers (batch norm's statistics) and gradients afterwards."""
    buffers = [(buffer, buffer.clone()) for buffer in net.buffers()]
    gradients = [(weight, weight.grad) for weight in net.parameters()]
    try:
        net.zero_grad(set_to_none=True)
        yield
    finally:
        with torch.no_grad():
            for buffer, before in buffers:
                buffer.copy_(before)
        for weight, gradient in gradients:
            weight.grad = gradient
