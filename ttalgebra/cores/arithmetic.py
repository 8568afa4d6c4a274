"""Linear operations on chains, all exact: ranks grow, nothing is rounded."""

import math
from collections.abc import Sequence

import numpy as np

from ttalgebra.arrays.checks import require_finite
from ttalgebra.arrays.namespace import (
    conj,
    device_of,
    has_values,
    is_complex,
    namespace_of,
)
from ttalgebra.arrays.scaling import times_power, unit_scaled
from ttalgebra.arrays.typing import Array, Cores, Scalar
from ttalgebra.cores.chain import balanced

MODEST = 64  # 2**64 and its inverse leave room for more in float32


def add(x: Cores, y: Cores) -> Cores:
    """``x + y``: cores side by side, ranks add up.

    First core ``[G H]``, last core ``[G; H]``, between them block diagonal.
    Source: Oseledets (2011), section 4.1.
    """
    xp = namespace_of(*x, *y)
    if len(x) == 1:
        with np.errstate(over="ignore"):
            core = x[0] + y[0]
        require_finite(core, "the sum of two trains of one core")
        return (core,)
    first = xp.concat((x[0], y[0]), axis=-1)
    middle = (_block_diagonal(G, H) for G, H in zip(x[1:-1], y[1:-1], strict=True))
    last = xp.concat((x[-1], y[-1]), axis=0)
    return (first, *middle, last)


def _block_diagonal(G: Array, H: Array) -> Array:
    """``(a, *modes, b), (c, *modes, d) -> (a + c, *modes, b + d)``."""
    xp = namespace_of(G, H)
    right_of_G = _zeros(G, G.shape[0], H.shape[-1])
    left_of_H = _zeros(H, H.shape[0], G.shape[-1])
    top = xp.concat((G, right_of_G), axis=-1)
    bottom = xp.concat((left_of_H, H), axis=-1)
    return xp.concat((top, bottom), axis=0)


def _zeros(like: Array, r: int, s: int) -> Array:
    return _filled(like, (r, *like.shape[1:-1], s))


def _filled(like: Array, shape: Sequence[int]) -> Array:
    xp = namespace_of(like)
    return xp.zeros(tuple(shape), dtype=like.dtype, device=device_of(like))


def scale(x: Cores, factor: Scalar) -> Cores:
    """``factor * x``, each entry of the first core rounded once.

    Where that core would leave its range, all cores share the factor. A complex
    factor makes the chain complex; no other scalar changes its dtype.
    """
    unit, exponent = _split(factor)
    first, *others = _for(x, factor)
    core, shift = unit_scaled(first)
    return _powered((core * unit, *others), exponent + shift)


def negative(x: Cores) -> Cores:
    """``-x``, by the sign of the first core."""
    return (-x[0], *x[1:])


def divide(x: Cores, divisor: Scalar, power: int = 0) -> Cores:
    """``x / (2**power * divisor)``, each entry of the first core rounded once.

    Raises ZeroDivisionError.
    """
    if divisor == 0:
        raise ZeroDivisionError("division of a train by zero")
    unit, exponent = _split(divisor)
    first, *others = _for(x, divisor)
    core, shift = unit_scaled(first)
    return _powered((core / unit, *others), shift - exponent - power)


def _split(factor: Scalar) -> tuple[Scalar, int]:
    """``factor = 2**exponent * unit`` with the larger part of ``unit`` in [1/2, 1)."""
    size = max(abs(complex(factor).real), abs(complex(factor).imag))
    exponent = math.frexp(size)[1]
    half = exponent // 2  # 2.0**-exponent alone may leave the range of a float
    return factor * 2.0**-half * 2.0 ** (half - exponent), exponent


def _powered(x: Cores, exponent: Array) -> Cores:
    """``2**exponent * x``, in the first core while its entries stay modest."""
    if not all(map(has_values, x)) or abs(int(exponent)) <= MODEST:
        return (times_power(x[0], exponent), *x[1:])
    result = balanced(x, exponent)
    for core in result:
        require_finite(core, "a multiple of a train, which its cores cannot hold")
    return result


def _for(x: Cores, factor: Scalar) -> Cores:
    """``x`` in a dtype, the same in all cores, that can hold ``factor * x``."""
    if not isinstance(factor, complex) or is_complex(x[0]):
        return x
    xp = namespace_of(*x)
    kind = xp.result_type(x[0].dtype, xp.complex64)
    return tuple(xp.astype(core, kind) for core in x)


def concatenate(chains: Sequence[Cores], site: int, axis: int) -> Cores:
    """The chains one after the other along one mode of one core; ranks add up.

    ``axis`` counts the modes of that core. Exact: each chain, with zeros where the
    others are, is added.
    """
    sizes = [int(cores[site].shape[1 + axis]) for cores in chains]
    total, before, padded = sum(sizes), 0, []
    for cores, size in zip(chains, sizes, strict=True):
        core = _with_zeros(cores[site], axis, before, total - before - size)
        padded.append((*cores[:site], core, *cores[site + 1 :]))
        before += size
    while len(padded) > 1:  # in pairs: each number is copied log2(k) times
        pairs = [padded[k : k + 2] for k in range(0, len(padded), 2)]
        padded = [add(*pair) if pair[1:] else pair[0] for pair in pairs]
    return padded[0]


def _with_zeros(core: Array, axis: int, before: int, after: int) -> Array:
    xp = namespace_of(core)
    shape = list(core.shape)
    parts = []
    for size in (before, None, after):
        shape[1 + axis] = size
        parts.append(core if size is None else _filled(core, shape))
    return xp.concat(parts, axis=1 + axis)


def conjugate(x: Cores) -> Cores:
    """The complex conjugate, core by core."""
    return tuple(conj(core) for core in x)


def transpose(A: Cores) -> Cores:
    """The transpose of a matrix: ``(r, m, n, s) -> (r, n, m, s)`` in each core."""
    return tuple(namespace_of(G).permute_dims(G, (0, 2, 1, 3)) for G in A)
