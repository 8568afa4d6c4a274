"""Hypothesis strategies that draw trains, for our tests and for those of others.

Needs hypothesis, which is imported here and nowhere else in the library.
"""

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from ttalgebra.trains.create import random_matrix, random_tensor
from ttalgebra.trains.matrix import TTMatrix
from ttalgebra.trains.tensor import TTTensor

DTYPES = ("float32", "float64", "complex64", "complex128")


@st.composite
def tt_tensors(
    draw: st.DrawFn,
    *,
    max_order: int = 5,
    max_mode: int = 4,
    max_rank: int = 6,
    dtypes: Sequence[str] = DTYPES,
) -> TTTensor:
    """Tensors of up to ``max_order`` cores, over-ranked ones among them.

    Entries have variance 1 times a power of two; shrinks to one core of one entry.

    >>> from ttalgebra.testing import tt_tensors
    >>> tt_tensors(max_order=3)
    tt_tensors(max_order=3)
    """
    order = draw(st.integers(1, max_order))
    modes = [draw(st.integers(1, max_mode)) for _ in range(order)]
    ranks = [draw(st.integers(1, max_rank)) for _ in range(order - 1)]
    kind, seed = np.dtype(draw(st.sampled_from(dtypes))), draw(st.integers(0, 2**16))
    x = random_tensor(modes, ranks, rng=seed, dtype=kind)
    return x * 2.0 ** draw(st.integers(-20, 20))


@st.composite
def tt_matrices(
    draw: st.DrawFn,
    *,
    max_order: int = 4,
    max_mode: int = 4,
    max_rank: int = 5,
    dtypes: Sequence[str] = DTYPES,
) -> TTMatrix:
    """Matrices of up to ``max_order`` cores with rectangular modes, as `tt_tensors`."""
    order = draw(st.integers(1, max_order))
    rows = [draw(st.integers(1, max_mode)) for _ in range(order)]
    columns = [draw(st.integers(1, max_mode)) for _ in range(order)]
    ranks = [draw(st.integers(1, max_rank)) for _ in range(order - 1)]
    kind, seed = np.dtype(draw(st.sampled_from(dtypes))), draw(st.integers(0, 2**16))
    A = random_matrix(rows, columns, ranks, rng=seed, dtype=kind)
    return A * 2.0 ** draw(st.integers(-20, 20))
