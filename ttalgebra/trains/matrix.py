"""TTMatrix: a matrix whose rows and columns are counted in digits, core by core."""

from collections.abc import Sequence
from math import prod
from typing import Any, Literal, Self, overload

from ttalgebra.arrays.checks import (
    as_mode_pairs,
    spelled,
)
from ttalgebra.arrays.errors import ShapeError
from ttalgebra.arrays.typing import RNG, Array, Cores, Ranks
from ttalgebra.cores import products, ranged, selection
from ttalgebra.cores.truncation import Truncation, announce
from ttalgebra.trains.doors import cost
from ttalgebra.trains.doors.decomposed import (
    as_source,
    decomposed,
    from_nonzeros,
)
from ttalgebra.trains.doors.pairing import promoted, require_meeting
from ttalgebra.trains.reductions import Reductions
from ttalgebra.trains.shared.rounded import compressed
from ttalgebra.trains.tensor import TTTensor


class TTMatrix(Reductions):
    """``W(i_1 ... i_d; j_1 ... j_d) = G_1[i_1, j_1] ... G_d[i_d, j_d]``.

    Cores have shape ``(r, m, n, s)``; the first digit is the slowest, as in
    `numpy.kron`. Source: Novikov et al. (2015), section 3.

    Parameters
    ----------
    cores
        A list or tuple of ``d`` arrays of one library, finite, neighbouring ranks
        equal, outer ranks 1. Integers become float64. They are copied; with
        ``copy=False`` the arrays are taken as they are, and made read-only.

    Notes
    -----
    Raises ShapeError, NonFiniteError or TypeError, naming the core.

    Examples
    --------
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
        method: str = ...,
        rng: RNG = ...,
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
        method: str = ...,
        rng: RNG = ...,
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
        method: str = "svd",
        rng: RNG = None,
        strict: bool = False,
        return_info: bool = False,
    ) -> Self | tuple[Self, Truncation]:
        """TT-SVD of the ``(M, N)`` array ``W``, ``M = prod(row_modes)``.

        ``tol``, ``max_rank``, ``strict`` and ``return_info`` as in `round`; ``method``
        "random" sketches the unfoldings, with ``rng``, and reports its error as well.
        An array on disk (``np.memmap``, HDF5, Zarr) is read in blocks. The error
        is within ``sqrt(d - 1)`` of the best at these ranks. Raises ShapeError where
        the modes do not fit, and NonFiniteError. Cost ``O(M N m n r)``.
        Source: Novikov et al. (2015), section 3; Oseledets (2011), Algorithm 1.
        """
        W = as_source(W, "W")
        modes = _fitting_modes(W, row_modes, col_modes)
        cores, info = decomposed(W, modes, tol, max_rank, method=method, rng=rng)
        announce(info, "from_dense", strict=strict)
        return (cls._of(cores), info) if return_info else cls._of(cores)

    @overload
    def __matmul__(self, other: "TTMatrix") -> "TTMatrix": ...
    @overload
    def __matmul__(self, other: TTTensor) -> TTTensor: ...
    @overload
    def __matmul__(self, other: Array) -> Any: ...
    def __matmul__(self, other: Any) -> Any:
        if isinstance(other, (TTMatrix, TTTensor)):
            return self._times_train(other)
        return super().__matmul__(other)

    @classmethod
    def from_sparse(
        cls,
        W: Any,
        row_modes: Sequence[int],
        col_modes: Sequence[int],
        tol: float | None = None,
        max_rank: Ranks | None = None,
        *,
        strict: bool = False,
        return_info: bool = False,
    ) -> Self | tuple[Self, Truncation]:
        """TT-SVD of a SciPy sparse matrix, never made dense; keywords as `from_dense`.

        Memory ``O(nnz n r)``; TooLargeError above 2 GiB, where small modes help.

        >>> import scipy.sparse as sp, ttalgebra as tt
        >>> bands = [-1.0, 2.0, -1.0]
        >>> L = sp.diags_array(bands, offsets=[-1, 0, 1], shape=(1024, 1024))
        >>> tt.TTMatrix.from_sparse(L, (2,) * 10, (2,) * 10, tol=1e-12).max_rank
        3
        """
        pairs = as_mode_pairs(row_modes, col_modes)
        cores, info = from_nonzeros(W, pairs, tol, max_rank)
        announce(info, "from_sparse", strict=strict)
        return (cls._of(cores), info) if return_info else cls._of(cores)

    @classmethod
    def from_diagonal(cls, x: TTTensor) -> Self:
        """The matrix with the entries of ``x`` on its diagonal; exact, ranks stay."""
        if not isinstance(x, TTTensor):
            kind = type(x).__name__
            raise TypeError(f"from_diagonal: a TTTensor is needed, got {kind}")
        cost.from_diagonal(x.cores).require("from_diagonal", "split its modes first")
        return cls._of(tuple(selection.from_diagonal(core) for core in x.cores))

    def matvec(self, x: Any, **compressed: Any) -> Any:
        """``A @ x``: dense ``(N,)`` or ``(N, 1)``, or a tensor, then compressed.

        For a tensor the product is rounded without being formed: keywords ``tol``,
        ``atol``, ``max_rank``, ``rng``, ``strict``, ``return_info`` as in `round`, and
        ``method`` "exact" (the sweeps of `round`), "zipup", "random" or "fit", which
        verify their error and fall back to "exact": see ``info.fallback``.

        >>> import ttalgebra as tt
        >>> A, x = tt.identity((4, 4, 4)), tt.random_tensor((4, 4, 4), 3, rng=0)
        >>> A.matvec(x, tol=1e-8, method="zipup").ranks == x.ranks
        True
        """
        if isinstance(x, TTTensor):
            return self._compressed(x, "matvec", **compressed)
        return super().matvec(x, **compressed)

    def matmat(self, X: Any, **compressed: Any) -> Any:
        """``A @ X``: dense ``(N, n)``, or a matrix, then compressed as in `matvec`."""
        if isinstance(X, TTMatrix):
            return self._compressed(X, "matmat", **compressed)
        return super().matmat(X, **compressed)

    def rmatvec(self, y: Any, **compressed: Any) -> Any:
        """``A.H @ y``: dense ``(M,)`` or ``(M, 1)``, or a tensor, as in `matvec`."""
        return self.H.matvec(y, **compressed)

    def rmatmat(self, Y: Any, **compressed: Any) -> Any:
        """``A.H @ Y``: dense ``(M, n)``, or a matrix, as in `matvec`."""
        return self.H.matmat(Y, **compressed)

    def _compressed(self, x: "TTTensor | TTMatrix", kind: str, **options: Any) -> Any:
        A, cores = self._fitting(x, kind)
        return compressed(type(x), A, cores, kind, **options)

    def _times_train(self, other: "TTMatrix | TTTensor") -> "TTMatrix | TTTensor":
        A, B = self._fitting(other, "@")
        advice = "round the operands first"
        cost.matmul(A, B).require("@: the product", advice)
        if isinstance(other, TTMatrix):
            return TTMatrix._of(ranged.product(products.compose, A, B, "@"))
        return TTTensor._of(ranged.product(products.matvec, A, B, "@"))

    def _fitting(self, other: "TTMatrix | TTTensor", verb: str) -> tuple[Cores, Cores]:
        """The cores of both in one dtype; ShapeError where they do not meet."""
        theirs = other.row_modes if isinstance(other, TTMatrix) else other.modes
        require_meeting(self.col_modes, theirs, verb)
        both = promoted(*self.cores, *other.cores)
        return both[: self.order], both[self.order :]

    def _sizes(self) -> str:
        pairs = zip(self.row_modes, self.col_modes, strict=True)
        modes = " ".join(f"{m}x{n}" for m, n in pairs)
        return f"shape={spelled(*self.shape)}, modes=({modes})"


def _fitting_modes(
    W: Array, row_modes: Sequence[int], col_modes: Sequence[int]
) -> tuple[tuple[int, int], ...]:
    pairs = as_mode_pairs(row_modes, col_modes)
    shape = prod(m for m, _ in pairs), prod(n for _, n in pairs)
    if tuple(W.shape) != shape:
        message = f"from_dense: W has shape {tuple(W.shape)}"
        raise ShapeError(f"{message}, the modes multiply to {spelled(*shape)}")
    return pairs
