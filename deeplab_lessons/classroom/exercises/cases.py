"""What the cases of several lessons are made with. Unlike the framework, this loads torch."""

import random

import torch


def torch_generator(rng: random.Random) -> torch.Generator:
    """Return a source of torch's random numbers whose seed is drawn from `rng`."""
    return torch.Generator().manual_seed(rng.randrange(10**6))
