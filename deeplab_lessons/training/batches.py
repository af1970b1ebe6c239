"""Which samples come when, and how they are changed: a function of the seed and the iteration, of nothing else.

So a training that was stopped and resumed sees what it would have seen, and worker processes change nothing.
"""

import contextlib
import random
import signal
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import torch

from deeplab_lessons import parallel, runtime
from deeplab_lessons.datasets.pairs import Data
from deeplab_lessons.inference import check_image

_ORDER, _CHANGE, _DROPOUT = range(3)  # three uses of one seed, kept apart


def mixed_seed(seed: int, use: int, number: int) -> int:
    """Return a seed of 32 bits for one use and one iteration; neighbours have nothing in common."""
    return int(np.random.SeedSequence([seed % 2**32, use, number]).generate_state(1)[0])


def data_order(seed: int, iteration: int, batch_size: int, count: int) -> list[int]:
    """Return the indices of the samples of one iteration, out of `count`: all come once before any comes again.

    Each epoch has a new order; a batch may reach into the next epoch.
    """
    first = iteration * batch_size
    positions = (divmod(number, count) for number in range(first, first + batch_size))
    return [_shuffled(seed, epoch, count)[position] for epoch, position in positions]


@lru_cache(maxsize=4)
def _shuffled(seed: int, epoch: int, count: int) -> list[int]:
    return np.random.default_rng(mixed_seed(seed, _ORDER, epoch)).permutation(count).tolist()


class Batches(torch.utils.data.Dataset):
    """Item i is the batch of iteration i, or this process's part: images [N, 3, H, W], labels int64 [N, H, W].

    Python's, numpy's and torch's generator, from which the data set's random changes draw, are seeded for each batch.
    Raises ValueError for a data set without pairs (image, mask), a batch with fewer than there are processes, and
    pairs other than an image and a label map of the same size.
    """

    def __init__(self, dataset: Data, batch_size: int, seed: int):
        if len(dataset) < 1:
            raise ValueError("nothing to train on: the data set is empty")
        if batch_size < parallel.world_size():
            raise ValueError(f"{parallel.world_size()} processes cannot share a batch of {batch_size}")
        self.dataset, self.batch_size, self.seed = dataset, batch_size, seed
        self.rank, self.processes = parallel.rank(), parallel.world_size()

    def __getitem__(self, iteration: int) -> tuple[torch.Tensor, torch.Tensor]:
        runtime.seed_everything(mixed_seed(self.seed, _CHANGE, iteration * self.processes + self.rank))
        order = data_order(self.seed, iteration, self.batch_size, len(self.dataset))
        pairs = (checked_pair(*self.dataset[index]) for index in order[self.rank :: self.processes])
        images, masks = zip(*pairs, strict=True)
        sizes = sorted({tuple(mask.shape) for mask in masks})
        if len(sizes) > 1:
            raise ValueError(
                f"the samples of one batch differ in size: {' and '.join(map(str, sizes[:3]))} pixels. Cut them "
                "to one size (datasets.transforms.train(size) does that), or train with batch_size=1."
            )
        return torch.stack(images), torch.stack(masks)


def checked_pair(image, mask) -> tuple[torch.Tensor, torch.Tensor]:
    """Return a sample as plain tensors, float [3, H, W] and int64 [H, W]; ValueError if it is something else."""
    image, mask = (torch.as_tensor(part).as_subclass(torch.Tensor) for part in (image, mask))
    check_image(image)
    if mask.shape != image.shape[1:]:
        raise ValueError(
            f"an image of {list(image.shape[1:])} pixels came with a label map of {list(mask.shape)}: are they a pair?"
        )
    if mask.is_floating_point():
        raise ValueError(f"a label map holds whole numbers, got {mask.dtype}. Was it interpolated?")
    return image, mask.long()


def seed_dropout(seed: int, iteration: int) -> None:
    """Seed what dropout draws in one iteration, on every device."""
    torch.manual_seed(mixed_seed(seed, _DROPOUT, iteration * parallel.world_size() + parallel.rank()))


@contextlib.contextmanager
def own_randomness(device: torch.device) -> Iterator[None]:
    """Give Python's, numpy's and torch's generators back as they were."""
    python, array = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            yield
    finally:
        random.setstate(python)
        np.random.set_state(array)


def ignore_interrupts(worker: int) -> None:
    """Leave Ctrl-C and SIGTERM to the loop, which ends the workers."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
