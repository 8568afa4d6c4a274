"""From which end an array is read, and how many of the modes there are merged.

A sweep that starts at the last mode reads C order as it lies in memory. The transpose
of an array in Fortran order is in C order; its chain, turned back, is the array's.
"""

from dataclasses import replace
from math import prod
from typing import Any, Literal

import numpy as np

from ttalgebra.arrays.typing import Cores
from ttalgebra.cores import arithmetic
from ttalgebra.cores.truncation import Truncation
from ttalgebra.decompose.sweep import Modes

WIDTH = 64  # columns from which a pass pays: fewer would shrink the array too little


def merged_sites(modes: Modes, dtype: Any, max_bytes: int) -> int:
    """How many of the last sites make the first unfolding; 0 if none makes a tall one.

    As few as reach ``WIDTH`` columns, if their triangle leaves room for its QR.
    """
    size = prod(prod(sizes) for sizes in modes)
    most = max_bytes // (8 * int(np.dtype(dtype).itemsize))  # a tall block and its QR
    count, columns = 0, 1
    for sizes in reversed(modes[1:]):
        wider = columns * prod(sizes)
        if columns >= WIDTH or 4 * wider**2 > min(size, most):
            break
        count, columns = count + 1, wider
    return count


def reading_order(x: Any, modes: Modes, max_bytes: int) -> Literal["C", "F"]:
    """F where the transpose can be read in order, or is tall where ``x`` is not."""
    if not isinstance(x, np.ndarray):
        return "C"
    if x.flags.f_contiguous and not x.flags.c_contiguous:
        return "F"
    is_wide = merged_sites(modes, x.dtype, max_bytes) == 0
    return "F" if len(modes[0]) == 1 and is_wide else "C"


def transposed(
    modes: Modes, max_rank: tuple[int | None, ...]
) -> tuple[Modes, tuple[int | None, ...]]:
    """Modes and bounds of ``x.T``: of a tensor all axes turn, of a matrix the pairs."""
    if len(modes[0]) == 1:
        return tuple(modes[::-1]), max_rank[::-1]
    return tuple((n, m) for m, n in modes), max_rank


def turned_back(cores: Cores, info: Truncation) -> tuple[Cores, Truncation]:
    """The chain of the transpose, and its report, as those of the array itself."""
    if cores[0].ndim == 4:
        return arithmetic.transpose(cores), info
    flipped = tuple(np.permute_dims(core, (2, 1, 0)) for core in reversed(cores))
    return flipped, replace(
        info,
        ranks=info.ranks[::-1],
        singular_values=info.singular_values[::-1],
        drivers=info.drivers[::-1],
    )
