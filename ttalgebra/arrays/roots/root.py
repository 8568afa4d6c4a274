"""``R`` with ``R^H R = A^H A``, by the cheapest way that is as right as Householder's.

LAPACK's QR runs at a fifth of the speed of a matrix product, and does not see that
columns depend on each other, as those of sums do. So a pivoted Cholesky factorisation
of the Gram matrix is tried first, and what it says is verified.
Source: Yamamoto, Nakatsukasa, Yanagisawa, Fukaya (2015), Cholesky QR; Higham (2002),
Accuracy and Stability, 10.3, for the pivoted form.
"""

import math
from typing import Any

import numpy as np

from ttalgebra.arrays.factorize import require_factorable, triangle
from ttalgebra.arrays.namespace import eps_of, is_numpy
from ttalgebra.arrays.typing import Array

WIDE = 40  # columns; below, one call of LAPACK costs less than several of BLAS
SAFE = 1e-2  # of a Gram matrix with unit diagonal: at most 5 times the roundoff of QR
NOISE = 4.0  # eps times the root of the columns: what roundoff makes of dependent ones
LONGEST = 4096  # rows in single precision, lest roundoff of one sign add up
TINY = {8: 1e-120, 4: 1e-15}  # columns whose squares lose digits, by bytes


def root(matrix: Array) -> Array:
    """``R`` with ``R^H R = matrix^H matrix``, of as few rows as roundoff allows.

    Each column keeps its length to ``c eps``, however small. In NumPy and from ``WIDE``
    columns on it comes by Cholesky where that is as right, 5 times as fast at 1000 x
    100, else from a triangle without the rows that only roundoff made; elsewhere it is
    the `triangle`.
    """
    if not is_numpy(matrix) or matrix.shape[1] < WIDE:
        return triangle(matrix)
    require_factorable(matrix, "qr")
    rows, columns = matrix.shape
    tall = columns < rows < (LONGEST if eps_of(matrix) > 1e-10 else rows + 1)
    found = _by_cholesky(matrix) if tall else None
    return _condensed(triangle(matrix)) if found is None else found


def _by_cholesky(matrix: np.ndarray) -> np.ndarray | None:
    """The root from pivoted columns and how the others depend on them; None if unsure.

    Unsure unless the Gram matrix of the pivoted ones, with unit diagonal, has no
    eigenvalue below ``SAFE``, shown by a factorisation shifted by it: so roundoff in
    it changes each column by at most ``1 / sqrt(SAFE)`` times as much. Of the others
    nothing but roundoff may be left.
    """
    from scipy.linalg import lapack

    gram = matrix.conj().T @ matrix
    sizes = np.sqrt(np.diagonal(gram).real)
    if not (sizes > TINY[sizes.itemsize]).all():
        return None
    gram /= sizes
    gram /= sizes[:, None]
    pstrf: Any = lapack.get_lapack_funcs("pstrf", (gram,))
    _, order, rank, _ = pstrf(gram, tol=5 * SAFE)
    kept, rest = order[:rank] - 1, order[rank:] - 1
    block = gram[np.ix_(kept, kept)] if len(rest) else gram
    try:
        np.linalg.cholesky(block - SAFE * np.eye(rank))
        upper: np.ndarray = np.linalg.cholesky(block).conj().T
    except np.linalg.LinAlgError:
        return None
    upper *= sizes[kept] if len(rest) else sizes
    if not len(rest):
        return upper
    found: np.ndarray = np.empty((rank, len(sizes)), matrix.dtype)
    weights = np.linalg.solve(block, gram[np.ix_(kept, rest)])
    weights *= sizes[rest]
    weights /= sizes[kept, None]
    found[:, kept], found[:, rest] = upper, upper @ weights
    left = matrix[:, rest] - matrix[:, kept] @ weights
    if (np.linalg.vector_norm(left, axis=0) > _noise(matrix) * sizes[rest]).any():
        return None
    return found


def _noise(matrix: np.ndarray) -> float:
    """What roundoff makes of dependent columns of length one."""
    return NOISE * eps_of(matrix) * math.sqrt(matrix.shape[1])


def _condensed(r: np.ndarray) -> np.ndarray:
    """``r`` without what is roundoff of its columns; pivoting finds it."""
    from scipy.linalg import lapack

    sizes = np.abs(r).max(axis=0)
    sizes[sizes == 0] = 1
    geqp3: Any = lapack.get_lapack_funcs("geqp3", (r,))
    pivoted, order, *_ = geqp3(r / sizes)
    diagonal = np.abs(np.diagonal(pivoted))
    rank = max(1, int((diagonal > _noise(r)).sum()))
    if rank == len(r):
        return r
    kept: np.ndarray = np.empty((rank, len(sizes)), r.dtype)
    kept[:, order - 1] = np.triu(pivoted[:rank])
    kept *= sizes
    return kept
