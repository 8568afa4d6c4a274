"""The door: what is given is checked here, and what is returned is made here."""

from typing import Any, Literal, overload

from ttalgebra.arrays.checks import (
    MAX_BYTES,
    as_max_rank,
    as_positive,
    as_tol,
    require_room,
)
from ttalgebra.arrays.typing import Ranks
from ttalgebra.cores.truncation import Truncation, announce
from ttalgebra.interop.dask.chunks import BLOCK_BYTES, require_a_whole_end
from ttalgebra.interop.dask.passes import awaited
from ttalgebra.interop.dask.sources import as_dask
from ttalgebra.interop.dask.sweep import chain_of
from ttalgebra.trains.tensor import TTTensor


@overload
def tt_svd(
    x: Any,
    tol: float | None = ...,
    max_rank: Ranks | None = ...,
    *,
    strict: bool = ...,
    return_info: Literal[False] = ...,
    block_bytes: int = ...,
    max_bytes: int = ...,
) -> TTTensor: ...


@overload
def tt_svd(
    x: Any,
    tol: float | None = ...,
    max_rank: Ranks | None = ...,
    *,
    strict: bool = ...,
    return_info: Literal[True],
    block_bytes: int = ...,
    max_bytes: int = ...,
) -> tuple[TTTensor, Truncation]: ...


def tt_svd(
    x: Any,
    tol: float | None = None,
    max_rank: Ranks | None = None,
    *,
    strict: bool = False,
    return_info: bool = False,
    block_bytes: int = BLOCK_BYTES,
    max_bytes: int = MAX_BYTES,
) -> TTTensor | tuple[TTTensor, Truncation]:
    """TT-SVD of an array that is larger than memory, block by block, where dask is.

    That is on the workers of the current `distributed.Client`, or on threads where
    there is none. Here is only a triangle at a time, ``(columns, columns)``, and the
    cores. The same blocks give the same bits, whatever the number of workers, the
    order of their work and what had to be done again for those that died, as long as
    each uses the same BLAS with as many threads (one, on a LocalCluster).

    Parameters
    ----------
    x
        A dask array whose first or last axis is in one block, and whose blocks are
        the same each time; or, read in blocks by each worker, a ``np.memmap``, a zarr
        array, or the path of a .npy file or a zarr folder, which must be theirs too.
    tol, max_rank, strict, return_info
        As in `TTTensor.from_dense`: ``norm(x - result) <= tol * norm(x)`` up to
        roundoff, unless ``max_rank`` cuts deeper; ``info.error`` is the error itself.
    block_bytes
        How large the blocks are that are read from disk. A worker needs about four
        times as much, and its part of what the first pass leaves,
        ``size * rank / columns`` numbers in all, which dask spills to disk.
    max_bytes
        How large a core, or eight triangles, may be: TooLargeError above that.

    Notes
    -----
    Cost ``O(size * columns)``, where ``columns`` are the last modes (or the first)
    multiplied, as few as make 64. ``x`` is read twice, and once more for each cut
    that leaves more than a quarter. Raises TypeError, ShapeError, and NonFiniteError
    with the index of the value; dask's KilledWorker, with the block in a note, where
    worker after worker dies of it.

    Examples
    --------
    >>> import dask.array as da, ttalgebra as tt
    >>> def hilbert(i, j):
    ...     return 1 / (1 + i + j)
    >>> x = da.fromfunction(hilbert, chunks=(10, 50), shape=(40, 50), dtype=float)
    >>> y, info = tt.interop.dask.tt_svd(x, tol=1e-6, return_info=True)
    >>> y.ranks, info.error <= 1e-6
    ((1, 8, 1), True)
    """
    bound = as_positive(block_bytes, "tt_svd: block_bytes")
    tol = as_tol(tol, "tt_svd")
    x = as_dask(x, bound)
    bounds = as_max_rank(max_rank, x.ndim, "tt_svd")
    require_a_whole_end(x)
    if x.ndim == 1:
        what, advice = "tt_svd: x, its own only core,", "raise max_bytes"
        require_room(x.shape, x.dtype.itemsize, what, advice, max_bytes)
        y, info = TTTensor.from_dense(awaited(x, x), tol, return_info=True)
    else:
        cores, info = chain_of(x, tol, bounds, max_bytes)
        announce(info, "tt_svd", strict=strict)
        y = TTTensor(cores, copy=False)
    return (y, info) if return_info else y
