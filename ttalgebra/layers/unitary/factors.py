"""Two families of unitary matrices, and the gradients of their parameters.

Diagonals of phases and reflections are unitary whatever their parameters, so a step
of training cannot leave the unitary group. In the gradients ``a`` is what a factor
gave and ``g`` its cotangent, both ``(samples, n)``; they are sums over the samples.

Source: Arjovsky, Shah & Bengio (2016); the gradients are derived here.
"""

from typing import NamedTuple

from ttalgebra.arrays.namespace import namespace_of
from ttalgebra.arrays.typing import Array


def phase(angles: Array) -> Array:
    """``exp(i w)``, the diagonal of ``D``; angles need not be wrapped."""
    xp = namespace_of(angles)
    return xp.cos(angles) + 1j * xp.sin(angles)


def phase_gradient(a: Array, g: Array) -> Array:
    """The gradient of ``w`` in ``a = D z``: ``Im sum conj(a) g``.

    ``D`` is diagonal, so ``z`` and its cotangent ``D^H g`` give the same numbers.
    """
    xp = namespace_of(a)
    return xp.imag(xp.sum(xp.conj(a) * g, axis=0))


class Mirror(NamedTuple):
    """``R = I - 2 v v^H / |v|^2`` as `reflect` applies it."""

    conjugate: Array  # of u = v / max|v|, the same mirror: its squares are in range
    twice: Array  # 2 u / |u|^2


def mirror(v: Array) -> Mirror:
    """The reflection that sends ``v`` to ``-v``, for any ``v`` but 0."""
    xp = namespace_of(v)
    u = v / xp.max(xp.abs(v))
    return Mirror(xp.conj(u), u * (2 / xp.sum(xp.abs(u) ** 2)))


def reflect(z: Array, by: Mirror) -> Array:
    """``R z``, ``(..., n) -> (..., n)``; ``R`` is its own inverse and adjoint."""
    xp = namespace_of(z)
    return z - xp.matmul(z, by.conjugate)[..., None] * by.twice


def reflection_gradient(a: Array, g: Array, v: Array) -> Array:
    """The gradient of ``v`` in ``a = R z``.

    ``(q + R q) / |v|^2`` with ``q = sum(conj(v^H a) g - conj(v^H g) a)``. Nothing of
    it lies along ``v``, as neither the length nor the phase of ``v`` moves ``R``.
    """
    xp = namespace_of(a)
    by, size = mirror(v), xp.max(xp.abs(v))
    along_a, along_g = xp.matmul(a, by.conjugate), xp.matmul(g, by.conjugate)
    q = xp.matmul(xp.conj(along_a), g) - xp.matmul(xp.conj(along_g), a)
    return (q + reflect(q, by)) / (size * xp.sum(xp.abs(by.conjugate) ** 2))
