"""Powers of two that keep numbers in range: exact, and carried beside the array.

Every sweep writes what it holds as ``2**exponent * x`` with the largest entry of
``x`` near one, so no product of 10,000 cores leaves the range of the dtype.
"""

import math

from ttalgebra.arrays.namespace import is_complex, is_numpy, namespace_of
from ttalgebra.arrays.typing import Array


def largest(x: Array) -> Array:
    """``max |x|`` over real and imaginary parts, which cannot overflow; 0-d."""
    xp = namespace_of(x)
    if is_complex(x):
        return xp.maximum(xp.max(xp.abs(xp.real(x))), xp.max(xp.abs(xp.imag(x))))
    return xp.max(xp.abs(x))


def exponent_of(x: Array) -> Array:
    """The ``e`` with ``2**(e - 1) <= max |x| < 2**e``; 0 where ``x`` is all zero."""
    top = largest(x)
    if is_numpy(x):
        return math.frexp(float(top))[1]
    xp = namespace_of(x)
    zero = top == 0
    return xp.where(zero, 0 * top, xp.floor(xp.log2(xp.where(zero, 1 + top, top))) + 1)


def times_power(x: Array, exponent: Array) -> Array:
    """``2**exponent * x``, exact unless the result leaves the range of the dtype.

    The factor is applied in parts, since 2**1074 alone would overflow.
    """
    xp = namespace_of(x)
    if is_numpy(x):
        return _times_host_power(x, int(exponent))
    half = xp.trunc(exponent / 2)
    return x * xp.pow(2 + 0 * half, half) * xp.pow(2 + 0 * half, exponent - half)


def _times_host_power(x: Array, exponent: int) -> Array:
    bits = 900 if x.dtype.itemsize // (2 if is_complex(x) else 1) == 8 else 120
    while exponent:
        part = max(-bits, min(bits, exponent))
        x, exponent = x * 2.0**part, exponent - part
        if not x.any():
            break
    return x


def unit_scaled(x: Array) -> tuple[Array, Array]:
    """``(y, e)`` with ``x = 2**e * y`` and the largest entry of ``y`` in [1/2, 1)."""
    exponent = exponent_of(x)
    return times_power(x, -exponent), exponent


def scalar_times_power(value: float, exponent: float) -> float:
    """``2**exponent * value`` as a float: inf or 0.0 only if that is out of range."""
    mantissa, own = math.frexp(value)
    total = own + int(exponent)
    if value == 0 or not math.isfinite(value):
        return value
    if total > 1024:
        return math.copysign(math.inf, value)
    return math.ldexp(mantissa, max(total, -2000))
