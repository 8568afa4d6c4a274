"""TT-SVD from both ends towards the axis along which the blocks are.

Each pass reduces the blocks to the triangle of an unfolding, cuts it here, and leaves
the blocks projected on what is kept, where they are::

    blocks --triangle--> cut here --> cores of one end
      |                     |
      +---- projection <----+    and so on with what is left of the blocks

Once what is left is a quarter of what is stored, it is stored in its place; until
then it is computed from the array again.

Source: Oseledets (2011), Algorithm 1, from both ends; the reduction and the
projection of Rohrig-Zollner, Thies, Basermann (2022).
"""

from dataclasses import replace
from math import prod

import dask.array as da
import numpy as np

from ttalgebra.arrays.checks import require_room
from ttalgebra.arrays.scaling import times_power
from ttalgebra.arrays.typing import Array, Cores
from ttalgebra.cores import chain
from ttalgebra.cores.truncation import Budget, Truncation
from ttalgebra.interop.dask.chunks import End, ends_of, split_along, split_axes, widened
from ttalgebra.interop.dask.passes import awaited, project_all, triangle_of_all
from ttalgebra.interop.dask.unfolding import Unfolding

STORED = 4  # how many times smaller what is left must be to be stored
COPIES = 8  # what a triangle, its SVD and their work space take, in triangles
ADVICE = "raise tol, give a max_rank, split the mode, or raise max_bytes"


def chain_of(
    x: da.Array, tol: float | None, max_rank: tuple[int | None, ...], max_bytes: int
) -> tuple[Cores, Truncation]:
    """The chain of ``x``, which has two axes or more, and the first or last whole."""
    ends = ends_of(x.shape, x.numblocks)
    bonds = [unfolding.axis for end in ends for unfolding in end]
    bounds = tuple(max_rank[bond - 1] for bond in reversed(bonds))
    sweep = Sweep(x, tol, bounds, max_bytes)
    for end in ends:
        sweep.cut_off(end)
    cores = sweep.closed(split_axes(x.numblocks)[0])
    info = sweep.budget.report(chain.ranks(cores), sweep.exponent)
    return chain.spread(cores, sweep.exponent), _in_order(info, bonds)


class Sweep:
    """What is left of an array between its ends, and the cores cut off from them.

    The array is ``2**exponent`` times what the cores and the rest make.
    """

    budget: Budget

    def __init__(
        self,
        x: da.Array,
        tol: float | None,
        bounds: tuple[int | None, ...],
        max_bytes: int,
    ):
        self.rest, self.shape, self.stored = x, x.shape, x.nbytes
        self.tol, self.bounds, self.max_bytes = tol, bounds, max_bytes
        self.exponent = 0
        self.cores: dict[int, Array] = {}

    def cut_off(self, end: End) -> None:
        """Cut the bonds of ``end``, several in one pass while they are narrow."""
        while end:
            unfolding = widened(end, self.rest.shape)
            if not unfolding.is_whole(self.rest.numblocks):
                self.rest = split_along(self.rest, end[-1].axis - 1)
            self._cut(unfolding)
            end = end[end.index(unfolding) + 1 :]

    def _cut(self, unfolding: Unfolding) -> None:
        sites = [k for k in unfolding.sites(len(self.shape)) if k not in self.cores]
        sizes = [self.shape[k] for k in sites]
        reduced, shift = self._triangle(unfolding)
        rank = reduced.shape[1] // prod(sizes)
        cores = unfolding.cores(reduced, sizes, rank, self.budget)
        self.cores |= dict(zip(sites, cores, strict=True))
        basis = unfolding.basis(cores)
        self.rest = project_all(self.rest, unfolding, basis, shift)
        if STORED * self.rest.nbytes <= self.stored:
            self.rest, self.stored = self.rest.persist(), self.rest.nbytes

    def _triangle(self, unfolding: Unfolding) -> tuple[Array, int]:
        """Of the rest, and the exponent by which the rest is still to be divided."""
        columns = unfolding.columns(self.rest.shape)
        rows = prod(self.rest.shape) // columns
        what = f"tt_svd: the triangle of {columns} columns, with its SVD,"
        shape = (COPIES, min(rows, columns), columns)
        require_room(shape, self.rest.dtype.itemsize, what, ADVICE, self.max_bytes)
        found = triangle_of_all(self.rest, unfolding)
        if self.cores:
            return times_power(found.triangle, found.exponent), 0
        self.exponent = found.exponent
        norm = float(np.linalg.vector_norm(found.triangle))
        self.budget = Budget(norm, self.tol, self.bounds)
        return found.triangle, found.exponent

    def closed(self, centre: int) -> Cores:
        """All cores; the one at the site ``centre`` is what the cuts have left."""
        what, size = f"tt_svd: core {centre}", self.rest.dtype.itemsize
        require_room(self.rest.shape, size, what, ADVICE, self.max_bytes)
        middle = awaited(self.rest, self.rest)
        left = prod(middle.shape[:centre])
        core = chain.reshape(middle, left, self.shape[centre], -1)
        cores = self.cores | {centre: core}
        return tuple(cores[k] for k in sorted(cores))


def _in_order(info: Truncation, bonds: list[int]) -> Truncation:
    """The report with its bonds from left to right, not as they were cut."""
    order = np.argsort(bonds[::-1])
    return replace(
        info,
        singular_values=tuple(info.singular_values[k] for k in order),
        drivers=tuple(info.drivers[k] for k in order),
    )
