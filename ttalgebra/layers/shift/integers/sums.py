"""Sums of shifted integers: a matrix product without multiplications."""

import numpy as np

from ttalgebra.layers.shift.integers.codes import Powers

_BLOCK = 2**16  # integers of 8 bytes that are shifted at a time: half a MiB of cache
_SAMPLES = 128


def shifted_sums(x: np.ndarray, w: Powers) -> np.ndarray:
    """``sum_i +-(x_i >> shift_ij)`` for int64 ``x`` ``(n, N)``: ``(n, M)``.

    ``>>`` is arithmetic, rounding towards minus infinity. Three operations a weight and
    sample: shift, exclusive or, add (and a fourth where there are zeros).
    """
    n, M = len(x), len(w.shifts)
    y = np.empty((n, M), np.int64)
    for start in range(0, n, _SAMPLES):
        part = np.ascontiguousarray(x[start : start + _SAMPLES].T)
        rows = max(1, _BLOCK // max(1, part.size))
        for row in range(0, M, rows):
            few = Powers(*(array[row : row + rows] for array in w))
            y[start : start + _SAMPLES, row : row + rows] = _block(part, few).T
    return y


def _block(x: np.ndarray, w: Powers) -> np.ndarray:
    """``x`` is ``(N, n)`` here, the result ``(rows, n)``."""
    minus = -w.negative.astype(np.int64)
    terms = x >> w.shifts[:, :, None]
    terms ^= minus[:, :, None]  # -t is (t ^ -1) + 1; the ones are counted below
    if not w.nonzero.all():
        terms &= -w.nonzero.astype(np.int64)[:, :, None]
    ones = np.count_nonzero(w.negative & w.nonzero, axis=1)
    total: np.ndarray = terms.sum(axis=1) + ones[:, None]
    return total
