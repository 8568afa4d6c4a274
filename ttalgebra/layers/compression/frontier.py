"""What a matrix costs and loses as a TT-matrix, at every rank: read off its spectra."""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from ttalgebra.arrays.namespace import nbytes_of
from ttalgebra.arrays.scaling import norm_of, times_power, unit_scaled
from ttalgebra.arrays.typing import Array
from ttalgebra.cores.rounding.spectra import parameters
from ttalgebra.decompose.modes import cropped, padded
from ttalgebra.trains.matrix import TTMatrix

Pairs = tuple[tuple[int, int], ...]


class Form(NamedTuple):
    """A TT-form that is not made yet: its size, and a bound of its relative error."""

    pairs: Pairs
    ranks: tuple[int, ...]
    parameters: int
    error: float

    @property
    def row_modes(self) -> tuple[int, ...]:
        """``(m_1, ..., m_d)``."""
        return tuple(m for m, _ in self.pairs)

    @property
    def col_modes(self) -> tuple[int, ...]:
        """``(n_1, ..., n_d)``."""
        return tuple(n for _, n in self.pairs)

    def made(self, W: Array) -> tuple[TTMatrix, float]:
        """``W`` in this form by TT-SVD, and its relative Frobenius error.

        Zeros are put around ``W`` where the modes ask for them, and do not count.
        """
        whole = _fitted(W, self.pairs)
        A, info = TTMatrix.from_dense(
            whole, self.row_modes, self.col_modes, None, self.ranks, return_info=True
        )
        if whole is W or info.norm == 0.0:
            return A, info.error
        dense = A.to_dense(max_bytes=2 * nbytes_of(whole))
        unit, exponent = unit_scaled(W)
        rest = times_power(W - cropped(dense, W.shape), -exponent)
        return A, norm_of(rest) / norm_of(unit)


def spectra(W: Array, pairs: Pairs) -> tuple[np.ndarray, ...]:
    """The singular values of each unfolding of ``W``, up to one power of two for all.

    Those of roundoff are left out.

    Cost: one lossless TT-SVD.
    """
    rows, cols = zip(*pairs, strict=True)
    unit, _ = unit_scaled(_fitted(W, pairs))  # the norm of W may be out of range
    _, info = TTMatrix.from_dense(unit, rows, cols, return_info=True)
    inner = info.ranks[1:-1]
    return tuple(s[:r] for s, r in zip(info.singular_values, inner, strict=True))


def _fitted(W: Array, pairs: Pairs) -> Array:
    """``W``, with zeros below and to the right where the modes multiply to more."""
    shape = math.prod(m for m, _ in pairs), math.prod(n for _, n in pairs)
    return W if tuple(W.shape) == shape else padded(W, shape)


def frontier(pairs: Pairs, values: Sequence[np.ndarray]) -> Iterator[Form]:
    """Forms of rank 1 and upwards, each with one rank more than the one before.

    The rank that is raised removes most squared error for each parameter. The bound is
    ``sqrt(sum_k sum_{j > r_k} s_{k,j}^2)``, relative; the last form has 0.
    Source: Oseledets (2011), Theorem 2.2.
    """
    tails = [squared_tails(s) for s in values]
    sizes = [m * n for m, n in pairs]
    ranks = [1] * len(tails)
    while True:
        yield form_at(pairs, tails, ranks)
        around = (1, *ranks, 1)
        offers = [
            ((tail[r - 1] - tail[r]) / (sizes[k] * around[k] + sizes[k + 1] * after), k)
            for k, (tail, r, after) in enumerate(
                zip(tails, ranks, around[2:], strict=True)
            )
            if r < len(tail)
        ]
        if not offers:
            return
        ranks[max(offers)[1]] += 1


def form_at(pairs: Pairs, tails: Sequence[np.ndarray], ranks: Sequence[int]) -> Form:
    """The form with these inner ``ranks``; see `squared_tails`."""
    squared = math.fsum(float(t[r - 1]) for t, r in zip(tails, ranks, strict=True))
    error = math.sqrt(min(squared, 1.0))
    count = parameters([m * n for m, n in pairs], ranks)
    return Form(pairs, (1, *ranks, 1), count, error)


def squared_tails(values: np.ndarray) -> np.ndarray:
    """``t[r - 1]`` is the part of the squared norm that lies beyond rank ``r``."""
    largest = float(values[0])
    if largest == 0.0:
        return np.zeros(1)
    tails = np.cumsum(((values / largest) ** 2)[::-1])[::-1]
    relative: np.ndarray = np.append(tails[1:], 0.0) / tails[0]
    return relative
