"""A sum of Tucker terms as a linear map: exact algebra, products, gradients.

It has what ``scipy.sparse.linalg`` asks of an operator, and the names of `TTMatrix`.
"""

from typing import Any, ClassVar, Self

import numpy as np

from ttalgebra.arrays.checks import MAX_BYTES, as_array, as_scalar, require_room
from ttalgebra.arrays.errors import NonFiniteError, ShapeError
from ttalgebra.arrays.namespace import is_array, namespace_of, to_numpy
from ttalgebra.arrays.typing import Array, Scalar
from ttalgebra.cores.block_term import blocks as terms
from ttalgebra.cores.block_term import products
from ttalgebra.cores.block_term.blocks import Blocks
from ttalgebra.trains.block_term import doors
from ttalgebra.trains.block_term.doors import Pullback
from ttalgebra.trains.block_term.value import BlockValue


class BlockMap(BlockValue):
    """``(N,) -> (M,)``, never formed; sums are exact, their blocks those of both."""

    __slots__ = ()
    __array_ufunc__ = None  # numpy defers: ndarray @ A and scalar * A come to us
    ndim: ClassVar[int] = 2

    @property
    def T(self) -> Self:
        """The transpose, exact and without copying."""
        return self._of(terms.transpose(self.blocks))

    @property
    def H(self) -> Self:
        """The conjugate transpose."""
        return self.T.conj()

    def conj(self) -> Self:
        """The complex conjugate; the same value where the dtype is real."""
        return self._of(terms.conjugate(self.blocks))

    def __add__(self, other: object) -> Self:
        if not isinstance(other, BlockMap):
            return NotImplemented
        return self._of(_joined(self, other, "+"))

    def __sub__(self, other: object) -> Self:
        if not isinstance(other, BlockMap):
            return NotImplemented
        return self._of(_joined(self, -other, "-"))

    def __neg__(self) -> Self:
        return self._of(terms.scale(self.blocks, -1.0))

    def __mul__(self, factor: object) -> Self:
        if isinstance(factor, BlockMap) or np.ndim(factor):  # type: ignore[arg-type]
            return NotImplemented
        return self._of(_scaled(self.blocks, as_scalar(factor, "the factor")))

    __rmul__ = __mul__

    def __truediv__(self, divisor: object) -> Self:
        if isinstance(divisor, BlockMap) or np.ndim(divisor):  # type: ignore[arg-type]
            return NotImplemented
        return self._of(_scaled(self.blocks, 1 / as_scalar(divisor, "the divisor")))

    def to_dense(self, *, max_bytes: int = MAX_BYTES) -> Array:
        """The dense ``(M, N)`` array. Cost ``O(M N r)`` for each block.

        Raises TooLargeError before anything is allocated.
        """
        itemsize = self.nbytes // self.n_parameters
        advice = "use matvec, or to_dense(max_bytes=...)"
        require_room(self.shape, itemsize, "to_dense", advice, max_bytes)
        return products.dense(self.blocks)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """The dense array, for ``np.asarray``; TooLargeError above 2 GiB."""
        if copy is False:
            raise ValueError("blocks have no dense array to share; use to_dense()")
        return to_numpy(self.to_dense()).astype(dtype or self.dtype, copy=False)

    def apply(self, X: Array) -> Array:
        """``W`` applied to each sample: ``(..., N) -> (..., M)``.

        Raises ShapeError where the last axis is not ``N``, and TooLargeError. Cost:
        two flops for each multiply-add of the cheapest order of contraction.
        """
        return doors.apply(self.blocks, X)

    def vjp(self, X: Array) -> tuple[Array, Pullback]:
        """``apply(X)`` and its pullback ``dy (..., M) -> (dblocks, dX (..., N))``.

        ``dblocks`` has the layout of ``blocks``; the gradients obey
        ``dL = Re sum(conj(g) * dG)``, real for real blocks, summed over the samples.
        Backward costs twice what forward does, and keeps what each factor met.

        >>> import numpy as np, ttalgebra as tt
        >>> A = tt.BlockTerm.random((2, 3), (4, 5), n_blocks=1, ranks=2, rng=0)
        >>> y, pullback = A.vjp(np.ones((7, 20)))
        >>> (dcore, dfactors), = pullback(y)[0]
        >>> dcore.shape, [dA.shape for dA in dfactors]
        ((2, 2), [(2, 4, 2), (3, 5, 2)])
        """
        return doors.vjp(self.blocks, X)

    def matvec(self, x: Array) -> Array:
        """``W @ x`` for dense ``x`` of shape ``(N,)`` or ``(N, 1)``."""
        x = as_array(x, "x")
        if x.ndim == 2 and x.shape[1] != 1:
            message = f"matvec: x has {x.shape[1]} columns"
            raise ShapeError(f"{message}; one is wanted, use matmat for more")
        return doors.times(self.blocks, x, "matvec")

    def matmat(self, X: Array) -> Array:
        """``W @ X`` for dense ``X``, ``(N, n) -> (M, n)``."""
        X = as_array(X, "X")
        if X.ndim != 2:
            raise ShapeError(f"matmat: X has shape {tuple(X.shape)}, expected two axes")
        return doors.times(self.blocks, X, "matmat")

    def rmatvec(self, y: Array) -> Array:
        """``W^H @ y`` for dense ``y`` of shape ``(M,)`` or ``(M, 1)``."""
        return self.H.matvec(y)

    def rmatmat(self, Y: Array) -> Array:
        """``W^H @ Y`` for dense ``Y``, ``(M, n) -> (N, n)``."""
        return self.H.matmat(Y)

    def __matmul__(self, X: Any) -> Any:
        if not _is_dense(X):
            return NotImplemented
        return doors.times(self.blocks, X, "@")

    def __rmatmul__(self, X: Any) -> Any:
        if not _is_dense(X):
            return NotImplemented
        return self.T.apply(X)


def _is_dense(X: Any) -> bool:
    return is_array(X) or isinstance(X, (np.ndarray, list, tuple))


def _joined(A: BlockMap, B: BlockMap, sign: str) -> Blocks:
    if (A.row_modes, A.col_modes) != (B.row_modes, B.col_modes):
        mine, theirs = (terms.modes(x.blocks[0]) for x in (A, B))
        raise ShapeError(f"{sign}: the modes differ: {mine} and {theirs}")
    return doors.of_one_dtype(A.blocks + B.blocks)


def _scaled(blocks: Blocks, factor: Scalar) -> Blocks:
    """``factor`` times each core; NonFiniteError where that leaves the range."""
    with np.errstate(over="ignore", invalid="ignore"):  # refused below
        scaled = terms.scale(blocks, factor)
    xp = namespace_of(scaled[0].core)
    if not all(bool(xp.all(xp.isfinite(block.core))) for block in scaled):
        message = f"a core times {factor} leaves the range of {blocks[0].core.dtype}"
        raise NonFiniteError(f"{message}; scale the factors instead")
    return doors.of_one_dtype(scaled)
