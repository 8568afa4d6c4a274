"""modReLU: a ReLU of the modulus that keeps the phase.

    ``h = (|z| + b) z / |z|`` where ``|z| + b >= 0``, else 0

What happens where it is not smooth: at ``|z| = -b > 0`` a unit counts as active, its
derivative is that from outside. At ``z = 0`` the value is 0. With ``b = 0`` the map is
the identity, there too; with ``b > 0`` it jumps at 0, and the derivative there is
taken as 0. Close to 0 it then grows like ``b / |z|``, without bound.

Source: Arjovsky, Shah & Bengio (2016); the pullback is derived here.
"""

from typing import NamedTuple

from ttalgebra.arrays.namespace import namespace_of
from ttalgebra.arrays.typing import Array

_STEPS = 2.0**64  # b / |z| is finite for all b below this times the largest |z|


class Slope(NamedTuple):
    """The derivative at ``z``: ``g -> straight * g + turned * conj(g)``."""

    straight: Array
    turned: Array
    direction: Array  # z / |z| where the unit is active, else 0
    state: Array  # h itself


def modrelu(z: Array, bias: Array) -> Array:
    """``h``, ``(..., n) -> (..., n)``."""
    modulus = _modulus(z)
    grown = namespace_of(z).maximum(modulus + bias, 0)
    return z * (grown / modulus)


def slope(z: Array, bias: Array) -> Slope:
    """With ``u = z / |z|`` and ``c = b / 2|z|``: ``g + c (g - u^2 conj(g))``.

    That is 1 along ``u`` and ``1 + b / |z|`` across it.
    """
    xp = namespace_of(z)
    modulus = _modulus(z)
    grown, smooth = modulus + bias, (modulus > _smallest(z)) | (bias == 0)
    active = xp.astype((grown >= 0) & smooth, modulus.dtype)
    share = active / modulus
    unit, half = z * share, share * (bias / 2)
    return Slope(active + half, -half * unit * unit, unit, unit * grown)


def pulled(straight: Array, turned: Array, dh: Array) -> Array:
    """The cotangent of ``z`` from that of ``h``, by the `Slope`."""
    return straight * dh + turned * namespace_of(dh).conj(dh)


def bias_gradient(direction: Array, dz: Array) -> Array:
    """``Re sum conj(u) dz`` over the samples, ``(samples, n) -> (n,)``.

    From the cotangent of ``z``: along ``u`` it is that of ``h``.
    """
    xp = namespace_of(dz)
    return xp.real(xp.sum(xp.conj(direction) * dz, axis=0))


def _modulus(z: Array) -> Array:
    """``|z|``, but not so small that quotients by it overflow."""
    xp = namespace_of(z)
    return xp.maximum(xp.abs(z), _smallest(z))


def _smallest(z: Array) -> float:
    return float(namespace_of(z).finfo(z.dtype).smallest_normal) * _STEPS
