"""How an array is split, and what follows from it: where each end can be cut.

A block can be cut at the axes that it holds whole. So the ends reach inwards to the
first and to the last axis that is split. What is left between these is by then small
enough to be split anew, along the first of them alone.
"""

from collections.abc import Sequence
from math import prod

import dask.array as da

from ttalgebra.arrays.errors import ShapeError
from ttalgebra.decompose.streamed.orientation import WIDTH
from ttalgebra.interop.dask.unfolding import Unfolding

BLOCK_BYTES = 2**25
STRETCH = 2**16  # bytes: whole pages of a file are read, and count as memory
WIDEST = 16 * WIDTH  # columns beyond which a pass does not merge axes

End = tuple[Unfolding, ...]


def split_axes(blocks: Sequence[int]) -> tuple[int, int]:
    """The first and the last axis in more than one block; ``(0, 0)`` if none is."""
    split = [k for k, count in enumerate(blocks) if count > 1] or [0]
    return split[0], split[-1]


def ends_of(shape: Sequence[int], blocks: Sequence[int]) -> list[End]:
    """The unfoldings to cut, from each end inwards, in the order of the cuts.

    The axis of each is the bond it cuts. First comes the end at which a pass costs
    least and still shrinks the array; last is what lies between two split axes.
    """
    first, last = split_axes(blocks)
    right = tuple(Unfolding(k, True) for k in range(len(shape) - 1, last, -1))
    left = tuple(Unfolding(k, False) for k in range(1, first + 1))
    between = tuple(Unfolding(k, True) for k in range(last, first, -1))
    outer = sorted(filter(None, (right, left)), key=lambda end: _cost(end, shape))
    return [*outer, between] if between else outer


def _cost(end: End, shape: Sequence[int]) -> tuple[bool, int]:
    columns = widened(end, shape).columns(shape)
    return columns < WIDTH, columns if columns >= WIDTH else -columns


def widened(end: End, shape: Sequence[int]) -> Unfolding:
    """The next unfolding of ``end`` with ``WIDTH`` columns, so that a pass pays."""
    found = end[0]
    for wider in end[1:]:
        if found.columns(shape) >= WIDTH or wider.columns(shape) > WIDEST:
            break
        found = wider
    return found


def require_a_whole_end(x: da.Array) -> None:
    """Raise ShapeError where neither the first nor the last axis is in one block."""
    if x.ndim == 1 or split_axes(x.numblocks) != (0, x.ndim - 1):
        return
    message = f"tt_svd: x is in {x.numblocks} blocks, its first and its last axis split"
    sizes = blocks_of(x.shape, (1,) * x.ndim, x.dtype.itemsize, BLOCK_BYTES)
    raise ShapeError(f"{message}; keep one of them whole, as in x.rechunk({sizes})")


def split_along(x: da.Array, axis: int) -> da.Array:
    """``x`` in blocks along one axis, of about ``BLOCK_BYTES``."""
    step = max(1, BLOCK_BYTES * x.shape[axis] // max(1, x.nbytes))
    chunks = dict.fromkeys(range(x.ndim), -1) | {axis: min(step, x.shape[axis])}
    return x.rechunk(chunks, method="tasks")


def blocks_of(
    shape: Sequence[int], pieces: Sequence[int], itemsize: int, block_bytes: int
) -> tuple[int, ...]:
    """The shape of blocks of about ``block_bytes`` that leave an end whole.

    Split along the first axis that makes them small enough; or, where one is too
    little, along the leading axes. A block takes whole ``pieces``, in which the array
    is stored, or else stretches of at least ``STRETCH`` bytes in C order.
    """
    for axis, piece in enumerate(pieces):
        sizes = list(shape)
        slab = prod(shape) // shape[axis] * piece * itemsize
        sizes[axis] = min(shape[axis], block_bytes // slab * piece)
        stretch = prod(sizes[axis:]) * itemsize
        if sizes[axis] and (axis == 0 or prod(pieces) > 1 or stretch >= STRETCH):
            return tuple(sizes)
    return _leading(shape, pieces, itemsize, block_bytes)


def _leading(
    shape: Sequence[int], pieces: Sequence[int], itemsize: int, block_bytes: int
) -> tuple[int, ...]:
    """Leading axes in single pieces, until what follows fits; the last axis whole."""
    sizes = list(shape)
    for k, piece in enumerate(pieces[:-1]):
        slab = prod(sizes) // sizes[k] * piece * itemsize
        sizes[k] = min(shape[k], max(1, block_bytes // slab) * piece)
        if slab <= block_bytes:
            break
    return tuple(sizes)
