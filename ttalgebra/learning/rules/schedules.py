"""Learning rates over time: pure functions of the step, counted from 0.

A schedule is any function from the number of steps done to a rate.
"""

import math
from collections.abc import Callable
from typing import TypeAlias

from ttalgebra.arrays.checks import as_positive, as_scalar
from ttalgebra.arrays.errors import ShapeError

Schedule: TypeAlias = Callable[[int], float]


def constant(rate: float) -> Schedule:
    """``rate``, always."""
    rate = positive(rate, "constant: rate")
    return lambda step: rate  # noqa: ARG005


def steps(rate: float, factor: float, every: int) -> Schedule:
    """``rate * factor^k`` after ``k * every`` steps.

    >>> from ttalgebra.learning import schedules
    >>> [schedules.steps(1.0, 0.5, every=2)(t) for t in range(5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """
    rate, factor = positive(rate, "steps: rate"), positive(factor, "steps: factor")
    every = as_positive(every, "steps: every")
    return lambda step: rate * factor ** (step // every)


def exponential(rate: float, factor: float, every: int = 1) -> Schedule:
    """``rate * factor^(step / every)``: as `steps`, without the stairs."""
    rate = positive(rate, "exponential: rate")
    factor = positive(factor, "exponential: factor")
    every = as_positive(every, "exponential: every")
    return lambda step: rate * factor ** (step / every)


def cosine(rate: float, n_steps: int, final: float = 0.0) -> Schedule:
    """From ``rate`` down to ``final`` along half a cosine, then ``final``.

    Source: Loshchilov & Hutter (2017), equation 5, without restarts.
    """
    rate = positive(rate, "cosine: rate")
    n_steps = as_positive(n_steps, "cosine: n_steps")
    final = positive(final, "cosine: final") if final else 0.0

    def at(step: int) -> float:
        share = min(step / n_steps, 1.0)
        return final + (rate - final) * (1 + math.cos(math.pi * share)) / 2

    return at


def logspace(first: float, last: float, n_rates: int, every: int = 1) -> Schedule:
    """``n_rates`` rates in geometric progression, each for ``every`` steps.

    After the last it stays. The recipe of the paper's MNIST experiment, 600 steps an
    epoch: ``logspace(1e-2, 1e-5, 45, every=600)``.
    """
    first, last = positive(first, "logspace: first"), positive(last, "logspace: last")
    n_rates = as_positive(n_rates, "logspace: n_rates")
    every = as_positive(every, "logspace: every")

    def at(step: int) -> float:
        share = min(step // every, n_rates - 1) / max(n_rates - 1, 1)
        return float(first ** (1 - share) * last**share)

    return at


def positive(value: float, name: str) -> float:
    """``value`` as a finite float above zero; ShapeError otherwise."""
    number = as_scalar(value, name)
    if isinstance(number, complex) or not number > 0:
        raise ShapeError(f"{name} must be above 0, got {number}")
    return number
