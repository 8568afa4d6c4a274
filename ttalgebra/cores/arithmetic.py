"""Linear operations on chains, all exact: ranks grow, nothing is rounded."""

import math

from ttalgebra.arrays.namespace import conj, is_complex, namespace_of
from ttalgebra.arrays.typing import Array, Cores, Scalar
from ttalgebra.cores.chain import spread

MODEST = 64  # exponents up to this stay in the first core, where a reader expects them


def add(x: Cores, y: Cores) -> Cores:
    """``x + y``: cores side by side, ranks add up.

    First core ``[G H]``, last core ``[G; H]``, between them block diagonal.
    Source: Oseledets (2011), section 4.1.
    """
    xp = namespace_of(*x, *y)
    if len(x) == 1:
        return (x[0] + y[0],)
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
    xp = namespace_of(like)
    return xp.zeros((r, *like.shape[1:-1], s), dtype=like.dtype, device=like.device)


def scale(x: Cores, factor: Scalar) -> Cores:
    """``factor * x``; a far exponent of ``factor`` is shared by all cores.

    A complex factor makes the chain complex; no other scalar changes its dtype.
    """
    unit, exponent = _split(factor)
    return _shared((_for(x[0], factor) * unit, *x[1:]), exponent)


def divide(x: Cores, divisor: Scalar) -> Cores:
    """``x / divisor``, each entry of the first core divided and rounded once.

    Raises ZeroDivisionError.
    """
    if divisor == 0:
        raise ZeroDivisionError("division of a train by zero")
    unit, exponent = _split(divisor)
    return _shared((_for(x[0], divisor) / unit, *x[1:]), -exponent)


def _split(factor: Scalar) -> tuple[Scalar, int]:
    """``factor = 2**exponent * unit``; the exponent is 0 while it is modest."""
    size = max(abs(complex(factor).real), abs(complex(factor).imag))
    exponent = math.frexp(size)[1]
    if abs(exponent) <= MODEST:
        return factor, 0
    half = exponent // 2  # 2.0**-exponent alone may leave the range of a float
    return factor * 2.0**-half * 2.0 ** (half - exponent), exponent


def _shared(x: Cores, exponent: int) -> Cores:
    return spread(x, exponent) if exponent else x


def _for(core: Array, factor: Scalar) -> Array:
    """``core`` in a dtype that can hold its product with ``factor``."""
    xp = namespace_of(core)
    if isinstance(factor, complex) and not is_complex(core):
        return xp.astype(core, xp.result_type(core.dtype, xp.complex64))
    return core


def conjugate(x: Cores) -> Cores:
    """The complex conjugate, core by core."""
    return tuple(conj(core) for core in x)


def transpose(A: Cores) -> Cores:
    """The transpose of a matrix: ``(r, m, n, s) -> (r, n, m, s)`` in each core."""
    return tuple(namespace_of(G).permute_dims(G, (0, 2, 1, 3)) for G in A)
