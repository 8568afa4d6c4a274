"""TT-SVD of nonzeros: the sweep of `svd`, in which the rows of zeros are never stored.

An unfolding of an array with few nonzeros has few nonzero rows: one for each distinct
prefix ``(i_1 ... i_k)`` of their indices. Sorted once, prefixes of any length stand
together, and shortening them merges neighbours.

Source: Oseledets (2011), Algorithm 1, mirrored, on the nonzero rows alone; zero rows
change no right singular vector, so errors and ranks are those of the dense array.
"""

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from ttalgebra.arrays.checks import MAX_BYTES, as_array, require_room
from ttalgebra.arrays.errors import NonFiniteError, ShapeError
from ttalgebra.arrays.scaling import unit_scaled
from ttalgebra.arrays.typing import Array, Cores
from ttalgebra.cores import chain, ranged
from ttalgebra.cores.truncation import Budget, Truncation
from ttalgebra.decompose.sweep import Modes, halves


def tt_svd_sparse(
    x: Any,
    modes: Modes,
    *,
    tol: float | None = None,
    max_rank: tuple[int | None, ...],
    max_bytes: int = MAX_BYTES,
) -> tuple[Cores, Truncation]:
    """The chain of a SciPy sparse matrix or N-d array, never made dense.

    ``modes`` as in `tt_svd`: ``(m_k, n_k)`` of an ``M x N`` matrix, or ``(n_k,)`` of
    an array of ``d`` axes. Sizes above the shape are filled with zeros. Duplicates
    are summed, stored zeros dropped. ``info.error`` is the error itself, as in
    `tt_svd`. Memory ``O(nnz n r)``, cost ``O(nnz (n r)^2)`` a bond; TooLargeError
    where the nonzero rows of an unfolding need more than ``max_bytes``.
    """
    nonzeros = x.tocoo()
    coords = [np.asarray(index) for index in nonzeros.coords]
    values = as_array(np.asarray(nonzeros.data), "the nonzeros")
    _require_finite(values, coords)
    digits = _digits(coords, tuple(int(n) for n in nonzeros.shape), modes)
    values, exponent = unit_scaled(values) if values.size else (values, 0)
    digits, values = _merged(digits, values)
    budget = Budget(float(np.linalg.vector_norm(values)), tol, max_rank)
    cores = _sweep(digits, values, modes, budget, max_bytes)
    info = budget.report(chain.ranks(cores), int(exponent))
    return ranged.held(cores, exponent, "from_sparse"), info


def _require_finite(values: np.ndarray, coords: Sequence[np.ndarray]) -> None:
    bad = np.flatnonzero(~np.isfinite(values))
    if bad.size:
        place = tuple(int(index[bad[0]]) for index in coords)
        message = f"from_sparse: the value at index {place} is {values[bad[0]]}"
        raise NonFiniteError(
            f"{message} and {bad.size} of {values.size} stored values are not finite; "
            "remove or replace them first"
        )


def _digits(
    coords: Sequence[np.ndarray], shape: tuple[int, ...], modes: Modes
) -> np.ndarray:
    """``(d, nnz)``: the index of each nonzero at each site, its modes flattened."""
    by_axis = [list(sizes) for sizes in zip(*modes, strict=True)]
    if len(by_axis) == 1:
        by_axis = [[n] for n in by_axis[0]]
    fits = len(by_axis) == len(shape)
    if not fits or any(n > prod(s) for n, s in zip(shape, by_axis, strict=True)):
        sizes = tuple(prod(s) for s in by_axis)
        message = f"from_sparse: the array has shape {shape}, the modes {sizes}"
        raise ShapeError(f"{message}; give modes that multiply to at least the shape")
    index = list(coords)
    kind = np.min_scalar_type(max(prod(sizes) for sizes in modes) - 1)
    digits = np.empty((len(modes), len(coords[0])), dtype=kind)
    for k, sizes in reversed(list(enumerate(modes))):
        site = np.zeros_like(coords[0], dtype=np.int64)
        for axis, n in enumerate(sizes) if len(sizes) > 1 else [(k, sizes[0])]:
            index[axis], digit = np.divmod(index[axis], n)
            site = site * n + digit
        digits[k] = site
    return digits


def _merged(digits: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sorted by index, equal indices summed, zeros dropped but for a last one."""
    if not values.size:
        return np.zeros_like(digits, shape=(len(digits), 1)), np.zeros_like(
            values, shape=1
        )
    order = np.lexsort(digits[::-1])
    digits, values = digits[:, order], values[order]
    first = np.flatnonzero(_depths(digits) < len(digits))
    digits, values = digits[:, first], np.add.reduceat(values, first)
    kept = values != 0
    kept[0] |= not kept.any()
    return digits[:, kept], values[kept]


def _depths(digits: np.ndarray) -> np.ndarray:
    """The site at which each index first differs from the one before; ``d`` if none."""
    differs = digits[:, 1:] != digits[:, :-1]
    depths = np.where(differs.any(axis=0), differs.argmax(axis=0), len(digits))
    return np.concatenate(([0], depths))


def _sweep(
    digits: np.ndarray, rest: np.ndarray, modes: Modes, budget: Budget, max_bytes: int
) -> Cores:
    """`svd.sweep` on the rows, ``rest (rows, r)``, that ``digits`` name."""
    depths, done = _depths(digits), []
    rest = chain.reshape(rest, rest.size, 1)
    for k in range(len(modes) - 1, 0, -1):
        starts = depths < k
        rows = np.cumsum(starts) - 1
        rank = rest.shape[1]
        matrix = _scattered(rest, rows, digits[k], prod(modes[k]), max_bytes)
        rest, right = halves(matrix, budget)
        done.append(chain.reshape(right, len(right), *modes[k], rank))
        digits, depths = digits[:k, starts], depths[starts]
    only = np.zeros_like(digits[0], dtype=np.int64)
    first = _scattered(rest, only, digits[0], prod(modes[0]), max_bytes)
    return (chain.reshape(first, 1, *modes[0], rest.shape[1]), *reversed(done))


def _scattered(
    rest: np.ndarray, rows: np.ndarray, digits: np.ndarray, size: int, max_bytes: int
) -> Array:
    """``(rows, size * r)``: each row of ``rest`` in its row, at its digit."""
    shape = int(rows[-1]) + 1, size, int(rest.shape[1])
    what = f"from_sparse: an unfolding with {shape[0]} nonzero rows"
    advice = "give tol or a max_rank, or raise max_bytes"
    require_room(shape, rest.itemsize, what, advice, max_bytes)
    matrix = np.zeros(shape, dtype=rest.dtype)
    matrix[rows, digits] = rest
    return chain.reshape(matrix, shape[0], shape[1] * shape[2])
