"""Windows that slide over images, and the sums that go back: gathers both ways.

Along one axis a window of ``l`` pixels at output ``o`` covers the inputs
``p = stride o + a - padding``, ``a = 0 ... l - 1``. A table of these, and one that
says for each ``p`` which ``(o, a)`` cover it, make both directions a gather; a place
outside the image, or an ``o`` that is not there, is one more slot, which holds zeros.
So nothing is written into, which not every array library allows.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ttalgebra.arrays.namespace import device_of, from_numpy, namespace_of
from ttalgebra.arrays.typing import Array
from ttalgebra.cores.chain import reshape


@dataclass(frozen=True)
class Sliding:
    """A window of ``length`` pixels along one axis of ``size``."""

    size: int
    length: int
    stride: int
    padding: int

    @property
    def steps(self) -> int:
        """How many places it has; below 1 where it does not fit."""
        return (self.size + 2 * self.padding - self.length) // self.stride + 1

    @cached_property
    def covered(self) -> np.ndarray:
        """``(steps, length)``: the pixel under each; ``size`` for none."""
        starts = self.stride * np.arange(self.steps) - self.padding
        p = starts[:, None] + np.arange(self.length)
        return np.where((p >= 0) & (p < self.size), p, self.size)

    @cached_property
    def covering(self) -> np.ndarray:
        """``(size, c)``: where `covered` has a pixel; ``steps * length`` for none."""
        flat = self.covered.reshape(-1)
        places: list[list[int]] = [[] for _ in range(self.size + 1)]
        for place, pixel in enumerate(flat.tolist()):
            places[pixel].append(place)
        most = max(map(len, places[:-1]))
        filled = [own + [flat.size] * (most - len(own)) for own in places[:-1]]
        return np.array(filled, np.int64).reshape(self.size, most)


def gathered(x: Array, table: np.ndarray, axis: int) -> Array:
    """``x`` at the places of ``table`` along ``axis``, 0 at the one after the last.

    ``(..., size, ...) -> (..., entries of table, ...)``.
    """
    xp, shape = namespace_of(x), list(x.shape)
    if (table == shape[axis]).any():
        shape[axis] = 1
        nothing = xp.zeros(tuple(shape), dtype=x.dtype, device=device_of(x))
        x = xp.concat((x, nothing), axis=axis)
    return xp.take(x, from_numpy(table.reshape(-1), like=x), axis=axis)


def patches(x: Array, rows: Sliding, columns: Sliding) -> Array:
    """``(n, height, width, c) -> (n height' width', l_rows l_columns c)``."""
    xp, (n, _, _, c) = namespace_of(x), x.shape
    x = gathered(gathered(x, rows.covered, axis=1), columns.covered, axis=2)
    x = reshape(x, n, rows.steps, rows.length, columns.steps, columns.length, c)
    x = xp.permute_dims(x, (0, 1, 3, 2, 4, 5))
    count = n * rows.steps * columns.steps
    return reshape(x, count, rows.length * columns.length * c)


def images(dx: Array, rows: Sliding, columns: Sliding, c: int) -> Array:
    """The pullback of `patches`: each pixel gets the sum of what covers it."""
    xp = namespace_of(dx)
    n = dx.shape[0] // (rows.steps * columns.steps)
    dx = reshape(dx, n, rows.steps, columns.steps, rows.length, columns.length, c)
    dx = xp.permute_dims(dx, (0, 1, 3, 2, 4, 5))
    wide = columns.steps * columns.length
    dx = reshape(dx, n, rows.steps * rows.length, wide, c)
    dx = gathered(dx, rows.covering, axis=1)
    dx = xp.sum(reshape(dx, n, rows.size, rows.covering.shape[1], wide, c), axis=2)
    dx = gathered(dx, columns.covering, axis=2)
    shape = n, rows.size, columns.size, columns.covering.shape[1], c
    return xp.sum(reshape(dx, *shape), axis=3)
