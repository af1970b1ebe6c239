"""Learning-rate schedules: the share of the first learning rate that is used at each iteration.

Iterations are counted from 0, so the first one has a share of 1.
"""

from collections.abc import Callable


def step(iteration: int, iterations: int, parts: int = 3, factor: float = 0.1) -> float:
    """Share of the first rate after `iteration` of `iterations`: times `factor` after each of `parts` parts.

    DeepLab v1 (section 5) and its released solver files: 6000 iterations, times 0.1 every 2000, so three parts.
    """
    return factor ** (parts * iteration // iterations)


def poly(iteration: int, iterations: int, power: float = 0.9) -> float:
    """Share of the first rate after `iteration` of `iterations`: `(1 - iteration / iterations) ** power`.

    Falls from 1 nearly in a straight line and would reach 0 right after the last iteration. Source:
    DeepLab v2, section 4.1.1; power 0.9.
    """
    return (1 - iteration / iterations) ** power


SCHEDULES: dict[str, Callable[[int, int], float]] = {"step": step, "poly": poly}
