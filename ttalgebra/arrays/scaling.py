"""Powers of two that keep numbers in range: exact, and carried beside the array.

Every sweep writes what it holds as ``2**exponent * x`` with the largest entry of
``x`` near one, so no product of 10,000 cores leaves the range of the dtype.
"""

import math

import numpy as np

from ttalgebra.arrays.errors import NonFiniteError
from ttalgebra.arrays.namespace import (
    has_values,
    is_complex,
    is_numpy,
    namespace_of,
    to_numpy,
)
from ttalgebra.arrays.typing import Array

QUIET = {8: 2.0**60, 4: 2.0**20}  # bounds of a square that need no scaling, by bytes


def largest(x: Array) -> Array:
    """``max |x|`` over real and imaginary parts, which cannot overflow; 0-d."""
    xp = namespace_of(x)
    if is_complex(x):
        return xp.maximum(xp.max(xp.abs(xp.real(x))), xp.max(xp.abs(xp.imag(x))))
    return xp.max(xp.abs(x))


def exponent_of(x: Array) -> Array:
    """The ``e`` with ``2**(e - 1) <= max |x| < 2**e``; 0 where ``x`` is all zero."""
    if is_numpy(x):
        parts = (x.real, x.imag) if x.dtype.kind == "c" else (x,)
        top = max(max(part.max(), -part.min()) for part in parts)
        return math.frexp(float(top))[1]
    top = largest(x)
    xp = namespace_of(x)
    zero = top == 0
    return xp.where(zero, 0 * top, xp.floor(xp.log2(xp.where(zero, 1 + top, top))) + 1)


def times_power(x: Array, exponent: Array) -> Array:
    """``2**exponent * x``, exact unless the result leaves the range of the dtype.

    Then it is inf, or NaN in a complex number. The factor is applied in parts, since
    2**1074 alone would overflow.
    """
    if isinstance(exponent, int):
        return _times_host_power(x, exponent)
    xp = namespace_of(x)
    real = xp.float64 if xp.finfo(x.dtype).bits == 64 else xp.float32
    exponent = xp.astype(exponent, real, copy=False)  # its dtype may be another
    half = xp.trunc(exponent / 2)
    with np.errstate(over="ignore", invalid="ignore"):
        return x * xp.pow(2 + 0 * half, half) * xp.pow(2 + 0 * half, exponent - half)


def _times_host_power(x: Array, exponent: int) -> Array:
    bits = 900 if namespace_of(x).finfo(x.dtype).bits == 64 else 120
    for _ in range(4):
        if not exponent:
            break
        part = max(-bits, min(bits, exponent))
        with np.errstate(over="ignore", invalid="ignore"):
            x = x * 2.0**part
        exponent -= part
    return x


def norm_of(x: Array) -> float:
    """The Frobenius norm of one array whose entries are near one.

    NaN where ``x`` has no values yet, see `has_values`.
    """
    if not has_values(x):
        return math.nan
    return float(to_numpy(namespace_of(x).linalg.vector_norm(x)))


def unit_scaled(x: Array) -> tuple[Array, Array]:
    """``(y, e)`` with ``x = 2**e * y`` and the largest entry of ``y`` in [1/2, 1)."""
    exponent = exponent_of(x)
    if is_numpy(x) and abs(exponent) < 100:  # no size to check: 4 us instead of 8
        return (x * 2.0**-exponent if exponent else x), exponent
    return times_power(x, -exponent), exponent


def calmed(x: Array) -> tuple[Array, Array]:
    """`unit_scaled`, but ``(x, 0)`` where the norm of ``x`` is near one as it is.

    What sweeps over many small cores ask: 1 us instead of 6 in NumPy.
    """
    return (x, 0) if is_numpy(x) and is_quiet(x) else unit_scaled(x)


def is_quiet(x: np.ndarray) -> bool:
    """Whether squares of ``x`` and sums of them are far from the ends of the range."""
    return _quiet_square(x) > 0


def norm_exponent_of(x: np.ndarray) -> int:
    """The exponent of the norm where ``x`` is quiet, otherwise of its largest entry.

    For who asks within powers of two: 1 us instead of the 4 of `exponent_of`.
    """
    square = _quiet_square(x)
    return math.frexp(square)[1] // 2 if square else int(exponent_of(x))


def _quiet_square(x: np.ndarray) -> float:
    """``|x|^2``, or 0 where that is near the ends of the range, or NaN."""
    bound, square = QUIET[x.real.itemsize], float(np.vdot(x, x).real)
    return square if 1 / bound < square < bound else 0.0


def require_in_range(x: Array, unit: Array, what: str) -> None:
    """Raise NonFiniteError where ``unit`` times a power of two left the range.

    Where there are no values yet, see `has_values`, there is nothing to look at.
    """
    if not has_values(x):
        return
    xp = namespace_of(x)
    info, top = xp.finfo(x.dtype), float(to_numpy(largest(x)))
    if float(to_numpy(largest(unit))) and not 0 < top <= info.max:
        message = f"{what} would hold numbers as large as {top}, beyond {x.dtype}"
        raise NonFiniteError(f"{message}; use round, which shares them among the cores")


def rows_scaled(x: Array) -> tuple[Array, Array]:
    """``(y, e)`` with ``x[n] = 2**e[n] * y[n]``: an exponent for each row."""
    xp = namespace_of(x)
    top = xp.abs(xp.reshape(x, (x.shape[0], math.prod(x.shape[1:]))))
    top = xp.max(top, axis=1)
    exponents = xp.where(
        top == 0, 0 * top, xp.ceil(xp.log2(xp.where(top == 0, 1, top)))
    )
    column = xp.reshape(exponents, (x.shape[0],) + (1,) * (x.ndim - 1))
    return times_powers(x, -column), exponents


def times_powers(x: Array, exponents: Array) -> Array:
    """``2**exponents * x`` by entry; inf or 0 only where that is out of range."""
    xp = namespace_of(x)
    bound = 1000 if xp.finfo(x.dtype).bits == 64 else 120
    for _ in range(3):  # three factors reach from one end of the range to the other
        part = xp.clip(exponents, -bound, bound)
        exponents = exponents - part
        with np.errstate(over="ignore", under="ignore"):
            x = x * xp.pow(2 + 0 * part, part)
    return x


def scalar_times_power(value: float, exponent: float) -> float:
    """``2**exponent * value`` as a float: inf or 0.0 only if that is out of range."""
    mantissa, own = math.frexp(value)
    total = own + int(exponent)
    if value == 0 or not math.isfinite(value):
        return value
    if total > 1024:
        return math.copysign(math.inf, value)
    return math.ldexp(mantissa, max(total, -2000))
