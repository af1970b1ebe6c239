"""A check's own surroundings: whatever a notebook or an answer has switched, a check sees the defaults.

Numpy and torch are set only where they are loaded already.
"""

import contextlib
import random
import sys
import warnings
from collections.abc import Iterator


@contextlib.contextmanager
def defaults() -> Iterator[None]:
    """Run the code inside with the defaults of Python, numpy and torch, and give the settings back as they were.

    Warnings stay silent, because a check would repeat each of them for every case.
    """
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    with contextlib.ExitStack() as settings:
        settings.callback(sys.setrecursionlimit, sys.getrecursionlimit())
        settings.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        if numpy:
            settings.enter_context(numpy.errstate(divide="warn", over="warn", under="ignore", invalid="warn"))
        if torch:
            settings.enter_context(_torch_defaults(torch))
        yield


@contextlib.contextmanager
def _torch_defaults(torch) -> Iterator[None]:
    dtype, device = torch.get_default_dtype(), torch.get_default_device()
    torch.set_default_dtype(torch.float32)
    if device.type != "cpu":
        torch.set_default_device("cpu")
    try:
        with torch.inference_mode(False), torch.enable_grad(), torch.autocast("cpu", enabled=False):
            yield
    finally:
        torch.set_default_dtype(dtype)
        if torch.get_default_device() != device:
            torch.set_default_device(None)  # where `with torch.device(…)` had set it, this brings it back
        if torch.get_default_device() != device:
            torch.set_default_device(device)


@contextlib.contextmanager
def random_numbers() -> Iterator[None]:
    """Begin at the same random numbers on every entry, and give the generators back as if nothing had drawn."""
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    with contextlib.ExitStack() as states:
        states.callback(random.setstate, random.getstate())
        random.setstate(
            random.Random(0).getstate()
        )  # a state: a notebook may have replaced the function seed
        if numpy:
            states.callback(numpy.random.set_state, numpy.random.get_state())
            numpy.random.set_state(numpy.random.RandomState(0).get_state())
        if torch:
            states.callback(torch.set_rng_state, torch.get_rng_state())
            torch.set_rng_state(torch.Generator().manual_seed(0).get_state())
        yield
