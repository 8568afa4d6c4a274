"""What a worker does to one block: pure functions, so that it may be done again."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ttalgebra.arrays.checks import as_array
from ttalgebra.arrays.scaling import times_power, unit_scaled
from ttalgebra.arrays.typing import Array
from ttalgebra.decompose.unfolding import compressed, triangle_of
from ttalgebra.interop.dask.unfolding import Unfolding


class Bad(NamedTuple):
    """A value that is not finite: its block, its place in it, what it is."""

    block: tuple[int, ...]
    place: tuple[int, ...]
    value: str


class Part(NamedTuple):
    """``2**exponent * triangle`` is that of some rows; or a value is ``bad``."""

    triangle: Array
    exponent: int = 0
    bad: Bad | None = None


def part(block: Any, *, unfolding: Unfolding, block_id: tuple[int, ...]) -> Part:
    """The triangle of one block, taken with its largest entry near one."""
    block = as_array(block, "x")
    matrix = unfolding.of(block)
    if not matrix.size:
        return Part(matrix)
    finite = np.isfinite(block)
    if not finite.all():
        index = np.unravel_index(int(np.argmin(finite)), block.shape)
        place = tuple(int(i) for i in index)
        return Part(matrix[:0], 0, Bad(block_id, place, str(block[place])))
    matrix, exponent = unit_scaled(matrix)
    return Part(compressed(matrix), int(exponent))


def together(parts: Sequence[Part]) -> Part:
    """The triangle of all their rows, taken in this order."""
    for each in parts:
        if each.bad:
            return each
    exponent = max((each.exponent for each in parts if each.triangle.any()), default=0)
    rows = (times_power(each.triangle, each.exponent - exponent) for each in parts)
    return Part(triangle_of(rows), exponent)


def projected(
    block: Any, *, unfolding: Unfolding, basis: Array, exponent: int
) -> Array:
    """What a cut leaves of ``2**-exponent`` times one block."""
    block = laid_out(as_array(block, "x"))
    matrix = unfolding.of(times_power(block, -exponent))
    return unfolding.folded(matrix @ laid_out(basis), block.shape)


def laid_out(x: Array) -> Array:
    """``x`` in C order and aligned, however it lay where it came from.

    Products have other bits for other layouts, and the way that an array takes from
    one process to another may change its layout.
    """
    return np.require(x, None, ["C", "A"])
