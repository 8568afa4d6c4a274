"""TTMatrix: a matrix whose rows and columns are counted in digits, core by core."""

from collections.abc import Sequence
from math import prod
from typing import Any, ClassVar, Literal, Self, overload

from ttalgebra.arrays.checks import (
    MAX_BYTES,
    as_array,
    as_max_rank,
    as_mode_pairs,
    as_tol,
    require_finite,
    require_room,
)
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.namespace import is_array
from ttalgebra.arrays.typing import Array, Cores, Ranks
from ttalgebra.cores import arithmetic, chain, products
from ttalgebra.cores.truncation import Truncation, announce
from ttalgebra.decompose.svd import tt_svd
from ttalgebra.trains import dense
from ttalgebra.trains.algebra import AbstractTrain
from ttalgebra.trains.dense import Pullback
from ttalgebra.trains.pairing import promoted
from ttalgebra.trains.tensor import TTTensor


class TTMatrix(AbstractTrain):
    """``W(i_1 ... i_d; j_1 ... j_d) = G_1[i_1, j_1] ... G_d[i_d, j_d]``.

    Cores have shape ``(r, m, n, s)``; the first digit is the slowest, as in
    `numpy.kron`. Source: Novikov et al. (2015), section 3.

    Parameters
    ----------
    cores
        A list or tuple of ``d`` arrays of one library, finite, neighbouring ranks
        equal, outer ranks 1. Integers become float64. They are copied; with
        ``copy=False`` the arrays are taken as they are, and made read-only.

    Raises ShapeError, NonFiniteError or TypeError, naming the core.

    >>> import numpy as np, ttalgebra as tt
    >>> i, j = np.ogrid[:1024, :1024]
    >>> A, info = tt.TTMatrix.from_dense(abs(i - j), (4,) * 5, (4,) * 5, tol=1e-10,
    ...                                  return_info=True)
    >>> A.ranks, A.n_parameters, info.error < 1e-10
    ((1, 3, 3, 3, 3, 1), 528, True)
    >>> x = np.ones(1024)
    >>> np.allclose(A @ x, abs(i - j) @ x)
    True
    """

    __slots__ = ()
    n_modes: ClassVar[int] = 2
    ndim: ClassVar[int] = 2

    @overload
    @classmethod
    def from_dense(
        cls,
        W: Array,
        row_modes: Sequence[int],
        col_modes: Sequence[int],
        tol: float | None = ...,
        max_rank: Ranks | None = ...,
        *,
        strict: bool = ...,
        return_info: Literal[False] = ...,
    ) -> Self: ...

    @overload
    @classmethod
    def from_dense(
        cls,
        W: Array,
        row_modes: Sequence[int],
        col_modes: Sequence[int],
        tol: float | None = ...,
        max_rank: Ranks | None = ...,
        *,
        strict: bool = ...,
        return_info: Literal[True],
    ) -> tuple[Self, Truncation]: ...

    @classmethod
    def from_dense(
        cls,
        W: Array,
        row_modes: Sequence[int],
        col_modes: Sequence[int],
        tol: float | None = None,
        max_rank: Ranks | None = None,
        *,
        strict: bool = False,
        return_info: bool = False,
    ) -> Self | tuple[Self, Truncation]:
        """TT-SVD of the ``(M, N)`` array ``W``, ``M = prod(row_modes)``.

        ``tol``, ``max_rank``, ``strict`` and ``return_info`` as in `round`. The error
        is within ``sqrt(d - 1)`` of the best at these ranks. Raises ShapeError where
        the modes do not fit, and NonFiniteError. Cost ``O(M N m n r)``.
        Source: Novikov et al. (2015), section 3; Oseledets (2011), Algorithm 1.
        """
        W = as_array(W, "W")
        modes = _fitting_modes(W, row_modes, col_modes)
        bounds, tol = (
            as_max_rank(max_rank, len(modes), "from_dense"),
            as_tol(tol, "from_dense"),
        )
        require_finite(W, "from_dense")
        cores, info = tt_svd(W, modes, tol=tol, max_rank=bounds)
        announce(info, "from_dense", strict=strict)
        return (cls._of(cores), info) if return_info else cls._of(cores)

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
        return products.dense_matrix(self.cores)

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

    def matvec(self, x: Array) -> Array:
        """``A @ x`` for dense ``x`` of shape ``(N,)`` or ``(N, 1)``."""
        x = as_array(x, "x")
        if x.ndim == 2 and x.shape[1] != 1:
            message = f"matvec: x has {x.shape[1]} columns"
            raise ShapeError(f"{message}; one is wanted, use matmat for more")
        return dense.times(self.cores, x, "matvec", MAX_BYTES)

    def matmat(self, X: Array) -> Array:
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

    @overload
    def __matmul__(self, other: "TTMatrix") -> "TTMatrix": ...
    @overload
    def __matmul__(self, other: TTTensor) -> TTTensor: ...
    @overload
    def __matmul__(self, other: Array) -> Any: ...
    def __matmul__(self, other: Any) -> Any:
        if isinstance(other, (TTMatrix, TTTensor)):
            return self._times_train(other)
        if is_array(other) or isinstance(other, (list, tuple)):
            return dense.times(self.cores, other, "@", MAX_BYTES)
        return NotImplemented

    def __rmatmul__(self, left: Any) -> Any:
        if not (is_array(left) or isinstance(left, (list, tuple))):
            return NotImplemented
        return self.T.apply(left)

    def _times_train(self, other: "TTMatrix | TTTensor") -> "TTMatrix | TTTensor":
        theirs = other.row_modes if isinstance(other, TTMatrix) else other.modes
        if self.col_modes != theirs:
            raise ShapeError(f"@: {_mismatch(self.col_modes, theirs)}")
        both = promoted(*self.cores, *other.cores)
        A, B = both[: self.order], both[self.order :]
        if isinstance(other, TTMatrix):
            return TTMatrix._of(products.compose(A, B))
        return TTTensor._of(products.matvec(A, B))

    def __repr__(self) -> str:
        pairs = zip(self.row_modes, self.col_modes, strict=True)
        modes = " ".join(f"{m}x{n}" for m, n in pairs)
        return self._described(f"shape={self.shape}, modes=({modes})")


def _fitting_modes(
    W: Array, row_modes: Sequence[int], col_modes: Sequence[int]
) -> tuple[tuple[int, int], ...]:
    pairs = as_mode_pairs(row_modes, col_modes)
    shape = prod(m for m, _ in pairs), prod(n for _, n in pairs)
    if tuple(W.shape) != shape:
        message = f"from_dense: W has shape {tuple(W.shape)}"
        raise ShapeError(f"{message}, the modes multiply to {shape}")
    return pairs


def _mismatch(columns: tuple[int, ...], theirs: tuple[int, ...]) -> str:
    site = next(
        (k for k, (n, m) in enumerate(zip(columns, theirs, strict=False)) if n != m),
        None,
    )
    where = "in their number" if site is None else f"first at site {site}"
    return (
        f"A maps from modes {columns} but the operand has {theirs}; they differ {where}"
    )
