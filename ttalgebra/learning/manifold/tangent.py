"""The tangent space of trains of fixed ranks, in terms of gradients of cores.

At ``X = U_1 ... U_{d-1} C_d``, ``U_k`` left-orthonormal, and with right-orthonormal
``V_k``, every tangent vector has one form

    ``T = sum_k U_1 ... U_{k-1} D_k V_{k+1} ... V_d``,  ``U_k^H D_k = 0`` for ``k < d``,

whose terms are orthogonal to each other. Source: Lubich, Oseledets, Vandereycken
(2015); Steinlechner (2016).
"""

from dataclasses import dataclass

import numpy as np

from ttalgebra.arrays.factorize import svd
from ttalgebra.arrays.namespace import (
    adjoint,
    device_of,
    eps_of,
    from_numpy,
    namespace_of,
)
from ttalgebra.arrays.typing import Array, Cores
from ttalgebra.cores.chain import (
    absorb_left,
    absorb_right,
    left_fold,
    left_unfold,
    ranks,
    right_fold,
    right_unfold,
)
from ttalgebra.cores.rounding import by_svd


@dataclass(frozen=True, eq=False)
class Frame:
    """A point ``X`` in both orthogonal forms, and how the given cores made them.

    ``left`` holds ``U_1, ..., U_{d-1}, C_d`` and ``right`` ``C_1, V_2, ..., V_d``. The
    part of the given chain before core ``k`` is ``U_1 ... U_{k-1} L``, the one after it
    ``R V_{k+1} ... V_d``; ``before[k]`` is the inverse of ``L^H``, ``after[k]`` that of
    ``R^H``.
    """

    left: Cores
    right: Cores
    before: Cores
    after: Cores

    @classmethod
    def at(cls, cores: Cores) -> "Frame":
        """Two sweeps of SVD, which leave out what is singular. Cost ``O(d n r^3)``."""
        xp = namespace_of(*cores)
        one = xp.ones((1, 1), dtype=cores[0].dtype, device=device_of(cores[0]))
        left, before, center = [], [one], cores[0]
        for following in cores[1:]:
            q, r, inverse = _split(left_unfold(center))
            left.append(left_fold(q, like=center))
            before.append(inverse)
            center = absorb_left(r, following)
        left.append(center)
        right, after, center = [], [one], cores[-1]
        for preceding in reversed(cores[:-1]):
            q, r, inverse = _split(adjoint(right_unfold(center)))
            right.append(right_fold(adjoint(q), like=center))
            after.append(adjoint(inverse))
            center = absorb_right(preceding, adjoint(r))
        right.append(center)
        return cls(tuple(left), tuple(right[::-1]), tuple(before), tuple(after[::-1]))

    def projected(self, gradients: Cores) -> Cores:
        """The ``D_k`` of the projection of ``Z``, from the ``gradients`` of the cores.

        These are ``L^H E_k R^H``, ``E_k`` the gradient in the orthonormal frame, where
        ``D_k = (1 - U_k U_k^H) E_k`` for ``k < d`` and ``D_d = E_d``. So neither ``Z``
        nor a second pass through the model is needed. Novikov et al. (2022)
        differentiate at cores of twice the ranks instead, which inverts nothing; here
        the error is about ``eps`` times the condition of ``L`` and ``R``.
        Cost ``O(d n r^3)``.
        """
        found = []
        for k, gradient in enumerate(gradients):
            E = absorb_right(absorb_left(self.before[k], gradient), self.after[k])
            last = k == len(gradients) - 1
            found.append(E if last else _gauged(self.left[k], E))
        return tuple(found)

    def moved(self, D: Cores, step: float) -> Cores:
        """``X + step T``, exactly, by twice the ranks.

        First core ``[U D]``, last core ``[C + D; V]``, between them ``[U D; 0 V]``.
        """
        return _side_by_side(self.left, self.right, D, step)

    def tangent(self, D: Cores) -> Cores:
        """``T`` as a chain of twice the ranks."""
        last = 0 * self.left[-1]
        return _side_by_side((*self.left[:-1], last), self.right, D, 1.0)


def retracted(cores: Cores, like: Cores) -> Cores:
    """The chain rounded by TT-SVD to the shapes of ``like``, filled up with zeros.

    Source: Steinlechner (2016): the distance to the best approximation is
    at most ``sqrt(d - 1)`` times the least, so the step is one of first order.
    """
    rounded, _ = by_svd(cores, max_rank=ranks(like)[1:-1])
    pairs = zip(rounded, like, strict=True)
    return tuple(_filled(core, tuple(wanted.shape)) for core, wanted in pairs)


def _side_by_side(left: Cores, right: Cores, D: Cores, step: float) -> Cores:
    if len(D) == 1:
        return (left[0] + step * D[0],)
    xp = namespace_of(*D)
    first = xp.concat((left[0], step * D[0]), axis=-1)
    middle = []
    for U, V, change in zip(left[1:-1], right[1:-1], D[1:-1], strict=True):
        shape = (V.shape[0], *U.shape[1:])
        nothing = xp.zeros(shape, dtype=U.dtype, device=device_of(U))
        above = xp.concat((U, step * change), axis=-1)
        middle.append(xp.concat((above, xp.concat((nothing, V), axis=-1)), axis=0))
    last = xp.concat((left[-1] + step * D[-1], right[-1]), axis=0)
    return (first, *middle, last)


def _gauged(U: Array, E: Array) -> Array:
    """``(1 - U U^H) E`` of the left unfoldings."""
    xp, basis, matrix = namespace_of(U, E), left_unfold(U), left_unfold(E)
    along = xp.matmul(basis, xp.matmul(adjoint(basis), matrix))
    return left_fold(matrix - along, like=E)


def _split(matrix: Array) -> tuple[Array, Array, Array]:
    """``q r = matrix`` with orthonormal columns, and the inverse of ``r^H``.

    Directions at roundoff are left out: there the ranks are less than they seem.
    """
    xp, found = namespace_of(matrix), svd(matrix)
    values = found.known
    floor = eps_of(matrix) * max(matrix.shape) * values[0]
    rank = max(1, int((values > floor).sum()))
    inverse = [1 / s if s > floor else 0.0 for s in values[:rank].tolist()]
    parts = [values[:rank], np.asarray(inverse)]
    s, weights = (
        xp.astype(from_numpy(part, like=matrix), matrix.dtype) for part in parts
    )
    vh = found.vh[:rank, :]
    return found.u[:, :rank], s[:, None] * vh, weights[:, None] * vh


def _filled(core: Array, shape: tuple[int, ...]) -> Array:
    """``core`` in the corner of zeros of this ``shape``: of its ranks, for one."""
    xp = namespace_of(core)
    for axis in (0, len(shape) - 1):
        have = list(core.shape)
        if have[axis] < shape[axis]:
            have[axis] = shape[axis] - have[axis]
            zeros = xp.zeros(tuple(have), dtype=core.dtype, device=device_of(core))
            core = xp.concat((core, zeros), axis=axis)
    return core
