"""Learning-rate schedules: the fraction of the first learning rate that is left at each iteration.

Iterations are counted from 0, so the first one has the fraction 1.
"""

from collections.abc import Callable


def step(iteration: int, iterations: int, parts: int = 3, factor: float = 0.1) -> float:
    """Return what is left of the first learning rate after `iteration`: times `factor` after each of `parts` parts.

    DeepLab v1 (section 5) and its released solver files: 6000 iterations, times 0.1 every 2000, so three parts.
    """
    return factor ** (parts * iteration // iterations)


def poly(iteration: int, iterations: int, power: float = 0.9) -> float:
    """Return the fraction of the first learning rate that is left: `(1 - iteration / iterations) ** power`.

    Falls from 1 nearly in a straight line and would reach 0 right after the last iteration. Source:
    DeepLab v2, section 4.1.1; power 0.9.
    """
    return (1 - iteration / iterations) ** power


SCHEDULES: dict[str, Callable[[int, int], float]] = {"step": step, "poly": poly}
