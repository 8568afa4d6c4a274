"""Unfoldings of an array that is cut from both of its ends.

What is left between the ends keeps ``d`` axes. A rank stands beside the axes to come,
ones in place of those that are gone::

    (n_0, n_1, n_2, n_3)  --from the right, at axis 2-->  (n_0, n_1, r, 1)
                          --from the left, at axis 1--->  (l, n_1, r, 1)

The parts that these cuts discard are mutually orthogonal, whichever end they are at:
the projections act on different axes, or one inside the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from math import prod
from typing import Any

import numpy as np

from ttalgebra.arrays.namespace import adjoint, conj
from ttalgebra.arrays.typing import Array, Cores
from ttalgebra.cores import chain, reshaping
from ttalgebra.cores.truncation import Budget
from ttalgebra.decompose.sweep import halves, sweep


@dataclass(frozen=True)
class Unfolding:
    """The axes to be cut off are its columns: from ``axis`` on, or those before it."""

    axis: int
    from_right: bool

    def of(self, block: Array) -> Array:
        """``(rows, columns)``; from the left the transpose of how the block lies."""
        shape = block.shape
        matrix = chain.reshape(
            block, prod(shape[: self.axis]), prod(shape[self.axis :])
        )
        return matrix if self.from_right else matrix.T

    def sites(self, d: int) -> range:
        """The axes that are its columns, of ``d``."""
        return range(self.axis, d) if self.from_right else range(self.axis)

    def columns(self, shape: Sequence[int]) -> int:
        """How many columns the unfolding of an array of this shape has."""
        return prod(shape[k] for k in self.sites(len(shape)))

    def is_whole(self, blocks: Sequence[int]) -> bool:
        """Whether blocks have whole rows, so many of them being along each axis."""
        return self.columns(blocks) == 1

    def left_over(
        self, axes: Sequence[Any], rank: Any, one: Any = 1
    ) -> tuple[Any, ...]:
        """``axes`` (sizes, or chunks) with a rank in place of those that are cut."""
        d = len(axes)
        if self.from_right:
            return (*axes[: self.axis], rank, *[one] * (d - self.axis - 1))
        return (*[one] * (self.axis - 1), rank, *axes[self.axis :])

    def folded(self, matrix: Array, shape: Sequence[int]) -> Array:
        """``(rows, rank)`` of a block of this shape, as what is left of the block."""
        left = self.left_over(shape, matrix.shape[1])
        return chain.reshape(matrix if self.from_right else matrix.T, *left)

    def cores(
        self, reduced: Array, sizes: Sequence[int], rank: int, budget: Budget
    ) -> Cores:
        """Cores for the axes ``sizes``, from the triangle of the unfolding alone.

        Orthonormal from their own end, ``rank`` being that of the bond behind them.
        Cut from the left, they are the mirror image of a chain cut from the right.
        """
        modes = [(n,) for n in sizes]
        if not self.from_right:
            last = len(sizes) + 1
            opened = chain.reshape(reduced, len(reduced), rank, *sizes)
            reduced, modes = opened.transpose(0, *range(last, 0, -1)), modes[::-1]
        rest = chain.reshape(reduced, reduced.size // rank, rank)
        found = sweep(rest, modes, lambda matrix: halves(matrix, budget))[1]
        return found if self.from_right else mirrored(found)

    def basis(self, cores: Cores) -> Array:
        """``(columns, rank)``: the unfolding times this is what the cut leaves."""
        whole = reduce(reshaping.merge, cores)
        if self.from_right:
            return adjoint(chain.right_unfold(whole))
        return conj(chain.left_unfold(whole))


def mirrored(cores: Cores) -> Cores:
    """The chain of the array whose axes are in the opposite order."""
    return tuple(np.permute_dims(core, (2, 1, 0)) for core in reversed(cores))
