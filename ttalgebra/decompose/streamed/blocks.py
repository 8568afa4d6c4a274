"""An array that is read in blocks of rows, from a file or from whatever can be sliced.

One block at a time is in memory. It holds whole rows of the unfolding that a sweep cuts
first: a stretch of a tensor, or complete last digits of the rows of a matrix.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import frexp, prod
from typing import Any, Literal

import numpy as np

from ttalgebra.arrays.checks import as_array
from ttalgebra.arrays.errors import NonFiniteError, ShapeError
from ttalgebra.arrays.scaling import largest, times_power
from ttalgebra.cores import chain

BLOCK_BYTES = 2**22


@dataclass(frozen=True)
class Blocks:
    """``x`` in slices of ``step`` along its first axis.

    ``shape`` is that of the caller's array, of which ``x`` may be the flat view;
    ``order`` is that in which its values arrive, for the index of a bad one.
    """

    x: Any
    step: int
    shape: tuple[int, ...]
    is_matrix: bool
    order: Literal["C", "F"]

    def __iter__(self) -> Iterator[np.ndarray]:
        rows, *others = (int(n) for n in self.x.shape)
        for start in range(0, rows, self.step):
            stop = min(start + self.step, rows)
            yield read(self.x, slice(start, stop), (stop - start, *others))

    def exponent(self) -> int:
        """The ``e`` with ``2**(e - 1) <= max |x| < 2**e``, in one pass; 0 for zeros.

        Raises NonFiniteError, naming the first bad index.
        """
        top, before = 0.0, 0
        for block in self:
            finite = np.isfinite(block)
            if not finite.all():
                bad = int(np.argmin(finite))
                raise NonFiniteError(self._refusal(before + bad, block.flat[bad]))
            top, before = max(top, float(largest(block))), before + block.size
        return frexp(top)[1]

    def scaled(self, exponent: int) -> Iterator[np.ndarray]:
        """The blocks times ``2**-exponent``, as a sweep holds them: rank 1 behind."""
        for block in self:
            axes = block.shape if self.is_matrix else (block.size,)
            yield chain.reshape(times_power(block, -exponent), *axes, 1)

    def _refusal(self, place: int, value: object) -> str:
        shape = self.shape if self.order == "C" else self.shape[::-1]
        index = tuple(int(i) for i in np.unravel_index(place, shape, self.order))
        message = f"from_dense: the value at index {index} is {value}"
        return f"{message}; remove or replace what is not finite first"


def read(x: Any, rows: slice, shape: tuple[int, ...]) -> np.ndarray:
    """``x[rows]`` in memory, of this ``shape``; TypeError where ``x`` has no slices."""
    try:
        found = np.asarray(x[rows])
    except (LookupError, NotImplementedError) as error:
        message = f"from_dense: slices of {type(x).__name__} cannot be read"
        raise TypeError(f"{message} ({error!r}); give an array") from error
    block: np.ndarray = as_array(found, "x")
    if block.shape != shape:
        place = f"{rows.start or 0}:{rows.stop or ''}"
        message = f"from_dense: slice {place} has shape {block.shape}, expected {shape}"
        raise ShapeError(f"{message}; its source is damaged")
    return block


def blocks_of(
    x: Any, sizes: tuple[int, ...], block_bytes: int, order: Literal["C", "F"] = "C"
) -> Blocks:
    """``x`` in blocks of about ``block_bytes``, each tall in the unfolding it serves.

    ``sizes`` are the columns of that unfolding: ``(n,)`` of a tensor, ``(m, n)`` of a
    matrix. A contiguous tensor is seen flat, so that a block may be less than a slice
    of its first axis. ``order="F"`` says that ``x`` is the transpose of what was given.
    """
    shape = tuple(int(n) for n in x.shape)
    is_matrix = len(sizes) == 2
    group, row = (sizes[0], shape[1]) if is_matrix else (1, prod(shape[1:]))
    if not is_matrix and isinstance(x, np.ndarray) and x.flags.c_contiguous:
        x, group, row = chain.reshape(x, x.size), sizes[0], 1
    wanted = max(block_bytes // np.dtype(x.dtype).itemsize, 2 * prod(sizes) ** 2)
    step = group * max(1, int(wanted) // (group * row))
    return Blocks(x, step, shape, is_matrix, order)
