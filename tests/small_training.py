"""A training that takes a second: a network with two classes, bright squares to learn, and `run`."""

import torch
from torch import nn

from deeplab_lessons import training
from deeplab_lessons.grid import Grid

VOID = 255


GRID = Grid(8, None)


class Tiny(nn.Module):
    """Stride 8, two classes, with the parts that carry state: batch norm and dropout."""

    grid = GRID

    def __init__(self, classes=2):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 8, 3, 4, 1), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout(0.3))
        self.fc8 = nn.Conv2d(8, classes, 3, 2, 1)

    def forward(self, x):
        return self.fc8(self.body(x))

    def parameter_groups(self, lr):
        new = {"params": list(self.fc8.parameters()), "lr": 10 * lr}
        return [{"params": list(self.body.parameters()), "lr": lr}, new]


def tiny(seed=0, **options):
    torch.manual_seed(seed)
    return Tiny(**options)


def bright_squares(count=12, size=32):
    """Pairs (image, mask) to learn: the class of a pixel is whether it is bright; a void rim."""
    pairs, generator = [], torch.Generator().manual_seed(1)
    for _ in range(count):
        mask = torch.zeros(size, size, dtype=torch.int64)
        top, left = torch.randint(0, size // 2, (2,), generator=generator).tolist()
        mask[top : top + size // 2, left : left + size // 2] = 1
        image = mask.float().expand(3, -1, -1) + 0.3 * torch.randn(3, size, size, generator=generator)
        mask[0] = VOID
        pairs.append((image, mask))
    return pairs


def run(model, data=None, **options):
    given = {"iterations": 12, "batch_size": 4, "lr": 0.01, "seed": 3, "device": "cpu", "progress": False}
    return training.train(model, data or bright_squares(), **{**given, **options})


def same_weights(one, other):
    pairs = zip(one.state_dict().items(), other.state_dict().items(), strict=True)
    return all(a == b and torch.equal(x, y) for (a, x), (b, y) in pairs)
