"""Weights as signed powers of two: what ``b`` bits can say, and rounding to it.

With one bit for the sign, the exponents are ``lowest(b, ternary), ..., -1, 0``. A
ternary sign, which may be zero, takes one code from them.

Source: Elhoushi et al. (2021); the ranges are those of their code.
"""

import numpy as np

from ttalgebra.arrays.checks import as_positive
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import dtype_of, from_numpy, namespace_of
from ttalgebra.arrays.typing import Array
from ttalgebra.cores.chain import reshape

FEWEST, MOST = 2, 5


def as_bits(bits: int, name: str) -> int:
    """``bits`` as an int from 2 to 5; ShapeError or TypeError for anything else."""
    number = as_positive(bits, f"{name}: bits")
    if not FEWEST <= number <= MOST:
        message = f"{name}: bits must be from {FEWEST} to {MOST}, got {number}"
        raise ShapeError(f"{message}; one is for the sign, the others for the shift")
    return number


def lowest(bits: int, *, ternary: bool) -> int:
    """The lowest exponent: ``1 - 2^(b-1)``, one more where the sign is ternary."""
    return 1 - (1 << (bits - 1)) + int(ternary)


def clamped_magnitude(w: Array, bits: int) -> Array:
    """``w`` with ``|w|`` moved into ``[2^lowest, 1]``; zero stays zero."""
    xp = namespace_of(w)
    return xp.sign(w) * xp.clip(
        xp.abs(w), min=2.0 ** lowest(bits, ternary=False), max=1
    )


def clamped_exponent(P: Array, bits: int) -> Array:
    """``P`` moved into ``[lowest, 0]``, where the sign is ternary."""
    return namespace_of(P).clip(P, min=lowest(bits, ternary=True), max=0)


def rounded_weight(w: Array, bits: int) -> Array:
    """``sign(w) 2^round(log2 |w|)``, clamped; halves are rounded to even exponents.

    So what lies between ``2^k`` and ``2^(k+1)`` is cut at ``2^(k+1/2)``. Relative
    error at most ``sqrt(2) - 1`` in the range.
    """
    xp = namespace_of(w)
    inside = xp.clip(xp.abs(w), min=2.0 ** lowest(bits, ternary=False), max=1)
    return xp.sign(w) * power_of_two(xp.round(xp.log2(inside)))


def composed_weight(P: Array, S: Array, bits: int) -> Array:
    """``sign(round(S)) 2^round(P)``, ``P`` clamped; zero where ``|S| <= 1/2``."""
    xp = namespace_of(P, S)
    return xp.sign(xp.round(S)) * power_of_two(xp.round(clamped_exponent(P, bits)))


def power_of_two(exponents: Array) -> Array:
    """``2^P``, exact, for integers ``P`` from -15 to 0 (``pow`` may miss a bit)."""
    xp = namespace_of(exponents)
    table = np.ldexp(1.0, -np.arange(2 ** (MOST - 1))).astype(dtype_of(exponents))
    index = reshape(xp.astype(-exponents, xp.int32), -1)
    found = xp.take(from_numpy(table, like=exponents), index, axis=0)
    return reshape(found, *exponents.shape)
