"""Several processes, one training: started by PyTorch's `torchrun`, each with a GPU or a share of the CPU of its own.

    torchrun --nproc-per-node 4 -m deeplab_lessons.cli train --configuration … --scale full --checkpoint paper.pt

Every process takes its share of each batch; gradients, counts and confusion matrices are summed over all of them.
With a single process nothing here does anything.
"""

import contextlib
import os
from collections.abc import Iterator

import torch
from torch import distributed, nn


def size() -> int:
    """Number of processes that train together; 1 outside of `processes`."""
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


def rank() -> int:
    """Number of this process among them, from 0."""
    return distributed.get_rank() if size() > 1 else 0


@contextlib.contextmanager
def processes(device: torch.device) -> Iterator[torch.device]:
    """Join the processes that `torchrun` started and leave them at the end; gives the device of this one.

    On CUDA every process of a machine gets a GPU of its own and they speak through NCCL, elsewhere through Gloo.
    Without torchrun it gives `device` back.
    """
    if int(os.environ.get("WORLD_SIZE", 1)) == 1 or size() > 1:
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


def summed(values: torch.Tensor) -> torch.Tensor:
    """Sum of `values` over all processes, on the device they came from."""
    if size() == 1:
        return values
    home, total = values.device, values.clone()
    if distributed.get_backend() == "nccl":
        total = total.cuda()
    distributed.all_reduce(total)
    return total.to(home)


def anywhere(flag: bool) -> bool:
    """True in every process if `flag` is true in one of them."""
    return bool(summed(torch.tensor(int(flag))))


def wait() -> None:
    """Until every process has come to this place."""
    if size() > 1:
        distributed.barrier()


def joined(model: nn.Module, device: torch.device) -> nn.Module:
    """The model as it is called in training: its gradients are averaged over the processes.

    Batch norm is turned, in place, into one whose statistics come from the whole batch. Raises ValueError for
    batch norm that learns statistics on a CPU, where PyTorch cannot join them.
    """
    if size() == 1:
        return model
    if any(isinstance(part, nn.modules.batchnorm._BatchNorm) for part in model.modules()):
        if device.type != "cuda":
            raise ValueError(
                "batch norm's statistics can be joined over processes on CUDA only. Freeze it (frozen=True, "
                "backbones.freeze_batch_norm), or train in one process."
            )
        model = nn.SyncBatchNorm.convert_sync_batchnorm(model)
    return nn.parallel.DistributedDataParallel(model, [device] if device.type == "cuda" else None)
