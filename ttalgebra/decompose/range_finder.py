"""Where the rows of a matrix live: random combinations of them, and what those miss.

What a sketch misses is measured, never estimated: the norm of the residual is summed
block by block, so there is no ``sqrt(eps)`` floor as in a difference of squares.

Source: Halko, Martinsson, Tropp (2011), Algorithms 4.1 and 4.4 for a given number of
rows; 4.2 to a tolerance, here in doubling steps and with the residual itself.
"""

import math
from dataclasses import dataclass

import numpy as np

from ttalgebra.arrays.contract import matmul
from ttalgebra.arrays.factorize import qr
from ttalgebra.arrays.namespace import adjoint, from_numpy, namespace_of, to_numpy
from ttalgebra.arrays.random import normal
from ttalgebra.arrays.typing import Array, Generator
from ttalgebra.decompose.unfolding import row_blocks


@dataclass(frozen=True)
class RangeFinder:
    """Random numbers for sketches, and how many power iterations sharpen each."""

    rng: Generator
    power: int = 1

    def find(
        self, matrix: Array, first: int, most: int, goal: float
    ) -> tuple[Array, float] | None:
        """Orthonormal rows ``Q`` and ``norm(matrix - matrix Q^H Q) <= goal``.

        ``first`` rows are drawn, then as many again while ``goal`` is missed; None
        where ``most`` rows miss it too. Cost ``O((3 + 2 power) size rows)``.
        """
        basis = matrix[:0, :]
        count = first
        while count > 0:
            basis = self._extended(matrix, basis, count)
            missed = residual_norm(matrix, basis)
            if missed <= goal:
                return basis, missed
            rows = int(basis.shape[0])
            count = min(rows, most - rows)
        return None

    def _extended(self, matrix: Array, basis: Array, count: int) -> Array:
        """``basis`` and ``count`` more rows, from a sketch of what it misses."""
        rows = self._sample(matrix, basis, count)
        for _ in range(self.power):
            rows = _power_iteration(matrix, basis, rows)
        xp = namespace_of(matrix)
        return _orthonormal(xp.concat((basis, rows), axis=0))

    def _sample(self, matrix: Array, basis: Array, count: int) -> Array:
        """``count`` random combinations of the rows of the residual."""
        xp = namespace_of(matrix)
        total = xp.zeros_like(matrix[:1, :])
        for block in row_blocks(matrix):
            shape = (count, int(block.shape[0]))
            weights = normal(shape, dtype=_host_dtype(matrix), rng=self.rng)
            drawn = from_numpy(weights, like=matrix)
            total = total + matmul(drawn, _residual(block, basis))
        return total


def residual_norm(matrix: Array, basis: Array) -> float:
    """``norm(matrix - matrix Q^H Q)``, to ``c eps norm(matrix)``, in one pass."""
    norm = namespace_of(matrix).linalg.vector_norm
    blocks = row_blocks(matrix)
    return math.hypot(*(float(to_numpy(norm(_residual(b, basis)))) for b in blocks))


def _power_iteration(matrix: Array, basis: Array, rows: Array) -> Array:
    """``rows -> rows E^H E`` for the residual ``E``, which favours its large part."""
    xp = namespace_of(matrix)
    rows = _orthonormal(rows)
    total = xp.zeros_like(rows)
    for block in row_blocks(matrix):
        rest = _residual(block, basis)
        total = total + matmul(adjoint(matmul(rest, adjoint(rows))), rest)
    return total


def _residual(block: Array, basis: Array) -> Array:
    return block - matmul(matmul(block, adjoint(basis)), basis)


def _orthonormal(rows: Array) -> Array:
    """As many orthonormal rows, in whose span ``rows`` are."""
    return adjoint(qr(adjoint(rows))[0])


def _host_dtype(matrix: Array) -> np.dtype:
    return to_numpy(matrix[:0, :]).dtype
