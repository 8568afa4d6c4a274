"""``W = D3 R2 F^-1 D2 P R1 F D1`` as two halves, each with one Fourier transform.

``first = P R1 F D1`` and ``second = D3 R2 F^-1 D2``. All that the gradients need is
what goes into ``W``, what is between the halves, and what comes out: every phase and
every reflection touches one of the three.

Source: Arjovsky, Shah & Bengio (2016).
"""

from typing import NamedTuple

import numpy as np

from ttalgebra.arrays.namespace import from_numpy, namespace_of
from ttalgebra.arrays.typing import Array
from ttalgebra.layers.unitary.factors import (
    Mirror,
    mirror,
    phase,
    phase_gradient,
    reflect,
    reflection_gradient,
)


class Factors(NamedTuple):
    """The factors as they are applied; ``D`` and ``R`` count from 0."""

    D: tuple[Array, ...]  # the three diagonals
    Dh: tuple[Array, ...]  # their conjugates
    R: tuple[Mirror, ...]
    P: Array  # P z = z[P]
    Ph: Array  # its inverse


class Passage(NamedTuple):
    """Vectors before, in the middle of and after ``W``, or their cotangents there."""

    x: Array
    middle: Array
    y: Array


def factors(phases: Array, reflections: Array, order: np.ndarray) -> Factors:
    """Those of the angles ``(3, n)`` and the vectors ``(2, n)``."""
    xp = namespace_of(phases, reflections)
    D = xp.astype(phase(phases), reflections.dtype)
    rows = tuple(D[k, :] for k in range(3))
    mirrors = tuple(mirror(reflections[k, :]) for k in range(2))
    P, Ph = (from_numpy(p, phases) for p in (order, np.argsort(order)))
    return Factors(rows, tuple(xp.conj(row) for row in rows), mirrors, P, Ph)


def first(x: Array, W: Factors) -> Array:
    """``P R1 F D1 x``, ``(..., n) -> (..., n)``."""
    return _permuted(reflect(_fourier(x * W.D[0]), W.R[0]), W.P)


def second(middle: Array, W: Factors) -> Array:
    """``D3 R2 F^-1 D2 c``."""
    return reflect(_fourier_inverse(middle * W.D[1]), W.R[1]) * W.D[2]


def second_adjoint(y: Array, W: Factors) -> Array:
    """``D2^H F R2 D3^H y``: what was in the middle."""
    return _fourier(reflect(y * W.Dh[2], W.R[1])) * W.Dh[1]


def first_adjoint(middle: Array, W: Factors) -> Array:
    """``D1^H F^-1 R1 P^T c``: what went in."""
    return _fourier_inverse(reflect(_permuted(middle, W.Ph), W.R[0])) * W.Dh[0]


def gradients(
    values: Passage, cotangents: Passage, reflections: Array, W: Factors
) -> tuple[Array, Array]:
    """Those of the angles and of the vectors, summed over samples ``(samples, n)``.

    No transform is made: all cross-sections are given.
    """
    xp = namespace_of(reflections)
    angles = [phase_gradient(a, g) for a, g in zip(values, cotangents, strict=True)]
    ends = [
        (_permuted(values.middle, W.Ph), _permuted(cotangents.middle, W.Ph)),
        (values.y * W.Dh[2], cotangents.y * W.Dh[2]),
    ]
    vectors = [
        reflection_gradient(a, g, reflections[k, :]) for k, (a, g) in enumerate(ends)
    ]
    return xp.stack(angles), xp.stack(vectors)


def _permuted(z: Array, order: Array) -> Array:
    return namespace_of(z).take(z, order, axis=-1)


def _fourier(z: Array) -> Array:
    return z if 0 in z.shape else namespace_of(z).fft.fft(z, norm="ortho")


def _fourier_inverse(z: Array) -> Array:
    return z if 0 in z.shape else namespace_of(z).fft.ifft(z, norm="ortho")
