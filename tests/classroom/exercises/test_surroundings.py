"""A check has surroundings of its own: what is switched outside changes no verdict, and stays."""

import random
import sys
import warnings

import numpy as np
import pytest
import torch
from verdicts import said

from deeplab_lessons.classroom.exercises.framework import Function


def slope(value):
    """Divides by zero, warns, takes a gradient, makes tensors of the default dtype on the default device."""
    at = torch.tensor(value, requires_grad=True)
    (at**2).sum().backward()
    assert np.isinf(np.float64(1) / np.float64(0))
    warnings.warn("a warning", stacklevel=2)
    return at.grad @ torch.ones(3, 2) + torch.zeros(2)


some_slopes = Function(slope, lambda rng: ((torch.rand(3) + rng.random(),) for _ in range(8)))


def settings():
    """All that a check could leave behind."""
    return {
        "dtype": torch.get_default_dtype(),
        "device": torch.get_default_device(),
        "new tensor": torch.empty(0).device,
        "gradients": (torch.is_grad_enabled(), torch.is_inference_mode_enabled()),
        "autocast": torch.is_autocast_enabled("cpu"),
        "numpy": np.geterr(),
        "warnings": list(warnings.filters),
        "recursion": sys.getrecursionlimit(),
        "random": (random.getstate(), torch.get_rng_state().tolist(), str(np.random.get_state())),
    }


SWITCHES = {
    "gradients off": lambda: torch.set_grad_enabled(False),
    "double precision": lambda: torch.set_default_dtype(torch.float64),
    "another device": lambda: torch.set_default_device("meta"),
    "numpy raises": lambda: np.seterr(all="raise"),
    "warnings raise": lambda: warnings.simplefilter("error"),
    "deeper recursion": lambda: sys.setrecursionlimit(5000),
    "seeds": lambda: (random.seed(1), np.random.seed(1), torch.manual_seed(1)),
}
CONTEXTS = {
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "device": lambda: torch.device("meta"),
}


@pytest.fixture(autouse=True)
def switched_back():
    """What the tests switch, for the tests that come after them."""
    states, depth = (random.getstate(), np.random.get_state(), torch.get_rng_state()), sys.getrecursionlimit()
    with warnings.catch_warnings(), np.errstate():
        yield
    sys.setrecursionlimit(depth)
    torch.set_grad_enabled(True)
    torch.set_default_device(None)
    torch.set_default_dtype(torch.float32)
    random.setstate(states[0])
    np.random.set_state(states[1])
    torch.set_rng_state(states[2])


@pytest.mark.parametrize("switch", SWITCHES)
def test_a_notebooks_switch_changes_no_verdict_and_stays(switch):
    SWITCHES[switch]()
    before = settings()
    assert some_slopes.check(slope).state == "correct", said(some_slopes.check(slope))
    assert some_slopes.check(lambda value: value).state == "wrong"
    assert settings() == before


@pytest.mark.parametrize("context", CONTEXTS)
def test_a_check_inside_a_context_gives_the_same_verdict(context):
    outside = settings()
    with CONTEXTS[context]():
        before = settings()
        assert some_slopes.check(slope).state == "correct", said(some_slopes.check(slope))
        assert settings() == before
    assert settings() == outside


@pytest.mark.parametrize("switch", SWITCHES)
@pytest.mark.parametrize("before", [None, "another device", "double precision"])
def test_an_answers_switch_disturbs_neither_the_cases_after_it_nor_the_notebook(switch, before):
    def attempt(value):
        answer = slope(value)
        SWITCHES[switch]()
        return answer

    def and_stops(value):
        SWITCHES[switch]()
        raise StopIteration

    if before:
        SWITCHES[before]()
    outside = settings()
    assert some_slopes.check(attempt).state == "correct", said(some_slopes.check(attempt))
    assert some_slopes.check(and_stops).state == "error"
    assert settings() == outside


def test_an_answer_of_chance_gets_the_same_verdict_on_every_run():
    attempts = [lambda n: n + random.random(), lambda n: n + np.random.rand(), lambda n: n + torch.rand(())]
    twice = Function(lambda n: 2 * n, lambda rng: ((n,) for n in range(5)), name="twice")
    for attempt in attempts:
        assert repr(twice.check(attempt)) == repr(twice.check(attempt))


def test_a_seed_function_that_a_notebook_replaced_is_not_called(monkeypatch):
    def refuse(*_):
        raise RuntimeError("seeds are fixed here")

    for owner, name in ((random, "seed"), (np.random, "seed"), (torch, "manual_seed")):
        monkeypatch.setattr(owner, name, refuse)
    assert some_slopes.check(slope).state == "correct"
