"""TT-SVD of an array that is larger than memory: read three times, never loaded.

The last modes are merged into one unfolding with at least ``WIDTH`` columns. Its
triangle, reduced block by block, has the same right singular vectors as the array
itself, so the bonds inside and before the merged modes are cut on the triangle alone.
Projecting the blocks on the rows found leaves an array that is in memory::

    array (A, columns)  --first pass-->   exponent; all is finite
                        --second pass-->  triangle (columns, columns) --> last cores
                        --third pass-->   projected (A, r)            --> other cores

Source: Oseledets (2011), Algorithm 1, mirrored; the reduction and the projection of
Rohrig-Zollner, Thies, Basermann (2022).
"""

from math import prod
from typing import Any

import numpy as np

from ttalgebra.arrays.checks import MAX_BYTES, require_room
from ttalgebra.arrays.namespace import adjoint
from ttalgebra.arrays.typing import Array, Cores
from ttalgebra.cores import chain
from ttalgebra.cores.truncation import Budget, Truncation
from ttalgebra.decompose.ends import columns_of, cut_inside, rows_of
from ttalgebra.decompose.streamed.blocks import BLOCK_BYTES, Blocks, blocks_of, read
from ttalgebra.decompose.streamed.orientation import (
    merged_sites,
    reading_order,
    transposed,
    turned_back,
)
from ttalgebra.decompose.svd import tt_svd
from ttalgebra.decompose.sweep import Modes, as_first, halves, sweep
from ttalgebra.decompose.unfolding import left_over, peel, triangle_of


def tt_svd_streamed(
    x: Any,
    modes: Modes,
    *,
    tol: float | None = None,
    max_rank: tuple[int | None, ...],
    block_bytes: int = BLOCK_BYTES,
    max_bytes: int = MAX_BYTES,
) -> tuple[Cores, Truncation]:
    """The chain of ``x``, which is read in blocks along its first axis.

    ``x`` has a shape and a dtype and can be sliced: a ``np.memmap``, an HDF5 or Zarr
    array. It is ``(n_1, ..., n_d)``, or ``(M, N)`` with two modes a site. Bounds, tol
    and report as in `tt_svd`, to which the result is equal up to roundoff; the same
    ``block_bytes`` give the same bits. Memory: a few blocks, the triangle, and what
    the third pass leaves, ``size r / columns`` numbers; TooLargeError before it is
    allocated where those are above ``max_bytes``. NonFiniteError after the first pass.
    """
    order = reading_order(x, modes, max_bytes)
    seen, turned, bounds = x, modes, max_rank
    if order == "F":
        seen, (turned, bounds) = x.T, transposed(modes, max_rank)
    merged = merged_sites(turned, x.dtype, max_bytes)
    if merged == 0:
        return _loaded(x, modes, tol, max_rank, max_bytes)
    head, tail = turned[:-merged], turned[-merged:]
    blocks = blocks_of(seen, columns_of(tail), block_bytes, order)
    cores, info = _three_passes(blocks, head, tail, tol, bounds, max_bytes)
    return (cores, info) if order == "C" else turned_back(cores, info)


def _three_passes(
    blocks: Blocks,
    head: Modes,
    tail: Modes,
    tol: float | None,
    max_rank: tuple[int | None, ...],
    max_bytes: int,
) -> tuple[Cores, Truncation]:
    """The passes of the drawing above; ``tail`` are the modes that are merged."""
    exponent, sizes = blocks.exponent(), columns_of(tail)
    reduced = triangle_of(peel(block, sizes) for block in blocks.scaled(exponent))
    budget = Budget(float(np.linalg.vector_norm(reduced)), tol, max_rank)
    ends = cut_inside(reduced, tail, budget)
    rest = _projected(blocks, exponent, sizes, ends, max_bytes)
    rest, done = sweep(rest, head[1:], lambda matrix: halves(matrix, budget))
    cores = (as_first(rest, head[0]), *done, *ends)
    info = budget.report(chain.ranks(cores), exponent)
    return chain.spread(cores, exponent), info


def _loaded(
    x: Any,
    modes: Modes,
    tol: float | None,
    max_rank: tuple[int | None, ...],
    max_bytes: int,
) -> tuple[Cores, Truncation]:
    """`tt_svd` of an array without a tall unfolding, which no pass would shrink."""
    what, advice = "from_dense: loading x", "split its last mode, or raise max_bytes"
    itemsize = int(np.dtype(x.dtype).itemsize)
    require_room([int(n) for n in x.shape], itemsize, what, advice, max_bytes)
    loaded = np.array(read(x, slice(None), tuple(int(n) for n in x.shape)))
    return tt_svd(loaded, modes, tol=tol, max_rank=max_rank)


def _projected(
    blocks: Blocks, exponent: int, sizes: tuple[int, ...], ends: Cores, max_bytes: int
) -> Array:
    """``x Q^H``, ``(A, r)`` or ``(A, B, r)``, for the rows ``Q`` of ``ends``."""
    basis = adjoint(rows_of(ends))
    axes = blocks.shape if blocks.is_matrix else (prod(blocks.shape),)
    left = [n // m for n, m in zip(axes, sizes, strict=True)]
    shape = (*left, int(basis.shape[1]))
    what = f"from_dense: what is left of x at rank {shape[-1]}"
    advice = "raise tol, give a max_rank, or raise max_bytes"
    require_room(shape, basis.itemsize, what, advice, max_bytes)
    found = np.empty(shape, dtype=basis.dtype)
    start = 0
    for block in blocks.scaled(exponent):
        part = left_over(peel(block, sizes) @ basis, block.shape[:-1], sizes)
        found[start : start + len(part)] = part
        start += len(part)
    return found
