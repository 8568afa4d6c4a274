"""A TT-matrix as the linear map that dense arrays, and SciPy's solvers, meet.

It has what ``scipy.sparse.linalg`` asks of an operator: ``shape``, ``dtype``,
``matvec``, ``rmatvec``, ``matmat``, ``rmatmat``, ``dot``, ``T``, ``H``, ``@``.
"""

from math import prod
from typing import Any, ClassVar, Self

import numpy as np

from ttalgebra.arrays.checks import (
    MAX_BYTES,
    as_array,
    as_positive,
    is_sparse,
    require_room,
)
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import is_array
from ttalgebra.arrays.typing import Array, Cores
from ttalgebra.cores import arithmetic, chain, products
from ttalgebra.cores.sweep.plan import Plan, planned
from ttalgebra.trains.doors import dense
from ttalgebra.trains.doors.dense import Pullback
from ttalgebra.trains.shared.rounded import AbstractTrain


class LinearMap(AbstractTrain):
    """``(N,) -> (M,)`` on dense arrays, never formed; transpose and gradients."""

    __slots__ = ()
    n_modes: ClassVar[int] = 2
    ndim: ClassVar[int] = 2

    @property
    def row_modes(self) -> tuple[int, ...]:
        """``(m_1, ..., m_d)``."""
        return tuple(m for m, _ in chain.modes(self.cores))

    @property
    def col_modes(self) -> tuple[int, ...]:
        """``(n_1, ..., n_d)``."""
        return tuple(n for _, n in chain.modes(self.cores))

    @property
    def shape(self) -> tuple[int, int]:
        """``(M, N)``, exact Python ints."""
        return prod(self.row_modes), prod(self.col_modes)

    @property
    def T(self) -> Self:
        """The transpose, exact and without copying."""
        return self._of(arithmetic.transpose(self.cores))

    @property
    def H(self) -> Self:
        """The conjugate transpose."""
        return self._of(arithmetic.conjugate(arithmetic.transpose(self.cores)))

    def to_dense(self, *, max_bytes: int = MAX_BYTES) -> Array:
        """The dense ``(M, N)`` array. Cost ``O(r M N)``.

        Raises TooLargeError before anything is allocated.
        """
        advice = "use matvec, or to_dense(max_bytes=...)"
        require_room(
            self.shape, self.nbytes // self.n_parameters, "to_dense", advice, max_bytes
        )
        return products.dense_matrix(chain.tame(self.cores)[0])

    def apply(self, X: Array, *, max_bytes: int = MAX_BYTES) -> Array:
        """``W`` applied to each sample: ``(..., N) -> (..., M)``.

        Raises ShapeError where the last axis is not ``N``, TooLargeError where the
        result is above ``max_bytes``. NaN stays in its own sample. Cost
        ``2 n r^2 m d max(M, N)`` flops for ``n`` samples.
        """
        return dense.apply(self.cores, X, max_bytes)

    def plan(self, batch: int, *, gradients: bool = False) -> Plan:
        """How `apply` meets ``batch`` samples, and what that should cost; it prints so.

        With ``gradients`` that of `vjp` and its pullback.

        From which end, which neighbouring cores are merged first, and how many samples
        go through all steps together: the cheapest by a model of flops, bytes and
        calls, whose seconds are those of one core of a machine of 2026. Raises
        TypeError and ShapeError unless ``batch`` is a whole number from 1.

        >>> import ttalgebra as tt
        >>> A = tt.random_matrix((4,) * 5, (4,) * 5, 8, rng=0)
        >>> A.plan(100)
        Plan: 1024 -> 1024, batch 100 in blocks of 8, from the last core
          cores 3-4: 16 -> 128 in states 64x16x1, 2.62e+07 flops
          cores 2: 32 -> 32 in states 16x32x16, 5.24e+07 flops
          cores 0-1: 128 -> 16 in states 1x128x64, 2.62e+07 flops
          1.05e+08 flops, 2.79e+07 bytes, 0.0027 s; dense 0.0042 s
        """
        n = as_positive(batch, "plan: batch")
        itemsize = self.nbytes // self.n_parameters
        return planned(self.cores, n, itemsize, rows=True, gradients=gradients)

    def vjp(self, X: Array, *, max_bytes: int = MAX_BYTES) -> tuple[Array, Pullback]:
        """``apply(X)`` and its pullback ``dy (..., M) -> (dcores, dX (..., N))``.

        The gradients obey ``dL = Re sum(conj(g) * dG)``, real for real cores, summed
        over the samples. Backward costs twice forward, and once more where the samples
        fill several blocks (see `plan`), whose states are made again. Beside a copy of
        ``X``, the result and the gradients there is memory for one block only.

        >>> import numpy as np, ttalgebra as tt
        >>> A = tt.identity((2, 3))
        >>> y, pullback = A.vjp(np.ones((5, 6)))
        >>> dcores, dX = pullback(y)
        >>> [dG.shape for dG in dcores], dX.shape
        ([(1, 2, 2, 1), (1, 3, 3, 1)], (5, 6))
        """
        return dense.vjp(self.cores, X, max_bytes)

    def core_gradients(self, X: Array, dy: Array) -> Cores:
        """The gradients of ``Re sum(conj(dy) * apply(X))`` by core, as in `vjp`."""
        _, pullback = self.vjp(X)
        return pullback(dy)[0]

    def matvec(self, x: Any) -> Any:
        """``A @ x`` for dense ``x`` of shape ``(N,)`` or ``(N, 1)``."""
        x = as_array(x, "x")
        if x.ndim == 2 and x.shape[1] != 1:
            message = f"matvec: x has {x.shape[1]} columns"
            raise ShapeError(f"{message}; one is wanted, use matmat for more")
        return dense.times(self.cores, x, "matvec", MAX_BYTES)

    def matmat(self, X: Any) -> Any:
        """``A @ X`` for dense ``X``, ``(N, n) -> (M, n)``."""
        X = as_array(X, "X")
        if X.ndim != 2:
            raise ShapeError(f"matmat: X has shape {tuple(X.shape)}, expected two axes")
        return dense.times(self.cores, X, "matmat", MAX_BYTES)

    def rmatvec(self, y: Array) -> Array:
        """``A.H @ y`` for dense ``y`` of shape ``(M,)`` or ``(M, 1)``."""
        return self.H.matvec(y)

    def rmatmat(self, Y: Array) -> Array:
        """``A.H @ Y`` for dense ``Y``, ``(M, n) -> (N, n)``."""
        return self.H.matmat(Y)

    def dot(self, X: Any) -> Any:
        """``A @ X``, as NumPy and SciPy spell it."""
        return self @ X

    def __matmul__(self, X: Any) -> Any:
        if not _is_dense(X):
            return NotImplemented
        return dense.times(self.cores, X, "@", MAX_BYTES)

    def __rmatmul__(self, X: Any) -> Any:
        if not _is_dense(X):
            return NotImplemented
        return self.T.apply(X)


def _is_dense(X: Any) -> bool:
    """Whether ``X`` is for `as_array`, which refuses what is sparse, to judge."""
    return is_array(X) or isinstance(X, (np.ndarray, list, tuple)) or is_sparse(X)
