"""What Gram matrices know of a tall matrix: its right singular vectors, its values.

A Gram matrix is a sum over blocks of rows, as quick as the blocks are read, where a
blocked QR takes 4 to 9 times as long. It is computed in double precision and has an
error of ``eps norm^2``, so it tells singular values from ``sqrt(eps) norm`` up.

That is all that single precision can hold. In double precision a second pass, over the
blocks times ``V D^-1``, finds the rest: ``V`` and ``D`` are what the first has found,
``D`` from ``sqrt(eps) norm`` up, so these columns have norms of at most about one, and
``R2 D V^H`` has, column by column of ``V``, errors of ``sqrt(eps)`` times ``D``.

Source: Yamamoto, Nakatsukasa, Yanagisawa, Fukaya (2015), CholeskyQR2, with singular
vectors in place of Cholesky factors, which singular matrices do not have.
"""

from collections.abc import Callable, Iterable

from ttalgebra.arrays.contract import matmul
from ttalgebra.arrays.factorize import squares
from ttalgebra.arrays.namespace import adjoint, is_complex, namespace_of, to_numpy
from ttalgebra.arrays.typing import Array
from ttalgebra.cores import chain

Blocks = Callable[[], Iterable[Array]]  # the same blocks each time that it is called

EPS = 2.0**-52
NOISE = 8 * EPS  # of norm^2: eigenvalues that may be roundoff; 2 eps are what is seen


def once(blocks: Blocks) -> Array:
    """A factor ``R`` of ``X^H X``, for the ``X`` in ``blocks``, from one pass.

    Singular values below ``sqrt(8 eps) norm``, with the eps of doubles, are left out.
    Cost ``O(rows columns^2)``, half of that of a product.
    """
    values, right = squares(_gram(blocks()))
    return _factor(values, right)


def twice(blocks: Blocks) -> Array:
    """The same from two passes, with the accuracy of a QR factorisation.

    Singular values below ``sqrt(8) eps norm`` are left out. Cost four times as much, a
    third to two thirds of that of a blocked QR.
    """
    values, right = squares(_gram(blocks()))
    least = EPS * float(to_numpy(values[0])) or 1.0  # 1 where all of X is zero
    xp = namespace_of(values)
    values = xp.where(values > least, values, least + 0 * values)
    scales = chain.reshape(xp.sqrt(values), values.shape[0], 1)
    white = adjoint(right / scales)
    inner = _gram(matmul(_wide(block), white) for block in blocks())
    return matmul(_factor(*squares(inner)), scales * right)


def _gram(blocks: Iterable[Array]) -> Array:
    """``X^H X`` in double precision: a sum over blocks."""
    wide = (_wide(block) for block in blocks)
    return sum(matmul(adjoint(block), block) for block in wide)


def _wide(block: Array) -> Array:
    xp = namespace_of(block)
    double = xp.complex128 if is_complex(block) else xp.float64
    return xp.astype(block, double, copy=False)


def _factor(values: Array, right: Array) -> Array:
    """``sqrt(values) V^H`` without the rows that may be roundoff, but for the first."""
    known = to_numpy(values)
    count = max(1, int((known > NOISE * known[0]).sum()))
    scales = namespace_of(values).sqrt(values[:count])
    return chain.reshape(scales, count, 1) * right[:count, :]
