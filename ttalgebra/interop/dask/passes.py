"""What is asked of all blocks: their triangle by a tree, and their projection.

The tree depends on the blocks alone. Neighbours, in C order of the blocks, are reduced
by ``BRANCHES`` at a time; so neither the number of workers, nor their order, nor what
had to be done twice changes a bit of the result.
"""

from typing import Any

import dask
import dask.array as da
import numpy as np
from distributed import KilledWorker

from ttalgebra.arrays.errors import NonFiniteError
from ttalgebra.arrays.typing import Array
from ttalgebra.interop.dask.blocks import Bad, Part, laid_out, part, projected, together
from ttalgebra.interop.dask.unfolding import Unfolding

BRANCHES = 8


def triangle_of_all(x: da.Array, unfolding: Unfolding) -> Part:
    """The triangle of an unfolding of ``x``: all that is brought here.

    Raises NonFiniteError, with an index, for the first block that is not finite.
    """
    leaves = x.map_blocks(
        part, unfolding=unfolding, token="triangle", meta=_meta(x, x.dtype)
    )
    parts = list(leaves.to_delayed().ravel())
    join = dask.delayed(together, pure=False)
    while len(parts) > 1:
        parts = [join(parts[k : k + BRANCHES]) for k in range(0, len(parts), BRANCHES)]
    found: Part = awaited(parts[0], x)
    if found.bad:
        raise NonFiniteError(_refusal(x, found.bad))
    return found._replace(triangle=laid_out(found.triangle))


def project_all(
    x: da.Array, unfolding: Unfolding, basis: Array, exponent: int
) -> da.Array:
    """What a cut leaves of ``2**-exponent * x``, lazily, in as many blocks as ``x``."""
    return x.map_blocks(
        projected,
        unfolding=unfolding,
        basis=dask.delayed(basis),  # sent to a worker once, not with each block
        exponent=exponent,
        chunks=unfolding.left_over(x.chunks, (int(basis.shape[1]),), (1,)),
        token="projection",
        meta=_meta(x, basis.dtype),
    )


def awaited(task: Any, x: da.Array) -> Any:
    """What ``task`` over the blocks of ``x`` computes, where dask is told to compute.

    A KilledWorker says which block it was: its task ends with the number of the block.
    """
    try:
        return task.compute()
    except KilledWorker as error:
        error.add_note(_obituary(x, error.task))
        raise


def _meta(x: da.Array, dtype: Any) -> np.ndarray:
    return np.empty((0,) * x.ndim, dtype=dtype)


def _obituary(x: da.Array, task: Any) -> str:
    place = f"task {task!r}"
    if isinstance(task, tuple) and len(task) == x.ndim + 1:
        place = f"block {task[1:]} of {x.numblocks}"
    advice = "give them more memory, or smaller blocks; there is no result"
    return f"tt_svd: worker after worker died of {place}; {advice}"


def _refusal(x: da.Array, bad: Bad) -> str:
    known = zip(x.chunks, bad.block, bad.place, strict=True)
    index = tuple(sum(chunks[:number]) + i for chunks, number, i in known)
    message = f"tt_svd: the value at index {index} is {bad.value}"
    return f"{message}; remove or replace what is not finite first"
