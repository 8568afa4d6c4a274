"""Real numbers to signs and to powers of two, and what a gradient does there.

Source: Hubara et al. (2016), and the authors' code.
"""

from ttalgebra.arrays.namespace import namespace_of
from ttalgebra.arrays.typing import Array


def sign(x: Array) -> Array:
    """1 where ``x >= 0``, else -1: never 0, and ``sign(-0.0)`` is 1."""
    return 2 * namespace_of(x).astype(x >= 0, x.dtype) - 1


def stochastic_sign(x: Array, uniform: Array) -> Array:
    """1 with the probability ``clip((x + 1) / 2, 0, 1)``, else -1.

    ``uniform`` holds independent draws from ``[0, 1)``, one for each entry of ``x``.
    The mean is ``clip(x, -1, 1)``.
    """
    xp = namespace_of(x, uniform)
    return 2 * xp.astype(uniform < (x + 1) / 2, x.dtype) - 1


def straight_through(x: Array, dy: Array) -> Array:
    """``dy`` where ``|x| <= 1``, else 0: the gradient that both signs are given.

    That of ``clip(x, -1, 1)``, the mean of the stochastic one.
    """
    xp = namespace_of(x, dy)
    return dy * xp.astype(xp.abs(x) <= 1, x.dtype)


def power_of_two(x: Array) -> Array:
    """``sign(x) 2^round(log2 |x|)``: the nearest power of two, counted in octaves.

    0 stays 0. Where ``x`` is within a few eps of halfway, ``sqrt(2)`` times a power,
    either neighbour may be taken.
    """
    xp = namespace_of(x)
    size = xp.abs(x)
    zero = xp.astype(size == 0, x.dtype)
    octave = xp.round(xp.log2(size + zero))
    return sign(x) * (1 - zero) * 2.0**octave
