"""A TT-matrix as the linear map that dense arrays, and SciPy's solvers, meet.

It has what ``scipy.sparse.linalg`` asks of an operator: ``shape``, ``dtype``,
``matvec``, ``rmatvec``, ``matmat``, ``rmatmat``, ``dot``, ``T``, ``H``, ``@``.
"""

from math import prod
from typing import Any, ClassVar, Self

import numpy as np

from ttalgebra.arrays.checks import MAX_BYTES, as_array, is_sparse, require_room
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import is_array
from ttalgebra.arrays.typing import Array, Cores
from ttalgebra.cores import arithmetic, chain, products
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

    def vjp(self, X: Array, *, max_bytes: int = MAX_BYTES) -> tuple[Array, Pullback]:
        """``apply(X)`` and its pullback ``dy (..., M) -> (dcores, dX (..., N))``.

        The gradients obey ``dL = Re sum(conj(g) * dG)``, real for real cores, summed
        over the samples. One backward sweep costs twice the forward one; the states
        that forward met, ``n r max(M, N)`` numbers a core, are kept for it.

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
