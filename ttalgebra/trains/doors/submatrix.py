"""What stands between the brackets of a matrix: entries, rows, columns, dense parts."""

from collections.abc import Sequence
from math import prod
from typing import Any

from ttalgebra.arrays.checks import as_index, require_room
from ttalgebra.arrays.namespace import nbytes_of
from ttalgebra.arrays.typing import Array, Cores
from ttalgebra.cores import chain, selection
from ttalgebra.trains.doors.dense import MAX_STATE
from ttalgebra.trains.doors.digits import digits_of, is_list, listed
from ttalgebra.trains.doors.indexing import key_of, range_of

Digits = tuple[int | slice, ...]


def pair_of(key: Any) -> tuple[Any, Any]:
    """What is asked of the rows, and of the columns."""
    if any(part is None for part in (key if isinstance(key, tuple) else (key,))):
        raise TypeError("indexing: a matrix has rows and columns, None adds no axis")
    rows, columns = key_of(key, 2)
    return rows, columns


def digits(part: Any, modes: Sequence[int], name: str) -> Digits | None:
    """The digits of a flat index, ``:`` for each of them; None where some are meant."""
    if _is_all(part):
        return (part,) * len(modes)
    if _is_several(part):
        return None
    return digits_of(as_index(part, prod(modes), f"indexing: {name}"), modes)


def dense_part(A: Cores, i: Any, j: Any) -> Array:
    """The dense array of some rows and columns; an axis less for each int.

    Raises TooLargeError, before anything is listed, where it would not fit.
    """
    modes = tuple(zip(*chain.modes(A), strict=True))
    sizes = [prod(axis) for axis in modes]
    rows, columns = _picked(i, sizes[0], "row"), _picked(j, sizes[1], "column")
    counts = [
        n if picked is None else _count(picked)
        for n, picked in zip(sizes, (rows, columns), strict=True)
    ]
    _require_room(A, counts)
    found = selection.submatrix(chain.tame(A)[0], rows, columns)
    found = found if _is_several(i) else found[0, :]
    return found if _is_several(j) else found[..., 0]


def _is_several(part: Any) -> bool:
    """Whether a part of a key leaves an axis."""
    return isinstance(part, slice) or is_list(part)


def _is_all(part: Any) -> bool:
    return isinstance(part, slice) and all(
        end is None for end in (part.start, part.stop, part.step)
    )


def _picked(part: Any, size: int, name: str) -> Sequence[int] | None:
    """The flat indices that are asked for, None for all of them in order."""
    if _is_all(part):
        return None
    if isinstance(part, slice):
        return range_of(part, size, f"the {name}s")
    if is_list(part):
        return listed(part, size, f"indexing: {name}")
    return (as_index(part, size, f"indexing: {name}"),)


def _count(picked: Sequence[int]) -> int:
    """Its length, of which a range may have more than an index can count."""
    if isinstance(picked, range):
        return (picked[-1] - picked[0]) // picked.step + 1
    return len(picked)


def _require_room(A: Cores, counts: Sequence[int]) -> None:
    """Raise TooLargeError where the result, or a state on the way to it, is too big."""
    itemsize = nbytes_of(A[0][:1, :1, :1, :1])
    advice = "take fewer rows or columns, or entries at single places"
    require_room(counts, itemsize, "indexing: the part of the matrix", advice)
    done, largest = (1, 1), 0
    for _, m, n, b in (core.shape for core in A):
        kept = [min(size, count) for size, count in zip(done, counts, strict=True)]
        largest = max(largest, kept[0] * m * kept[1] * n * b)
        done = done[0] * m, done[1] * n
    require_room(
        (largest,), itemsize, "indexing: a state on the way", advice, MAX_STATE
    )
