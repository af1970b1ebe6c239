"""Several processes, one training: started by PyTorch's `torchrun`, each with a GPU or a share of the CPU of its own.

    torchrun --nproc-per-node 4 --no-python deeplab-lessons train --experiment … --scale full

Every process takes its share of each batch; gradients, counts and confusion matrices are summed over all of them.
With a single process nothing here does anything.
"""

import contextlib
import os
from collections.abc import Iterator

import torch
from torch import distributed, nn


def world_size() -> int:
    """Return the number of processes that train together; 1 outside of `process_group`."""
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


def rank() -> int:
    """Return the number of this process among them, from 0."""
    return distributed.get_rank() if world_size() > 1 else 0


@contextlib.contextmanager
def process_group(device: torch.device) -> Iterator[torch.device]:
    """Join the processes that `torchrun` started, if it did, and yield this one's device: on CUDA a GPU of its own."""
    if int(os.environ.get("WORLD_SIZE", 1)) == 1 or world_size() > 1:
        yield device
        return
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield device
    finally:
        distributed.destroy_process_group()


def sum_over_processes(values: torch.Tensor) -> torch.Tensor:
    """Return the sum of `values` over all processes, on the device they came from."""
    if world_size() == 1:
        return values
    total = values.clone()
    if distributed.get_backend() == "nccl":
        total = total.cuda()
    distributed.all_reduce(total)
    return total.to(values.device)


def any_process(flag: bool) -> bool:
    """Return, in every process, whether `flag` is true in one of them."""
    return bool(sum_over_processes(torch.tensor(int(flag))))


def barrier() -> None:
    """Wait until every process has arrived here."""
    if world_size() > 1:
        distributed.barrier()


def distribute(model: nn.Module, device: torch.device) -> nn.Module:
    """Return the model with gradients averaged over the processes, and in place batch norm of the whole batch.

    Raises ValueError for batch norm that learns statistics on a CPU, where PyTorch cannot join them.
    """
    if world_size() == 1:
        return model
    cuda = device.type == "cuda"
    if not cuda and any(isinstance(part, nn.modules.batchnorm._BatchNorm) for part in model.modules()):
        raise ValueError(
            "batch norm's statistics can be joined over processes on CUDA only: pass frozen=True or freeze it with "
            "backbones.freeze_batch_norm, or train in one process"
        )
    model = nn.SyncBatchNorm.convert_sync_batchnorm(model)
    return nn.parallel.DistributedDataParallel(model, [device] if cuda else None)
